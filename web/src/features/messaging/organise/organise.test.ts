import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Chat, Command } from '../../../core/contract';
import { chats } from '../chats.svelte';
import { compareChats } from '../order';

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

  it('has a chat in which nothing is but what was begun', () => {
    chats.put(chat('begun', { draft: 'Halo' }));
    expect(ids(chats.list)).toEqual(['begun']);
    expect(chats.draft('begun')).toBe('Halo');
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
