// How files are marked where they are not shown.
export const kindIcons = {
  picture: 'picture',
  film: 'film',
  sound: 'sound',
  voice: 'microphone',
  document: 'document',
} as const;
