// Bus Mudik: Jakarta - Yogyakarta - Surabaya and home again, for a family of up to six. Pure.
//
// A bus has two legs, and a seat is sold by leg: who leaves in Yogyakarta makes room for who boards there.
import { layout } from './layout.mjs';
import { DAY_MS, dayOf, rupiah, stamp, unstamp, when } from './time.mjs';

const CITIES = { JKT: 'Jakarta', YOG: 'Yogyakarta', SUB: 'Surabaya' };
const STOPS = ['JKT', 'YOG', 'SUB'];
/** Fare and hours of the leg between two stops. */
const LEGS = [
  { fare: 250_000, hours: 8 },
  { fare: 180_000, hours: 5 },
];
const ROUTES = ['JKT-YOG', 'JKT-SUB', 'YOG-SUB'];
/** Hours at which a bus leaves its first stop. */
const HOURS = [7, 19];
const COACH = layout({
  rows: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  columns: ['A', 'B', 'C', 'D'],
  aisle: 2,
  id: (row, column) => `${row}${column}`,
  price: () => 0,
});
const SALE_ENDS_MS = 30 * 60_000;
const DAYS_AHEAD = 60;
const STAY_DAYS = 2;
const ONE_WAY = '-';

function stops(route, home) {
  const [from, to] = route.split('-');
  return home ? [to, from] : [from, to];
}

/** The legs between two stops, by the number of the southernmost stop before them. */
function legs(route) {
  const [from, to] = stops(route).map((stop) => STOPS.indexOf(stop));
  return LEGS.map((leg, at) => ({ ...leg, at })).slice(from, to);
}

/** How long after its first stop a bus is at the stop where this journey begins. */
function delayMs(route, home) {
  const begin = STOPS.indexOf(stops(route, home)[0]);
  const before = home ? LEGS.slice(begin) : LEGS.slice(0, begin);
  return before.reduce((sum, { hours }) => sum + hours * 3_600_000, 0);
}

function departures(route, home, from, count) {
  const delay = delayMs(route, home);
  const found = [];
  for (let day = dayOf(from) - DAY_MS; found.length < count; day += DAY_MS) {
    for (const hour of HOURS) {
      const at = day + hour * 3_600_000 + delay;
      if (at >= from && found.length < count) found.push(at);
    }
  }
  return found;
}

function isDeparture(route, home, at, now) {
  if (at === undefined || at < now + SALE_ENDS_MS || at > now + DAYS_AHEAD * DAY_MS) return false;
  const start = at - delayMs(route, home);
  return HOURS.includes((start - dayOf(start)) / 3_600_000);
}

function ride(draft, home) {
  const at = unstamp(home ? draft.back : draft.out);
  const bus = `${home ? 'home' : 'out'}-${stamp(at - delayMs(draft.route, home))}`;
  const fare = legs(draft.route).reduce((sum, leg) => sum + leg.fare, 0);
  return {
    field: home ? 'backSeats' : 'outSeats',
    title: stops(draft.route, home)
      .map((stop) => CITIES[stop])
      .join(' → '),
    at,
    stocks: legs(draft.route).map((leg) => `${bus}-${leg.at}`),
    layout: COACH,
    price: () => fare,
  };
}

export const bus = {
  id: 'bus',
  name: 'Bus Mudik',
  prefix: 'BM',
  seatsMax: 6,
  fields: ['route', 'n', 'out', 'back', 'outSeats', 'backSeats'],
  done: 'completed_bus',

  valid: {
    route: (value) => ROUTES.includes(value),
    n: (value) => /^[1-6]$/.test(value),
    out: (value, draft, now) => isDeparture(draft.route, false, unstamp(value), now),
    back: (value, draft, now) =>
      value === ONE_WAY || (isDeparture(draft.route, true, unstamp(value), now) && unstamp(value) > unstamp(draft.out)),
  },

  question(field, draft, { now, t, language, name, free }) {
    if (field === 'route') {
      const rows = ROUTES.map((route) => ({
        value: route,
        title: stops(route)
          .map((stop) => CITIES[stop])
          .join(' → '),
        description: rupiah(legs(route).reduce((sum, { fare }) => sum + fare, 0)),
      }));
      return { body: t.route(name), button: t.route_list, rows };
    }
    if (field === 'n') {
      const rows = Array.from({ length: 6 }, (_, at) => ({ value: String(at + 1), title: t.people(at + 1) }));
      return { body: t.count_bus, button: t.count_list, rows };
    }
    const home = field === 'back';
    const from = home ? unstamp(draft.out) + STAY_DAYS * DAY_MS : now + SALE_ENDS_MS;
    const rows = departures(draft.route, home, from, 6).map((at) => {
      const left = Math.min(
        ...ride({ ...draft, [field]: stamp(at) }, home).stocks.map((stock) => free({ stock, layout: COACH })),
      );
      return { value: stamp(at), title: when(at, language), description: t.free(left) };
    });
    if (home) rows.push({ value: ONE_WAY, title: t.one_way, description: t.one_way_hint });
    return { body: t[field], button: t.time_list, rows };
  },

  rides(draft) {
    return draft.back === ONE_WAY ? [ride(draft, false)] : [ride(draft, false), ride(draft, true)];
  },

  describe(draft, language) {
    return this.rides(draft)
      .map(({ title, at }) => `${title}, ${when(at, language)}`)
      .join('; ');
  },
};
