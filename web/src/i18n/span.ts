// How long something lasts, in words: days from two on, hours, or minutes. Pure.
import type { Catalogue } from './index.svelte';

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

export function spanOf(seconds: number, t: Catalogue): string {
  if (seconds >= 2 * DAY_S) return t.days(Math.round(seconds / DAY_S));
  return seconds >= HOUR_S ? t.hours(Math.round(seconds / HOUR_S)) : t.minutes(Math.max(1, Math.round(seconds / 60)));
}
