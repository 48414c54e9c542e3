/** Midnights between two moments, in the local time zone. */
export function daysBetween(earlier: number, later: number): number {
  const midnight = (ms: number) => new Date(ms).setHours(0, 0, 0, 0);
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}
