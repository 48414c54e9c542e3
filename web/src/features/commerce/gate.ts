// What the gate remembers on its device: the issuer's key, and which tickets were let in. Must not verify anything.

/** Enough for a stadium; the oldest are forgotten beyond it. */
const ENTRIES_MAX = 20_000;
const KEY = 'kabar.gate.key';
const USED = 'kabar.gate.used';

export interface Entry {
  ticket_id: string;
  title: string;
  place: string;
  time: number;
}

/** The part of localStorage that is used, so that a test can bring its own. */
export type Keep = Pick<Storage, 'getItem' | 'setItem'>;

export class GateBook {
  readonly #keep: Keep;

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  get key(): string {
    return this.#keep.getItem(KEY) ?? '';
  }

  set key(key: string) {
    this.#keep.setItem(KEY, key);
  }

  /** Newest first. */
  entries(): Entry[] {
    try {
      const kept: unknown = JSON.parse(this.#keep.getItem(USED) ?? '[]');
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  /** Lets a ticket in; or says when it was let in before. Read anew each time: another tab may have written meanwhile. */
  admit(ticket: Omit<Entry, 'time'>, now: number): Entry | undefined {
    const entries = this.entries();
    const before = entries.find(({ ticket_id }) => ticket_id === ticket.ticket_id);
    if (before) return before;
    const { ticket_id, title, place } = ticket;
    const kept = [{ ticket_id, title, place, time: now }, ...entries].slice(0, ENTRIES_MAX);
    this.#keep.setItem(USED, JSON.stringify(kept));
    return undefined;
  }

  clear(): void {
    this.#keep.setItem(USED, '[]');
  }
}

/** A key as it was pasted, or nothing. */
export function issuerKey(text: string): string | undefined {
  const key = text.replaceAll(/\s/g, '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(key) ? key : undefined;
}
