// A scripted stand-in for the core, for `npm run dev` without a server: screens can be built and looked at with people, states
// and troubles that are rare in life. `?new` begins at the first screen, `?empty` with an account and nothing else.
// Never part of a build: only vite.dev.config.js knows this file.
import type {
  Chat,
  Command,
  Me,
  Message,
  MessageKind,
  MessageState,
  Notification,
  Person,
  Privacy,
} from '../src/core/contract.ts';
import { CoreError, trusted } from '../src/core/link.ts';
import type { FromWorker, Job } from '../src/core/messages.ts';
import { bank, clinic, coffee, stranger as salesman, scripts, type Written } from './business.ts';
import { changed } from './changes.ts';
import { cinema, Till, visits } from './commerce.ts';
import { Cabinet } from './files.ts';
import { exchange, flows, hall } from './flows.ts';

export { CoreError, trusted };

const HOUR = 3_600_000;
const now = Date.now();
const query = new URLSearchParams(location.search);

const hex = (n: number, length = 32) => n.toString(16).padStart(4, '0').padEnd(length, '0');
const me: Me = { account_id: hex(9), device_id: hex(99), name: 'Rani', username: 'rani' };
const myself: Person = { account_id: me.account_id, name: 'Rani', username: 'rani' };
const budi: Person = { account_id: hex(0), name: 'Budi Santoso', username: 'budi' };
const people: Person[] = [
  budi,
  { account_id: hex(2), name: 'Ibu', phone: '+6281234567890' },
  { account_id: hex(5), name: 'Sekar Ayuningtyas Prameswari', username: 'sekar.ayu' },
  { account_id: hex(7), name: 'Halo', username: 'halo' },
  { account_id: hex(3), name: '', username: 'orang_asing' },
  { account_id: hex(4), name: 'Tomi', username: 'tomi' },
  coffee,
  bank,
  clinic,
  salesman,
  cinema,
  hall,
];

let lastId = 0;
function message(
  peer: Person,
  text: string,
  mine: boolean,
  ago: number,
  state: MessageState,
  kind: MessageKind = 'text',
): Message {
  lastId += 1;
  const id = hex(lastId + 4096, 64);
  const made: Message = {
    message_id: id,
    conversation_id: peer.account_id,
    from: mine ? myself : peer,
    mine,
    kind,
    time: now - ago,
    state: mine ? state : 'received',
  };
  if (kind === 'text') made.text = text;
  if (state !== 'queued' && state !== 'failed') made.seq = lastId;
  if (state === 'failed') made.error = { code: 'recipient_gone', message: 'The account has no devices any more.' };
  return made;
}

const threads = new Map<string, Message[]>(people.map((person) => [person.account_id, []]));
const unread = new Map<string, number>();
const arranged = new Map<string, Partial<Chat>>();
const privacy: Privacy = { read_receipts: true, typing: true, presence: 'contacts', timer_s: 0 };

function write(
  peer: Person,
  ...parts: Parameters<typeof message> extends [Person, ...infer Rest] ? Rest : never
): Message {
  const made = message(peer, ...parts);
  threads.get(peer.account_id)?.push(made);
  return made;
}

