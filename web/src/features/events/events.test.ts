import { describe, expect, it } from 'vitest';
import type { EventBody, Message, Rsvp } from '../../core/contract';
import { type Draft, draftOf, eventOf, newDraft } from './draft';
import { escaped, fileName, folded, icsOf } from './ics';
import { saidOf } from './said';
import { tally } from './tally';
import { ahead, isDue } from './when';
import { knownZone, msOf, offsetMs, wallOf } from './zoned';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Saturday, 5 December 2026, 11:00 in Jakarta. */
const NOON = Date.UTC(2026, 11, 5, 4);

const feast = (changes: Partial<EventBody> = {}): EventBody => ({
  title: 'Syukuran',
  text: '',
  place: 'Jalan Melati 12, Yogyakarta',
  starts_ms: NOON,
  ends_ms: NOON + 3 * HOUR,
  time_zone: 'Asia/Jakarta',
  guests_max: 2,
  canceled: false,
  ...changes,
});

const invitation = (changes: Partial<Message> = {}, event = feast()): Message & { event: EventBody } => ({
  message_id: '01ab',
  conversation_id: 'c',
  seq: 3,
  from: { account_id: 'rina', name: 'Tante Rina' },
  mine: false,
  kind: 'event',
  text: event.title,
  time: Date.UTC(2026, 10, 22, 9),
  state: 'received',
  ...changes,
  event,
});

describe('the calendar file', () => {
  const lines = (message = invitation()) => icsOf(message).split('\r\n');

  it('is an event in UTC under the id of its message', () => {
    expect(lines()).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Kabar//Kabar//EN',
      'CALSCALE:GREGORIAN',
      'METHOD:PUBLISH',
      'BEGIN:VEVENT',
      'UID:01ab',
      'DTSTAMP:20261122T090000Z',
      'SEQUENCE:0',
      'STATUS:CONFIRMED',
      'DTSTART:20261205T040000Z',
      'DTEND:20261205T070000Z',
      'SUMMARY:Syukuran',
      'LOCATION:Jalan Melati 12\\, Yogyakarta',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ]);
  });
  it('has no end if it is open', () => {
    expect(icsOf(invitation({}, feast({ ends_ms: 0 })))).not.toContain('DTEND');
  });
  it('counts up with every change, so that a calendar takes it', () => {
    const time = Date.UTC(2026, 10, 22, 9);
    expect(lines(invitation({ edited_at: time + 90_000 }))).toContain('SEQUENCE:90');
    expect(lines(invitation({ edited_at: time + 1 }))).toContain('SEQUENCE:1');
    expect(lines(invitation({}, feast({ canceled: true })))).toContain('STATUS:CANCELLED');
  });
  it('escapes what means something to it, and lets no text end a line', () => {
    expect(escaped('a;b,c\\d\r\ne\nf\rg\u0000')).toBe('a\\;b\\,c\\\\d\\ne\\nf\\ng');
    const evil = icsOf(invitation({}, feast({ title: 'x\r\nEND:VEVENT\r\nBEGIN:VALARM' })));
    expect(evil.match(/^END:VEVENT/gm)).toHaveLength(1);
    expect(evil).not.toMatch(/^BEGIN:VALARM/m);
  });
  it('folds lines at 75 bytes, never within a character, so that they unfold to what they were', () => {
    for (const text of ['x'.repeat(300), 'é'.repeat(200), '👨‍👩‍👧‍👦'.repeat(40), 'short', '']) {
      const cut = folded(`SUMMARY:${text}`);
      for (const line of cut) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
      expect(cut.slice(1).every((line) => line.startsWith(' '))).toBe(true);
      expect(cut.map((line, i) => (i ? line.slice(1) : line)).join('')).toBe(`SUMMARY:${text}`);
    }
    expect(folded('x'.repeat(75))).toHaveLength(1);
  });
  it('has a name that every system takes', () => {
    expect(fileName('Syukuran rumah: 5/12?')).toBe('Syukuran-rumah-5-12.ics');
    expect(fileName('../../etc')).toBe('etc.ics');
    expect(fileName('🎉')).toBe('kabar.ics');
  });
});

describe('clocks on walls', () => {
  it('show a moment, and lead back to it', () => {
    for (const zone of ['Asia/Jakarta', 'America/New_York', 'Asia/Kathmandu', 'UTC']) {
      const { date, time } = wallOf(NOON, zone);
      expect(msOf(date, time, zone), zone).toBe(NOON);
    }
    expect(wallOf(NOON, 'Asia/Jakarta')).toEqual({ date: '2026-12-05', time: '11:00' });
    expect(offsetMs(NOON, 'Asia/Kathmandu')).toBe(5.75 * HOUR);
  });
  it('are right around a change of clocks', () => {
    // Berlin, 29 March 2026: 02:00 becomes 03:00.
    expect(msOf('2026-03-29', '01:59', 'Europe/Berlin')).toBe(Date.UTC(2026, 2, 29, 0, 59));
    expect(msOf('2026-03-29', '03:00', 'Europe/Berlin')).toBe(Date.UTC(2026, 2, 29, 1));
    expect(wallOf(msOf('2026-03-29', '02:30', 'Europe/Berlin') ?? 0, 'Europe/Berlin').time).toMatch(/^0[13]:30$/);
  });
  it('know no such date or zone', () => {
    expect(msOf('', '11:00', 'UTC')).toBeUndefined();
    expect(msOf('2026-12-05', '', 'UTC')).toBeUndefined();
    expect(knownZone('Mars/Olympus')).toBe('UTC');
  });
});

