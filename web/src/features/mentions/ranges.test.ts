import { describe, expect, it } from 'vitest';
import { mentionsOf, queryAt, type Range, rangesOf, recognised, shifted } from './ranges';

const budi: Range = { start: 5, end: 10, account: 'b' };
/** The ranges after somebody turned one text into the other, the caret being at `|`. */
function edited(before: string, after: string, ranges = [budi]): string[] {
  const caret = after.indexOf('|');
  const text = after.replace('|', '');
  return shifted(ranges, before, text, caret).map(({ start, end }) => text.slice(start, end));
}

describe('a name in a text that is edited', () => {
  it('moves with what is written before it', () => {
    expect(edited('halo @Budi', 'wah, | halo @Budi')).toEqual(['@Budi']);
    expect(edited('halo @Budi', 'h|@Budi')).toEqual(['@Budi']);
    expect(edited('halo @Budi', '|@Budi')).toEqual(['@Budi']);
    expect(edited('halo @Budi', 'halo x|@Budi')).toEqual(['@Budi']);
  });
  it('stays when something is written behind it', () => {
    expect(edited('halo @Budi', 'halo @Budi!|')).toEqual(['@Budi']);
    expect(edited('halo @Budi besok', 'halo @Budi| lusa')).toEqual(['@Budi']);
  });
  it('is no mention any more when it is itself edited', () => {
    expect(edited('halo @Budi', 'halo @Bud|')).toEqual([]);
    expect(edited('halo @Budi', 'halo @Bu-|di')).toEqual([]);
    expect(edited('halo @Budi', 'halo |Budi')).toEqual([]);
    expect(edited('halo @Budi', '|')).toEqual([]);
    expect(edited('halo @Budi ya', 'hal|a')).toEqual([]);
  });
  it('is told from letters like its own by the caret', () => {
    expect(edited('@@Budi', '|@Budi', [{ start: 1, end: 6 }])).toEqual(['@Budi']);
    expect(edited('@Budi', '@|@Budi', [{ start: 0, end: 5 }])).toEqual(['@Budi']);
  });
  it('stays where others go', () => {
    const ani: Range = { start: 0, end: 4, account: 'a' };
    expect(edited('@Ani @Budi', '@An| @Budi', [ani, budi])).toEqual(['@Budi']);
    expect(edited('@Ani @Budi', '@Ani @B|', [ani, budi])).toEqual(['@Ani']);
  });
});

describe('an @', () => {
  const query = (text: string, ranges: Range[] = []) => queryAt(text, text.length, ranges)?.query;

  it('asks for people from the start of a word', () => {
    expect(query('@')).toBe('');
    expect(query('halo @bud')).toBe('bud');
    expect(query('(@Budi San')).toBe('Budi San');
  });
  it('in an address, or behind a name that was chosen, does not', () => {
    expect(query('budi@example')).toBeUndefined();
    expect(query('halo @Budi', [budi])).toBeUndefined();
    expect(query('halo @Budi ya', [budi])).toBeUndefined();
    expect(query('@ ')).toBeUndefined();
    expect(query('@a ')).toBeUndefined();
    expect(query('@a\nb')).toBeUndefined();
    expect(query('halo')).toBeUndefined();
  });
});

describe('names in a draft', () => {
  const people = [{ name: 'Budi', account: 'b' }, { name: 'Budi Santoso', account: 's' }, { name: 'semua' }];

  it('are recognised when they are whole', () => {
    expect(recognised('@Budi Santoso, @Budi dan @semua', people)).toEqual([
      { start: 0, end: 13, account: 's' },
      { start: 15, end: 20, account: 'b' },
      { start: 25, end: 31 },
    ]);
    expect(recognised('@Budiman x@Budi @', people)).toEqual([]);
    expect(recognised('@Budi', [...people, { name: 'Budi', account: 'other' }])).toEqual([]);
  });
});

describe('what is sent', () => {
  it('counts scalar values from the first letter', () => {
    const text = '  😀 @Budi 👍🏽 @semua ';
    const ranges = recognised(text, [{ name: 'Budi', account: 'b' }, { name: 'semua' }]);
    const sent = text.trim();
    const mentions = mentionsOf(ranges, text, sent);
    expect(mentions).toEqual([
      { start: 2, length: 5, account_id: 'b' },
      { start: 11, length: 6 },
    ]);
    expect(rangesOf(mentions, sent).map(({ start, end }) => sent.slice(start, end))).toEqual(['@Budi', '@semua']);
  });
});
