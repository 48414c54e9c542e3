// What of a file may be shown, and how large. Pure.

/** Pictures up to this come by themselves, in chats that were accepted. */
export const LOADED_UNASKED_BYTES = 8_000_000;

/** Of a picture in the thread, in CSS pixels. */
const WIDTH_MAX = 320;
const HEIGHT_MAX = 360;
const SIDE_MIN = 120;

/** The room that a picture takes in the thread, known before it is there. */
export function boxOf(width: number, height: number): { width: number; height: number } {
  if (width <= 0 || height <= 0) return { width: 240, height: 180 };
  const scale = Math.min(1, WIDTH_MAX / width, HEIGHT_MAX / height);
  const within = (side: number, max: number) => Math.round(Math.min(Math.max(side * scale, SIDE_MIN), max));
  return { width: within(width, WIDTH_MAX), height: within(height, HEIGHT_MAX) };
}

/** A preview is a JPEG or a WebP or not shown: what it calls itself does not count. */
export function previewType(bytes: Uint8Array): string | undefined {
  const at = (offset: number, text: string) => [...text].every((c, i) => bytes[offset + i] === c.charCodeAt(0));
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  return at(0, 'RIFF') && at(8, 'WEBP') ? 'image/webp' : undefined;
}

/** What people call the type of a file: the ending of its name. */
export function endingOf(name: string): string {
  const ending = /\.([\p{L}\p{N}]{1,5})$/u.exec(name)?.[1];
  return ending ? ending.toUpperCase() : '';
}