function script(): void {
  const [, ibu, sekar, halo, stranger, tomi] = people as [Person, Person, Person, Person, Person, Person];
  for (let i = 0; i < 150; i += 1) write(budi, `Pesan lama nomor ${150 - i}`, i % 3 === 0, (200 - i) * HOUR, 'read');
  write(budi, 'Sudah sampai di stasiun?', false, 26 * HOUR, 'received');
  write(budi, 'Sudah. Keretanya tepat waktu, tumben 😄', true, 26 * HOUR - 60_000, 'read');
  write(
    budi,
    'Nanti saya jemput di pintu timur ya. Parkirnya lebih gampang di sana, dan dekat warung soto yang kemarin.',
    false,
    25 * HOUR,
    'received',
  );
  const asked = write(
    budi,
    'Jadwal pulangnya ada di https://kereta.example/jadwal?dari=Gambir&ke=Yogyakarta.',
    false,
    2 * HOUR,
    'received',
  );
  write(budi, 'Siap, nanti saya pesan dua kursi.', true, 2 * HOUR - 30_000, 'read').in_reply_to = asked.message_id;
  write(budi, '🎉', true, 2 * HOUR - 20_000, 'read');
  write(budi, '', false, HOUR, 'received', 'notice_safety_changed');
  write(budi, 'السلام عليكم، كيف الحال؟', false, HOUR - 40_000, 'received');
  write(budi, 'Ganti ponsel, jadi nomor keamanannya berubah.', false, HOUR - 30_000, 'received');
  write(budi, 'Sudah saya cocokkan 👍', true, 30 * 60_000, 'delivered');
  write(budi, 'Nomor kursinya 7A dan 7B', true, 60_000, 'sent');
  write(budi, 'Yang ini masih menunggu sambungan', true, 30_000, 'queued');
  write(budi, 'Yang ini tidak jadi terkirim', true, 20_000, 'failed');
  write(
    ibu,
    'Jangan lupa makan ya, Nak. Kalau pulang lebaran nanti bawa adikmu sekalian.',
    false,
    5 * HOUR,
    'received',
  );
  write(sekar, 'Rapat jam sepuluh', true, 30 * HOUR, 'delivered');
  write(halo, 'Halo! Saya bot di server ini. Tulis apa saja.', false, 50 * HOUR, 'received');
  write(stranger, 'Halo kak, lihat ini https://hadiah.example/klik', false, 3 * HOUR, 'received');
  write(tomi, 'Sip', true, 200 * HOUR, 'read');
  unread.set(ibu.account_id, 2).set(stranger.account_id, 1).set(salesman.account_id, 1);
  for (const [company, messages] of [...scripts, [cinema, visits] as const, [hall, flows] as const]) {
    for (const written of messages) writeFor(company, written);
  }
}

function writeFor(company: Person, { ago, mine = false, answers, ...shown }: Written): Message {
  const asked = threads.get(company.account_id)?.at(-(answers ?? 0));
  const made = write(company, shown.text ?? '', mine, ago, 'read', shown.kind);
  return Object.assign(made, shown, answers && asked ? { in_reply_to: asked.message_id } : {});
}
if (!query.has('empty') && !query.has('new')) script();

function chatOf(person: Person): Chat {
  const messages = threads.get(person.account_id) ?? [];
  const last = messages.at(-1) ?? null;
  return {
    conversation_id: person.account_id,
    kind: person.business ? 'business' : 'direct',
    peer: person,
    last,
    unread: unread.get(person.account_id) ?? 0,
    request: person.username === 'orang_asing' || (person === salesman && !messages.some((known) => known.mine)),
    safety_changed: person === budi && messages.length > 0,
    updated_at: last?.time ?? 0,
    ...arranged.get(person.account_id),
  };
}

const find = (id: string) => [...threads.values()].flat().find((each) => each.message_id === id);

function shelfOf({ file, kind, text = '' }: Message) {
  if (file) return /^(image|video)\//.test(file.mime_type) ? 'media' : 'documents';
  return kind === 'text' && /https?:\/\//.test(text) ? 'links' : undefined;
}

function foundPage(all: Message[], { before, limit }: { before: string | null; limit: number }) {
  const start = before ? all.findIndex((each) => each.message_id === before) + 1 : 0;
  const chat = (id: string) => people.find((person) => person.account_id === id) ?? budi;
  const messages = all.slice(start, start + limit).map((each) => ({ message: each, chat: chat(each.conversation_id) }));
  return { type: 'found', messages, more: start + limit < all.length };
}

