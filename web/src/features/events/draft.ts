// An invitation as it is being written: what its fields hold, and what is still wrong with them. Pure.
import {
  EVENT_GUESTS_MAX,
  EVENT_PLACE_CHARS_MAX,
  EVENT_TEXT_CHARS_MAX,
  EVENT_TITLE_CHARS_MAX,
  type EventBody,
} from '../../core/contract';
import { msOf, wallOf } from './zoned';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Draft {
  title: string;
  text: string;
  place: string;
  startDate: string;
  startTime: string;
  endDate: string;
  endTime: string;
  zone: string;
  guests: number;
}

export type Fault = 'need_title' | 'need_start' | 'past' | 'end_before';
export type Field = 'title' | 'starts' | 'ends';

/** Tomorrow, at the next full hour. */
export function newDraft(zone: string, now: number): Draft {
  const { date, time } = wallOf(Math.ceil((now + DAY_MS) / HOUR_MS) * HOUR_MS, zone);
  return {
    title: '',
    text: '',
    place: '',
    startDate: date,
    startTime: time,
    endDate: '',
    endTime: '',
    zone,
    guests: 0,
  };
}

export function draftOf(event: EventBody, zone: string): Draft {
  const start = wallOf(event.starts_ms, zone);
  const end = event.ends_ms ? wallOf(event.ends_ms, zone) : { date: '', time: '' };
  return {
    title: event.title,
    text: event.text,
    place: event.place,
    startDate: start.date,
    startTime: start.time,
    endDate: end.date,
    endTime: end.time,
    zone,
    guests: event.guests_max,
  };
}

/** `from` is what it began at before it was changed: that may have passed. */
export function eventOf(draft: Draft, now: number, from?: number): EventBody | { field: Field; fault: Fault } {
  const title = cut(draft.title, EVENT_TITLE_CHARS_MAX);
  if (!title) return { field: 'title', fault: 'need_title' };
  const starts_ms = msOf(draft.startDate, draft.startTime, draft.zone);
  if (starts_ms === undefined) return { field: 'starts', fault: 'need_start' };
  if (starts_ms < now && starts_ms !== from) return { field: 'starts', fault: 'past' };
  // Without a time it stays open; without a date it is the same day.
  const ends_ms = draft.endTime ? msOf(draft.endDate || draft.startDate, draft.endTime, draft.zone) : 0;
  if (ends_ms === undefined || (ends_ms !== 0 && ends_ms <= starts_ms)) return { field: 'ends', fault: 'end_before' };
  return {
    title,
    text: cut(draft.text, EVENT_TEXT_CHARS_MAX),
    place: cut(draft.place, EVENT_PLACE_CHARS_MAX),
    starts_ms,
    ends_ms,
    time_zone: draft.zone,
    guests_max: Math.min(Math.max(Math.trunc(draft.guests), 0), EVENT_GUESTS_MAX),
    canceled: false,
  };
}

/** As the protocol counts, by Unicode scalar values; the inputs hold back the rest. */
const cut = (text: string, most: number) => [...text.trim()].slice(0, most).join('');
