// Whether a picture moves: drawing it anew would leave its first moment only. Pure.

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

/** `head` is where the file begins; a few thousand bytes are enough. */
export function isMoving(head: Uint8Array): boolean {
  const begin = text(head.subarray(0, 16));
  // A GIF says only at its end how many pictures it has.
  if (begin.startsWith('GIF8')) return true;
  // The second bit of VP8X (RFC 9649, section 2.7.1).
  if (begin.startsWith('RIFF') && begin.slice(8) === 'WEBPVP8X') return ((head[20] ?? 0) & 2) !== 0;
  // An animated PNG has its acTL chunk before the first picture's data.
  if (begin.startsWith('\u0089PNG')) {
    const chunks = text(head);
    const control = chunks.indexOf('acTL');
    const data = chunks.indexOf('IDAT');
    return control >= 0 && (data < 0 || control < data);
  }
  return begin.slice(4, 12) === 'ftypavis';
}
