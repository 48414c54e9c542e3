// What goes wrong on a device: a long absence, cleared data. The app says what happened, and loses nothing it took.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { pair } from './lib/pair.mjs';
import { startServer } from './lib/server.mjs';

const MANY = 90;

let server;
let browser;
let rani;
let budi;

before(async () => {
  server = await startServer();
  browser = await launch();
  ({ rani, budi } = await pair(browser, server, { budi: { viewport: { width: 390, height: 844 } } }));
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('what came during an absence is counted, and the thread opens where it begins', async () => {
  await rani.go('/');
  await rani.page.close();
  for (let i = 1; i <= MANY; i += 1) await budi.say(`Pesan ${i} dari ${MANY}`);
  await budi.seesState(`Pesan ${MANY} dari ${MANY}`, budi.t.sent, 60_000);
  rani.page = await rani.context.newPage();
  rani.page.setDefaultTimeout(15_000);
  await rani.page.goto(rani.origin);
  await rani.page.getByText(rani.t.unread(MANY)).waitFor();
  await rani.openChatFromList('Budi');
  await rani.page.getByText('Pesan baru', { exact: true }).waitFor();
  await rani.sees(`Pesan 1 dari ${MANY}`);
  await rani.page.getByRole('button', { name: 'Ke pesan terbaru' }).click();
  await rani.sees(`Pesan ${MANY} dari ${MANY}`);
  await budi.seesState(`Pesan ${MANY} dari ${MANY}`, budi.t.read);
});

test('older messages come as one scrolls up, and what is on the screen stays in place', async () => {
  const { page } = rani;
  await page.getByRole('feed').hover();
  for (let i = 0; i < 60 && !(await rani.message('Halo juga').count()); i += 1) {
    await page.mouse.wheel(0, -400);
    await page.waitForTimeout(60);
  }
  await rani.sees('Halo juga');
  const labels = await page.getByRole('article').evaluateAll((articles) => articles.map((article) => article.ariaLabel));
  const numbers = labels.map((label) => Number(/Pesan (\d+) dari/.exec(label)?.[1] ?? 0)).filter(Boolean);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), 'in order');
});

test('on a phone, Back returns to the list', async () => {
  const { page, t } = budi;
  await page.getByRole('button', { name: t.back }).click();
  await page.getByRole('navigation', { name: t.chats }).getByRole('link', { name: /Rani/ }).click();
  await budi.composer.waitFor();
  await page.goBack();
  await page.getByRole('navigation', { name: t.chats }).getByRole('link', { name: /Rani/ }).waitFor();
});

test('cleared site data stop the app, and the next start says that the keys are gone', async () => {
  const devtools = await rani.context.newCDPSession(rani.page);
  await devtools.send('Storage.clearDataForOrigin', { origin: rani.origin, storageTypes: 'indexeddb' });
  await rani.page.getByRole('heading', { name: 'Kabar tidak dapat berlanjut' }).waitFor();
  await rani.page.getByRole('button', { name: 'Muat ulang' }).click();
  await rani.page.getByText('Peramban ini sudah tidak menyimpan kunci akun Anda').waitFor();
});
