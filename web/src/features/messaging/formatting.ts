// What marks in a text mean: *bold*, _italic_, ~struck~, `code`, ```blocks``` of it, "> " quotes, and lists. Links, and the names of
// people who are spoken to, stand between the marks untouched. Pure; what comes out is a tree, and never HTML.
import type { Mention } from '../../core/contract';
import { piecesOf } from './text';

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string; mention: Mention }
  | { kind: 'code'; text: string }
  | { kind: Style; children: Inline[] };

export type Block =
  | { kind: 'lines'; children: Inline[] }
  | { kind: 'quote'; children: Inline[] }
  /** `from`: the number of the first; absent where there are none. */
  | { kind: 'list'; from?: number; items: Inline[][] }
  | { kind: 'code'; text: string };

type Style = 'bold' | 'italic' | 'struck';

/** Something in a text that marks do not cut; `end` is behind it, in UTF-16 units. */
interface Atom {
  start: number;
  end: number;
  inline: Inline;
}

/** A mark that has not been closed, with what came behind it. */
interface Open {
  mark: string;
  children: Inline[];
}

const STYLES: Record<string, Style> = { '*': 'bold', _: 'italic', '~': 'struck' };
const FENCE = '```';
const QUOTE = /^> /u;
const BULLET = /^[-*] +(?=\S)/u;
const NUMBER = /^(\d{1,3})\. +(?=\S)/u;
const WORD = /[\p{L}\p{N}]/u;
const SPACE = /\s/u;

export function blocksOf(text: string, mentions: readonly Mention[] = []): Block[] {
  const atoms = atomsOf(text, mentions);
  const reader = new Reader(text, atoms);
  const blocks: Block[] = [];
  let from = 0;
  for (const { start, end, code } of fencesOf(text)) {
    addLines(blocks, text, from, start, reader);
    blocks.push({ kind: 'code', text: code });
    from = end;
  }
  addLines(blocks, text, from, text.length, reader);
  return blocks;
}

/** Without the marks, for whoever hears it. */
export function spokenOf(text: string): string {
  const said = (inline: Inline): string => ('children' in inline ? inline.children.map(said).join('') : inline.text);
  const line = (inlines: readonly Inline[]) => inlines.map(said).join('');
  return blocksOf(text)
    .map((block) => {
      if (block.kind === 'code') return block.text;
      return block.kind === 'list' ? block.items.map(line).join('\n') : line(block.children);
    })
    .join('\n');
}

/** Code between fences that stands on lines of its own; within a line it is code like any other. */
function fencesOf(text: string): { start: number; end: number; code: string }[] {
  const found: { start: number; end: number; code: string }[] = [];
  let start = text.indexOf(FENCE);
  while (start >= 0) {
    const close = text.indexOf(FENCE, start + FENCE.length);
    if (close < 0) break;
    const code = text.slice(start + FENCE.length, close);
    const end = close + FENCE.length;
    const alone = (start === 0 || text[start - 1] === '\n') && (end === text.length || text[end] === '\n');
    if (code.trim() !== '' && (alone || code.includes('\n')))
      found.push({ start, end, code: code.replace(/^\n|\n$/gu, '') });
    start = text.indexOf(FENCE, end);
  }
  return found;
}

/** Links and mentions in their order. */
function atomsOf(text: string, mentions: readonly Mention[]): Atom[] {
  const names = namesIn(text, mentions);
  const atoms: Atom[] = [];
  let at = 0;
  let next = 0;
  for (const piece of piecesOf(text)) {
    const start = at;
    at += piece.text.length;
    while ((names[next]?.start ?? Infinity) < at) atoms.push(names[next++] as Atom);
    if (!('href' in piece) || (atoms.at(-1)?.end ?? 0) > start) continue;
    const link = unmarked(piece.text, text, start);
    atoms.push({ start, end: start + link.length, inline: { kind: 'link', text: link, href: new URL(link).href } });
  }
  return atoms;
}

/** What closes a mark before a link is no part of the link. */
function unmarked(link: string, text: string, start: number): string {
  let end = link.length;
  for (let before = start - 1; before >= 0; before -= 1, end -= 1) {
    const mark = text[before] as string;
    if (!(mark in STYLES) || link[end - 1] !== mark) break;
  }
  const bare = link.slice(0, end);
  return URL.canParse(bare) ? bare : link;
}

/** Mentions count Unicode scalar values, as the protocol does; JavaScript counts UTF-16 units. */
function namesIn(text: string, mentions: readonly Mention[]): Atom[] {
  const atoms: Atom[] = [];
  let units = 0;
  let scalars = 0;
  const forward = (to: number) => {
    for (; scalars < to && units < text.length; scalars += 1) units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
    return units;
  };
  for (const mention of mentions) {
    const start = forward(mention.start);
    const end = forward(mention.start + mention.length);
    if (text[start] !== '@' || start < (atoms.at(-1)?.end ?? 0)) continue;
    atoms.push({ start, end, inline: { kind: 'mention', text: text.slice(start, end), mention } });
  }
  return atoms;
}

