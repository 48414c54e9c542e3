// What of a message is shown where it was found: around the first word that was looked for, each such word marked. Pure.

export interface Piece {
  text: string;
  hit: boolean;
}

/** Characters before the first hit. */
const LEAD = 24;

/** As the core compares: without case and accents. */
const folded = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

export function wordsOf(text: string): string[] {
  return folded(text).match(/[\p{L}\p{N}]+/gu) ?? [];
}

export function snippetOf(text: string, query: string): Piece[] {
  const words = wordsOf(query);
  const flat = text.replace(/\s+/gu, ' ').normalize('NFC');
  const pieces: Piece[] = [];
  let from = 0;
  for (const { 0: word, index } of flat.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    const whole = folded(word);
    const length = Math.max(0, ...words.filter((each) => whole.startsWith(each)).map((each) => each.length));
    if (length === 0) continue;
    const to = index + [...word].slice(0, length).join('').length;
    if (index > from) pieces.push({ text: flat.slice(from, index), hit: false });
    pieces.push({ text: flat.slice(index, to), hit: true });
    from = to;
  }
  if (from < flat.length) pieces.push({ text: flat.slice(from), hit: false });
  const [first, second] = pieces;
  const lead = [...(first?.text ?? '')];
  if (first && second && !first.hit && lead.length > LEAD) {
    pieces[0] = { text: `…${lead.slice(-LEAD).join('')}`, hit: false };
  }
  return pieces;
}
