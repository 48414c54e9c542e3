// What is being done to the messages of the thread on the screen: which one is answered or edited, and which menu or dialog is
// open. The menus and dialogs themselves are fetched when the first one opens.
import { getContext, setContext } from 'svelte';
import type { Change, GroupSummary, Message } from '../../../core/contract';
import { Picking } from '../../keeping/picking.svelte';
import type { Sendable, Thread } from '../thread.svelte';

/** Where a menu opens: beside what it belongs to, or where the pointer is. */
export type Anchor = Pick<DOMRect, 'left' | 'right' | 'top' | 'bottom'>;

export type Opened =
  /** `all`: what was sent together with it, and is meant as well. */
  | { what: 'menu'; message: Message; all?: readonly Message[]; at: Anchor }
  | { what: 'delete' | 'forward'; message: Message; all?: readonly Message[] }
  | { what: 'emoji' | 'versions' | 'answers' | 'cancel' | 'info' | 'report'; message: Message }
  | { what: 'votes' | 'close_poll'; message: Message }
  /** Somebody who is spoken to in a message, by the name that stands there. */
  | { what: 'person'; account: string; said: string; at: Anchor }
  /** Without a message: a new invitation. */
  | { what: 'event'; message?: Message }
  /** What can be sent beside text. */
  | { what: 'attach'; at: Anchor }
  | { what: 'poll' | 'place' | 'contacts' };

export interface Hooks {
  /** Says what went wrong, if something does. */
  attempt(action: () => Promise<void>): Promise<boolean>;
  /** The same for something new of one's own. */
  say(action: () => Promise<void>): Promise<boolean>;
  jump(id: string): void;
  write(): void;
  /** Lets the person choose files. */
  files(): void;
  /** Absent in a chat of two, where one may always write. */
  group(): GroupSummary | undefined;
  /** One does not want to hear from whom this is with, and says nothing to him either. */
  blocked(): boolean;
  /** The account of this device. */
  me(): string | undefined;
}

export class Acting {
  replyTo: Message | undefined = $state.raw();
  editing: Message | undefined = $state.raw();
  opened: Opened | undefined = $state.raw();
  /** What takes part in the rows themselves; see `need`. */
  parts: typeof import('./parts') | undefined = $state.raw();
  /** Several messages at once. */
  readonly picking = new Picking();
  readonly #thread: Thread;
  readonly #hooks: Hooks;

  constructor(thread: Thread, hooks: Hooks) {
    this.#thread = thread;
    this.#hooks = hooks;
  }

  /** Of more than two. */
  get several(): boolean {
    return this.#hooks.group() !== undefined;
  }

  get me(): string | undefined {
    return this.#hooks.me();
  }

  get mayWrite(): boolean {
    return !this.#hooks.blocked() && (this.#hooks.group()?.may_post ?? true);
  }

  /** Whoever is out of a group does nothing in it any more, nor with somebody who is blocked. */
  get inside(): boolean {
    if (this.#hooks.blocked()) return false;
    const standing = this.#hooks.group()?.standing;
    return standing === undefined || standing === 'making' || standing === 'member';
  }

  /** An owner or admin deletes what others wrote. */
  get moderates(): boolean {
    const role = this.#hooks.group()?.role;
    return role === 'owner' || role === 'admin';
  }

  /** Resolves once every message can be shown: a row must not grow after it came into view. */
  async need(messages: readonly Message[]): Promise<void> {
    if (this.parts || !messages.some(({ reactions, forwarded }) => reactions?.length || forwarded)) return;
    this.parts = await import('./parts');
  }

  open(opened: Opened): void {
    this.opened ??= opened;
  }

  /** From one menu or dialog to the next. */
  turnTo(opened: Opened): void {
    this.opened = opened;
  }

  /** As it stands now, for what stays open over it. */
  current(message: Message): Message {
    return this.#thread.find(message.message_id) ?? message;
  }

  close(): void {
    this.opened = undefined;
  }

  reply(message: Message): void {
    this.editing = undefined;
    this.replyTo = message;
    this.#hooks.write();
  }

  edit(message: Message): void {
    this.replyTo = undefined;
    this.editing = message;
    this.#hooks.write();
  }

  /** Begins to pick several, with this one. */
  pick(message: Message): Promise<void> {
    this.editing = undefined;
    this.replyTo = undefined;
    return this.picking.begin(message);
  }

  attempt(action: () => Promise<void>): Promise<boolean> {
    return this.#hooks.attempt(action);
  }

  change(message: Message, change: Change): Promise<boolean> {
    return this.#hooks.attempt(() => this.#thread.change(message.message_id, change));
  }

  /** The same emoji again takes the reaction back. */
  react(message: Message, emoji: string): Promise<boolean> {
    const had = message.reactions?.some((reaction) => reaction.mine && reaction.emoji === emoji);
    return this.change(message, { type: 'react', emoji: had ? '' : emoji });
  }

  send(content: Sendable): Promise<boolean> {
    return this.#hooks.say(() => this.#thread.sendContent(content));
  }

  files(): void {
    this.#hooks.files();
  }

  jump(id: string): void {
    this.#hooks.jump(id);
  }
}

const HERE = Symbol();

export function provideActing(acting: Acting): void {
  setContext(HERE, acting);
}

export function actingHere(): Acting {
  return getContext(HERE);
}
