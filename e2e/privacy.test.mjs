// What one lets others see, and from whom one wants to hear: who is there, receipts, requests, blocking; lists and pictures of one's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { three } from './lib/pair.mjs';
import { startServer } from './lib/server.mjs';

let server;
let browser;
/** At a desk, by daylight, in Indonesian. */
let ani;
/** On a phone in the dark, in English. */
let budi;
let citra;

before(async () => {
  server = await startServer();
  browser = await launch();
  ({ ani, budi, citra } = await three(browser, server, { budi: { language: 'en' } }));
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

const header = ({ page }) => page.getByRole('main').locator('header').first();
const light = (person) => header(person).locator('.face i');

/** The screen of a person goes dark, or is looked at again. */
async function turn({ page }, state) {
  await page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

test('who looks at the app is there, and who turned away was there today', async () => {
  await ani.go('/');
  await ani.openChatFromList('Budi');
  await header(ani).getByText('daring', { exact: true }).waitFor();
  await light(ani).waitFor();
  await look(ani, 'privacy-here-light-id');
  await header(budi).getByText('online', { exact: true }).waitFor();
  await look(budi, 'privacy-here-phone-dark-en');
  assert.equal(await ani.page.locator('nav .face i').count(), 0, 'only above the thread');
  await turn(budi, 'hidden');
  await header(ani).getByText(/^terlihat hari ini \d\d[.:]\d\d$/).waitFor();
  await light(ani).waitFor({ state: 'detached' });
  await look(ani, 'privacy-seen-light-id');
  await turn(ani, 'hidden');
  await turn(budi, 'visible');
  await header(budi).getByText(/^last seen today \d\d:\d\d$/).waitFor();
  await look(budi, 'privacy-seen-phone-dark-en');
  await turn(ani, 'visible');
  await header(ani).getByText('daring', { exact: true }).waitFor();
});

test('what is typed stands where it was said who is there', async () => {
  await budi.composer.pressSequentially('hm');
  await header(ani).getByText('sedang mengetik…').waitFor();
  assert.equal(await header(ani).getByText('daring').count(), 0);
  await budi.composer.fill('');
  await header(ani).getByText('daring', { exact: true }).waitFor();
});

test('after an absence one asks again', async () => {
  await turn(budi, 'hidden');
  await header(ani).getByText(/^terlihat hari ini/).waitFor();
  await ani.context.setOffline(true);
  await ani.page.getByText(/^Luring/).waitFor();
  await turn(budi, 'visible');
  await budi.page.waitForTimeout(2000);
  await ani.context.setOffline(false);
  // Long before it would be asked by the clock.
  await header(ani).getByText('daring', { exact: true }).waitFor({ timeout: 30_000 });
});

test('nobody heard a complaint', () => {
  for (const person of [budi, citra]) person.calm();
});
