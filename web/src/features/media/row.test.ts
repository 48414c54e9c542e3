import { describe, expect, it } from 'vitest';
import type { FileBody, Message } from '../../core/contract';
import { nextVoice } from './row';
import { clockOf, isSeen, kindOf } from './shown';

const message = (message_id: string, file?: Partial<FileBody>) => ({ message_id, ...(file && { file }) }) as Message;
const voice = { mime_type: 'audio/webm', voice: true };

describe('what is heard next', () => {
  it('is the voice message right behind', () => {
    const row = [message('a', voice), message('b', voice), message('c')];
    expect(nextVoice(row, 'a')?.message_id).toBe('b');
    expect(nextVoice(row, 'b')).toBeUndefined();
    expect(nextVoice(row, 'gone')).toBeUndefined();
  });

  it('is nothing behind a text, a song, or what may be heard once', () => {
    expect(nextVoice([message('a', voice), message('x'), message('b', voice)], 'a')).toBeUndefined();
    expect(nextVoice([message('a', { mime_type: 'audio/mpeg' }), message('b', voice)], 'a')).toBeUndefined();
    expect(nextVoice([message('a', voice), message('b', { mime_type: 'audio/mpeg' })], 'a')).toBeUndefined();
    expect(nextVoice([message('a', voice), message('b', { ...voice, view_once: true })], 'a')).toBeUndefined();
  });
});

describe('the kind of a file', () => {
  it.each([
    [{ mime_type: 'image/png' }, 'picture'],
    [{ mime_type: 'video/mp4' }, 'film'],
    [{ mime_type: 'audio/mpeg' }, 'sound'],
    [voice, 'voice'],
    // Somebody says that a page is to be heard.
    [{ mime_type: 'text/html', voice: true }, 'document'],
    [{ mime_type: 'image/svg+xml' }, 'document'],
  ] as const)('of %j is %s', (file, kind) => expect(kindOf(file)).toBe(kind));

  it('says what fills a bubble', () => {
    expect(isSeen({ mime_type: 'video/webm' })).toBe(true);
    expect(isSeen(voice)).toBe(false);
  });
});

describe('the clock of a player', () => {
  it.each([
    [0, '0:00'],
    [999, '0:00'],
    [61_000, '1:01'],
    [3_600_000, '1:00:00'],
    [-5, '0:00'],
  ])('shows %i ms as %s', (ms, text) => expect(clockOf(ms)).toBe(text));
});
