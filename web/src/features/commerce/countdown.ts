// How long an order can still be paid. Pure.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Over; later than a clock is worth showing; or a clock such as 4:59 or 1:04:59. */
export type Left = 'over' | 'later' | { clock: string };

export function leftUntil(expires: number, now: number): Left {
  const left = expires - now;
  if (left <= 0) return 'over';
  if (left >= DAY) return 'later';
  // The last second is still a second.
  const seconds = Math.ceil(left / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return { clock: h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}` };
}
