// Which tickets are still worth a place at the top. Pure.
import type { Ticket } from '../../core/contract';

/** A film or a journey that began is shown this much longer: one may still be asked for the ticket. */
const LASTS_MS = 6 * 3_600_000;

/** Genuine, not returned, not long over; the next one first, those for any time last. */
export function upcoming(tickets: readonly Ticket[], now: number): Ticket[] {
  return tickets
    .filter(
      ({ issuer_key, returned, starts_at }) => issuer_key && !returned && (!starts_at || starts_at + LASTS_MS > now),
    )
    .sort((a, b) => (a.starts_at || Infinity) - (b.starts_at || Infinity));
}
