import { describe, expect, it } from 'vitest';
import type { FileBody, Message } from '../../core/contract';
import { holds, rowsOf } from '../messaging/rows';
import { newAlbum, tilesOf } from './album';

const FROM = { account_id: 'a', name: 'Ani' };
const text = (message_id: string, time = 0) =>
  ({ message_id, kind: 'text', mine: false, from: FROM, time, state: 'received', text: 'x' }) as Message;
const picture = (message_id: string, album: string, more: Partial<FileBody> = {}, time = 0) =>
  ({ ...text(message_id, time), kind: 'file', file: { mime_type: 'image/png', album, ...more } }) as Message;
const shape = (messages: Message[], ...more: [string?, boolean?]) =>
  rowsOf(messages, ...more).flatMap((row) =>
    row.kind === 'message' ? [(row.album ?? [row.message]).map(({ message_id }) => message_id).join('')] : [],
  );

describe('tiles', () => {
  it('fill two columns, and count what has no room', () => {
    expect(tilesOf(2).map(({ tall }) => tall)).toEqual([true, true]);
    expect(tilesOf(3).map(({ tall }) => tall)).toEqual([true, false, false]);
    expect(tilesOf(4).map(({ hidden }) => hidden)).toEqual([0, 0, 0, 0]);
    expect(tilesOf(11).map(({ hidden }) => hidden)).toEqual([0, 0, 0, 7]);
  });
});

describe('an album', () => {
  it('is what was sent together, in one row', () => {
    const all = [text('t'), picture('a', '1'), picture('b', '1', { mime_type: 'video/mp4' }), picture('c', '2')];
    expect(shape(all)).toEqual(['t', 'ab', 'c']);
    const [, , row] = rowsOf(all);
    expect(row && holds(row, 'b')).toBe(true);
    expect(row && holds(row, 'c')).toBe(false);
  });

  it('comes apart where something is between, or is to be picked', () => {
    expect(shape([picture('a', '1'), text('t'), picture('b', '1')])).toEqual(['a', 't', 'b']);
    expect(shape([picture('a', '1'), picture('b', '1')], undefined, true)).toEqual(['a', 'b']);
    expect(shape([picture('a', '1'), picture('b', '1'), picture('c', '1')], 'b')).toEqual(['a', 'bc']);
    expect(shape([picture('a', '1'), picture('b', '1', {}, 600_000)])).toEqual(['a', 'b']);
  });

  it('holds nothing but pictures and films that may be seen again and went out', () => {
    expect(shape([picture('a', '1'), picture('b', '1', { mime_type: 'application/pdf' })])).toEqual(['a', 'b']);
    expect(shape([picture('a', '1'), picture('b', '1', { view_once: true })])).toEqual(['a', 'b']);
    expect(shape([picture('a', '1'), { ...picture('b', '1'), state: 'failed' }])).toEqual(['a', 'b']);
    expect(shape([picture('a', ''), picture('b', '')])).toEqual(['a', 'b']);
  });

  it('ends a group of messages where its last one does', () => {
    const rows = rowsOf([picture('a', '1'), picture('b', '1'), { ...text('t'), mine: true }]);
    expect(rows.map((row) => row.kind === 'message' && [row.first, row.last])).toEqual([
      false,
      [true, true],
      [true, true],
    ]);
  });

  it('has a name of 16 bytes', () => {
    expect(newAlbum()).toMatch(/^[0-9a-f]{32}$/);
    expect(newAlbum()).not.toBe(newAlbum());
  });
});
