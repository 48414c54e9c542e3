// Which files are shown as pictures, in the list as in a thread. Pure.

/** What a browser draws and nothing else: an SVG can hold scripts, a page is a page. */
const SHOWN = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']);

export function isPicture(mimeType: string): boolean {
  return SHOWN.has(mimeType);
}

/** A type under which bytes do nothing but lie there, unless they are a picture. */
export function harmlessType(mimeType: string): string {
  return isPicture(mimeType) ? mimeType : 'application/octet-stream';
}
