// No seat is sold twice, whatever order things happen in, and whatever dies in between.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HOLD_MS, Seats } from '../src/seats.mjs';
import { Store } from '../src/store.mjs';

const START = 4_000_000_000;
const order = (reference, seats, user = reference) => ({ reference, shop: 'cinema', user, seats, starts: [START] });

function open(now = { ms: 1_000 }) {
  const store = new Store(undefined, {});
  return { store, now, seats: new Seats(store, () => now.ms) };
}

test('of 200 buyers for 50 seats none shares one, and every seat ends sold or free', async () => {
  const { seats, store, now } = open();
  const random = generator(7);
  const buyers = Array.from({ length: 200 }, async (_, at) => {
    const reference = `R${at}`;
    for (let tries = 0; tries < 5; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, random() * 20));
      const wanted = [...new Set([0, 1].map(() => `hall/${Math.floor(random() * 50)}`))];
      if (!seats.hold(order(`${reference}-${tries}`, wanted, reference))) continue;
      await new Promise((resolve) => setTimeout(resolve, random() * 20));
      // Some pay, some change their mind, some are late.
      if (random() < 0.2) return;
      if (seats.claim(`${reference}-${tries}`))
        seats.move(`${reference}-${tries}`, { state: random() < 0.1 ? 'refunded' : 'sold' });
      return;
    }
  });
  await Promise.all(buyers);
  now.ms += HOLD_MS * 2;
  const sold = Object.values(store.data.orders).filter(({ state }) => state === 'sold');
  const places = sold.flatMap((sale) => sale.seats);
  assert.equal(new Set(places).size, places.length, 'a seat was sold twice');
  assert.deepEqual(
    [...seats.taken('hall').keys()].sort(),
    places.map((key) => key.slice(5)).sort(),
    'a seat is neither sold nor free',
  );
  assert.ok(places.length > 10, `only ${places.length} were sold`);
});

test('all seats of an order or none', () => {
  const { seats } = open();
  assert.ok(seats.hold(order('A', ['hall/1', 'hall/2'])));
  assert.equal(seats.hold(order('B', ['hall/2', 'hall/3'])), false);
  assert.deepEqual(
    [...seats.taken('hall')],
    [
      ['1', 'held'],
      ['2', 'held'],
    ],
  );
});

test('a hold ends; a payment that comes later gets the seats only if they are still free', () => {
  const { seats, now } = open();
  assert.ok(seats.hold(order('A', ['hall/1'])));
  now.ms += HOLD_MS * 2;
  assert.equal(seats.taken('hall').size, 0);
  assert.ok(seats.claim('A'), 'nobody else wanted it');
  assert.ok(seats.hold(order('B', ['hall/1'])));
  assert.equal(seats.claim('A'), false);
  assert.ok(seats.claim('B'));
});

test('the same order again is the same hold; a new one of the buyer replaces it', () => {
  const { seats, store } = open();
  assert.ok(seats.hold(order('A', ['hall/1'], 'budi')));
  const { until } = store.data.orders.A;
  assert.ok(seats.hold(order('A', ['hall/1'], 'budi')));
  assert.equal(store.data.orders.A.until, until);
  assert.ok(seats.hold(order('B', ['hall/1', 'hall/2'], 'budi')), 'his own hold is not in his way');
  assert.equal(seats.claim('A'), false);
});

test('what was promised survives a restart; half a file is never read', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'box-office-')), 'deep', 'state.json');
  const store = new Store(path, {});
  const seats = new Seats(store, () => 1_000);
  seats.hold(order('A', ['hall/1']));
  seats.hold(order('B', ['hall/2']));
  seats.move('B', { state: 'sold' });
  seats.move('A', { state: 'canceled' });
  // A crash while writing leaves this behind.
  writeFileSync(`${path}.new`, readFileSync(path, 'utf8').slice(0, 20));
  const again = new Seats(new Store(path, {}), () => 2_000);
  assert.deepEqual([...again.taken('hall')], [['2', 'sold']]);
  assert.equal(again.order('A').state, 'canceled');
});

test('after a restart a sold seat wins over a hold that ran out', () => {
  const now = { ms: 1_000 };
  const { seats, store } = open(now);
  seats.hold(order('A', ['hall/1']));
  now.ms += HOLD_MS * 2;
  seats.hold(order('B', ['hall/1']));
  seats.move('B', { state: 'sold' });
  store.data.orders = { B: store.data.orders.B, A: { ...store.data.orders.A, created: now.ms + 1 } };
  const again = new Seats(store, () => now.ms);
  assert.equal(again.claim('A'), false);
  assert.deepEqual([...again.taken('hall').keys()], ['1']);
});

test('what is long over is forgotten', () => {
  const { seats, store } = open();
  seats.hold(order('A', ['hall/1']));
  new Seats(store, () => (START + 2 * 86_400) * 1000);
  assert.deepEqual(store.data.orders, {});
});

/** The same numbers in every run. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
