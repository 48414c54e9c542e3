// When somebody was there last, in words. Pure.
import { daysBetween } from '../../i18n/days';
import type { Words } from './words';

/** How the language of the screens writes times and days. */
interface Written {
  time(ms: number): string;
  day(ms: number, now: number): string;
}

export function lastSeen(ms: number, now: number, w: Words, written: Written): string {
  // A clock that runs ahead puts nobody into tomorrow.
  const days = daysBetween(ms, now);
  if (days <= 0) return w.seen_today(written.time(ms));
  if (days === 1) return w.seen_yesterday(written.time(ms));
  return w.seen_on(written.day(ms, now));
}
