// Takes out of a film what a phone wrote into it beside the film: place, time, device. An MP4 or QuickTime file is made of boxes (ISO/IEC
// 14496-12); those for notes become empty ones of the same size, so that everything else stays where it is.

/** Of user data, notes, and notes in XMP. */
const NOTES = new Set(['udta', 'meta', 'uuid']);
/** Boxes with boxes in them, down to each track. */
const PARENTS = new Set(['moov', 'trak', 'mdia', 'minf']);
const FREE = 0x66726565;
/** What says how the film is played is no larger. */
const MOOV_BYTES_MAX = 64_000_000;
const BOXES_MAX = 10_000;

interface Box {
  type: string;
  /** Where what is in it begins, and where it ends. */
  from: number;
  to: number;
}

/** The same film without notes; undefined if it is no such file, or not a whole one. */
export async function withoutNotes(film: Blob): Promise<Blob | undefined> {
  const parts: BlobPart[] = [];
  let at = 0;
  for (let count = 0; at < film.size; count += 1) {
    const head = new DataView(await film.slice(at, at + 16).arrayBuffer());
    const box = boxAt(head, 0, film.size - at);
    if (!box || count > BOXES_MAX || (count === 0 && box.type !== 'ftyp')) return undefined;
    const whole = film.slice(at, at + box.to);
    if (box.type === 'moov' || NOTES.has(box.type)) {
      if (box.to > MOOV_BYTES_MAX) return undefined;
      const bytes = new Uint8Array(await whole.arrayBuffer());
      if (!emptied(new DataView(bytes.buffer), 0, bytes.length)) return undefined;
      parts.push(bytes);
    } else parts.push(whole);
    at += box.to;
  }
  return at === film.size && at > 0 ? new Blob(parts, { type: film.type }) : undefined;
}

/** Empties the notes between these places; false where there is something that is no box. */
function emptied(view: DataView, from: number, to: number): boolean {
  let at = from;
  while (at < to) {
    // QuickTime ends a list by four zeros.
    if (to - at === 4 && view.getUint32(at) === 0) return true;
    const box = boxAt(view, at, to - at);
    if (!box) return false;
    if (NOTES.has(box.type)) {
      view.setUint32(at + 4, FREE);
      new Uint8Array(view.buffer, view.byteOffset + box.from, box.to - box.from).fill(0);
    } else if (PARENTS.has(box.type) && !emptied(view, box.from, box.to)) return false;
    at = box.to;
  }
  return true;
}

/** `room` is what is left for it. */
function boxAt(view: DataView, at: number, room: number): Box | undefined {
  if (room < 8 || view.byteLength - at < 8) return undefined;
  const type = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at + 4, 4));
  let size = view.getUint32(at);
  let head = 8;
  if (size === 1) {
    if (room < 16 || view.byteLength - at < 16) return undefined;
    size = Number(view.getBigUint64(at + 8));
    head = 16;
  } else if (size === 0) size = room;
  return size < head || size > room ? undefined : { type, from: at + head, to: at + size };
}
