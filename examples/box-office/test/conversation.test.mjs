// The conversation as a pure function: every path to an order, both languages, old lists and hostile ids.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bus } from '../src/bus.mjs';
import { cinema } from '../src/cinema.mjs';
import { answer, decode, encode } from '../src/conversation.mjs';
import { groups, layout, seatsOf } from '../src/layout.mjs';
import { languageOf, texts } from '../src/texts.mjs';
import { stamp, unstamp, when } from '../src/time.mjs';

const NOW = Date.UTC(2026, 10, 22, 3, 0);
const HOUR = 3_600_000;
const HALL = cinema.rides({ film: 'laut', show: '2611221630' })[0].layout;

function world(shop, more = {}) {
  const language = more.language ?? 'id';
  return {
    shop,
    now: NOW,
    language,
    t: texts[language],
    name: 'Budi',
    taken: () => new Map(),
    orders: [],
    flows: false,
    ...more,
  };
}

function rows(step) {
  return step.send.buttons ?? step.send.sections.flatMap((section) => section.rows);
}

function check(step) {
  if (!step.send) return;
  const { type, body, buttons, button, sections } = step.send;
  assert.ok(body.length > 0 && body.length <= 1024, body);
  if (type === 'buttons') for (const { title } of buttons) assert.ok(title.length <= 20, title);
  if (type !== 'list') return;
  assert.ok(button.length <= 20, button);
  const all = rows(step);
  assert.ok(all.length >= 1 && all.length <= 10, `${all.length} rows`);
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length, 'an id is used twice');
  for (const { id, title, description = '' } of all) {
    assert.ok(id.length <= 200 && title.length <= 24 && description.length <= 72, `${id} ${title} ${description}`);
  }
  if (sections.length > 1) for (const { title } of sections) assert.ok(title && title.length <= 24);
}

/** Follows every row of every list down to the orders, the first `width` of each list. */
function orders(shop, more, width = 3) {
  const found = [];
  const walk = (steps) => {
    for (const step of steps) {
      check(step);
      if (step.order) found.push(step.order);
      if (step.send?.type === 'list' || step.send?.type === 'buttons') {
        const all = rows(step);
        for (const { id } of [...all.slice(0, width), all.at(-1)]) walk(answer({ choice: id }, world(shop, more)));
      }
    }
  };
  walk(answer({ text: 'tiket', first: true }, world(shop, more)));
  return found;
}

for (const language of ['id', 'en']) {
  test(`every way through the cinema ends in an order (${language})`, () => {
    const found = orders(cinema, { language });
    assert.ok(found.length > 50);
    for (const { draft, rides } of found) {
      assert.equal(rides.length, 1);
      assert.equal(rides[0].seats.length, Number(draft.n));
    }
  });

  test(`every way through the buses ends in an order (${language})`, () => {
    const found = orders(bus, { language }, 1);
    assert.ok(found.some(({ rides }) => rides.length === 1) && found.some(({ rides }) => rides.length === 2));
    for (const { draft, rides } of found) for (const { seats } of rides) assert.equal(seats.length, Number(draft.n));
  });
}

test('a seat through Yogyakarta takes both legs, and other buses none', () => {
  const draft = { route: 'JKT-SUB', n: '1', out: stamp(Date.UTC(2026, 10, 23, 0, 0)), back: '-', outSeats: '1A' };
  const [{ order }] = answer({ choice: encode(draft) }, world(bus));
  assert.deepEqual(order.rides[0].stocks, ['out-2611230700-0', 'out-2611230700-1']);
  const yogya = { ...draft, route: 'YOG-SUB', out: stamp(Date.UTC(2026, 10, 23, 8, 0)) };
  const [{ order: second }] = answer({ choice: encode(yogya) }, world(bus));
  assert.deepEqual(second.rides[0].stocks, ['out-2611230700-1'], 'the same bus, eight hours later');
  const home = { ...draft, back: stamp(Date.UTC(2026, 10, 27, 0, 0)), backSeats: '2B' };
  const [{ order: round }] = answer({ choice: encode(home) }, world(bus));
  assert.deepEqual(round.rides[1].stocks, ['home-2611270700-0', 'home-2611270700-1']);
  assert.equal(round.rides[1].title, 'Surabaya → Jakarta');
});

