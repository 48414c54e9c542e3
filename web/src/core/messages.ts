// What a page and its worker say to each other.
import type { ApiError, Command, Notification, Reply } from './contract';

export type ToWorker =
  | { type: 'command'; id: number; command: Command }
  /** The person wants this tab to be the one that runs Kabar. */
  | { type: 'use_here' }
  /** A note of the screens' own (a draft, a name from a link), sealed like everything else; an empty text forgets it. */
  | { type: 'keep_note'; key: string; text: string }
  /** The browser's own idea of the network; a page learns it more reliably than a worker. */
  | { type: 'network'; online: boolean };

export type FromWorker =
  | { type: 'ownership'; state: Ownership }
  | { type: 'reply'; id: number; result: { ok: Reply } | { error: ApiError } }
  | { type: 'notes'; notes: Record<string, string> }
  | { type: 'notification'; notification: Notification }
  | { type: 'trouble'; trouble: Trouble };

/**
 * Who runs the encrypted core of this origin: `held` by this tab, `elsewhere` in another tab, `asking` that tab to let go,
 * `unanswered` when it has not done so for some seconds.
 */
export type Ownership = 'held' | 'elsewhere' | 'asking' | 'unanswered';

/** Nothing goes on; `reason` is a stable word, `message` is what the machine said. */
export interface Trouble {
  reason: string;
  message: string;
}
