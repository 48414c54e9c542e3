// All conversations: the list, open threads, drafts and who is typing.
import { SvelteMap } from 'svelte/reactivity';
import { type Chat, type Command, type Message, TEXT_CHARS_MAX } from '../../core/contract';
import { groupCards } from '../groups/cards.svelte';
import { media } from '../media/media.svelte';
import { session } from '../session/session.svelte';
import { compareChats } from './order';
import { isChanged } from './summary';
import { Thread } from './thread.svelte';

/** A typing notice holds this long when no further one comes. */
const TYPING_MS = 7000;
const DRAFT_DELAY_MS = 400;
const NAME = 'name:';
/** Notes in which drafts were kept before the core kept them. */
const OLD_DRAFT = 'draft:';

export type Arrangement = Pick<Extract<Command, { type: 'arrange' }>, 'pinned' | 'archived' | 'unread'>;

export function isMuted({ muted_until }: Chat): boolean {
  return muted_until !== undefined && muted_until > Date.now();
}

class Chats {
  readonly #chats = new SvelteMap<string, Chat>();
  readonly #threads = new Map<string, Thread>();
  readonly #typing = new SvelteMap<string, { by: string; timer: ReturnType<typeof setTimeout> }>();
  readonly #drafts = new SvelteMap<string, string>();
  readonly #names = new Map<string, string>();
  readonly #draftTimers = new Map<string, ReturnType<typeof setTimeout>>();
  loaded = $state(false);
  error: unknown = $state();
  /** Why the last wish about a chat in the list was refused. */
  refused: unknown = $state.raw();
  /** A message to jump to once its chat is open. */
  sought: { chat: string; message: string } | undefined = $state.raw();
  /** The latest message that came in, for the live region. */
  arrived: Message | undefined = $state.raw();

