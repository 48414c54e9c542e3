import { describe, expect, it } from 'vitest';
import { charsOf, isEmojiOnly, piecesOf } from './text';

const links = (text: string) => piecesOf(text).flatMap((piece) => ('href' in piece ? [piece.href] : []));

describe('links in text', () => {
  it('are http and https only', () => {
    expect(links('see https://a.example/x and http://b.example')).toEqual(['https://a.example/x', 'http://b.example/']);
    expect(links('javascript:alert(1) data:text/html,x file:///etc ftp://c.example')).toEqual([]);
  });
  it('end before the punctuation of the sentence', () => {
    expect(links('Is it https://a.example/x?y=1?')).toEqual(['https://a.example/x?y=1']);
    expect(links('(https://a.example/x).')).toEqual(['https://a.example/x']);
    expect(links('https://a.example/x_(y)')).toEqual(['https://a.example/x_(y)']);
  });
  it('leave every character of the text in place', () => {
    for (const text of ['no link', 'https://a.example', 'x https://a.example. y', 'https:// <b>']) {
      expect(
        piecesOf(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
    }
  });
});

describe('emoji', () => {
  it('stand alone when there are one to three', () => {
    expect(isEmojiOnly('🎉')).toBe(true);
    expect(isEmojiOnly('👩‍👩‍👧 🇮🇩 👍🏽')).toBe(true);
    expect(isEmojiOnly('🎉🎉🎉🎉')).toBe(false);
    expect(isEmojiOnly('ok 👍')).toBe(false);
    expect(isEmojiOnly('123')).toBe(false);
    expect(isEmojiOnly('')).toBe(false);
  });
});

describe('the length of a text', () => {
  it('is counted as the protocol does', () => {
    expect(charsOf('halo')).toBe(4);
    expect(charsOf('👍🏽')).toBe(2);
  });
});
