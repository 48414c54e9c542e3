// The picture of a group, made from one that somebody chose: its middle, square, and so small that it travels in a message. Pure but
// for the drawing, which leaves behind what the camera wrote into it.

/** GROUP_PHOTO_BYTES_MAX of crates/protocol/src/limits.rs. */
export const PHOTO_BYTES_MAX = 12 * 1024;

/** Side and quality: the first that is small enough counts. */
const TRIES: [side: number, quality: number][] = [
  [320, 0.8],
  [256, 0.8],
  [256, 0.6],
  [192, 0.7],
  [192, 0.5],
  [128, 0.6],
  [128, 0.4],
  [96, 0.4],
  [64, 0.3],
];
/** The second where a browser does not write the first. */
const TYPES = ['image/webp', 'image/jpeg'];

/** The largest square in the middle. */
export function squareOf(width: number, height: number): { x: number; y: number; side: number } {
  const side = Math.min(width, height);
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), side };
}

/** The best that is not too large; nothing if none is. A browser that cannot write a type gives another one, which does not count. */
export async function smallest(
  draw: (side: number, type: string, quality: number) => Promise<Blob>,
  most = PHOTO_BYTES_MAX,
): Promise<Blob | undefined> {
  for (const [side, quality] of TRIES) {
    for (const type of TYPES) {
      const drawn = await draw(side, type, quality);
      if (drawn.type !== type) continue;
      if (drawn.size <= most) return drawn;
      break;
    }
  }
  return undefined;
}

/** Nothing if it cannot be read as a picture. */
export async function pictureOf(file: Blob): Promise<Blob | undefined> {
  const picture = await createImageBitmap(file).catch(() => undefined);
  if (!picture) return undefined;
  const { x, y, side: from } = squareOf(picture.width, picture.height);
  try {
    return await smallest(async (side, type, quality) => {
      const canvas = new OffscreenCanvas(side, side);
      const context = canvas.getContext('2d');
      if (!context) throw new Error('this browser cannot draw it');
      // What one sees through would be black in a JPEG.
      context.fillStyle = '#fff';
      context.fillRect(0, 0, side, side);
      context.imageSmoothingQuality = 'high';
      context.drawImage(picture, x, y, from, from, 0, 0, side, side);
      return canvas.convertToBlob({ type, quality });
    });
  } finally {
    picture.close();
  }
}
