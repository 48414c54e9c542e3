import { describe, expect, it } from 'vitest';
import { isMoving } from './moving';

const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe('a picture that moves', () => {
  it.each([
    ['a GIF', 'GIF89a...', true],
    ['an animated WebP', 'RIFF....WEBPVP8X....\u0002', true],
    ['a WebP with transparency', 'RIFF....WEBPVP8X....\u0010', false],
    ['a plain WebP', 'RIFF....WEBPVP8 ....\u0002', false],
    ['an animated PNG', '\u0089PNG....IHDR....acTL....IDAT', true],
    ['a PNG with the word in its data', '\u0089PNG....IHDR....IDAT....acTL', false],
    ['a sequence of AVIF', '\0\0\0\u0020ftypavis....', true],
    ['a still AVIF', '\0\0\0\u0020ftypavif....', false],
    ['a photograph', '\u00ff\u00d8\u00ff', false],
  ])('%s', (_what, head, moves) => {
    expect(isMoving(bytes(head))).toBe(moves);
  });
});
