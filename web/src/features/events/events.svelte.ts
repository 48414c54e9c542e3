// Invitations that this device knows of, wherever the thread is that brought them: for the strip above a chat, and for reminding.
// Which ones are ahead is remembered in sealed notes; what they say is asked of the core.
import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { Message } from '../../core/contract';
import { account } from '../accounts/account.svelte';
import { session } from '../session/session.svelte';
import { eventCards } from './cards.svelte';
import { isAhead } from './when';

const NOTE = 'event:';
/** In its note, once the person has seen the reminder. */
const REMINDED = 'reminded';

class Events {
  readonly known = new SvelteMap<string, Message>();
  readonly #notes = new SvelteMap<string, string>();

  /** Resolves once every invitation can be shown, as with the cards of orders. */
  async need(messages: readonly Message[]): Promise<void> {
    const found = messages.filter(({ kind }) => kind === 'event');
    untrack(() => {
      for (const message of found) this.receive(message);
    });
    if (found.length > 0) await eventCards.fetch();
  }

  receive(message: Message): void {
    const { message_id: id, event, seq } = message;
    if (!event || !isAhead(event, Date.now())) {
      if (this.known.delete(id) || this.#notes.has(id)) this.#note(id, '');
      return;
    }
    if (seq === undefined) return;
    this.known.set(id, message);
    if (!this.#notes.has(id)) this.#note(id, 'ahead');
    void eventCards.fetch();
  }

  vanish(id: string): void {
    if (this.known.delete(id) || this.#notes.has(id)) this.#note(id, '');
  }

  restoreNotes(notes: Record<string, string>): void {
    for (const [key, text] of Object.entries(notes)) {
      if (key.startsWith(NOTE)) this.#notes.set(key.slice(NOTE.length), text);
    }
    void this.load();
  }

  async load(): Promise<void> {
    if (!account.me) return;
    for (const message_id of [...this.#notes.keys()]) {
      if (this.known.has(message_id)) continue;
      try {
        const { type: _, ...message } = await session.link.request({ type: 'get_message', message_id });
        this.receive(message);
      } catch {
        this.#note(message_id, '');
      }
    }
  }

  isReminded(id: string): boolean {
    return this.#notes.get(id) === REMINDED;
  }

  reminded(id: string): void {
    this.#note(id, REMINDED);
  }

  #note(id: string, text: string): void {
    if (text) this.#notes.set(id, text);
    else this.#notes.delete(id);
    session.link.keepNote(NOTE + id, text);
  }

  forget(): void {
    this.known.clear();
    this.#notes.clear();
  }
}

export const events = new Events();