describe('the time in words', () => {
  const now = Date.UTC(2026, 10, 22);
  it('is that of the place, with its zone', () => {
    const said = saidOf(feast(), 'id-ID', 'Asia/Jakarta', now);
    expect(said).toMatchObject({ day: '5', month: 'Des', here: undefined });
    expect(said.there).toMatch(/^Sabtu, 5 Desember.*11[.:]00.*14[.:]00.*WIB$/);
  });
  it('is mine too where my clock differs', () => {
    const said = saidOf(feast(), 'en-GB', 'Asia/Makassar', now);
    expect(said.there).toContain('11:00');
    expect(said.here).toContain('12:00');
    // Another name for the same clock is no other time.
    expect(saidOf(feast(), 'en-GB', 'Asia/Pontianak', now).here).toBeUndefined();
  });
  it('names another year', () => {
    expect(saidOf(feast(), 'en-GB', 'UTC', now).there).not.toContain('2026');
    expect(saidOf(feast(), 'en-GB', 'UTC', Date.UTC(2025, 5, 1)).there).toContain('2026');
  });
});

describe('answers', () => {
  const by = { account_id: 'x', name: '' };
  const rsvp = (answer: Rsvp['answer'], guests = 0): Rsvp => ({ answer, guests, by, mine: false });
  it('are counted as people and their guests', () => {
    const counts = tally([rsvp('going', 2), rsvp('going'), rsvp('maybe', 1), rsvp('no')]);
    expect(counts).toEqual({
      going: { people: 2, guests: 2 },
      maybe: { people: 1, guests: 1 },
      no: { people: 1, guests: 0 },
    });
  });
});

describe('what is ahead', () => {
  const mine = (answer: Rsvp['answer']): Partial<Message> => ({
    answers: [{ answer, guests: 0, by: { account_id: 'me', name: '' }, mine: true }],
  });
  it('is what is not over, not canceled and not declined, the next one first', () => {
    const later = invitation({ message_id: 'later' }, feast({ starts_ms: NOON + HOUR }));
    const messages = [
      later,
      invitation({ message_id: 'next', ...mine('maybe') }),
      invitation({ message_id: 'declined', ...mine('no') }),
      invitation({ message_id: 'canceled' }, feast({ canceled: true })),
      invitation({ message_id: 'past' }, feast({ starts_ms: NOON - 9 * HOUR, ends_ms: NOON - 8 * HOUR })),
    ];
    expect(ahead(messages, NOON - HOUR).map(({ message_id }) => message_id)).toEqual(['next', 'later']);
    expect(ahead(messages, NOON + HOUR)).toHaveLength(2);
    expect(ahead([later], NOON + 4 * HOUR)).toEqual([]);
  });
  it('is due in the hour before it begins', () => {
    expect(isDue(feast(), NOON - HOUR - 1)).toBe(false);
    expect(isDue(feast(), NOON - HOUR)).toBe(true);
    expect(isDue(feast(), NOON)).toBe(false);
  });
});

describe('writing an invitation', () => {
  const draft = (changes: Partial<Draft> = {}): Draft => ({ ...draftOf(feast(), 'Asia/Jakarta'), ...changes });
  const now = NOON - 24 * HOUR;
  it('gives the event back that its fields were filled with', () => {
    expect(eventOf(draft(), now)).toEqual(feast());
    expect(eventOf(draft({ endDate: '', endTime: '' }), now)).toEqual(feast({ ends_ms: 0 }));
    expect(eventOf(draft({ endDate: '' }), now)).toEqual(feast());
  });
  it('begins tomorrow at a full hour', () => {
    const { startDate, startTime } = newDraft('Asia/Jakarta', NOON + 1);
    expect([startDate, startTime]).toEqual(['2026-12-06', '12:00']);
  });
  it('says what is wrong', () => {
    expect(eventOf(draft({ title: '  ' }), now)).toEqual({ field: 'title', fault: 'need_title' });
    expect(eventOf(draft({ startDate: '' }), now)).toEqual({ field: 'starts', fault: 'need_start' });
    expect(eventOf(draft(), NOON + 1)).toEqual({ field: 'starts', fault: 'past' });
    expect(eventOf(draft({ endTime: '11:00' }), now)).toEqual({ field: 'ends', fault: 'end_before' });
    expect(eventOf(draft({ endDate: '2026-12-04' }), now)).toEqual({ field: 'ends', fault: 'end_before' });
  });
  it('may be changed while it goes on', () => {
    expect(eventOf(draft({ text: 'Bawa payung' }), NOON + 1, NOON)).toMatchObject({ text: 'Bawa payung' });
  });
});
