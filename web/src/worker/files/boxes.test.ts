import { describe, expect, it } from 'vitest';
import { withoutNotes } from './boxes';

function box(type: string, ...content: (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const parts = content.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part));
  const size = 8 + parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, size);
  bytes.set(new TextEncoder().encode(type), 4);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const PLACE = '-07.8014+110.3647/';
const film = () => [
  box('ftyp', 'isommp42'),
  box(
    'moov',
    box('mvhd', 'how long it is'),
    box('udta', box('xyz ', PLACE)),
    box('meta', `keys ${PLACE}`),
    box('trak', box('tkhd', 'which way up'), box('udta', PLACE), box('mdia', box('mdhd', 'x'), box('udta', PLACE))),
  ),
  box('mdat', `pictures and ${PLACE.slice(0, 3)}`),
  box('uuid', 'sixteen bytes id', PLACE),
];
const text = async (blob: Blob | undefined) => new TextDecoder('latin1').decode(await blob?.arrayBuffer());

describe('a film', () => {
  it('goes without its notes, and everything else stays where it was', async () => {
    const before = new Blob(film(), { type: 'video/mp4' });
    expect((await text(before)).split(PLACE)).toHaveLength(6);
    const after = await withoutNotes(before);
    expect(after?.size).toBe(before.size);
    expect(after?.type).toBe('video/mp4');
    const said = await text(after);
    expect(said).not.toContain(PLACE);
    for (const kept of ['how long it is', 'which way up', 'pictures and', 'mdhd']) {
      expect(said.indexOf(kept)).toBe((await text(before)).indexOf(kept));
    }
    expect(said.split('free')).toHaveLength(6);
  });

  it('may be large, or run to the end of the file', async () => {
    const head = new Uint8Array(16);
    new DataView(head.buffer).setUint32(0, 1);
    new DataView(head.buffer).setBigUint64(8, 20n);
    head.set(new TextEncoder().encode('mdat'), 4);
    const rest = box('mdat', 'to the end');
    new DataView(rest.buffer).setUint32(0, 0);
    const all = new Blob([box('ftyp', 'qt  '), head, 'four', rest]);
    expect(await text(await withoutNotes(all))).toBe(await text(all));
  });

  it('is left alone where it is something else, or broken', async () => {
    expect(await withoutNotes(new Blob(['\u001aE\u00df\u00a3 a WebM, which has other boxes']))).toBeUndefined();
    expect(await withoutNotes(new Blob())).toBeUndefined();
    expect(await withoutNotes(new Blob([...film(), 'cut']))).toBeUndefined();
    expect(await withoutNotes(new Blob([box('ftyp', 'x'), box('moov', 'no box in it')]))).toBeUndefined();
  });
});
