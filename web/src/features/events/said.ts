// The time of an invitation in words. Pure.
import type { EventBody } from '../../core/contract';
import { knownZone, offsetMs } from './zoned';

export interface Said {
  /** For the block that stands for a leaf of a calendar. */
  day: string;
  month: string;
  /** In the zone of the place, which is named. */
  there: string;
  /** In one's own, where clocks differ. */
  here: string | undefined;
}

export function saidOf(event: EventBody, locale: string, mine: string, now: number): Said {
  const zone = knownZone(event.time_zone);
  const { starts_ms: start, ends_ms: end } = event;
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }).format(start);
  const range = (timeZone: string): string => {
    const format = new Intl.DateTimeFormat(locale, {
      timeZone,
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      ...(yearOf(start, timeZone) === yearOf(now, timeZone) ? {} : { year: 'numeric' }),
      hour: '2-digit',
      minute: '2-digit',
      timeZoneName: 'short',
    });
    if (!end) return format.format(start);
    // A line may end before the hours, not between them.
    return format.formatRange(start, end).replace(/\s?–\s?/g, '\u2060–\u2060');
  };
  return {
    day: part({ day: 'numeric' }),
    month: part({ month: 'short' }),
    there: range(zone),
    here: offsetMs(start, zone) === offsetMs(start, mine) ? undefined : range(mine),
  };
}

const yearOf = (ms: number, timeZone: string) =>
  new Intl.DateTimeFormat('en', { timeZone, year: 'numeric' }).format(ms);
