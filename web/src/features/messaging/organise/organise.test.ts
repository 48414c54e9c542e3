import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Chat, Command, Message } from '../../../core/contract';
import { chats } from '../chats.svelte';
import { compareChats } from '../order';
import { listsOf, shownOf } from './lists';

const { link } = vi.hoisted(() => ({ link: { request: vi.fn() } }));
vi.mock('../../session/session.svelte', () => ({ session: { link } }));

const chat = (id: string, more: Partial<Chat> = {}): Chat => ({
  conversation_id: id,
  kind: 'direct',
  peer: { account_id: id, name: id },
  last: null,
  unread: 0,
  request: false,
  safety_changed: false,
  updated_at: 0,
  ...more,
});
const last = { message_id: 'm' } as Chat['last'];
const ids = (list: Chat[]) => list.map(({ conversation_id }) => conversation_id);

describe('the order of chats', () => {
  it('has the pinned ones first, then the newest', () => {
    const list = [
      chat('old', { updated_at: 1 }),
      chat('pinned-old', { updated_at: 0, pinned: true }),
      chat('new', { updated_at: 3 }),
      chat('pinned-new', { updated_at: 2, pinned: true }),
    ];
    expect(ids(list.sort(compareChats))).toEqual(['pinned-new', 'pinned-old', 'new', 'old']);
  });
});

describe('the list', () => {
  afterEach(() => chats.forget());

  it('leaves out what was put away, and does not count it', () => {
    chats.put(chat('here', { last, unread: 2 }));
    chats.put(chat('away', { last, unread: 5, archived: true }));
    chats.put(chat('opened'));
    expect(ids(chats.list)).toEqual(['here']);
    expect(ids(chats.archived)).toEqual(['away']);
    expect(chats.unread).toBe(2);
  });

  it('keeps strangers apart, and does not count them', () => {
    chats.put(chat('known', { last, unread: 1 }));
    chats.put(chat('stranger', { last, unread: 3, request: true }));
    chats.put(chat('away', { last, request: true, archived: true }));
    chats.put(chat('unwanted', { last, request: true, blocked: true }));
    chats.put(chat('fallen out', { last, blocked: true }));
    expect(ids(chats.list).sort()).toEqual(['fallen out', 'known']);
    expect(ids(chats.requests)).toEqual(['stranger']);
    expect(ids(chats.archived)).toEqual(['away']);
    expect(ids(chats.blocked).sort()).toEqual(['fallen out', 'unwanted']);
    expect(chats.unread).toBe(1);
  });

  it('announces neither strangers nor whom nobody knows yet', () => {
    const message = (conversation_id: string) =>
      ({ conversation_id, message_id: conversation_id, kind: 'text', from: { account_id: 'a' } }) as Message;
    chats.put(chat('stranger', { last, request: true }));
    chats.put(chat('known', { last }));
    chats.receive(message('stranger'));
    chats.receive(message('nobody'));
    expect(chats.arrived).toBeUndefined();
    chats.receive(message('known'));
    expect(chats.arrived?.conversation_id).toBe('known');
    chats.arrived = undefined;
  });

  it('has a chat in which nothing is but what was begun', () => {
    chats.put(chat('begun', { draft: 'Halo' }));
    expect(ids(chats.list)).toEqual(['begun']);
    expect(chats.draft('begun')).toBe('Halo');
  });
});

describe('chips', () => {
  const all = [
    chat('read', { lists: ['Keluarga'] }),
    chat('unread', { unread: 2 }),
    chat('marked', { marked_unread: true, lists: ['Arisan', 'Keluarga'] }),
    chat('group', { kind: 'group', group: { members: 3, standing: 'member', role: 'member', may_post: true } }),
  ];

  it('show all, what is unread, groups, or a list', () => {
    expect(shownOf(all, 'all')).toEqual(all);
    expect(ids(shownOf(all, 'unread'))).toEqual(['unread', 'marked']);
    expect(ids(shownOf(all, 'groups'))).toEqual(['group']);
    expect(ids(shownOf(all, 'list:Keluarga'))).toEqual(['read', 'marked']);
    expect(ids(shownOf(all, 'list:Kantor'))).toEqual([]);
  });

  it('keep what was opened among the unread ones', () => {
    expect(ids(shownOf(all, 'unread', 'read'))).toEqual(['read', 'unread', 'marked']);
    expect(ids(shownOf(all, 'groups', 'read'))).toEqual(['group']);
  });

  it('are there once for each name, in order, however it is called', () => {
    expect(listsOf(all)).toEqual(['Arisan', 'Keluarga']);
    const named = [chat('odd', { lists: ['unread', 'list:all'] })];
    expect(shownOf(named, 'list:unread')).toEqual(named);
    expect(shownOf(named, 'list:list:all')).toEqual(named);
    expect(shownOf(named, 'unread')).toEqual([]);
  });
});

describe('what was begun', () => {
  const asked: Command[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    asked.length = 0;
    link.request.mockImplementation((command: Command) => {
      asked.push(command);
      return Promise.resolve(chat('c', { draft: command.type === 'set_draft' ? command.text : '' }));
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    chats.forget();
  });

  it('is kept a moment after the last key', async () => {
    chats.keepDraft('c', 'Ha');
    chats.keepDraft('c', 'Halo');
    expect(chats.draft('c')).toBe('Halo');
    await vi.runAllTimersAsync();
    expect(asked).toEqual([{ type: 'set_draft', conversation_id: 'c', text: 'Halo' }]);
    chats.put(chat('c'));
    expect(chats.draft('c')).toBe('');
  });

  it('is what is written now, whatever the core says of before', () => {
    chats.put(chat('c', { draft: 'Halo' }));
    chats.keepDraft('c', '');
    chats.put(chat('c', { draft: 'Halo' }));
    expect(chats.draft('c')).toBe('');
  });

  it('is whole on the screen, and kept as far as a message may be long', async () => {
    const long = '😄'.repeat(4097);
    chats.keepDraft('c', long);
    await vi.runAllTimersAsync();
    expect(asked).toEqual([{ type: 'set_draft', conversation_id: 'c', text: '😄'.repeat(4096) }]);
    expect(chats.draft('c')).toBe(long);
  });
});
