// Money and seats end together: every state meets every payment, and every crash is followed by the same webhook again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphApiError } from '@kapso/whatsapp-cloud-api';
import { cinema } from '../src/cinema.mjs';
import { Desk } from '../src/desk.mjs';
import { decide, Payments } from '../src/payments.mjs';
import { HOLD_MS, Seats } from '../src/seats.mjs';
import { Store } from '../src/store.mjs';
import { texts } from '../src/texts.mjs';

const NOW = Date.UTC(2026, 10, 22, 3, 0);
const SHOW = 'buy?film=laut&show=2611221630';

test('what every state makes of every payment', () => {
  const table = {
    //            undefined     authorised      captured     refunded    voided
    held: ['held', 'confirming', 'sold', 'refunded', 'late'],
    confirming: ['confirming', 'confirming', 'sold', 'refunded', 'late'],
    sold: ['sold', 'sold', 'sold', 'refunded', 'sold'],
    cancelling: ['cancelling', 'cancelling', 'sold', 'refunded', 'canceled'],
    canceled: ['canceled', 'cancelling', 'sold', 'refunded', 'canceled'],
    late: ['late', 'cancelling', 'sold', 'refunded', 'late'],
    returning: ['returning', 'returning', 'returning', 'refunded', 'returning'],
    refunded: ['refunded', 'refunded', 'refunded', 'refunded', 'refunded'],
  };
  const payments = [undefined, 'authorised', 'captured', 'refunded', 'voided'];
  for (const [state, row] of Object.entries(table)) {
    assert.deepEqual(
      payments.map((payment) => decide(state, payment, () => true)),
      row,
      state,
    );
    const failed = (over) =>
      decide(
        state,
        'failed',
        () => true,
        () => over,
      );
    assert.equal(failed(false), state);
    assert.equal(failed(true), state === 'held' ? 'late' : state);
  }
  assert.equal(
    decide('held', 'authorised', () => false),
    'cancelling',
  );
  assert.equal(
    decide('held', 'captured', () => false),
    'returning',
  );
});

/** A server that keeps payments and what was sent, and fails at the call that `failAt` names. */
class Server {
  sent = new Map();
  status = new Map();
  calls = 0;
  failAt = -1;

  #call() {
    this.calls += 1;
    if (this.calls === this.failAt) throw new Error('the connection broke');
  }

  async read() {}

  async payment(reference) {
    this.#call();
    return { status: this.status.get(reference) };
  }

  /** What happens at the server happens, whether the answer arrives or not. */
  async send(to, message, key) {
    if (!this.sent.has(key)) this.sent.set(key, { to, ...message });
    const { reference, status } = message;
    if (message.type === 'order_status' && this.status.get(reference) === 'authorised') {
      this.status.set(reference, status === 'canceled' ? 'voided' : 'captured');
    }
    this.#call();
  }

  async refund(reference) {
    assert.equal(this.status.get(reference), 'captured');
    this.status.set(reference, 'refunded');
    this.#call();
  }

  kinds(type) {
    return [...this.sent.values()].filter((message) => message.type === type);
  }
}

function open(server, store, clock) {
  const seats = new Seats(store, () => clock.now);
  const payments = new Payments({ seats, api: server, shop: cinema, texts: ({ language }) => texts[language] });
  const desk = new Desk({ store, seats, api: server, shop: cinema, payments, now: () => clock.now });
  return { seats, payments, desk };
}

const text = (id, body, from = 'ID.1') => ({ id, type: 'text', fromUserId: from, text: { body } });
const tap = (id, choice, from = 'ID.1') => ({
  id,
  type: 'interactive',
  fromUserId: from,
  interactive: { listReply: { id: choice } },
});

test('a purchase and its return; every delivery twice has one effect', async () => {
  const server = new Server();
  const store = new Store(undefined, {});
  const { desk, payments, seats } = open(server, store, { now: NOW });
  const twice = async (message) => {
    await desk.message(message);
    await desk.message(message);
  };
  await twice(text('m1', 'Halo'));
  await twice(tap('m2', `${SHOW}&n=2&seats=B1.B2`));
  const [bill] = server.kinds('order_details');
  assert.equal(server.kinds('order_details').length, 1);
  assert.deepEqual(
    bill.items.map(({ id, price }) => [id, price]),
    [
      ['ticket:B1@1795339800', 45_000],
      ['ticket:B2@1795339800', 45_000],
    ],
  );
  assert.match(bill.reference, /^BK-[0-9a-f]{16}$/);
  server.status.set(bill.reference, 'authorised');
  await payments.advance(bill.reference);
  await payments.advance(bill.reference);
  assert.equal(server.status.get(bill.reference), 'captured');
  assert.deepEqual(
    server.kinds('order_status').map(({ status }) => status),
    ['processing', 'completed'],
  );
  assert.deepEqual([...seats.taken('laut-2611221630').keys()], ['B1', 'B2']);
  await twice(tap('m3', `return:${bill.reference}`));
  await twice(tap('m4', `return-yes:${bill.reference}`));
  await payments.advance(bill.reference);
  assert.equal(server.status.get(bill.reference), 'refunded');
  assert.equal(seats.taken('laut-2611221630').size, 0);
  assert.equal(server.kinds('text').filter(({ body }) => body === texts.id.returned).length, 1);
});

