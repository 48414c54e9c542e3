import { describe, expect, it } from 'vitest';
import { catalogues } from '../features/commerce/words';
import { catalogues as events } from '../features/events/words';
import { catalogues as groups } from '../features/groups/words';
import { catalogues as media } from '../features/media/words';
import { catalogues as changes } from '../features/messaging/changes/words';
import { daysBetween } from './days';
import { en } from './en';
import { id } from './id';

describe('the catalogues', () => {
  it('have words for everything', () => {
    for (const catalogue of [
      en,
      id,
      catalogues.en,
      catalogues.id,
      media.en,
      media.id,
      changes.en,
      changes.id,
      events.en,
      events.id,
      groups.en,
      groups.id,
    ]) {
      for (const [key, words] of Object.entries(catalogue)) {
        expect(typeof words === 'function' || words.trim() !== '', key).toBe(true);
      }
    }
  });
  it('say what they are given', () => {
    for (const { chars_left, unread, reply_to } of [en, id]) {
      expect(chars_left(12)).toContain('12');
      expect(unread(1)).toContain('1');
      expect(reply_to('Budi')).toContain('Budi');
    }
  });
});

describe('days', () => {
  it('are counted by midnights', () => {
    const evening = new Date(2026, 2, 1, 23, 59).getTime();
    const morning = new Date(2026, 2, 2, 0, 1).getTime();
    expect(daysBetween(evening, morning)).toBe(1);
    expect(daysBetween(morning, morning + 3_600_000)).toBe(0);
  });
});
