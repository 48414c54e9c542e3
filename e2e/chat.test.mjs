// Two people, two browsers, one real server: what the first day with Kabar has to feel like.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

const FIRST_MESSAGE_MS = 20_000;

let server;
let browser;
let rani;
let budi;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  const code = await server?.stop();
  assert.equal(code, 0, 'the server drains and ends well');
});

test('a first encrypted message takes two steps and few seconds from opening a link', async () => {
  rani = await Person.open(browser, server.origin());
  await rani.signUp('Rani');
  const link = await rani.link();

  const started = Date.now();
  const path = new URL(link).hash;
  budi = await Person.open(browser, server.origin('dua'), { path: `/${path}` });
  await budi.page.getByText('Rani ingin mengobrol dengan Anda.').waitFor();
  // First step: a name. Second step: the message.
  await budi.page.getByLabel(budi.t.question).fill('Budi');
  await budi.page.keyboard.press('Enter');
  await budi.page.getByRole('heading', { name: 'Rani', exact: true }).waitFor();
  await budi.say('Halo Rani, ini Budi');
  await budi.seesState('Halo Rani, ini Budi', budi.t.delivered, FIRST_MESSAGE_MS);
  const took = Date.now() - started;
  console.log(`# first encrypted message after ${took} ms and 2 interactions`);
  assert.ok(took <= FIRST_MESSAGE_MS, `took ${took} ms`);
});

test("a stranger's first message is a request that answering accepts", async () => {
  await rani.go('/');
  await rani.page.getByText(rani.t.request).waitFor();
  await budi.say('lihat https://contoh.example/x');
  await rani.openChatFromList('Budi');
  await rani.sees('Halo Rani, ini Budi');
  await rani.sees('lihat https://contoh.example/x');
  assert.equal(await rani.message('contoh.example').getByRole('link').count(), 0, 'no links before an answer');
  await rani.say('Halo Budi, apa kabar?');
  await budi.sees('Halo Budi, apa kabar?');
  await rani.message('contoh.example').getByRole('link').waitFor();
  assert.equal(await rani.page.getByText(rani.t.request).count(), 0);
});

test('the dot of a message goes from sent over delivered to read', async () => {
  await rani.go('/');
  await budi.say('Kamu di mana?');
  await budi.seesState('Kamu di mana?', budi.t.delivered);
  await rani.page.getByText(rani.t.unread(1)).waitFor();
  assert.match(await rani.page.title(), /^\(1\)/);
  await rani.openChatFromList('Budi');
  await budi.seesState('Kamu di mana?', budi.t.read);
  await rani.page.waitForFunction(() => !document.title.startsWith('('));
});

test('typing shows on the other side, and goes away', async () => {
  await budi.composer.pressSequentially('Sebentar lagi', { delay: 30 });
  await rani.page.getByRole('main').getByText(rani.t.typing).first().waitFor();
  await budi.composer.press('Enter');
  await rani.sees('Sebentar lagi');
  await rani.page.getByRole('main').getByText(rani.t.typing).first().waitFor({ state: 'detached' });
});

test('an answer quotes what it answers', async () => {
  const message = rani.message('Kamu di mana\\?'.replace('\\', '')).first();
  await message.hover();
  await message.getByRole('button', { name: rani.t.reply }).click();
  await rani.say('Di stasiun');
  await budi.sees('Di stasiun');
  await budi.message('Di stasiun').locator('blockquote').getByText('Kamu di mana?').waitFor();
});

test('a reload keeps everything, a draft too', async () => {
  await rani.composer.fill('belum selesai');
  await rani.page.waitForTimeout(800);
  await rani.page.reload();
  await rani.sees('Di stasiun');
  await rani.sees('Halo Rani, ini Budi');
  assert.equal(await rani.composer.inputValue(), 'belum selesai');
  await rani.composer.fill('');
  await budi.say('Masih di sana?');
  await rani.sees('Masih di sana?');
});

test('offline, messages wait here and go out by themselves', async () => {
  await rani.context.setOffline(true);
  await rani.page.getByRole('navigation').getByText(/Luring/).waitFor();
  await rani.say('Ditulis tanpa jaringan');
  await rani.seesState('Ditulis tanpa jaringan', rani.t.queued);
  await budi.say('Kamu hilang?');
  await budi.seesState('Kamu hilang?', budi.t.sent);
  await rani.context.setOffline(false);
  await rani.seesState('Ditulis tanpa jaringan', rani.t.read, 30_000);
  await budi.sees('Ditulis tanpa jaringan');
  await rani.sees('Kamu hilang?');
});

test('the app opens without a network and takes text', async () => {
  await rani.page.evaluate(() => navigator.serviceWorker.ready);
  await rani.context.setOffline(true);
  await rani.page.reload();
  await rani.sees('Kamu hilang?');
  await rani.say('Dari kereta');
  await rani.seesState('Dari kereta', rani.t.queued);
  await rani.context.setOffline(false);
  await budi.sees('Dari kereta', 30_000);
});

