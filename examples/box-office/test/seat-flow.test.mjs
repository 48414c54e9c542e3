// The seat map's endpoint: what it shows, what it refuses, and the envelope around both.
import assert from 'node:assert/strict';
import { constants, createCipheriv, createDecipheriv, publicEncrypt, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { bus } from '../src/bus.mjs';
import { cinema, withHall } from '../src/cinema.mjs';
import { answer, encode } from '../src/conversation.mjs';
import { newKey, open } from '../src/envelope.mjs';
import { exchange, FLOW, tokenOf } from '../src/seat-flow.mjs';
import { texts } from '../src/texts.mjs';

const NOW = Date.UTC(2026, 10, 22, 3, 0);
const FILM = { film: 'laut', show: '2611221630' };
const JOURNEY = { route: 'JKT-SUB', n: '2', out: '2611230700', back: '2611251900' };

function world(shop, taken = {}) {
  const of = (stock) => new Map(Object.entries(taken[stock] ?? {}));
  return { shop, now: NOW, language: 'id', t: texts.id, name: '', taken: of, orders: [], flows: '1' };
}

function asked(shop, draft, question, taken) {
  const token = tokenOf(encode(draft), 'ID.7');
  return exchange(JSON.stringify({ version: '3.0', flow_token: token, ...question }), '1', (user) => {
    assert.equal(user, 'ID.7');
    return world(shop, taken);
  });
}

test('a film and a time lead to the seat map, without a question about how many', () => {
  const [step] = answer({ choice: encode(FILM) }, world(cinema));
  assert.equal(step.send.type, 'flow');
  assert.equal(step.send.draft, encode(FILM));
  assert.ok(tokenOf(encode(JOURNEY), `ID.${'9'.repeat(20)}`).length <= 256);
});

test('the map shows the hall: aisle, prices, who has what', async () => {
  const taken = { 'laut-2611221630': { B1: 'sold', B2: 'held' } };
  const { screen, data } = await asked(cinema, FILM, { action: 'INIT', screen: '', data: {} }, taken);
  assert.equal(screen, FLOW.screens[0].id);
  assert.deepEqual([data.least, data.most, data.rows.length], [1, 6, 6]);
  const [, b] = data.rows;
  assert.deepEqual(
    b.seats.slice(0, 2).map(({ state }) => state),
    ['sold', 'held'],
  );
  assert.deepEqual(b.seats[3], { state: 'gap' });
  const [a1] = data.rows[0].seats;
  assert.deepEqual(a1, { id: 'A1', state: 'free', price: 4_500_000, accessible: true });
});

test('the hall is as large as its owner says; when it is sold out the thread says so, and a map from before shows it', async () => {
  const small = withHall({ rows: 2, columns: 3 });
  const sold = Object.fromEntries(['A1', 'A2', 'A3', 'B1', 'B2', 'B3'].map((id) => [id, 'sold']));
  const { B3: _, ...but } = sold;
  const almost = { 'laut-2611221630': but };
  const full = { 'laut-2611221630': sold };
  const [offered] = answer({ choice: encode(FILM) }, world(small, almost));
  assert.equal(offered.send.type, 'flow');
  const [refused] = answer({ choice: encode(FILM) }, world(small, full));
  assert.deepEqual(refused.send, { type: 'text', body: texts.id.sold_out });
  const { data } = await asked(small, FILM, { action: 'INIT', screen: '', data: {} }, full);
  const states = data.rows.flatMap(({ seats }) => seats.map(({ state }) => state)).filter((state) => state !== 'gap');
  assert.deepEqual(states, Array(6).fill('sold'));
  assert.throws(() => withHall({ rows: 0, columns: 3 }), /rows/);
});

test('seats that were taken meanwhile are refused on the same screen, with the map of now', async () => {
  const taken = { 'laut-2611221630': { B1: 'sold' } };
  for (const seats of [['B1', 'B2'], [], ['Z9'], ['B2', 'B2'], 'B1', [1], undefined]) {
    const { screen, data } = await asked(
      cinema,
      FILM,
      { action: 'data_exchange', screen: 'SEATS', data: { seats, chosen: '' } },
      taken,
    );
    assert.equal(screen, 'SEATS');
    assert.equal(data.error_message, texts.id.seats_gone);
    assert.equal(data.rows[1].seats[0].state, 'sold');
  }
});

test('free seats end the flow, and the form goes on to the order', async () => {
  const { screen, data } = await asked(cinema, FILM, {
    action: 'data_exchange',
    screen: 'SEATS',
    data: { seats: ['B2', 'B3'] },
  });
  assert.equal(screen, 'SUCCESS');
  const { flow_token, seats } = data.extension_message_response.params;
  assert.equal(seats, 'B2.B3');
  assert.equal(flow_token, tokenOf(encode(FILM), 'ID.7'));
  const [{ order }] = answer({ draft: { ...FILM, seats } }, world(cinema));
  assert.deepEqual(order.rides[0].seats, ['B2', 'B3']);
});

test('a journey home has a map of its own, as many seats each way', async () => {
  const out = await asked(bus, JOURNEY, {
    action: 'data_exchange',
    screen: 'SEATS',
    data: { seats: ['1A', '1B'], chosen: '' },
  });
  assert.deepEqual([out.screen, out.data.chosen, out.data.least, out.data.most], ['RETURN', '1A.1B', 2, 2]);
  assert.match(out.data.heading, /Surabaya → Jakarta/);
  const few = await asked(bus, JOURNEY, {
    action: 'data_exchange',
    screen: 'RETURN',
    data: { seats: ['2A'], chosen: '1A.1B' },
  });
  assert.deepEqual([few.screen, few.data.chosen], ['RETURN', '1A.1B']);
  const home = await asked(bus, JOURNEY, {
    action: 'data_exchange',
    screen: 'RETURN',
    data: { seats: ['2A', '2B'], chosen: '1A.1B' },
  });
  const { outSeats, backSeats } = home.data.extension_message_response.params;
  assert.deepEqual([outSeats, backSeats], ['1A.1B', '2A.2B']);
});

test('an old form, and a token that is not ours, are refused by name', async () => {
  const late = { ...FILM, show: '2611211630' };
  await assert.rejects(asked(cinema, late, { action: 'INIT', data: {} }), { status: 427 });
  const foreign = exchange(JSON.stringify({ action: 'INIT', flow_token: 'unused' }), '1', () => world(cinema));
  await assert.rejects(foreign, { status: 427 });
});

test('the envelope opens with our key only, and its answer with the question’s', () => {
  const { publicKey, privateKey } = newKey();
  const [key, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv('aes-128-gcm', key, iv);
  const sealed = Buffer.concat([cipher.update('{"action":"ping"}'), cipher.final(), cipher.getAuthTag()]);
  const padding = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const body = JSON.stringify({
    encrypted_flow_data: sealed.toString('base64'),
    encrypted_aes_key: publicEncrypt(padding, key).toString('base64'),
    initial_vector: iv.toString('base64'),
  });
  const { text, seal } = open(body, privateKey);
  assert.equal(text, '{"action":"ping"}');
  const answer = Buffer.from(seal('{"data":1}'), 'base64');
  const decipher = createDecipheriv('aes-128-gcm', key, Buffer.from(iv.map((byte) => byte ^ 0xff)));
  decipher.setAuthTag(answer.subarray(-16));
  assert.equal(Buffer.concat([decipher.update(answer.subarray(0, -16)), decipher.final()]).toString(), '{"data":1}');
  assert.throws(() => open(body, newKey().privateKey));
  assert.throws(() => open('{}', privateKey));
});
