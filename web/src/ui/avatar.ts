// What stands for a person without a picture: initials, on one of eight dyes that the account id picks.

export const TONES = 8;

export function toneOf(accountId: string): number {
  return Number.parseInt(accountId.slice(0, 4) || '0', 16) % TONES;
}

/** The first letters of the first and the last word that begin with one; whole characters, never half of one. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/u).filter((word) => /^[@+\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  const first = firstCharacter(words[0] ?? '');
  const last = words.length > 1 ? firstCharacter(words.at(-1) ?? '') : '';
  return (first + last).toLocaleUpperCase() || '?';
}

function firstCharacter(word: string): string {
  const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(word.replace(/^[@+]/, ''));
  return segments[Symbol.iterator]().next().value?.segment ?? '';
}
