// A seat map as rows of seats, what may be picked of it, and where the arrow keys lead. Pure.
import { boundOf, itemsOf, seatBounds, textOf } from './answers';
import { type Fields, type Json, member } from './resolve';

export type SeatState = 'free' | 'held' | 'sold';

export interface Seat {
  id: string;
  /** What is written on it, beside the row's own label. */
  short: string;
  state: SeatState;
  price: number | undefined;
  accessible: boolean;
}

export interface SeatRow {
  label: string;
  /** Nothing is an aisle. */
  places: (Seat | undefined)[];
  /** What every seat of the row costs, if it is one price. */
  price: number | undefined;
}

export interface Hall {
  rows: SeatRow[];
  seats: Map<string, Seat>;
  currency: string;
  least: number;
  most: number;
  /** For how long the seller keeps what was picked. */
  holdSeconds: number | undefined;
}

export function hallOf(component: Fields): Hall {
  const seats = new Map<string, Seat>();
  const rows = itemsOf(component, 'rows').map((row) => rowOf(row, seats));
  const currency = textOf(component, 'currency');
  return {
    rows: rows.filter((row) => row.places.some(Boolean)),
    seats,
    currency: /^[A-Z]{3}$/.test(currency) ? currency : '',
    ...seatBounds(component),
    holdSeconds: boundOf(component, 'hold-seconds') || undefined,
  };
}

function rowOf(row: Json, seats: Map<string, Seat>): SeatRow {
  const label = textOf(row, 'label');
  const places = itemsOf(row, 'seats').map((raw): Seat | undefined => {
    const id = textOf(raw, 'id');
    const state = textOf(raw, 'state');
    // Ids are unique: a second one could not be told from the first.
    if (state === 'gap' || !id || seats.has(id)) return undefined;
    const seat: Seat = {
      id,
      short:
        label && id.startsWith(label) && id.length > label.length ? id.slice(label.length).replace(/^[-_ ]/, '') : id,
      state: state === 'free' || state === 'held' ? state : 'sold',
      price: boundOf(raw as Fields, 'price'),
      accessible: member(raw, 'accessible') === true,
    };
    seats.set(id, seat);
    return seat;
  });
  const prices = new Set(places.flatMap((seat) => (seat ? [seat.price] : [])));
  return { label, places, price: prices.size === 1 ? [...prices][0] : undefined };
}

export type Toggled = { picked: string[]; hint?: 'full' | 'held' | 'sold' };

/** Picks a seat or lets it go. Where one alone may be picked, another takes its place. */
export function toggled(hall: Hall, picked: readonly string[], id: string): Toggled {
  if (picked.includes(id)) return { picked: picked.filter((other) => other !== id) };
  const state = hall.seats.get(id)?.state ?? 'sold';
  if (state !== 'free') return { picked: [...picked], hint: state };
  if (hall.most === 1) return { picked: [id] };
  return picked.length >= hall.most ? { picked: [...picked], hint: 'full' } : { picked: [...picked, id] };
}

/** What the picked seats cost together; nothing where a price is missing. */
export function totalOf(hall: Hall, picked: readonly string[]): number | undefined {
  const prices = picked.map((id) => hall.seats.get(id)?.price);
  if (!hall.currency || prices.length === 0) return undefined;
  return prices.reduce((sum, price) => (sum === undefined || price === undefined ? undefined : sum + price), 0);
}

/** The seat that Tab reaches first: a picked one, else a free one, else any. */
export function startOf(hall: Hall, picked: readonly string[]): string | undefined {
  const all = [...hall.seats.values()];
  return picked.find((id) => hall.seats.has(id)) ?? (all.find((seat) => seat.state === 'free') ?? all[0])?.id;
}

/** Where a key leads from a seat: over aisles, and up and down to the nearest place. */
export function moved(hall: Hall, from: string, key: string, whole: boolean): string | undefined {
  const y = hall.rows.findIndex((row) => row.places.some((seat) => seat?.id === from));
  const row = hall.rows[y];
  if (!row) return undefined;
  const x = row.places.findIndex((seat) => seat?.id === from);
  const seatsOf = (at: SeatRow | undefined) => at?.places.filter((seat) => seat !== undefined) ?? [];
  switch (key) {
    case 'ArrowLeft':
      return row.places.slice(0, x).findLast(Boolean)?.id;
    case 'ArrowRight':
      return row.places.slice(x + 1).find(Boolean)?.id;
    case 'ArrowUp':
      return nearest(hall.rows[y - 1], x);
    case 'ArrowDown':
      return nearest(hall.rows[y + 1], x);
    case 'Home':
      return seatsOf(whole ? hall.rows[0] : row)[0]?.id;
    case 'End':
      return seatsOf(whole ? hall.rows.at(-1) : row).at(-1)?.id;
    default:
      return undefined;
  }
}

function nearest(row: SeatRow | undefined, x: number): string | undefined {
  let best: { id: string; away: number } | undefined;
  row?.places.forEach((seat, at) => {
    const away = Math.abs(at - x);
    if (seat && (!best || away < best.away)) best = { id: seat.id, away };
  });
  return best?.id;
}