export class CoreLink {
  readonly #tell: (message: Exclude<FromWorker, { type: 'reply' }>) => void;
  readonly #till = new Till({
    find: (id) => threads.get(cinema.account_id)?.find((known) => known.message_id === id),
    write: (peer, written) => this.#update(writeFor(peer, { ...written, ago: now - Date.now() })),
    notify: (payment) => this.#notify({ type: 'payment', payment }),
  });

  constructor(listener: (message: Exclude<FromWorker, { type: 'reply' }>) => void) {
    this.#tell = listener;
    setTimeout(() => {
      listener({ type: 'ownership', state: query.has('elsewhere') ? 'elsewhere' : 'held' });
      this.#notify({ type: 'registration', mode: query.get('mode') ?? 'open' });
      this.#notify({ type: 'account', me: query.has('new') ? null : me });
      this.#notify({ type: 'connection', state: query.has('offline') ? 'offline' : 'online' });
      if (query.has('trouble')) this.#notify({ type: 'trouble', reason: 'store_write', message: 'QuotaExceededError' });
    }, 50);
  }

  #notify(notification: Notification): void {
    this.#tell({ type: 'notification', notification });
  }

  readonly #cabinet = new Cabinet();
  newJob(): number {
    lastId += 1;
    return lastId;
  }
  work(id: number, job: Job, progress: (done: number) => void = () => {}): Promise<unknown> {
    return this.#cabinet.work(id, job, progress);
  }
  dropJob(id: number): void {
    this.#cabinet.drop(id);
  }

  hurry(): void {}
  keepNote(): void {}
  useHere(): void {
    this.#tell({ type: 'ownership', state: 'asking' });
  }

  async request(command: Command): Promise<unknown> {
    await new Promise((resolve) => setTimeout(resolve, 60));
    switch (command.type) {
      case 'register':
        Object.assign(me, { name: command.name });
        this.#notify({ type: 'account', me });
        return { type: 'registered', ...me };
      case 'list_chats':
        return { type: 'chats', chats: people.filter((person) => threads.get(person.account_id)?.length).map(chatOf) };
      case 'open_chat': {
        const who = command.who.replace(/^@/, '');
        const found = people.find((person) => [person.account_id, person.username, person.phone].includes(who));
        if (!found) throw new CoreError({ code: 'not_found', message: 'not found' });
        return { type: 'chat', ...chatOf(found) };
      }
      case 'list_messages':
        return this.#page(command);
      case 'send_text':
        return this.#send(command.to, command.text, command.reply_to);
      case 'send': {
        if ('file' in command.content) {
          const { file } = command.content;
          const shown = { kind: 'file', file } as const;
          return this.#send(command.to, file.caption || file.name, command.reply_to, shown);
        }
        if ('event' in command.content) {
          const { event } = command.content;
          return this.#send(command.to, event.title, null, { kind: 'event', event });
        }
        if (!('interactive_reply' in command.content)) {
          const kind = Object.keys(command.content)[0] as MessageKind;
          const text = 'text' in command.content ? command.content.text : '';
          return this.#send(command.to, text, command.reply_to, { kind, ...command.content });
        }
        const { reply } = command.content.interactive_reply;
        const taken = reply && 'button' in reply && /^return:(.+)/.exec(reply.button.id)?.[1];
        if (taken) setTimeout(() => this.#till.giveBack(taken), 2500);
        const title =
          reply && ('flow' in reply ? reply.flow.body : ('button' in reply ? reply.button : reply.list).title);
        return this.#send(command.to, title ?? '', command.reply_to, { kind: 'interactive_reply', ...command.content });
      }
      case 'change_message':
      case 'get_message': {
        const known = find(command.message_id);
        if (!known) throw new CoreError({ code: 'invalid', parameter: 'message_id', message: 'not here' });
        if (command.type === 'get_message') return { ...known, type: 'message' };
        this.#update(changed(known, command.change, myself));
        return { type: 'done' };
      }
      case 'pay':
        return this.#till.pay(command);
      case 'payment':
        return { type: 'payment', ...this.#till.payment(command.message_id) };
      case 'tickets':
        return { type: 'tickets', tickets: this.#till.tickets(threads.get(cinema.account_id) ?? []) };
      case 'flow_exchange':
        return exchange(command, threads.get(hall.account_id) ?? []);
      case 'mark_read':
        unread.delete(command.conversation_id);
        this.#changed(command.conversation_id);
        return { type: 'done' };
      case 'arrange': {
        const { conversation_id: id, pinned, archived, unread: marked_unread } = command;
        if (marked_unread === false) unread.delete(id);
        return this.#arrange(id, {
          ...(pinned !== undefined && { pinned }),
          ...(archived !== undefined && { archived, pinned: false }),
          ...(marked_unread !== undefined && { marked_unread }),
        });
      }
      case 'search': {
        const word = new RegExp(`\\b${command.text}`, 'iu');
        const messages = [...threads.values()].flat().filter(({ text = '' }) => word.test(text));
        return foundPage(
          messages.sort((a, b) => b.time - a.time),
          command,
        );
      }
      case 'star': {
        const known = find(command.message_id);
        if (known) this.#update({ ...known, starred: command.starred });
        return { type: 'done' };
      }
      case 'list_starred': {
        const starred = [...threads.values()].flat().filter((each) => each.starred);
        return foundPage(
          starred.sort((a, b) => b.time - a.time),
          command,
        );
      }
      case 'list_shelf': {
        const all = (threads.get(command.conversation_id) ?? []).filter((each) => shelfOf(each) === command.shelf);
        const { messages, more } = foundPage(all.reverse(), command);
        return { type: 'messages', messages: messages.map(({ message }) => message), more };
      }
      case 'pin':
        this.#pin(command);
        return { type: 'done' };
      case 'mute':
        return this.#arrange(command.conversation_id, { muted_until: Date.now() + (command.hours ?? 0) * HOUR });
      case 'set_privacy': {
        const { type: _, ...wished } = command;
        return { type: 'privacy', ...Object.assign(privacy, wished) };
      }
      case 'block':
        return this.#arrange(command.who, { blocked: command.blocked });
      case 'set_lists':
        return this.#arrange(command.conversation_id, { lists: command.lists });
      case 'watch':
        return this.#arrange(command.conversation_id, { seen: { last: now - 20 * 60_000 } });
      case 'set_draft':
        return this.#arrange(command.conversation_id, { draft: command.text });
      case 'safety_number':
        return { type: 'safety_number', safety_number: '0123456789'.repeat(6), with: budi };
      case 'server_view':
        return { type: 'server_view', items: this.#serverItems(command.conversation_id) };
      case 'request_phone_code':
        return { type: 'phone_code', phone: command.phone, resend_after_s: 30, expires_after_s: 600, code: '123456' };
      default:
        return { type: 'done' };
    }
  }

  #page({ conversation_id, before, limit }: Extract<Command, { type: 'list_messages' }>) {
    const all = threads.get(conversation_id) ?? [];
    const end = before ? all.findIndex((known) => known.message_id === before) : all.length;
    const start = Math.max(0, end - limit);
    return { type: 'messages', messages: all.slice(start, end).reverse(), more: start > 0 };
  }

  #send(to: string, text: string, replyTo: string | null, shown: Partial<Message> = {}) {
    const peer = people.find((person) => person.account_id === to) ?? budi;
    const sent = write(peer, text, true, now - Date.now(), 'queued');
    Object.assign(sent, shown, replyTo ? { in_reply_to: replyTo } : {});
    (['sent', 'delivered', 'read'] as const).forEach((state, i) => {
      setTimeout(() => this.#update({ ...sent, state, seq: lastId }), 500 * (i + 1));
    });
    setTimeout(() => this.#notify({ type: 'typing', conversation_id: to, account_id: to, active: true }), 1800);
    setTimeout(() => this.#update(write(peer, `Oh, “${text}”?`, false, now - Date.now(), 'received')), 3500);
    this.#changed(to);
    return { type: 'sent', ...sent };
  }

  #update(changed: Message): void {
    const messages = threads.get(changed.conversation_id) ?? [];
    const at = messages.findIndex((known) => known.message_id === changed.message_id);
    if (at >= 0) messages[at] = changed;
    this.#notify({ type: 'message', message: changed });
    this.#changed(changed.conversation_id);
  }

  #pin({ message_id, hours }: Extract<Command, { type: 'pin' }>): void {
    const known = find(message_id);
    const peer = people.find((person) => person.account_id === known?.conversation_id);
    if (!known || !peer) return;
    const others = (arranged.get(peer.account_id)?.pins ?? []).filter((pin) => pin.message_id !== message_id);
    const pins = hours ? [...others, { message_id, until: Date.now() + hours * HOUR }] : others;
    const told = write(peer, '', true, now - Date.now(), 'received', hours ? 'notice_pinned' : 'notice_unpinned');
    this.#update(Object.assign(told, { in_reply_to: message_id }));
    this.#arrange(peer.account_id, { pins });
  }

  #arrange(id: string, change: Partial<Chat>) {
    arranged.set(id, { ...arranged.get(id), ...change });
    this.#changed(id);
    return { type: 'chat', ...chatOf(people.find((person) => person.account_id === id) ?? budi) };
  }

  #changed(id: string): void {
    const person = people.find((candidate) => candidate.account_id === id);
    if (person) this.#notify({ type: 'chat', chat: chatOf(person) });
  }

  #serverItems(id: string) {
    return (threads.get(id) ?? []).slice(-5).map((shown, i) => ({
      message: shown,
      sender_device: hex(i + 77),
      class: 'content',
      bytes: 412,
      envelope: Array.from({ length: 300 }, (_, n) =>
        (((n + i) * 2654435761) >>> 24).toString(16).padStart(2, '0'),
      ).join(''),
    }));
  }
}
