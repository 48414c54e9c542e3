import { describe, expect, it } from 'vitest';
import { lastSeen } from './seen';
import { catalogues } from './words';

/** A Wednesday, twenty past two in the afternoon of wherever the test runs. */
const NOW = new Date(2026, 10, 25, 14, 20).getTime();
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime();

const said = (ms: number, w = catalogues.en) =>
  lastSeen(ms, NOW, w, {
    time: (time) => new Date(time).toTimeString().slice(0, 5),
    day: (day) => new Date(day).toDateString(),
  });

describe('when somebody was there last', () => {
  it('is a time of today, to the first minute of the day', () => {
    expect(said(at(2026, 10, 25, 14, 2))).toBe('last seen today 14:02');
    expect(said(at(2026, 10, 25, 0, 0))).toBe('last seen today 00:00');
  });

  it('is of yesterday a minute before midnight, however few hours ago', () => {
    expect(said(at(2026, 10, 24, 23, 59))).toBe('last seen yesterday 23:59');
    expect(said(at(2026, 10, 24, 0, 0))).toBe('last seen yesterday 00:00');
  });

  it('is a day before that, without a time', () => {
    expect(said(at(2026, 10, 23, 23, 59))).toBe('last seen Mon Nov 23 2026');
    expect(said(at(2025, 0, 1, 12, 0))).toBe('last seen Wed Jan 01 2025');
  });

  it('is today for a clock that runs ahead', () => {
    expect(said(at(2026, 10, 26, 0, 5))).toBe('last seen today 00:05');
  });

  it('is said in Indonesian, too', () => {
    expect(said(at(2026, 10, 25, 14, 2), catalogues.id)).toBe('terlihat hari ini 14:02');
    expect(said(at(2026, 10, 24, 14, 2), catalogues.id)).toBe('terlihat kemarin 14:02');
  });
});
