import { describe, expect, it } from 'vitest';
import { snippetOf } from './snippet';

const marked = (text: string, query: string) =>
  snippetOf(text, query)
    .map(({ text, hit }) => (hit ? `[${text}]` : text))
    .join('');

describe('where a message was found', () => {
  it('marks the beginnings of words, whatever their case and accents', () => {
    expect(marked('Kopi di Café Méliès', 'kop cafe')).toBe('[Kop]i di [Café] Méliès');
    expect(marked('kopinya, bukan skopi', 'KOPI')).toBe('[kopi]nya, bukan skopi');
    expect(marked('Cafe\u0301 kita', 'café')).toBe('[Café] kita');
  });

  it('begins near the first hit, in one line', () => {
    expect(marked('Jangan lupa nanti sore\n\nsebelum hujan kita bertemu di stasiun', 'stasiun')).toBe(
      '…m hujan kita bertemu di [stasiun]',
    );
  });

  it('is the text where nothing is to be marked, such as by the name of a file', () => {
    expect(marked('Foto liburan', 'jpg')).toBe('Foto liburan');
    expect(marked('', 'jpg')).toBe('');
  });
});