test('two people want one seat: the second is told, and offered others', async () => {
  const server = new Server();
  const { desk } = open(server, new Store(undefined, {}), { now: NOW });
  await desk.message(tap('m1', `${SHOW}&n=1&seats=B1`, 'ID.1'));
  await desk.message(tap('m2', `${SHOW}&n=1&seats=B1`, 'ID.2'));
  assert.equal(server.kinds('order_details').length, 1);
  const [sorry] = server.kinds('text');
  assert.deepEqual([sorry.to, sorry.body], ['ID.2', texts.id.seats_gone]);
  assert.equal(server.kinds('list').at(-1).to, 'ID.2');
});

test('who pays after the seats went to somebody else gets the money back', async () => {
  const server = new Server();
  const clock = { now: NOW };
  const { desk, payments, seats } = open(server, new Store(undefined, {}), clock);
  await desk.message(tap('m1', `${SHOW}&n=1&seats=B1`, 'ID.1'));
  clock.now += HOLD_MS * 2;
  await desk.message(tap('m2', `${SHOW}&n=1&seats=B1`, 'ID.2'));
  const [late, early] = server.kinds('order_details');
  server.status.set(late.reference, 'authorised');
  server.status.set(early.reference, 'authorised');
  await payments.advance(late.reference);
  await payments.advance(early.reference);
  await payments.advance(early.reference);
  assert.deepEqual([server.status.get(late.reference), server.status.get(early.reference)], ['voided', 'captured']);
  assert.deepEqual([seats.order(late.reference).state, seats.order(early.reference).state], ['canceled', 'sold']);
  assert.equal(server.kinds('text').at(0).body, texts.id.lost);
});

test('whose payment fails when the hold is over is told so, and the seats are free', async () => {
  const server = new Server();
  const clock = { now: NOW };
  const { desk, payments, seats } = open(server, new Store(undefined, {}), clock);
  await desk.message(tap('m1', `${SHOW}&n=1&seats=B1`));
  const [{ reference }] = server.kinds('order_details');
  server.status.set(reference, 'failed');
  await payments.advance(reference);
  assert.equal(seats.order(reference).state, 'held', 'another card may do');
  clock.now += HOLD_MS;
  await payments.advance(reference);
  await payments.advance(reference);
  assert.deepEqual(
    server.kinds('text').map(({ body }) => body),
    [texts.id.late],
  );
  assert.equal(seats.taken('laut-2611221630').size, 0);
});

test('a choice of seats that comes again after it was paid is not answered anew', async () => {
  const server = new Server();
  const disk = new Store(undefined, {});
  const clock = { now: NOW };
  const choice = tap('m1', `${SHOW}&n=1&seats=B1`);
  server.failAt = 1;
  await assert.rejects(open(server, disk, clock).desk.message(choice), /the connection broke/);
  const [{ reference }] = server.kinds('order_details');
  server.status.set(reference, 'authorised');
  const { payments, desk, seats } = open(server, disk, clock);
  await payments.advance(reference);
  await payments.advance(reference);
  assert.equal(seats.order(reference).state, 'sold');
  await desk.message(choice);
  await desk.message(choice);
  assert.deepEqual(
    [...server.sent.values()].map(({ type }) => type),
    ['order_details', 'order_status', 'order_status'],
  );
});

test('an answer that the server refused for good is not kept', async () => {
  const server = new Server();
  const store = new Store(undefined, {});
  const { desk } = open(server, store, { now: NOW });
  server.send = async () => {
    throw new GraphApiError({ message: 'the window is closed', httpStatus: 400 });
  };
  await assert.rejects(desk.message(text('m1', 'tiket')), /the window is closed/);
  assert.deepEqual(store.data.answers, { m1: null });
});

test('a crash at any call, then a restart, leads to the same end', async () => {
  const clean = await life(-1);
  assert.equal(clean.end, 'refunded');
  for (let failAt = 1; failAt <= clean.calls; failAt += 1) {
    const crashed = await life(failAt);
    assert.equal(crashed.end, 'refunded', `after a crash at call ${failAt}`);
    assert.deepEqual(crashed.sent, clean.sent, `after a crash at call ${failAt}`);
    assert.equal(crashed.taken, 0);
  }
});

/** Buys and returns; at a crash the program is started again from the disk, and the server delivers again. */
async function life(failAt) {
  const server = new Server();
  server.failAt = failAt;
  const clock = { now: NOW };
  let disk = {};
  let shop = open(server, new Store(undefined, {}), clock);
  const until = async (work) => {
    for (;;) {
      const store = new Store(undefined, structuredClone(disk));
      const save = () => {
        disk = structuredClone(store.data);
      };
      store.save = save;
      shop = open(server, store, clock);
      try {
        await shop.payments.reconcile();
        await work();
        return;
      } catch (error) {
        assert.equal(error.message, 'the connection broke');
      }
    }
  };
  await until(() => shop.desk.message(tap('m1', `${SHOW}&n=2&seats=B1.B2`)));
  const [{ reference }] = server.kinds('order_details');
  server.status.set(reference, 'authorised');
  await until(() => shop.payments.advance(reference));
  await until(() => shop.payments.advance(reference));
  await until(() => shop.desk.message(tap('m2', `return-yes:${reference}`)));
  await until(() => shop.payments.advance(reference));
  return {
    end: server.status.get(reference),
    calls: server.calls,
    taken: shop.seats.taken('laut-2611221630').size,
    sent: [...server.sent.values()].map(({ type, body, status }) => [type, status ?? body]).sort(),
  };
}
