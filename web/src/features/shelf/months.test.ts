import { describe, expect, it } from 'vitest';
import type { Message } from '../../core/contract';
import { hostOf, linksOf, monthsOf } from './months';

const at = (message_id: string, ...date: [number, number, number]) =>
  ({ message_id, time: new Date(...date).getTime() }) as Message;

describe('months', () => {
  it('hold what was sent in them, newest first', () => {
    const all = [at('d', 2026, 2, 31), at('c', 2026, 2, 1), at('b', 2026, 1, 28), at('a', 2025, 2, 5)];
    expect(monthsOf(all).map(({ messages }) => messages.map(({ message_id }) => message_id).join(''))).toEqual([
      'dc',
      'b',
      'a',
    ]);
    expect(new Set(monthsOf(all).map(({ key }) => key)).size).toBe(3);
    expect(monthsOf([])).toEqual([]);
  });
});

describe('links', () => {
  it('of a text are each there once', () => {
    expect(linksOf('lihat https://a.example/x. Lagi: https://a.example/x dan http://b.example')).toEqual([
      'https://a.example/x',
      'http://b.example/',
    ]);
    expect(linksOf('tidak ada')).toEqual([]);
  });

  it('are known by their host', () => expect(hostOf('https://www.kereta.example:8443/x')).toBe('kereta.example:8443'));
});