test('taken seats are not offered, and not sold to who asks for them all the same', () => {
  const show = rows(answer({ choice: 'buy?film=laut' }, world(cinema))[0])[0].id;
  const taken = (stock) =>
    new Map(
      stock.startsWith('laut-')
        ? [
            ['A2', 'sold'],
            ['A3', 'held'],
          ]
        : [],
    );
  const [list] = answer({ choice: `${show}&n=2` }, world(cinema, { taken }));
  assert.ok(!rows(list).some(({ title }) => /A2|A3/.test(title)));
  const [sorry, again] = answer({ choice: `${show}&n=2&seats=A2.A3` }, world(cinema, { taken }));
  assert.equal(sorry.send.body, texts.id.seats_gone);
  assert.equal(again.send.type, 'list');
});

test('few short answers are buttons; with a seat map the next showing needs no question', () => {
  const flows = { flows: '1' };
  const [films] = answer({ text: 'tiket' }, world(cinema, flows));
  check(films);
  assert.equal(films.send.type, 'buttons');
  assert.match(films.send.body, /Ombak Selatan: Drama, 118 menit/);
  const [other, map] = answer({ choice: films.send.buttons[0].id }, world(cinema, flows));
  check(other);
  assert.deepEqual([map.send.type, map.send.draft], ['flow', 'buy?film=laut&show=2611221630']);
  assert.deepEqual(other.send.buttons, [{ id: 'buy?film=laut&show=2611221930', title: 'Min 22 Nov 19.30 WIB' }]);
  const [later] = answer({ choice: other.send.buttons[0].id }, world(cinema, flows));
  assert.deepEqual([later.send.type, later.send.draft], ['flow', other.send.buttons[0].id]);
  const full = (stock) => new Map(stock.endsWith('1630') ? seatsOf(HALL).map(({ id }) => [id, 'sold']) : []);
  const [asked, ...more] = answer({ choice: films.send.buttons[0].id }, world(cinema, { ...flows, taken: full }));
  assert.deepEqual([asked.send.type, more.length], ['buttons', 0]);
  assert.match(asked.send.body, /16\.30 WIB: 0 kursi bebas/);
  const [, named] = answer({ text: 'Mau nonton ombak selatan!' }, world(cinema, flows));
  assert.deepEqual(named, map);
  const [route] = answer({ text: 'tiket' }, world(bus));
  assert.equal(route.send.type, 'list', 'a button has room for 20 letters');
});

test('a full hall says so', () => {
  const taken = () =>
    new Map('ABCDEF'.split('').flatMap((row) => [1, 2, 3, 4, 5, 6, 7, 8].map((column) => [`${row}${column}`, 'sold'])));
  const show = rows(answer({ choice: 'buy?film=laut' }, world(cinema))[0])[0].id;
  assert.equal(answer({ choice: `${show}&n=1` }, world(cinema, { taken }))[0].send.body, texts.id.sold_out);
});

test('hostile or stale ids never become an order', () => {
  const show = rows(answer({ choice: 'buy?film=laut' }, world(cinema))[0])[0].id;
  for (const id of [
    'buy?film=__proto__',
    'buy?film=laut&show=2611220000',
    'buy?film=laut&show=9911221930',
    'buy?film=laut&show=x',
    `${show}&n=7&seats=A2`,
    `${show}&n=2&seats=A2`,
    `${show}&n=2&seats=A2.A2`,
    `${show}&n=1&seats=Z9`,
    `${show}&n=1&seats=`,
    'buy?',
    'buy?n=1&seats=A2',
    'return-yes:BK-foreign',
    'constructor:x',
    '',
  ]) {
    const steps = answer({ choice: id }, world(cinema));
    assert.ok(steps.length && steps.every((step) => step.send), id);
    for (const step of steps) check(step);
  }
  const late = answer({ choice: show }, world(cinema, { now: NOW + 48 * HOUR }));
  assert.equal(late[0].send.body, texts.id.too_late);
});

