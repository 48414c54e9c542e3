// Which rows a scan means. Pure, so that it can be tested without a database.

export interface KeyRange {
  /** Inclusive. */
  lower: Uint8Array;
  /** Exclusive; absent when nothing bounds the range from above. */
  upper: Uint8Array | undefined;
}

/** The order of IndexedDB's binary keys, and of the core: by byte, a prefix before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The least key that is greater than every key with this prefix; none when the prefix is empty or all 0xff. */
export function successor(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end -= 1;
  if (end === 0) return undefined;
  const next = prefix.slice(0, end);
  next[end - 1] = (next[end - 1] as number) + 1;
  return next;
}

/**
 * Keys with `prefix`, upwards from `from` (inclusive), or downwards from it (exclusive). Undefined when there can be none.
 */
export function scanRange(prefix: Uint8Array, from: Uint8Array, reverse: boolean): KeyRange | undefined {
  const end = successor(prefix);
  let lower = prefix;
  let upper = end;
  if (reverse) {
    if (upper === undefined || compareBytes(from, upper) < 0) upper = from;
  } else if (compareBytes(from, prefix) > 0) {
    lower = from;
  }
  if (upper !== undefined && compareBytes(lower, upper) >= 0) return undefined;
  return { lower, upper };
}
