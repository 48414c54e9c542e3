import { describe, expect, it } from 'vitest';
import type { Message, Reaction } from '../../../core/contract';
import { allowed } from './allowed';
import { EMOJI, found } from './emoji';
import { chipsOf, emojiOf, QUICK } from './reactions';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const message = (changes: Partial<Message> = {}): Message => ({
  message_id: 'm',
  conversation_id: 'c',
  seq: 7,
  from: { account_id: 'me', name: 'Rani' },
  mine: true,
  kind: 'text',
  text: 'Halo',
  time: 0,
  state: 'sent',
  ...changes,
});

describe('what may be done to a message', () => {
  it('is to edit a text of mine for 15 minutes and to delete it for two days', () => {
    expect(allowed(message(), 14 * MINUTE, true)).toMatchObject({ edit: true, delete: true });
    expect(allowed(message(), 15 * MINUTE, true)).toMatchObject({ edit: false, delete: true });
    expect(allowed(message(), 48 * HOUR, true)).toMatchObject({ edit: false, delete: false, reply: true });
  });
  it('is neither for what others wrote', () => {
    expect(allowed(message({ mine: false }), 0, true)).toMatchObject({ edit: false, delete: false, react: true });
  });
  it('is to delete what others wrote where one is an admin, and no more', () => {
    const place = { inside: true, mayWrite: true, several: true, moderates: true };
    const theirs = message({ mine: false });
    expect(allowed(theirs, 0, true, place)).toMatchObject({ edit: false, delete: true });
    expect(allowed(theirs, 48 * HOUR, true, place)).toMatchObject({ delete: false });
    expect(allowed(theirs, 0, true, { ...place, inside: false })).toMatchObject({ delete: false });
  });
  it('is to delete a file or an event, not to edit it as a text', () => {
    for (const kind of ['file', 'event'] as const) {
      expect(allowed(message({ kind }), 0, true)).toMatchObject({ edit: false, delete: true });
    }
  });
  it('waits until the server has it', () => {
    const { seq: _, ...queued } = message({ state: 'queued' });
    expect(allowed(queued, 0, true)).toMatchObject({
      react: false,
      reply: false,
      edit: false,
      delete: false,
      copy: true,
    });
  });
  it('is no reaction to a stranger who has not been answered', () => {
    expect(allowed(message({ mine: false }), 0, false)).toMatchObject({ react: false, reply: true });
  });
  it('is nothing once it was deleted', () => {
    expect(Object.values(allowed(message({ kind: 'deleted' }), 0, true))).not.toContain(true);
  });
});

describe('reactions', () => {
  const reaction = (emoji: string, name: string, mine = false): Reaction => ({
    emoji,
    mine,
    by: { account_id: name, name },
  });
  it('stand together by emoji, most first, and know mine', () => {
    const chips = chipsOf([reaction('❤️', 'Ibu'), reaction('👍', 'Budi'), reaction('👍', 'Rani', true)]);
    expect(chips.map(({ emoji, by, mine }) => [emoji, by.length, mine])).toEqual([
      ['👍', 2, true],
      ['❤️', 1, false],
    ]);
    expect(chipsOf([])).toEqual([]);
  });
  it('are one emoji, however many characters it is made of', () => {
    for (const emoji of ['👍', '👍🏽', '❤️', '👨‍👩‍👧‍👦', '🇮🇩', '5️⃣', ' 🎉 '])
      expect(emojiOf(emoji), emoji).toBe(emoji.trim());
    for (const text of ['', 'ok', '👍👍', '7', 'é', '👍 ya']) expect(emojiOf(text), text).toBeUndefined();
  });
});

describe('the emoji to choose from', () => {
  it('may all be sent, and stand there once', () => {
    for (const { emoji, words } of EMOJI) {
      expect(emojiOf(emoji), emoji).toBe(emoji);
      expect(words, emoji).not.toBe('');
    }
    expect(new Set(EMOJI.map(({ emoji }) => emoji)).size).toBe(EMOJI.length);
    for (const emoji of QUICK) expect(EMOJI.some((known) => known.emoji === emoji)).toBe(true);
  });
  it('are found by the beginning of a word of either language', () => {
    expect(found('keret')[0]?.emoji).toBe('🚆');
    expect(found('Train')[0]?.emoji).toBe('🚆');
    expect(found('terima kasih').map(({ emoji }) => emoji)).toContain('🙏');
    expect(found('xyz')).toEqual([]);
  });
});
