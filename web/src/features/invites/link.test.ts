import { describe, expect, it } from 'vitest';
import { conversationOf, mayHeal, partsOfLink, type Wrong, wordsOf, wrongOf } from './link';
import { catalogues } from './words';

const PART = 'VdRbl9T_sV2kkyKzEGW10KYtubRkUk1-';

describe('a link into a group', () => {
  it('is whole or is nothing', () => {
    expect(partsOfLink(PART, PART)).toEqual({ path: `/i/${PART}#${PART}` });
    for (const cut of ['', PART.slice(1), `${PART}A`, `${PART.slice(1)}.`, `../${PART.slice(3)}`]) {
      expect(() => partsOfLink(PART, cut)).toThrow('damaged');
      expect(() => partsOfLink(cut, PART)).toThrow('damaged');
    }
  });
  it('names its group', () => {
    expect(conversationOf('VdRbl9T_sV2kkyKzEGW10KYtubRkUk1-')).toBe('55d45b97d4ffb15da49322b31065b5d0');
  });
  it('is told from other reasons why one does not come in', () => {
    expect(wrongOf({ code: 'invite_gone' })).toBe('gone');
    expect(wrongOf({ code: 'invite_damaged' })).toBe('damaged');
    expect(wrongOf({ code: 'invalid', parameter: 'link' })).toBe('damaged');
    expect(wrongOf({ code: 'invalid', parameter: 'name' })).toBeUndefined();
    expect(wrongOf({ code: 'rate_limited' })).toBe('rate');
    expect(wrongOf({ code: 'too_many_members' })).toBeUndefined();
  });
  it('has words for all that can be wrong, and another try where that may help', () => {
    const all: Wrong[] = ['gone', 'damaged', 'offline', 'rate', 'other'];
    for (const words of Object.values(catalogues)) {
      for (const wrong of all) expect(wordsOf(wrong, words).text).toMatch(/\w/);
    }
    expect(all.filter(mayHeal)).toEqual(['offline', 'rate', 'other']);
  });
});
