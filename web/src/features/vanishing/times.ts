// How long messages may stay, as it is offered. Pure.
const DAY_S = 24 * 3600;
const TIMES = [0, DAY_S, 7 * DAY_S, 90 * DAY_S];

/** One that a program has set stands among them as well. */
export function timesWith(current: number): number[] {
  return TIMES.includes(current) ? TIMES : [...TIMES, current].sort((a, b) => a - b);
}
