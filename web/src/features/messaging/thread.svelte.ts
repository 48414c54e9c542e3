// The messages of one conversation as far as they have been read from the core.
import type { FileBody, Message } from '../../core/contract';
import { session } from '../session/session.svelte';
import type { Picked } from './offer';
import { merged } from './order';

const PAGE = 60;
const PAGE_MAX = 200;
/** While somebody types, the other side is told again after this time. */
const TYPING_EVERY_MS = 3000;

export class Thread {
  readonly id: string;
  /** Oldest first. */
  messages: Message[] = $state.raw([]);
  loaded = $state(false);
  loading = $state(false);
  /** There are older ones. */
  more = $state(false);
  error: unknown = $state();
  #typedAt = 0;
  #readUpTo = '';

  constructor(id: string) {
    this.id = id;
  }

  /** Reads the newest page, or the one before the oldest message known. */
  async load(unread = 0): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    this.error = undefined;
    try {
      const before = this.loaded ? (this.messages[0]?.message_id ?? null) : null;
      // All that is unread at once, so that the thread can open where it begins.
      const limit = Math.min(Math.max(PAGE, unread + 20), PAGE_MAX);
      const page = await session.link.request({ type: 'list_messages', conversation_id: this.id, before, limit });
      const older = [...page.messages].reverse();
      this.messages = merged(older, this.messages);
      this.more = page.more;
      this.loaded = true;
    } catch (error) {
      this.error = error;
    } finally {
      this.loading = false;
    }
  }

  put(message: Message): void {
    this.messages = merged(this.messages, [message]);
  }

  find(id: string): Message | undefined {
    return this.messages.find((message) => message.message_id === id);
  }

  async send(text: string, replyTo: string | null): Promise<void> {
    this.#typedAt = 0;
    const sent = await session.link.request({ type: 'send_text', to: this.id, text, reply_to: replyTo });
    // Its further way may already have been told: never go back to an earlier state.
    if (!this.find(sent.message_id)) this.put(sent);
  }

  /** Answers a business's message by one of its buttons or rows. */
  async answer(reply_to: string, reply: Picked): Promise<void> {
    const content = { interactive_reply: { reply } };
    const sent = await session.link.request({ type: 'send', to: this.id, content, reply_to });
    if (!this.find(sent.message_id)) this.put(sent);
  }

  /** Tells of a file that the server has. */
  async sendFile(file: FileBody, reply_to: string | null): Promise<void> {
    const sent = await session.link.request({ type: 'send', to: this.id, content: { file }, reply_to });
    if (!this.find(sent.message_id)) this.put(sent);
  }

  async resolve(message: Message, retry: boolean): Promise<void> {
    await session.link.request({ type: 'resolve_failed', message_id: message.message_id, retry });
    if (!retry) this.messages = this.messages.filter((known) => known.message_id !== message.message_id);
  }

  /** The newest received message has been on the screen of an attentive person. */
  async markRead(): Promise<void> {
    const newest = this.#newestReceived();
    if (!newest || newest === this.#readUpTo) return;
    this.#readUpTo = newest;
    try {
      await session.link.request({ type: 'mark_read', conversation_id: this.id, up_to: newest });
    } catch {
      this.#readUpTo = '';
    }
  }

  /** Takes a stranger's request without a word. */
  async accept(): Promise<void> {
    const up_to = this.#newestReceived();
    if (up_to) await session.link.request({ type: 'mark_read', conversation_id: this.id, up_to, accept: true });
  }

  #newestReceived(): string | undefined {
    return this.messages.findLast((message) => !message.mine && !message.kind.startsWith('notice_'))?.message_id;
  }

  /** `active` on every key; repeats are held back here. */
  typing(active: boolean): void {
    const now = Date.now();
    if (active ? now - this.#typedAt < TYPING_EVERY_MS : this.#typedAt === 0) return;
    this.#typedAt = active ? now : 0;
    // Nothing depends on it: offline, nobody learns that somebody types.
    session.link.request({ type: 'set_typing', conversation_id: this.id, active }).catch(() => undefined);
  }
}
