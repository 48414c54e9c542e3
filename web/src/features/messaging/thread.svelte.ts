// The messages of one conversation as far as they have been read from the core.
import { SvelteMap } from 'svelte/reactivity';
import type {
  Change,
  ContactsBody,
  EventBody,
  FileBody,
  LocationBody,
  Mention,
  Message,
  PollBody,
} from '../../core/contract';
import { session } from '../session/session.svelte';
import type { Picked } from './offer';
import { compareMessages, merged } from './order';

const PAGE = 60;
const PAGE_MAX = 200;
/** Somebody who jumps to an old message waits for at most so many pages. */
const REACH_PAGES = 50;
/** While somebody types, the other side is told again after this time. */
const TYPING_EVERY_MS = 3000;

/** What is sent beside text and files. */
export type Sendable =
  | { event: EventBody }
  | { poll: PollBody }
  | { location: LocationBody }
  | { contacts: ContactsBody };

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
  #reading: Promise<void> | undefined;
  /** Quoted ones that are not among the messages. */
  readonly #quoted = new SvelteMap<string, Message>();
  readonly #asked = new Set<string>();

  constructor(id: string) {
    this.id = id;
  }

  /** Reads the newest page, or the one before the oldest message known. */
  load(unread = 0): Promise<void> {
    // All that is unread at once, so that the thread can open where it begins.
    return this.#read(Math.min(Math.max(PAGE, unread + 20), PAGE_MAX));
  }

  #read(limit: number): Promise<void> {
    this.#reading ??= this.#readPage(limit).finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readPage(limit: number): Promise<void> {
    this.loading = true;
    this.error = undefined;
    try {
      const before = this.loaded ? (this.messages[0]?.message_id ?? null) : null;
      const page = await session.link.request({ type: 'list_messages', conversation_id: this.id, before, limit });
      const older = [...page.messages].reverse();
      this.more = page.more;
      const known = this.loaded ? this.messages : this.messages.filter((message) => this.#follows(message, older[0]));
      this.messages = merged(older, known);
      this.loaded = true;
    } catch (error) {
      this.error = error;
    } finally {
      this.loading = false;
    }
  }

  /** Reads older pages until the message is among them; false if it is not on this device, or too far back. */
  async reach(id: string): Promise<boolean> {
    if (this.find(id)) return true;
    if (!(await this.#fetch(id))) return false;
    for (let page = 0; page < REACH_PAGES && this.more && !this.error && !this.find(id); page += 1) {
      await this.#read(PAGE_MAX);
    }
    return this.find(id) !== undefined;
  }

  put(message: Message): void {
    if (this.#quoted.has(message.message_id)) this.#quoted.set(message.message_id, message);
    // What changed may be older than all that was read: it comes with its page, and between here and there is no gap.
    if (this.#follows(message, this.messages[0])) this.messages = merged(this.messages, [message]);
  }

  #follows(message: Message, oldest: Message | undefined): boolean {
    return !this.more || !oldest || compareMessages(message, oldest) >= 0;
  }

  /** A message that another one quotes; null while it is not known here, or never. */
  quoted(id: string): Message | null {
    const known = this.find(id) ?? this.#quoted.get(id);
    if (known === undefined && !this.#asked.has(id)) void this.#fetch(id);
    return known ?? null;
  }

  async #fetch(id: string): Promise<boolean> {
    this.#asked.add(id);
    try {
      const { type: _, ...message } = await session.link.request({ type: 'get_message', message_id: id });
      if (message.conversation_id !== this.id) return false;
      this.#quoted.set(id, message);
      return true;
    } catch {
      return false;
    }
  }

  /** Its time was over. */
  vanish(id: string): void {
    this.#quoted.delete(id);
    this.messages = this.messages.filter((known) => known.message_id !== id);
  }

  find(id: string): Message | undefined {
    return this.messages.find((message) => message.message_id === id);
  }

  async send(text: string, reply_to: string | null, mentions: Mention[] = []): Promise<void> {
    this.#typedAt = 0;
    const sent = await session.link.request(
      mentions.length > 0
        ? { type: 'send', to: this.id, content: { text }, reply_to, mentions }
        : { type: 'send_text', to: this.id, text, reply_to },
    );
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

  async sendContent(content: Sendable): Promise<void> {
    const sent = await session.link.request({ type: 'send', to: this.id, content, reply_to: null });
    if (!this.find(sent.message_id)) this.put(sent);
  }

  async change(message_id: string, change: Change): Promise<void> {
    await session.link.request({ type: 'change_message', message_id, change });
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
    // In a group of strangers there may be nothing yet but the line that says who put us there.
    const up_to = this.messages.findLast((message) => !message.mine)?.message_id;
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
