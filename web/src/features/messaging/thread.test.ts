import { describe, expect, it, vi } from 'vitest';
import type { Message } from '../../core/contract';
import type { CoreLink } from '../../core/link';
import { merged } from './order';
import { handleOf, nameOf } from './person';
import { firstUnread, rowsOf } from './rows';

const NOON = new Date(2026, 0, 5, 12).getTime();
const MINUTE = 60_000;

function message(id: string, changes: Partial<Message> = {}): Message {
  return {
    message_id: id,
    conversation_id: 'c',
    from: { account_id: changes.mine ? 'me' : 'budi', name: '' },
    mine: false,
    kind: 'text',
    text: id,
    time: NOON,
    state: changes.mine ? 'sent' : 'received',
    ...changes,
  };
}
const ids = (messages: Message[]) => messages.map((each) => each.message_id).join(' ');

describe('the order of a thread', () => {
  it("is the server's, whatever the clocks say", () => {
    const late = message('a', { seq: 1, time: NOON + MINUTE });
    const early = message('b', { seq: 2, time: NOON });
    expect(ids(merged([], [early, late]))).toBe('a b');
  });
  it('keeps what waits at the end, in the order of writing', () => {
    const waits = message('w1', { mine: true, state: 'queued', time: NOON });
    const waitsToo = message('w2', { mine: true, state: 'failed', time: NOON + 1 });
    expect(ids(merged([waits, waitsToo], [message('new', { seq: 7, time: NOON + MINUTE })]))).toBe('new w1 w2');
  });
  it('moves a message to its place once the server has it', () => {
    const before = [
      message('a', { seq: 1 }),
      message('w', { mine: true, state: 'queued' }),
      message('v', { mine: true, state: 'queued' }),
    ];
    const after = merged(before, [message('v', { mine: true, state: 'sent', seq: 2 })]);
    expect(ids(after)).toBe('a v w');
    expect(ids(before)).toBe('a w v');
  });
  it('puts a notice without a number where its time is', () => {
    const before = [message('a', { seq: 1, time: NOON }), message('b', { seq: 2, time: NOON + 2 * MINUTE })];
    expect(ids(merged(before, [message('n', { kind: 'notice_gap', time: NOON + MINUTE })]))).toBe('a n b');
  });
  it('puts a notice after the message that it follows, whenever this device learned of it', () => {
    const said = [message('a', { seq: 1 }), message('b', { seq: 2 })];
    const notice = message('n', { kind: 'notice_added', seq: 1, time: NOON + 60 * MINUTE });
    expect(ids(merged(said, [notice]))).toBe('a n b');
    // A message that changes comes back to its own place.
    expect(ids(merged(merged(said, [notice]), [message('a', { seq: 1, state: 'read' })]))).toBe('a n b');
  });
});

describe('a message that vanishes', () => {
  it('is gone from its thread, and from what quotes it', async () => {
    const asked: string[] = [];
    const request = async ({ message_id }: { message_id: string }) => {
      asked.push(message_id);
      if (asked.length > 1) throw new Error('no such message');
      return { type: 'message', ...message(message_id) };
    };
    vi.stubGlobal('window', { addEventListener() {} });
    vi.stubGlobal('navigator', { onLine: true, languages: [] });
    const { session } = await import('../session/session.svelte');
    const { Thread } = await import('./thread.svelte');
    session.link = { request } as unknown as CoreLink;
    const thread = new Thread('c');
    for (const id of ['a', 'b', 'c']) thread.put(message(id));
    expect(thread.quoted('old')).toBeNull();
    await Promise.resolve();
    await Promise.resolve();
    expect(thread.quoted('old')?.text).toBe('old');
    thread.vanish('b');
    thread.vanish('old');
    expect(ids(thread.messages)).toBe('a c');
    expect(thread.quoted('old')).toBeNull();
    expect(asked, 'once is enough').toEqual(['old']);
  });
});

describe('the rows of a thread', () => {
  const kinds = (messages: Message[], unreadFrom?: string) =>
    rowsOf(messages, unreadFrom).map((row) => {
      if (row.kind !== 'message') return row.kind;
      return `${row.first ? '[' : ''}${row.message.message_id}${row.last ? ']' : ''}`;
    });
  it('have one heading a day, though a notice was learned of days later', () => {
    const late = message('n', { kind: 'notice_added', time: NOON + 3 * 24 * 60 * MINUTE });
    expect(kinds([message('a'), late, message('b', { time: NOON + MINUTE })])).toEqual(['day', '[a]', 'notice', '[b]']);
    expect(kinds([message('a'), late])).toEqual(['day', '[a]', 'day', 'notice']);
  });
  it('group what one person says in a few minutes', () => {
    const rows = kinds([
      message('a'),
      message('b', { time: NOON + MINUTE }),
      message('c', { time: NOON + 2 * MINUTE, mine: true }),
      message('d', { time: NOON + 20 * MINUTE, mine: true }),
    ]);
    expect(rows).toEqual(['day', '[a', 'b]', '[c]', '[d]']);
  });
  it('begin every day anew', () => {
    const midnight = new Date(2026, 0, 6).getTime();
    expect(kinds([message('a', { time: midnight - 1 }), message('b', { time: midnight })])).toEqual([
      'day',
      '[a]',
      'day',
      '[b]',
    ]);
  });
  it('break groups at notices and where the unread part begins', () => {
    const rows = kinds([message('a'), message('b'), message('n', { kind: 'notice_reset' }), message('c')], 'b');
    expect(rows).toEqual(['day', '[a]', 'unread', '[b]', 'notice', '[c]']);
  });
  it('have unique keys', () => {
    const keys = rowsOf([message('a'), message('b'), message('c', { time: NOON + 90 * 3_600_000 })]).map(
      (row) => row.key,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('the first unread message', () => {
  it('is counted from the end, over received ones only', () => {
    const messages = [message('a'), message('b'), message('mine', { mine: true }), message('c')];
    expect(firstUnread(messages, 2)).toBe('b');
    expect(firstUnread(messages, 0)).toBeUndefined();
    expect(firstUnread(messages, 9)).toBeUndefined();
  });
});

describe('how people are called', () => {
  it('is their name, else what they were found by', () => {
    expect(nameOf({ account_id: 'x', name: 'Budi', username: 'budi' }, '?')).toBe('Budi');
    expect(nameOf({ account_id: 'x', name: '', username: 'budi' }, '?')).toBe('@budi');
    expect(nameOf({ account_id: 'x', name: '' }, '?')).toBe('?');
    expect(handleOf({ account_id: 'x', name: 'Budi', username: 'budi' })).toBe('@budi');
    expect(handleOf({ account_id: 'x', name: '', username: 'budi' })).toBe('');
  });
});