test('a second tab asks before it takes over', async () => {
  const second = await rani.context.newPage();
  await second.goto(rani.page.url());
  await second.getByRole('heading', { name: rani.t.elsewhere }).waitFor();
  await second.getByRole('button', { name: rani.t.useHere }).click();
  await second.getByRole('article', { name: /Dari kereta/ }).waitFor();
  await rani.page.getByRole('heading', { name: rani.t.elsewhere }).waitFor();
  await second.close();
  await rani.sees('Dari kereta');
  await rani.say('Kembali ke tab pertama');
  await budi.sees('Kembali ke tab pertama');
});

test('everything that matters works from the keyboard alone', async () => {
  const { page } = budi;
  await budi.go('/');
  await page.getByRole('navigation').getByRole('link', { name: /Rani/ }).focus();
  await page.keyboard.press('Enter');
  await budi.composer.waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
  await page.keyboard.type('Satu');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('dua');
  await page.keyboard.press('Enter');
  // A label has no lines.
  await rani.sees('Satu dua');
  assert.match(await rani.message('Satu dua').locator('.text').innerText(), /^Satu\ndua/);
  // Back from the composer to the messages, and up through them.
  await page.keyboard.press('Shift+Tab');
  while (!(await page.evaluate(() => document.activeElement?.closest('article')))) await page.keyboard.press('Shift+Tab');
  const label = () => page.evaluate(() => document.activeElement?.closest('article')?.getAttribute('aria-label'));
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Kembali ke tab pertama'));
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('dua'));
  assert.match(await label(), /Satu/);
});

test('both see the same safety number', async () => {
  const numbers = [];
  for (const person of [rani, budi]) {
    await person.page.getByRole('link', { name: /Rincian/ }).click();
    const digits = person.page.getByRole('list', { name: person.t.safety }).getByRole('listitem');
    await digits.first().waitFor();
    numbers.push((await digits.allTextContents()).join(''));
    await person.page.keyboard.press('Escape');
  }
  assert.match(numbers[0], /^\d{60}$/);
  assert.equal(numbers[0], numbers[1]);
});

test('the server holds ciphertext only', async () => {
  const secret = `rahasia-${Date.now()}`;
  await budi.say(secret);
  await rani.sees(secret);
  await budi.page.getByRole('link', { name: /Rincian/ }).click();
  await budi.page.getByRole('button', { name: budi.t.serverSaw }).click();
  const pair = budi.page.locator('.pair').filter({ hasText: secret });
  await pair.first().waitFor();
  assert.match(await pair.first().locator('.hex').textContent(), /^[0-9a-f]{100,}/);
  await budi.page.keyboard.press('Escape');

  const hex = Buffer.from(secret).toString('hex');
  for (const entry of readdirSync(server.data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = readFileSync(join(entry.parentPath, entry.name));
    assert.ok(!content.includes(secret) && !content.includes(hex), `${entry.name} holds the text`);
  }
  assert.ok(!server.log().includes(secret), 'the log holds the text');
});

test('a username can be chosen, is unique, and finds its owner', async () => {
  await setUsername(rani, 'rani.k');
  await rani.page.getByText('@rani.k').first().waitFor();
  await budi.go('/settings');
  await setUsername(budi, 'rani.k');
  await budi.page.getByText(budi.t.usernameTaken).waitFor();
  const citra = await Person.open(browser, server.origin('tiga'), { path: '/#/u/rani.k' });
  await citra.page.getByLabel(citra.t.question).fill('Citra');
  await citra.page.keyboard.press('Enter');
  await citra.say('Salam dari Citra');
  await citra.seesState('Salam dari Citra', citra.t.delivered);
  // Taken without a word: from now on Citra hears that it was read.
  await rani.openChatFromList('Citra');
  await rani.page.getByRole('button', { name: 'Terima', exact: true }).click();
  await citra.seesState('Salam dari Citra', citra.t.read);
  citra.calm();
  await citra.close();
});

async function setUsername(person, username) {
  await person.go('/settings');
  await person.page.getByRole('button', { name: `${person.t.change}: ${person.t.username}` }).click();
  await person.page.getByLabel(person.t.username, { exact: true }).fill(username);
  await person.page.getByRole('button', { name: person.t.save }).click();
}

test('a phone number is confirmed with a code', async () => {
  const { page, t } = rani;
  await rani.go('/settings');
  await page.getByRole('button', { name: `${t.change}: ${t.phone}` }).click();
  await page.getByLabel(t.phoneNumber).fill('+62 812 3456 7890');
  await page.getByRole('button', { name: t.phoneSend }).click();
  const shown = page.getByText(/kode Anda \d{6}/);
  await shown.waitFor();
  const code = /\d{6}/.exec(await shown.textContent())[0];
  await page.getByLabel(/Kode untuk/).fill(code);
  await page.getByRole('button', { name: t.phoneConfirm }).click();
  await page.getByText('+6281234567890').waitFor();
});

test('nothing was said in the console', () => {
  // The browser itself reports every failed connection of the offline tests; that is not ours to hush.
  const ours = (complaint) => !/WebSocket connection|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(complaint);
  assert.deepEqual([...rani.complaints, ...budi.complaints].filter(ours), []);
});
