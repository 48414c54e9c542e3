// The groups whose members somebody has looked at, and what is being changed about them.
import { SvelteMap } from 'svelte/reactivity';
import { fromHex } from '../../core/bytes';
import type { Chat, GroupCommand, GroupView, Message, Person } from '../../core/contract';
import type { AnswerTo } from '../../core/link';
import { previewType } from '../media/picture';
import { chats } from '../messaging/chats.svelte';
import { session } from '../session/session.svelte';
import { explainGroup } from './explain';

class Groups {
  readonly #views = new SvelteMap<string, GroupView>();
  /** Changes that the core has not answered yet. */
  readonly #waiting = new SvelteMap<string, number>();
  readonly #problems = new SvelteMap<string, string>();
  /** As people call themselves by now: a line of the thread may be older than a name. */
  readonly #names = new SvelteMap<string, string>();

  readonly #pictures = new SvelteMap<string, { photo: string; url: string }>();
  /** Of which the picture was asked for. */
  readonly #asked = new Set<string>();
  #before: Promise<void> = Promise.resolve();

  view(id: string): GroupView | undefined {
    return this.#views.get(id);
  }

  /** Where its picture is; one that nobody has asked for yet is fetched, one group after the other. */
  picture(id: string): string | undefined {
    if (!this.#asked.has(id)) {
      this.#asked.add(id);
      if (!this.#views.has(id)) this.#before = this.#before.then(() => this.load(id)).catch(() => undefined);
    }
    return this.#pictures.get(id)?.url;
  }

  #draw({ conversation_id: id, photo = '' }: GroupView): void {
    const known = this.#pictures.get(id);
    if ((known?.photo ?? '') === photo) return;
    if (known) URL.revokeObjectURL(known.url);
    this.#pictures.delete(id);
    const bytes = fromHex(photo);
    const type = previewType(bytes);
    if (type) this.#pictures.set(id, { photo, url: URL.createObjectURL(new Blob([bytes], { type })) });
  }

  nameOf(accountId: string): string | undefined {
    return this.#names.get(accountId) ?? chats.calledName(accountId);
  }

  #learn({ account_id, name }: Person): void {
    if (name && this.#names.get(account_id) !== name) this.#names.set(account_id, name);
  }

  /** How many changes of ours are on their way. */
  waiting(id: string): number {
    return this.#waiting.get(id) ?? 0;
  }

  /** Why the last change was refused. */
  problem(id: string): string {
    return this.#problems.get(id) ?? '';
  }

  async load(id: string): Promise<void> {
    this.#keep(await session.link.request({ type: 'group', conversation_id: id, request: { type: 'show' } }));
  }

  #keep(reply: AnswerTo<'group'>): void {
    if (reply.type !== 'group') return;
    const { type: _, ...view } = reply;
    this.#views.set(view.conversation_id, view);
    this.#draw(view);
    for (const member of view.members) this.#learn(member);
  }

  /** Resolves when the change is in force, or to false if it is refused: `problem` then says why. */
  async change(id: string, request: GroupCommand): Promise<boolean> {
    return (await this.ask(id, request)) !== undefined;
  }

  /** The same, with what the core answers. */
  async ask(id: string, request: GroupCommand): Promise<AnswerTo<'group'> | undefined> {
    this.#problems.delete(id);
    this.#waiting.set(id, this.waiting(id) + 1);
    try {
      const reply = await session.link.request({ type: 'group', conversation_id: id, request });
      if (reply.type === 'invite') await this.load(id);
      else this.#keep(reply);
      return reply;
    } catch (refused) {
      this.refused(id, refused);
      return undefined;
    } finally {
      this.#waiting.set(id, this.waiting(id) - 1);
    }
  }

  /** Something about a group did not work: `problem` says why. */
  refused(id: string, why: unknown): void {
    this.#problems.set(id, explainGroup(why));
  }

  forgive(id: string): void {
    this.#problems.delete(id);
  }

  /** A group of us and these people; resolves once the server has it. Until then its chat shows that it is being made. */
  async create(group: { name: string; description: string; members: string[]; large: boolean }): Promise<string> {
    const made = session.link.request({ type: 'create_group', ...group });
    void chats.load();
    try {
      const view = await made;
      this.#keep(view);
      return view.conversation_id;
    } finally {
      await chats.load();
    }
  }

  async mute(id: string, hours: number | null): Promise<void> {
    chats.put(await session.link.request({ type: 'mute', conversation_id: id, hours }));
  }

  /** Something of a group has changed: what was read of it is read again. */
  changed(chat: Chat): void {
    const view = this.#views.get(chat.conversation_id);
    if (!chat.group || !view) return;
    const { standing, members } = chat.group;
    const same = view.standing === standing && view.members.length === members && view.name === chat.peer.name;
    if (!same) void this.load(chat.conversation_id);
  }

  received(message: Message): void {
    if (!message.mine) this.#learn(message.from);
    const view = this.#views.get(message.conversation_id);
    if (!view) return;
    const { from } = message;
    const known = view.members.find(({ account_id }) => account_id === from.account_id);
    if (message.kind.startsWith('notice_') || (known && known.name !== from.name))
      void this.load(message.conversation_id);
  }

  forget(): void {
    this.#views.clear();
    for (const { url } of this.#pictures.values()) URL.revokeObjectURL(url);
    this.#pictures.clear();
    this.#asked.clear();
    this.#names.clear();
    this.#waiting.clear();
    this.#problems.clear();
  }
}

export const groups = new Groups();
