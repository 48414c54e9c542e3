// One shelf of a chat, as far as it has been read.
import type { Message, Shelf } from '../../core/contract';
import { session } from '../session/session.svelte';

const PAGE = 48;

export class Shelved {
  readonly conversation: string;
  readonly shelf: Shelf;
  /** Newest first. */
  messages: Message[] = $state.raw([]);
  more = $state(true);
  loading = $state(false);
  error: unknown = $state();

  constructor(conversation: string, shelf: Shelf) {
    this.conversation = conversation;
    this.shelf = shelf;
  }

  /** Reads the newest page, or the one behind the oldest known. */
  async load(): Promise<void> {
    if (this.loading || !this.more) return;
    this.loading = true;
    this.error = undefined;
    try {
      const before = this.messages.at(-1)?.message_id ?? null;
      const { conversation: conversation_id, shelf } = this;
      const page = await session.link.request({ type: 'list_shelf', conversation_id, shelf, limit: PAGE, before });
      this.messages = [...this.messages, ...page.messages];
      this.more = page.more;
    } catch (refused) {
      this.error = refused;
    }
    this.loading = false;
  }
}
