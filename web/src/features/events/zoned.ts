// Moments as clocks on the wall of a place show them, and back. Pure; the browser knows the zones.

const formats = new Map<string, Intl.DateTimeFormat>();

function clock(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  formats.set(zone, made);
  return made;
}

export const myZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone if this browser knows it, else UTC: lists of zones differ by their age. */
export function knownZone(zone: string): string {
  try {
    clock(zone);
    return zone;
  } catch {
    return 'UTC';
  }
}

/** How far the clocks of a zone are ahead of UTC at that moment. */
export function offsetMs(ms: number, zone: string): number {
  const parts = Object.fromEntries(
    clock(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

/** As the inputs of a browser write it: 2026-12-05 and 11:00. */
export function wallOf(ms: number, zone: string): { date: string; time: string } {
  const iso = new Date(ms + offsetMs(ms, zone)).toISOString();
  return { date: iso.slice(0, 10), time: iso.slice(11, 16) };
}

/** The moment at which the clocks of a zone show this; undefined if it is no date. An hour that a change of clocks skips is one later. */
export function msOf(date: string, time: string, zone: string): number | undefined {
  const wall = Date.parse(`${date}T${time}:00Z`);
  if (Number.isNaN(wall)) return undefined;
  // Twice, because the first guess may be on the other side of a change of clocks.
  const guess = wall - offsetMs(wall, zone);
  return wall - offsetMs(guess, zone);
}
