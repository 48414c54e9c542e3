// Where in a text that is being written somebody is spoken to, in UTF-16 units, as the field counts. Pure.
import type { Mention } from '../../core/contract';

export interface Range {
  start: number;
  end: number;
  /** Absent: everybody. */
  account?: string;
}

/** As the core has at most. */
const MENTIONS_MAX = 50;
/** Behind an @ that nobody has chosen a name for. */
const QUERY_MAX = 30;

/** What is left of the ranges after an edit: those before and behind it, but none that it cut. `caret` is where it ended. */
export function shifted(ranges: readonly Range[], before: string, after: string, caret: number): Range[] {
  // What stands behind the caret was not touched; where letters repeat, only that tells which of them went.
  const most = Math.min(before.length, after.length);
  let tail = 0;
  const behind = Math.min(most, Math.max(after.length - caret, 0));
  while (tail < behind && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  let head = 0;
  while (head < most - tail && before[head] === after[head]) head += 1;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const gone = before.length - tail;
  const grown = after.length - before.length;
  return ranges.flatMap((range) => {
    if (range.end <= head) return [range];
    return range.start >= gone ? [{ ...range, start: range.start + grown, end: range.end + grown }] : [];
  });
}

/** Who could be meant by what is being typed: where its @ stands, and what follows. */
export function queryAt(
  text: string,
  caret: number,
  ranges: readonly Range[],
): { at: number; query: string } | undefined {
  const at = text.lastIndexOf('@', caret - 1);
  if (at < 0 || caret - at > QUERY_MAX || /[\p{L}\p{N}_]/u.test(text[at - 1] ?? '')) return undefined;
  const query = text.slice(at + 1, caret);
  if (/^\s|\s$|\n/u.test(query) || ranges.some(({ start, end }) => at >= start && at < end)) return undefined;
  return { at, query };
}

/** A text that comes back without its ranges, as drafts do: whole names in it speak to people again, unless two share one. */
export function recognised(text: string, people: readonly { name: string; account?: string }[]): Range[] {
  // A longer name is not taken for the shorter one that it begins with.
  const alone = people.filter(({ name }) => people.filter((other) => other.name === name).length === 1);
  const longest = alone.sort((a, b) => b.name.length - a.name.length);
  const ranges: Range[] = [];
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const fits = ({ name }: { name: string }) =>
      name !== '' && text.startsWith(name, at + 1) && !/^[\p{L}\p{N}]/u.test(text.slice(at + 1 + name.length));
    const person = longest.find(fits);
    if (!person || /[\p{L}\p{N}_]/u.test(text[at - 1] ?? '')) continue;
    const end = at + 1 + person.name.length;
    ranges.push({ start: at, end, ...(person.account !== undefined && { account: person.account }) });
    at = end - 1;
  }
  return ranges;
}

/** As they are sent with `sent`, which is `text` without the spaces around it. */
export function mentionsOf(ranges: readonly Range[], text: string, sent: string): Mention[] {
  const lead = text.length - text.trimStart().length;
  const mentions = ranges
    .filter(({ start, end }) => start >= lead && end - lead <= sent.length)
    .map(({ start, end, account }) => ({
      start: scalars(text.slice(lead, start)),
      length: scalars(text.slice(start, end)),
      ...(account !== undefined && { account_id: account }),
    }));
  return mentions.slice(0, MENTIONS_MAX);
}

/** Of a message that is there. */
export function rangesOf(mentions: readonly Mention[], text: string): Range[] {
  const chars = [...text];
  const units = (from: number, length: number) => chars.slice(from, from + length).join('').length;
  return mentions.map(({ start, length, account_id: account }) => {
    const from = units(0, start);
    return { start: from, end: from + units(start, length), ...(account !== undefined && { account }) };
  });
}

const scalars = (text: string) => [...text].length;
