import { describe, expect, it } from 'vitest';
import type { PollBody, Vote } from '../../core/kinds';
import { type Draft, grown, linesOf, moved, newDraft, pollOf, toggled } from './poll';

const poll: PollBody = {
  question: 'Makan di mana?',
  options: ['Padang', 'Sunda', 'Bakmi'],
  several: true,
  closed: false,
};
const vote = (who: string, ...options: number[]): Vote => ({
  options,
  by: { account_id: who, name: who },
  mine: false,
});
const draft = (question: string, ...texts: string[]): Draft => ({
  question,
  options: texts.map((text, key) => ({ key, text })),
  several: false,
});

describe('votes', () => {
  it('are counted as a share of those who have voted', () => {
    const lines = linesOf(poll, [vote('ani', 0, 2), vote('budi', 2)]);
    expect(lines.map(({ votes, share, leads }) => [votes.length, share, leads])).toEqual([
      [1, 0.5, false],
      [0, 0, false],
      [2, 1, true],
    ]);
  });
  it('lead nowhere while there are none, and together where they are as many', () => {
    expect(linesOf(poll, []).some(({ leads }) => leads)).toBe(false);
    expect(linesOf(poll, [vote('ani', 0), vote('budi', 1)]).map(({ leads }) => leads)).toEqual([true, true, false]);
  });
  it('are one of them, or several in the order of the options', () => {
    expect(toggled([2], 0, false)).toEqual([0]);
    expect(toggled([2], 0, true)).toEqual([0, 2]);
    expect(toggled([0, 2], 0, true)).toEqual([2]);
  });
});

describe('writing a poll', () => {
  it('begins with two lines, and has one more than was written, to twelve', () => {
    expect(newDraft().options).toHaveLength(2);
    const filled = Array.from({ length: 11 }, (_, key) => ({ key, text: `${key}` }));
    expect(grown(filled)).toHaveLength(12);
    expect(grown(grown(filled).map((option) => ({ ...option, text: 'x' })))).toHaveLength(12);
    const keys = grown(filled).map(({ key }) => key);
    expect(new Set(keys).size).toBe(12);
  });
  it('moves an option, and none out of the list', () => {
    const texts = (options: { text: string }[]) => options.map(({ text }) => text).join('');
    const { options } = draft('?', 'a', 'b', 'c', '');
    expect(texts(moved(options, 2, 0))).toBe('cab');
    expect(texts(moved(options, 0, -1))).toBe('abc');
  });
  it('gives the poll without empty lines and spaces at the ends', () => {
    expect(pollOf(draft(' Makan? ', 'Padang ', '', 'Sunda', ''))).toEqual({
      question: 'Makan?',
      options: ['Padang', 'Sunda'],
      several: false,
      closed: false,
    });
  });
  it('says what is wrong, and where', () => {
    expect(pollOf(draft(' ', 'a', 'b'))).toEqual({ fault: 'need_question' });
    expect(pollOf(draft('x'.repeat(301), 'a', 'b'))).toEqual({ fault: 'question_long' });
    expect(pollOf(draft('?', 'a', ''))).toEqual({ fault: 'need_options', option: 1 });
    expect(pollOf(draft('?', 'a', 'b', 'a '))).toEqual({ fault: 'alike', option: 2 });
    expect(pollOf(draft('?', 'a', '😀'.repeat(101)))).toEqual({ fault: 'option_long', option: 1 });
    expect(pollOf(draft('?', 'a', '😀'.repeat(100)))).toMatchObject({ several: false });
  });
});
