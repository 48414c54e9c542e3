// A seat in words: which, what became of it, for whom it is, what it costs.
import { i18n } from '../../i18n/index.svelte';
import type { Seat } from './seats';
import type { Words } from './words';

export function describe(seat: Seat, chosen: boolean, currency: string, w: Words): string {
  const free = chosen || seat.state === 'free';
  const parts = [
    seat.id,
    w[`seat_${chosen ? 'chosen' : seat.state}`],
    seat.accessible ? w.seat_accessible : '',
    free && currency && seat.price !== undefined ? i18n.amount(seat.price, currency) : '',
  ];
  return parts.filter(Boolean).join(', ');
}