function addLines(blocks: Block[], text: string, from: number, to: number, reader: Reader): void {
  // The ends of the lines that a block of code stands between are no lines.
  let at = from > 0 && text[from] === '\n' ? from + 1 : from;
  const last = to < text.length && to > at && text[to - 1] === '\n' ? to - 1 : to;
  if (at >= to) return;
  while (at <= last) {
    const found = text.indexOf('\n', at);
    const end = found < 0 || found > last ? last : found;
    addLine(blocks, text.slice(at, end), (lead) => reader.inlines(at + lead, end));
    at = end + 1;
  }
}

function addLine(blocks: Block[], line: string, inlines: (lead: number) => Inline[]): void {
  const before = blocks.at(-1);
  const quote = QUOTE.exec(line);
  const number = NUMBER.exec(line);
  const bullet = number ?? BULLET.exec(line);
  if (quote) {
    const said = inlines(quote[0].length);
    if (before?.kind === 'quote') before.children.push({ kind: 'text', text: '\n' }, ...said);
    else blocks.push({ kind: 'quote', children: said });
  } else if (bullet) {
    const item = inlines(bullet[0].length);
    const goesOn = before?.kind === 'list' && (before.from === undefined) === (number === null);
    if (goesOn) before.items.push(item);
    else blocks.push({ kind: 'list', ...(number && { from: Number(number[1]) }), items: [item] });
  } else {
    const said = inlines(0);
    if (before?.kind === 'lines') before.children.push({ kind: 'text', text: '\n' }, ...said);
    else blocks.push({ kind: 'lines', children: said });
  }
}

/** Reads lines in their order, so that every atom is passed once. */
class Reader {
  readonly #text: string;
  readonly #atoms: readonly Atom[];
  #atom = 0;

  constructor(text: string, atoms: readonly Atom[]) {
    this.#text = text;
    this.#atoms = atoms;
  }

  inlines(from: number, to: number): Inline[] {
    const text = this.#text;
    const stack: Open[] = [{ mark: '', children: [] }];
    let plain = from;
    let at = from;
    const flush = (end: number) => {
      if (end > plain) top(stack).push({ kind: 'text', text: text.slice(plain, end) });
    };
    while (at < to) {
      const atom = this.#atomAt(at, to) ?? this.#codeAt(at, to);
      if (atom) {
        flush(at);
        top(stack).push(atom.inline);
        plain = at = atom.end;
      } else {
        const mark = text[at] as string;
        if (mark in STYLES && this.#turns(stack, mark, at, from, to, flush)) plain = at + 1;
        at += 1;
      }
    }
    flush(to);
    while (stack.length > 1) spill(stack);
    return top(stack);
  }

  #atomAt(at: number, to: number): Atom | undefined {
    while ((this.#atoms[this.#atom]?.start ?? Infinity) < at) this.#atom += 1;
    const atom = this.#atoms[this.#atom];
    return atom?.start === at && atom.end <= to ? atom : undefined;
  }

  #codeAt(at: number, to: number): Atom | undefined {
    const text = this.#text;
    if (text[at] !== '`') return undefined;
    const mark = text.startsWith(FENCE, at) ? FENCE : '`';
    // Further than the line nobody looks, or a text of marks would be read again and again.
    const line = text.slice(at + mark.length, to);
    const length = line.indexOf(mark);
    if (length < 1 || line.slice(0, length).trim() === '') return undefined;
    const end = at + mark.length + length + mark.length;
    return { start: at, end, inline: { kind: 'code', text: line.slice(0, length) } };
  }

  /** Whether the mark here opens or closes; the stack is then as it is behind it. */
  #turns(stack: Open[], mark: string, at: number, from: number, to: number, flush: (end: number) => void): boolean {
    const before = at > from ? (this.#text[at - 1] as string) : ' ';
    const after = at + 1 < to ? charAt(this.#text, at + 1) : ' ';
    const open = stack.findLastIndex((each) => each.mark === mark);
    if (open > 0 && !SPACE.test(before) && before !== mark && !WORD.test(after)) {
      flush(at);
      while (stack.length - 1 > open) spill(stack);
      const { children } = stack.pop() as Open;
      top(stack).push({ kind: STYLES[mark] as Style, children });
      return true;
    }
    if (open > 0 || SPACE.test(after) || after === mark || WORD.test(lastOf(this.#text, at, from))) return false;
    flush(at);
    stack.push({ mark, children: [] });
    return true;
  }
}

const top = (stack: Open[]) => (stack.at(-1) as Open).children;

/** The last open mark was none. */
function spill(stack: Open[]): void {
  const { mark, children } = stack.pop() as Open;
  top(stack).push({ kind: 'text', text: mark });
  for (const child of children) top(stack).push(child);
}

const charAt = (text: string, at: number) => String.fromCodePoint(text.codePointAt(at) ?? 32);

/** The character before, whole. */
function lastOf(text: string, at: number, from: number): string {
  if (at <= from) return ' ';
  const low = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff ? charAt(text, at - 2) : (text[at - 1] as string);
}
