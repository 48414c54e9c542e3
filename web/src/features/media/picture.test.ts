import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../core/bytes';
import { boxOf, endingOf, previewType } from './picture';
import { harmlessType, isPicture } from './shown';
import { sizeText } from './size';

describe('what may be shown', () => {
  it('is pictures that are nothing else', () => {
    for (const type of ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'])
      expect(isPicture(type)).toBe(true);
    for (const type of ['image/svg+xml', 'text/html', 'image/tiff', 'application/pdf', '', 'IMAGE/PNG'])
      expect(isPicture(type)).toBe(false);
  });

  it('is saved as nothing that a browser would run', () => {
    expect(harmlessType('image/svg+xml')).toBe('application/octet-stream');
    expect(harmlessType('text/html')).toBe('application/octet-stream');
    expect(harmlessType('image/png')).toBe('image/png');
  });

  it('knows a preview by its bytes', () => {
    expect(previewType(new Uint8Array([0xff, 0xd8, 0xff, 0xe0]))).toBe('image/jpeg');
    expect(previewType(new TextEncoder().encode('RIFF1234WEBPVP8 '))).toBe('image/webp');
    expect(previewType(new TextEncoder().encode('<svg onload=x>'))).toBeUndefined();
    expect(previewType(new Uint8Array())).toBeUndefined();
  });
});

describe('the room of a picture', () => {
  it('keeps its shape within bounds', () => {
    expect(boxOf(3000, 2000)).toEqual({ width: 320, height: 213 });
    expect(boxOf(1000, 4000)).toEqual({ width: 120, height: 360 });
    expect(boxOf(20, 10)).toEqual({ width: 120, height: 120 });
    expect(boxOf(0, 0)).toEqual({ width: 240, height: 180 });
  });
});

describe('names and sizes', () => {
  it.each([
    ['surat.pdf', 'PDF'],
    ['a.tar.gz', 'GZ'],
    ['README', ''],
    ['x.verylongending', ''],
  ])('%s ends in %s', (name, ending) => expect(endingOf(name)).toBe(ending));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1234, '1.2 kB'],
    [9_960, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [20_971_520, '21 MB'],
    [2 * 1024 ** 3, '2.1 GB'],
  ])('%i bytes are %s', (bytes, text) => expect(sizeText(bytes, String)).toBe(text));

  it('write bytes as hex and back', () => {
    const bytes = new Uint8Array([0, 15, 16, 255]);
    expect(toHex(bytes)).toBe('000f10ff');
    expect(fromHex('000f10ff')).toEqual(bytes);
  });
});
