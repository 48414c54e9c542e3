// Text of people, cut into what can be shown: plain pieces and links. Where there are marks in it, formatting.ts reads it instead.
// Nothing is ever HTML.

export type Piece = { text: string } | { text: string; href: string };

const LINK = /https?:\/\/[^\s<>"'`]+/giu;
/** Ends a sentence rather than a link. */
const TRAILING = /[.,;:!?…]+$/u;

export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimmed(match[0]);
    if (!URL.canParse(link)) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
    pieces.push({ text: link, href: new URL(link).href });
    from = match.index + link.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

function trimmed(link: string): string {
  const bare = link.replace(TRAILING, '');
  // A closing bracket belongs to the link only if it was opened in it.
  const unopened = bare.endsWith(')') && !bare.includes('(');
  return unopened ? trimmed(bare.slice(0, -1)) : bare;
}

/** Something in it may mean what formatting.ts knows; without any of these a text is shown as it is. */
export function isMarked(text: string): boolean {
  return /[*_~`]|^(?:> |- |\d{1,3}\. )/mu.test(text);
}

const EMOJI =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F?|\p{Emoji_Modifier}|\u200D|\p{Regional_Indicator}|\s)+$/u;

/** One to three emoji and nothing else are shown large. */
export function isEmojiOnly(text: string): boolean {
  if (text.length > 40 || !EMOJI.test(text)) return false;
  const characters = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text.replace(/\s/gu, ''))];
  return characters.length >= 1 && characters.length <= 3;
}

/** As the protocol counts: Unicode scalar values. */
export function charsOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
