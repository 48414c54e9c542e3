// What a shop answers. Pure: the event, the hour and the seats come in, steps go out; somebody else takes them.
//
// A purchase is a form whose fields are asked in the shop's order. What is filled in so far travels in the id of every row that
// can be tapped (`buy?film=laut&show=...`), so nothing is remembered between two messages and an old list still works.
import { groups, seatsOf } from './layout.mjs';
import { when } from './time.mjs';

const TITLE_MAX = 24;
/** As reply buttons, which take one tap where a list takes three. */
const BUTTONS_MAX = 3;
const BUTTON_TITLE_MAX = 20;
const ROWS_MAX = 10;
const ACCESSIBLE_ROWS_MAX = 2;
const RETURNS_MAX = 9;
const BUY = /\b(tiket|ticket|tickets|beli|buy|film|bus|mudik)\b/i;
const LISTS = /^\W*(daftar|list)\W*$/i;
const GIVE_BACK = /\b(kembalikan|batalkan|refund|return)\b/i;
const TALK = /\b(petugas|orang|person|human|clerk)\b/i;

/** Somebody whose device shows no seat map. */
export const wantsLists = (text) => LISTS.test(text ?? '');

export const encode = (draft) => `buy?${new URLSearchParams(draft)}`;

export function decode(id) {
  return id?.startsWith('buy?') ? Object.fromEntries(new URLSearchParams(id.slice(4))) : undefined;
}

/**
 * `event`: {text, first}, {choice}, or {draft} from a seat map. `world`: {shop, now, t, language, name, taken(stock), orders, flows}. Steps: {send},
 * {order: {draft, rides}}, {giveBack: reference}, {clerk: true}.
 */
export function answer(event, world) {
  const { t } = world;
  if (event.draft) return ask(event.draft, world);
  if (event.choice !== undefined) return chosen(event.choice, world);
  const text = event.text ?? '';
  if (TALK.test(text)) return [{ send: { type: 'text', body: t.clerk } }, { clerk: true }];
  if (GIVE_BACK.test(text)) return offerReturns(world);
  const named = world.shop.named?.(text);
  if (named) return ask(named, world);
  if (event.first || BUY.test(text) || LISTS.test(text)) return ask({}, world);
  return [help(world)];
}

function chosen(id, world) {
  const { t } = world;
  const draft = decode(id);
  if (draft) return ask(draft, world);
  const [verb, reference] = id.split(':');
  if (verb === 'menu') return ask({}, world);
  if (verb === 'talk') return [{ send: { type: 'text', body: t.clerk } }, { clerk: true }];
  if (verb === 'keep') return [{ send: { type: 'text', body: t.return_kept } }];
  if (verb === 'return' && !reference) return offerReturns(world);
  if (verb === 'return') return confirmReturn(reference, world);
  if (verb === 'return-yes') return giveBack(reference, world);
  return [help(world)];
}

function help({ t }) {
  const buttons = [
    { id: 'menu', title: t.buy },
    { id: 'return', title: t.give_back },
    { id: 'talk', title: t.talk },
  ];
  return { send: { type: 'buttons', body: t.help, buttons } };
}

/** The next question of the form; without one left, the order. Values that are no longer good are asked again. */
export function ask(given, world) {
  const { shop, t } = world;
  const draft = {};
  for (const field of shop.fields) {
    const valid = shop.valid[field];
    if (!valid) break;
    // A seat map is told how many by the seats themselves.
    if (field === 'n' && world.flows && shop.countBySeats) continue;
    if (given[field] === undefined) return usual(field, draft, world) ?? [question(field, draft, world)];
    if (!valid(given[field], draft, world.now))
      return [{ send: { type: 'text', body: t.too_late } }, question(field, draft, world)];
    draft[field] = given[field];
  }
  return seat(given, draft, world);
}

/** The seat map of what most people want, at once; everything else is one tap away, above it. */
function usual(field, draft, world) {
  if (!world.flows || field !== world.shop.usual) return undefined;
  const { rows } = options(field, draft, world);
  const [first, ...others] = rows;
  const [map] = ask({ ...draft, [field]: first.value }, world);
  if (map.send?.type !== 'flow') return undefined;
  if (!others.length) return [map];
  const { t } = world;
  return [choice({ body: t.others, button: t.others_list, rows: others }, field, draft), map];
}

function question(field, draft, world) {
  return choice(options(field, draft, world), field, draft);
}

function options(field, draft, world) {
  const free = ({ stock, layout }) => {
    const taken = world.taken(stock);
    return seatsOf(layout).filter(({ id }) => !taken.has(id)).length;
  };
  return world.shop.question(field, draft, { ...world, free });
}

/** A few short answers are buttons, with what is to be said of them above; more are a list. */
function choice({ body, button, rows }, field, draft) {
  const picks = rows.map(({ value, ...row }) => ({ id: encode({ ...draft, [field]: value }), ...row }));
  if (picks.length > BUTTONS_MAX || picks.some(({ title }) => title.length > BUTTON_TITLE_MAX))
    return { send: { type: 'list', body, button, sections: [{ rows: picks }] } };
  const said = picks.filter(({ description }) => description).map((pick) => `${pick.title}: ${pick.description}`);
  const buttons = picks.map(({ id, title }) => ({ id, title }));
  return { send: { type: 'buttons', body: [body, ...said].join('\n'), buttons } };
}

