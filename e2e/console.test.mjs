// The console of the demo shop at /b/demo: a developer's first two minutes with the Cloud API, on the real server.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { assertAccessible } from './lib/axe.mjs';
import { launch } from './lib/browser.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

const out = new URL('out/', import.meta.url);
const SHOP = '+622150000000';
/** From opening the page to the answer on the other side. */
const FIRST_TWO_MINUTES_MS = 120_000;

let server;
let browser;

before(async () => {
  mkdirSync(out, { recursive: true });
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0, 'the server drains and ends well');
});

async function openConsole(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`${server.origin()}/b/demo`);
  await page.locator('#keys dt').first().waitFor();
  return { page, complaints };
}

test('a person writes, the page shows the webhook, a call answers in the thread', async () => {
  const started = Date.now();
  const { page, complaints } = await openConsole({ locale: 'en-US' });
  assert.ok(await page.getByRole('button', { name: 'Send it now' }).isDisabled(), 'nobody can be answered yet');
  const rani = await Person.open(browser, server.origin('dua'), { path: `/#/u/${encodeURIComponent(SHOP)}` });
  await rani.page.getByLabel(rani.t.question).fill('Rani');
  await rani.page.keyboard.press('Enter');
  await rani.say('Halo toko');

  await page.getByText('Rani has written: the calls below answer.').waitFor();
  const hook = page.locator('#hooks summary').filter({ hasText: 'Halo toko' });
  await hook.getByText('signature genuine').waitFor();
  await hook.click();
  await page.getByText(/X-Hub-Signature-256: sha256=[0-9a-f]{64}/).first().waitFor();
  await page.getByText(/The window is open until/).waitFor();
  const curl = await page.locator('#code').textContent();
  assert.match(curl, /"to":"ID\.\d{20}"/, 'the recipient is filled in');
  for (const tool of ['pywa', 'node']) {
    await page.getByRole('tab', { name: tool }).click();
    assert.match(await page.locator('#code').textContent(), /ID\.\d{20}/);
  }

  await page.getByRole('button', { name: 'Send it now' }).click();
  await page.getByText(/^200 · wamid\./).waitFor();
  await rani.sees('Hello from the API');
  await page.locator('#hooks summary').filter({ hasText: 'delivered' }).first().waitFor();
  const took = Date.now() - started;
  assert.ok(took < FIRST_TWO_MINUTES_MS, `took ${took} ms`);
  assert.deepEqual(complaints, []);
  await assertAccessible(page, 'the console');
  await page.screenshot({ path: new URL('console-desktop.png', out).pathname, fullPage: true });
});

test('on a phone, in the dark, in Indonesian', async () => {
  const { page, complaints } = await openConsole({
    locale: 'id-ID',
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  });
  await page.getByText('Rani sudah menulis: panggilan di bawah membalasnya.').waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.equal(wide, false, 'nothing is wider than the screen');
  assert.deepEqual(complaints, []);
  await assertAccessible(page, 'the console on a phone');
  await page.screenshot({ path: new URL('console-phone.png', out).pathname, fullPage: true });
});
