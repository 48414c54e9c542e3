// The box office: two shops, each with a number of its own, on the public Cloud API of a Kabar server.
//
//   node src/main.mjs --business FILE [--state FILE] [--lists] [--hall ROWSxSEATS] [--hold SECONDS] [--until-parent-ends]
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Api } from './api.mjs';
import { bus } from './bus.mjs';
import { withHall } from './cinema.mjs';
import { Desk } from './desk.mjs';
import { newKey } from './envelope.mjs';
import { Payments } from './payments.mjs';
import { FLOW } from './seat-flow.mjs';
import { HOLD_MS, Seats } from './seats.mjs';
import { Store } from './store.mjs';
import { texts } from './texts.mjs';
import { listen } from './webhooks.mjs';

const RETRY_MS = 500;
/** What was under way at the end of the last run goes on at once; what a lost connection left open, a little later. */
const RECONCILE_MS = 30_000;
/** A server that is not there for so long is worth a word. */
const PATIENCE_TRIES = 20;
const log = (line) => process.stderr.write(`box office: ${line}\n`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function options() {
  const { values } = parseArgs({
    options: {
      business: { type: 'string' },
      state: { type: 'string' },
      lists: { type: 'boolean' },
      hall: { type: 'string', default: '6x6' },
      hold: { type: 'string', default: String(HOLD_MS / 1000) },
      'until-parent-ends': { type: 'boolean' },
    },
  });
  if (!values.business) throw new Error('usage: node src/main.mjs --business FILE, and what README.md says');
  const [rows, columns] = values.hall.split('x').map(Number);
  const holdMs = Number(values.hold) * 1000;
  if (!(holdMs > 0)) throw new Error('--hold must be a number of seconds');
  const state = values.state ?? join(dirname(values.business), 'box-office.json');
  return { ...values, state, holdMs, plans: [withHall({ rows, columns }), bus] };
}

/** Ends with the process that started this one, however that ends. */
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.exit(0), RETRY_MS).unref();
}

/** The file that the server writes: it may not be there yet, or be from the last time. */
function accounts(path, plans) {
  const { url, shops } = JSON.parse(readFileSync(path, 'utf8'));
  return Object.fromEntries(plans.map(({ id }) => [id, { url, ...shops[id] }]));
}

/** A shop behind its webhooks: subscribed, and with its seat map published, unless seats are to come as lists only. */
async function open(account, shop, { store, seats, lists, address }) {
  const api = new Api(account);
  const payments = new Payments({ seats, api, shop, texts: ({ language }) => texts[language] });
  const flows = lists ? undefined : await seatMap(api, shop, store, `${address}/flow`);
  const desk = new Desk({ store, seats, api, shop, payments, flows });
  const opened = {
    secret: account.app_secret,
    phoneNumberId: account.phone_number_id,
    flowKey: store.data.flowKey?.privateKey,
    payments,
    desk,
  };
  return { opened, subscribe: () => api.subscribe(address, store.data.verifyToken) };
}

/** The id of the shop's flow; another flow than the last time's is a new one, because published flows stay as they are. */
async function seatMap(api, shop, store, endpointUri) {
  store.data.flowKey ??= newKey();
  store.data.flows ??= {};
  const hash = createHash('sha256').update(JSON.stringify(FLOW)).digest('hex').slice(0, 8);
  const name = `${shop.id}-seats-${hash}`;
  store.save();
  const { publicKey } = store.data.flowKey;
  store.data.flows[name] = await api.publish(store.data.flows[name], { name, json: FLOW, endpointUri, publicKey });
  store.save();
  return store.data.flows[name];
}

async function listening(shops, settings, store) {
  // The port of the last time: deliveries that were not taken then find us again.
  const server = await listen(shops, { ...settings, port: store.data.port ?? 0 }).catch(() =>
    listen(shops, { ...settings, port: 0 }),
  );
  store.data.port = server.address().port;
  store.save();
  return store.data.port;
}

async function main() {
  const { business, state, lists, plans, holdMs, 'until-parent-ends': bound } = options();
  if (bound) endWithParent();
  const store = new Store(state, {});
  store.data.verifyToken ??= randomBytes(24).toString('hex');
  const seats = new Seats(store, Date.now, holdMs);
  const shops = {};
  const port = await listening(shops, { verifyToken: store.data.verifyToken, log }, store);
  for (let tries = 1; ; tries += 1) {
    try {
      const found = accounts(business, plans);
      for (const shop of plans) {
        const address = `http://127.0.0.1:${port}/${shop.id}`;
        const { opened, subscribe } = await open(found[shop.id], shop, { store, seats, lists, address });
        shops[shop.id] = opened;
        await subscribe();
      }
      break;
    } catch (error) {
      if (tries === PATIENCE_TRIES) log(`waiting for the server: ${error.message}`);
      await pause(RETRY_MS);
    }
  }
  process.stdout.write('Bioskop Kota and Bus Mudik answer in the chat\n');
  for (;;) {
    for (const { payments } of Object.values(shops)) await payments.reconcile().catch((error) => log(error.message));
    await pause(RECONCILE_MS);
  }
}

await main();
