// Bioskop Kota: three films with two showings each, in one hall. Pure: what can be chosen, and what it costs.
//
// The hall is of the size that its owner says (`withHall`); the last two rows cost more.
import { layout } from './layout.mjs';
import { DAY_MS, dayOf, stamp, unstamp, when } from './time.mjs';

const FILMS = {
  laut: { title: 'Ombak Selatan', about: { id: 'Drama, 118 menit', en: 'Drama, 118 minutes' }, at: [990, 1170] },
  kereta: {
    title: 'Kereta Terakhir',
    about: { id: 'Cerita seru, 104 menit', en: 'Thriller, 104 minutes' },
    at: [1020, 1230],
  },
  anak: { title: 'Anak Bintang', about: { id: 'Keluarga, 92 menit', en: 'Family, 92 minutes' }, at: [840, 1080] },
};
const ROWS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const COLUMNS_MAX = 20;

/** `rows` rows of `columns` seats, an aisle in the middle, a place for a wheelchair at both ends of the first row. */
function hallOf({ rows, columns }) {
  if (!(rows >= 1 && rows <= ROWS.length && columns >= 1 && columns <= COLUMNS_MAX))
    throw new Error(`a hall has 1 to ${ROWS.length} rows of 1 to ${COLUMNS_MAX} seats`);
  const names = ROWS.slice(0, rows);
  return layout({
    rows: names,
    columns: Array.from({ length: columns }, (_, at) => at + 1),
    aisle: Math.ceil(columns / 2),
    id: (row, column) => `${row}${column}`,
    price: (row) => (names.indexOf(row) >= rows - 2 ? 60_000 : 45_000),
    accessible: ['A1', `A${columns}`],
  });
}
const SEATS_MAX = 6;
/** Nobody is sold a seat for a film that begins sooner. */
const SALE_ENDS_MS = 10 * 60_000;
const DAYS_AHEAD = 7;

/** The two showings of a film that come next. */
function showings(film, now) {
  const all = [];
  for (let day = dayOf(now); all.length < 2; day += DAY_MS) {
    for (const minute of FILMS[film].at) all.push(day + minute * 60_000);
    while (all.length && all[0] < now + SALE_ENDS_MS) all.shift();
  }
  return all.slice(0, 2);
}

function isShowing(film, at, now) {
  const minute = (at - dayOf(at)) / 60_000;
  return FILMS[film].at.includes(minute) && at >= now + SALE_ENDS_MS && at < now + DAYS_AHEAD * DAY_MS;
}

const shop = (hall) => ({
  id: 'cinema',
  name: 'Bioskop Kota',
  prefix: 'BK',
  seatsMax: SEATS_MAX,
  /** A seat map needs no question about how many. */
  countBySeats: true,
  /** A film's title is all that somebody has to write who knows what to see. */
  named(text) {
    const film = Object.keys(FILMS).find((id) => text.toLowerCase().includes(FILMS[id].title.toLowerCase()));
    return film && { film };
  },

  /** Not asked where there is a seat map: the next showing, unless somebody taps another. */
  usual: 'show',
  /** In the order in which they are asked. */
  fields: ['film', 'show', 'n', 'seats'],
  done: 'completed',

  valid: {
    film: (value) => Object.hasOwn(FILMS, value),
    show: (value, draft, now) => isShowing(draft.film, unstamp(value), now),
    n: (value) => /^[1-6]$/.test(value),
  },

  question(field, draft, { now, t, language, name, free }) {
    if (field === 'film') {
      const rows = Object.entries(FILMS).map(([id, film]) => ({
        value: id,
        title: film.title,
        description: film.about[language],
      }));
      return { body: t.film(name), button: t.film_list, rows };
    }
    if (field === 'show') {
      const rows = showings(draft.film, now).map((at) => {
        const left = free({ stock: `${draft.film}-${stamp(at)}`, layout: hall });
        return { value: stamp(at), title: when(at, language), description: t.free(left) };
      });
      return { body: t.show(FILMS[draft.film].title), button: t.show_list, rows };
    }
    const rows = Array.from({ length: SEATS_MAX }, (_, at) => ({ value: String(at + 1), title: t.tickets(at + 1) }));
    return { body: t.count, button: t.count_list, rows };
  },

  /** What is seated: one hall. */
  rides(draft) {
    const at = unstamp(draft.show);
    const { title } = FILMS[draft.film];
    return [
      { field: 'seats', title, at, stocks: [`${draft.film}-${draft.show}`], layout: hall, price: (seat) => seat.price },
    ];
  },

  describe(draft, language) {
    return `${FILMS[draft.film].title}, ${when(unstamp(draft.show), language)}`;
  },
});

export const withHall = (size) => shop(hallOf(size));
export const cinema = withHall({ rows: 6, columns: 6 });
