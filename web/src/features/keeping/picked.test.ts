import { describe, expect, it } from 'vitest';
import type { Message } from '../../core/contract';
import { allowedAll, chatsMax, copyOf, quoteOf } from './picked';

const NOW = 1_760_000_000_000;
const HOUR_MS = 3_600_000;
const place = { inside: true, mayWrite: true, several: true, moderates: true };

function message(more: Partial<Message>): Message {
  return {
    message_id: 'm',
    conversation_id: 'c',
    seq: 1,
    from: { account_id: 'a', name: 'Ani' },
    mine: true,
    kind: 'text',
    text: 'Halo',
    time: NOW - HOUR_MS,
    state: 'read',
    ...more,
  };
}

describe('with several messages', () => {
  const may = (...all: Partial<Message>[]) => allowedAll(all.map(message), NOW, true, place);

  it('everything may be done that may be done with each', () => {
    expect(may({}, {})).toEqual({ copy: true, forward: true, star: true, starred: false, delete: true });
    expect(may()).toEqual({ copy: false, forward: false, star: false, starred: false, delete: false });
  });
  it('only those of one own go everywhere, for two days, also for an admin', () => {
    expect(may({}, { mine: false }).delete).toBe(false);
    expect(may({}, { time: NOW - 49 * HOUR_MS }).delete).toBe(false);
  });
  it('what the server does not have is not passed on', () => {
    const waiting = message({ state: 'queued' });
    delete waiting.seq;
    expect(allowedAll([waiting], NOW, true, place).forward).toBe(false);
    expect(may({ kind: 'ticket' }).forward).toBe(false);
  });
  it('a star is taken back when all have one', () => {
    expect(may({ starred: true }, { starred: true }).starred).toBe(true);
    expect(may({ starred: true }, {}).starred).toBe(false);
  });
  it('one that was passed on often goes into one chat', () => {
    expect(chatsMax([message({}), message({ forwarded: 5 })], 5)).toBe(1);
    expect(chatsMax([message({ forwarded: 4 })], 5)).toBe(5);
  });
});

describe('what is copied', () => {
  const line = ({ from }: Message, text: string) => `${from.name}: ${text}`;

  it('is the words alone of one, and says who wrote each of several', () => {
    expect(copyOf([message({})], line)).toBe('Halo');
    expect(copyOf([message({}), message({ text: 'Ya' })], line)).toBe('Ani: Halo\nAni: Ya');
  });
});

describe('a quote in words', () => {
  it('is one line, not too long, and not cut within a character', () => {
    expect(quoteOf(' Sabtu\njadi  ya? ')).toBe('> Sabtu jadi ya?\n');
    expect(quoteOf('👍'.repeat(130))).toBe(`> ${'👍'.repeat(120)}…\n`);
  });
});
