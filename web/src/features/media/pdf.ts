// How many pages a PDF has, without a library that could draw them: the greatest count among the nodes of its page tree (ISO 32000-1,
// section 7.7.3) is that of its root. Since PDF 1.5 the nodes may lie in compressed object streams (section 7.5.7).

/** In what is larger nobody looks for it. */
const BYTES_MAX = 48_000_000;
/** Of one object stream, inflated: more is no list of objects. */
const INFLATED_BYTES_MAX = 16_000_000;
const PAGES_MAX = 100_000;

/** undefined: it cannot be known. */
export async function pagesOf(file: Blob): Promise<number | undefined> {
  if (file.size > BYTES_MAX) return undefined;
  const bytes = new Uint8Array(await file.arrayBuffer());
  // One character a byte, so that places in the text are places in the file.
  const text = new TextDecoder('latin1').decode(bytes);
  if (!text.startsWith('%PDF-')) return undefined;
  let most = countIn(text);
  for (const [from, to] of objectStreams(text)) {
    const objects = await inflated(bytes.subarray(from, to));
    most = Math.max(most, objects ? countIn(objects) : 0);
  }
  return most > 0 && most <= PAGES_MAX ? most : undefined;
}

/** The greatest count of a node of a page tree. Its parts stand in any order, and other dictionaries may stand in it. */
function countIn(text: string): number {
  let most = 0;
  for (const match of text.matchAll(/\/Type\s*\/Pages\b/g)) {
    const count = /\/Count\s+(\d+)/.exec(dictionaryAround(text, match.index));
    most = Math.max(most, Number(count?.[1] ?? 0));
  }
  return most;
}

function dictionaryAround(text: string, at: number): string {
  let depth = 0;
  let from = at;
  for (; from > 0; from -= 1) {
    if (text.startsWith('>>', from - 1)) depth += 1;
    else if (text.startsWith('<<', from - 1)) {
      if (depth === 0) break;
      depth -= 1;
    } else continue;
    from -= 1;
  }
  depth = 1;
  let to = at;
  for (; to < text.length && depth > 0; to += 1) {
    if (text.startsWith('<<', to)) depth += 1;
    else if (text.startsWith('>>', to)) depth -= 1;
    else continue;
    to += 1;
  }
  return text.slice(from, to);
}

/** Where the bytes of each object stream are. */
function objectStreams(text: string): [number, number][] {
  const found: [number, number][] = [];
  for (const match of text.matchAll(/\/Type\s*\/ObjStm\b/g)) {
    const stream = /stream\r?\n/g;
    stream.lastIndex = match.index;
    const begin = stream.exec(text);
    const end = begin ? text.indexOf('endstream', stream.lastIndex) : -1;
    if (begin && end > 0) found.push([stream.lastIndex, end]);
  }
  return found;
}

/** As far as it is what it should be: behind its end there may be a line break. */
async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  let text = '';
  const decoder = new TextDecoder('latin1');
  try {
    while (text.length < INFLATED_BYTES_MAX) {
      const { value, done } = await reader.read();
      if (done) return text;
      text += decoder.decode(value);
    }
  } catch {
    // Encrypted, of another filter, or with something behind it.
  }
  reader.cancel().catch(() => undefined);
  return text || undefined;
}