/** Seat -> held or sold: what nobody can have for a ride, on any of its legs. */
export function takenOn(ride, world) {
  return new Map(ride.stocks.flatMap((stock) => [...world.taken(stock)]));
}

/** Are these seats of the hall, each once, as many as asked, and all free? */
export function seatsFit(ride, ids, count, world) {
  const known = new Set(seatsOf(ride.layout).map(({ id }) => id));
  if (ids.length < 1 || ids.length > world.shop.seatsMax || new Set(ids).size !== ids.length) return 'wrong';
  if (!ids.every((id) => known.has(id)) || (count && ids.length !== Number(count))) return 'wrong';
  const taken = takenOn(ride, world);
  return ids.some((id) => taken.has(id)) ? 'gone' : 'free';
}

function seat(given, draft, world) {
  const { shop, t } = world;
  const rides = shop.rides(draft).map((ride) => ({ ...ride, seats: given[ride.field]?.split('.') }));
  for (const ride of rides) {
    if (!ride.seats) return world.flows ? [seatMap(draft, rides, world)] : [seatList(draft, ride, world)];
    const fit = seatsFit(ride, ride.seats, draft.n, world);
    if (fit !== 'free') {
      const again = world.flows ? seatMap(draft, rides, world) : seatList(draft, ride, world);
      return [{ send: { type: 'text', body: t.seats_gone } }, again];
    }
    draft[ride.field] = given[ride.field];
  }
  return [{ order: { draft, rides } }];
}

function seatMap(draft, rides, world) {
  const { t, language } = world;
  const least = Number(draft.n ?? 1);
  const tooFew = (ride) => seatsOf(ride.layout).length - takenOn(ride, world).size < least;
  if (rides.some(tooFew)) return { send: { type: 'text', body: t.sold_out } };
  const body = rides.map(({ title, at }) => t.seats_flow(title, when(at, language))).join('\n');
  return { send: { type: 'flow', body, footer: t.seats_footer, cta: t.seats_cta, draft: encode(draft) } };
}

/** Free seats that lie together, a row of the list each: for devices that show no seat map. */
function seatList(draft, ride, world) {
  const { t, language } = world;
  const taken = takenOn(ride, world);
  const count = Number(draft.n);
  const prices = new Map(seatsOf(ride.layout).map((seat) => [seat.id, ride.price(seat)]));
  const row = (ids, description) => ({
    id: encode({ ...draft, [ride.field]: ids.join('.') }),
    title: ids.join(' ').slice(0, TITLE_MAX),
    description: description ?? t.seats_each(ids.reduce((sum, id) => sum + prices.get(id), 0)),
  });
  const special = seatsOf(ride.layout).filter(({ id, accessible }) => accessible && !taken.has(id));
  const accessible = count === 1 ? special.slice(0, ACCESSIBLE_ROWS_MAX).map(({ id }) => row([id], t.accessible)) : [];
  const rows = groups(ride.layout, taken, count, ROWS_MAX - accessible.length).map((ids) => row(ids));
  const sections = [
    { title: t.section_seats, rows },
    { title: t.section_accessible, rows: accessible },
  ].filter((section) => section.rows.length);
  if (!sections.length) return { send: { type: 'text', body: t.sold_out } };
  const body = t.seats(ride.title, when(ride.at, language));
  return { send: { type: 'list', body, button: t.seats_list, sections } };
}

const firstStart = (order) => Math.min(...order.starts) * 1000;

function offerReturns(world) {
  const { t, now } = world;
  const orders = world.orders.filter((order) => order.state === 'sold' && firstStart(order) > now);
  if (!orders.length) return [{ send: { type: 'text', body: t.return_none } }];
  if (orders.length === 1) return confirmReturn(orders[0].reference, world);
  const rows = orders.slice(0, RETURNS_MAX).map((order) => ({
    id: `return:${order.reference}`,
    title: order.what.split(',')[0].slice(0, TITLE_MAX),
    description: when(firstStart(order), world.language),
  }));
  return [{ send: { type: 'list', body: t.return_which, button: t.return_list, sections: [{ rows }] } }];
}

/** What may be given back, or the words why not. */
function returnable(reference, { t, now, language, orders }) {
  const order = orders.find((order) => order.reference === reference && order.state === 'sold');
  if (!order) return { refused: [{ send: { type: 'text', body: t.return_none } }] };
  const until = when(firstStart(order), language);
  if (firstStart(order) <= now) return { refused: [{ send: { type: 'text', body: t.return_late(until) } }] };
  return { order, until };
}

function confirmReturn(reference, world) {
  const { t } = world;
  const { order, until, refused } = returnable(reference, world);
  if (refused) return refused;
  const buttons = [
    { id: `return-yes:${reference}`, title: t.return_yes },
    { id: 'keep', title: t.return_no },
  ];
  return [{ send: { type: 'buttons', body: t.return_ask(order.what, until), buttons } }];
}

function giveBack(reference, world) {
  const state = world.orders.find((order) => order.reference === reference)?.state;
  // The same wish again, perhaps after a crash in the middle of it.
  if (state === 'returning' || state === 'refunded') return [{ giveBack: reference }];
  const { refused } = returnable(reference, world);
  return refused ?? [{ giveBack: reference }];
}