test('returns: asked once more, until the start, and only one’s own', () => {
  const order = {
    reference: 'BK-1',
    state: 'sold',
    what: 'Ombak Selatan, Min 22 Nov 16.30',
    starts: [NOW / 1000 + 3600],
  };
  const mine = { orders: [order] };
  for (const event of [
    { choice: 'return:BK-1' },
    { text: 'tolong kembalikan' },
    { text: 'refund please' },
    { choice: 'return' },
  ]) {
    const [step] = answer(event, world(cinema, mine));
    assert.equal(step.send.buttons[0].id, 'return-yes:BK-1', JSON.stringify(event));
    check(step);
  }
  assert.deepEqual(answer({ choice: 'return-yes:BK-1' }, world(cinema, mine)), [{ giveBack: 'BK-1' }]);
  const late = answer({ choice: 'return-yes:BK-1' }, world(cinema, { ...mine, now: NOW + 2 * HOUR }));
  assert.match(late[0].send.body, /hanya bisa dikembalikan sampai Min 22 Nov 11\.00/);
  for (const orders of [[], [{ ...order, state: 'canceled' }], [{ ...order, state: 'held' }]]) {
    assert.equal(answer({ choice: 'return-yes:BK-1' }, world(cinema, { orders }))[0].send.body, texts.id.return_none);
  }
  const two = { orders: [order, { ...order, reference: 'BK-2' }] };
  assert.equal(rows(answer({ text: 'kembalikan' }, world(cinema, two))[0])[1].id, 'return:BK-2');
});

test('a person, help, and both languages', () => {
  const steps = answer({ text: 'Saya ingin berbicara dengan petugas.' }, world(cinema));
  assert.deepEqual(steps.at(-1), { clerk: true });
  const [help] = answer({ text: '???' }, world(cinema, { language: 'en' }));
  assert.equal(help.send.body, texts.en.help);
  check(help);
  assert.deepEqual(Object.keys(texts.id), Object.keys(texts.en));
  assert.equal(languageOf('I would like to talk to a person.'), 'en');
  assert.equal(languageOf('Saya ingin berbicara dengan petugas.'), 'id');
  assert.equal(languageOf('123'), undefined);
});

test('groups lie together and do not overlap', () => {
  const hall = layout({
    rows: ['A', 'B'],
    columns: [1, 2, 3, 4],
    aisle: 2,
    id: (row, column) => row + column,
    price: () => 1,
  });
  assert.deepEqual(groups(hall, new Set(), 2, 9), [
    ['A1', 'A2'],
    ['A3', 'A4'],
    ['B1', 'B2'],
    ['B3', 'B4'],
  ]);
  assert.deepEqual(groups(hall, new Set(['A1']), 2, 9)[0], ['A3', 'A4'], 'not across the aisle while there is another');
  assert.deepEqual(groups(hall, new Set(['A1', 'A3', 'B2']), 2, 9), [
    ['A2', 'A4'],
    ['B3', 'B4'],
  ]);
  assert.equal(groups(hall, new Set(), 6, 9).length, 1);
  const few = groups(hall, new Set(), 1, 2).flat();
  assert.deepEqual(few, ['A2', 'B2'], 'from every row, near its middle');
});

test('times are written short and read back', () => {
  assert.equal(unstamp(stamp(NOW)), NOW);
  assert.equal(unstamp('constructor'), undefined);
  assert.equal(when(NOW, 'id'), 'Min 22 Nov 10.00 WIB');
  assert.equal(when(NOW, 'en'), 'Sun 22 Nov 10:00 WIB');
  assert.deepEqual(decode('buy?a=1&b=2'), { a: '1', b: '2' });
  assert.equal(decode('menu'), undefined);
});