  /** A chat that was only opened is in no list until something is in it. */
  readonly all: Chat[] = $derived(
    [...this.#chats.values()]
      .filter((chat) => chat.last ?? chat.group ?? this.draft(chat.conversation_id))
      .sort(compareChats),
  );
  readonly list: Chat[] = $derived(this.all.filter((chat) => !chat.archived && !chat.request));
  /** Of strangers, who have a place of their own: nothing in them is announced or counted. */
  readonly requests: Chat[] = $derived(this.all.filter((chat) => chat.request && !chat.archived && !chat.blocked));
  readonly archived: Chat[] = $derived(this.all.filter((chat) => chat.archived));
  /** With whom one wants nothing to do, also where nothing was ever said. */
  readonly blocked: Chat[] = $derived([...this.#chats.values()].filter((chat) => chat.blocked));
  /** Of a muted chat, only what speaks to us. */
  readonly unread: number = $derived(
    this.list.reduce((sum, chat) => sum + (isMuted(chat) ? (chat.mentions?.length ?? 0) : chat.unread), 0),
  );

  async load(): Promise<void> {
    this.error = undefined;
    try {
      const { chats } = await session.link.request({ type: 'list_chats' });
      for (const chat of chats) this.put(chat);
      // A group that could not be made is gone.
      const there = new Set(chats.map((chat) => chat.conversation_id));
      for (const { conversation_id: id, group } of this.#chats.values())
        if (group && !there.has(id)) this.#chats.delete(id);
      this.loaded = true;
    } catch (error) {
      this.error = error;
    }
  }

  get(id: string): Chat | undefined {
    return this.#chats.get(id);
  }

  put(chat: Chat): void {
    const name = chat.peer.name || this.#names.get(chat.peer.account_id);
    this.#chats.set(chat.conversation_id, name ? { ...chat, peer: { ...chat.peer, name } } : chat);
    groupCards.changed(chat);
  }

  /** Finds a person (or a conversation by id) and makes its chat known here. */
  async open(who: string, calledName = ''): Promise<Chat> {
    const chat = await session.link.request({ type: 'open_chat', who });
    if (calledName && !chat.peer.name) this.#rememberName(chat.peer.account_id, calledName);
    this.put(chat);
    return chat;
  }

  thread(id: string): Thread {
    let thread = this.#threads.get(id);
    if (!thread) {
      thread = new Thread(id);
      this.#threads.set(id, thread);
    }
    return thread;
  }

  receive(message: Message): void {
    const thread = this.#threads.get(message.conversation_id);
    const isNew = !thread?.messages.some((known) => known.message_id === message.message_id);
    thread?.put(message);
    groupCards.received(message);
    if (message.mine) return;
    this.setTyping(message.conversation_id, message.from.account_id, false);
    const chat = this.get(message.conversation_id);
    // Whom nobody knows here yet may be a stranger.
    if (!chat || chat.archived || chat.request || chat.blocked) return;
    if (isMuted(chat) && !message.mentions_me) return;
    // An old message that something was done to is no news to be read out.
    if (isNew ? !isChanged(message) : this.arrived?.message_id === message.message_id) this.arrived = message;
  }

  /** The time of a message was over. The core has said what its chat is without it. */
  vanish(conversation: string, id: string): void {
    const thread = this.#threads.get(conversation);
    const file = thread?.find(id)?.file;
    thread?.vanish(id);
    if (file) media.forget(file);
    if (media.viewing?.message_id === id) media.viewing = undefined;
    if (this.arrived?.message_id === id) this.arrived = undefined;
  }

  /** The account that typed last, while it types. */
  typing(id: string): string | undefined {
    return this.#typing.get(id)?.by;
  }

  setTyping(id: string, by: string, active: boolean): void {
    const known = this.#typing.get(id);
    // That one of several has stopped says nothing of another.
    if (!active && known?.by !== by) return;
    clearTimeout(known?.timer);
    if (active) this.#typing.set(id, { by, timer: setTimeout(() => this.#typing.delete(id), TYPING_MS) });
    else this.#typing.delete(id);
  }

  draft(id: string): string {
    return this.#drafts.get(id) ?? this.get(id)?.draft ?? '';
  }

  keepDraft(id: string, text: string): void {
    this.#drafts.set(id, text);
    clearTimeout(this.#draftTimers.get(id));
    this.#draftTimers.set(
      id,
      setTimeout(() => void this.#storeDraft(id, text), DRAFT_DELAY_MS),
    );
  }

  /** False if it could not be stored. */
  async #storeDraft(id: string, text: string): Promise<boolean> {
    const kept = [...text].slice(0, TEXT_CHARS_MAX).join('');
    try {
      this.put(await session.link.request({ type: 'set_draft', conversation_id: id, text: kept }));
      // From here on the core says it, unless more was written meanwhile, or it is longer than what is kept.
      if (this.#drafts.get(id) === kept) this.#drafts.delete(id);
      return true;
    } catch {
      // It stays here until the page goes.
      return false;
    }
  }

  async #adoptDraft(note: string, text: string): Promise<void> {
    const id = note.slice(OLD_DRAFT.length);
    const newer = this.draft(id);
    if (newer || (await this.#storeDraft(id, text))) session.link.keepNote(note, '');
  }

  async arrange(id: string, how: Arrangement): Promise<void> {
    this.put(await session.link.request({ type: 'arrange', conversation_id: id, ...how }));
  }

  restoreNotes(notes: Record<string, string>): void {
    for (const [key, text] of Object.entries(notes)) {
      if (key.startsWith(OLD_DRAFT)) void this.#adoptDraft(key, text);
      if (!key.startsWith(NAME)) continue;
      const id = key.slice(NAME.length);
      if (!this.#names.has(id)) this.#names.set(id, text);
    }
    for (const chat of this.#chats.values()) this.put(chat);
  }

  /** How the link to somebody called him, if there was one. */
  calledName(accountId: string): string | undefined {
    return this.#names.get(accountId);
  }

  /** What the link that led to this person called him: shown until he says his name himself. */
  #rememberName(accountId: string, name: string): void {
    this.#names.set(accountId, name);
    session.link.keepNote(NAME + accountId, name);
  }

  forget(): void {
    this.#chats.clear();
    this.#threads.clear();
    // What was typed in the last moment is not stored any more: another tab has the core.
    for (const timer of this.#draftTimers.values()) clearTimeout(timer);
    this.#draftTimers.clear();
    this.#drafts.clear();
    this.#names.clear();
    groupCards.forget();
    this.loaded = false;
    this.error = undefined;
  }
}

export const chats = new Chats();
