// What the app does with a hundred thousand messages, in figures: `npm --prefix e2e run measure`. No test; docs/performance.md has the results.
//
//   CHATS=200 MESSAGES=500 LONG=10000    chats, messages of each, and of one more
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { launch } from './lib/browser.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

const binary = process.env.KABAR_BIN ?? new URL('../target/debug/kabar', import.meta.url).pathname;
const number = (name, otherwise) => Number(process.env[name] ?? otherwise);
const [chats, messages, long] = [number('CHATS', 200), number('MESSAGES', 500), number('LONG', 10_000)];
/** A browser with a busy machine around it takes its time. */
const PATIENCE_MS = 1_800_000;

const server = await startServer({ KABAR__LIMITS__RATE_LIMITS: 'false' });
const browser = await launch();
const ani = await Person.open(browser, server.origin());
ani.page.setDefaultTimeout(PATIENCE_MS);
await ani.signUp('Ani Lestari');
const link = await ani.link();
const to = link.split('/').at(-1);
const say = (what, value) => console.log(`${what.padEnd(58)} ${value}`);

async function write(users, each) {
  const begun = performance.now();
  const flags = ['--users', String(users), '--messages', String(each), '--to', to];
  await promisify(execFile)(binary, ['bench', 'inbox', '--url', server.origin(), '--server-pid', String(process.pid), ...flags]);
  return performance.now() - begun;
}

/** Milliseconds until the page has this. */
async function until(act, selector) {
  const begun = performance.now();
  await act();
  await ani.page.locator(selector).first().waitFor();
  return Math.round(performance.now() - begun);
}

await ani.go('/');
const wrote = await write(chats, messages);
const wroteLong = await write(1, long);
say(`written by others: ${chats * messages + long} messages`, `${Math.round((wrote + wroteLong) / 1000)} s`);
// Taken in when nothing has changed for a while.
const begun = performance.now();
let [seen, still] = ['', 0];
while (still < 6) {
  await ani.page.waitForTimeout(1_000);
  const now = await ani.page.locator('nav').first().textContent();
  still = now === seen ? still + 1 : 0;
  seen = now;
}
say('taken in after the last was written', `${Math.round((performance.now() - begun - 6_000) / 1000)} s`);
for (let round = 0; round < 3; round += 1) {
  say('a new page to the list of chats', `${await until(() => ani.page.reload(), 'nav a')} ms`);
}
console.log((await ani.page.locator('nav').first().textContent()).slice(0, 300));
await ani.page.screenshot({ path: 'out/measure-list.png' });
await browser.close();
await server.stop();
