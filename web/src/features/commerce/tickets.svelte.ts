// The tickets of this account. The core keeps them apart from their threads: they are there offline, and without scrolling.
import { SvelteSet } from 'svelte/reactivity';
import type { Message, Ticket } from '../../core/contract';
import { chats } from '../messaging/chats.svelte';
import { session } from '../session/session.svelte';
import { updateOf } from './orders';

class Tickets {
  list: Ticket[] = $state.raw([]);
  loaded = $state(false);
  /** Message ids of tickets whose return was asked for since the page was opened. */
  readonly #returning = new SvelteSet<string>();

  async load(): Promise<void> {
    try {
      const { tickets } = await session.link.request({ type: 'tickets' });
      this.list = tickets;
      this.loaded = true;
    } catch {
      // What is on the screen stays; the next message about tickets asks again.
    }
  }

  /** A message came or changed: perhaps it brought a ticket, or ended one. */
  receive(message: Message): void {
    if (message.kind === 'ticket' || updateOf(message)) void this.load();
  }

  /** The ticket in a message. A seller that was interrupted may have sent the same one twice. */
  of({ message_id, ticket }: Pick<Message, 'message_id' | 'ticket'>): Ticket | undefined {
    return (
      this.list.find((known) => known.message_id === message_id) ??
      this.list.find((known) => known.token === ticket?.token)
    );
  }

  isReturning(messageId: string): boolean {
    return this.#returning.has(messageId);
  }

  /** Asks the seller to take it back; false if that could not be written. */
  async giveBack({ message_id, conversation_id, reference_id }: Ticket, title: string): Promise<boolean> {
    if (this.#returning.has(message_id)) return true;
    this.#returning.add(message_id);
    try {
      await chats.thread(conversation_id).answer(message_id, { button: { id: `return:${reference_id}`, title } });
      return true;
    } catch {
      this.#returning.delete(message_id);
      return false;
    }
  }

  forget(): void {
    this.list = [];
    this.loaded = false;
    this.#returning.clear();
  }
}

export const tickets = new Tickets();
