// The door: who may come in, and from where. Invitations, a closed server, and an address that cannot be safe.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertAccessible } from './lib/axe.mjs';
import { launch } from './lib/browser.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

let browser;

before(async () => {
  // Stands for a name in the local network, which no browser takes for secure.
  browser = await launch('--host-resolver-rules=MAP kabar.test 127.0.0.1');
});

after(() => browser?.close());

describe('by invitation', () => {
  let server;
  before(async () => {
    server = await startServer({ KABAR__REGISTRATION__MODE: 'invite' });
  });
  after(() => server?.stop());

  test('a code is asked for, a wrong one is refused, a right one lets in', async () => {
    const { code } = server.admin('invite', 'create');
    const guest = await Person.open(browser, server.origin());
    const { page } = guest;
    await page.getByLabel('Kode undangan').fill('SALAH-KODE');
    await page.getByLabel(guest.t.question).fill('Tamu');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Kode undangan itu tidak berlaku').waitFor();
    await assertAccessible(page, 'a refused invitation');
    await page.getByLabel('Kode undangan').fill(code);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: guest.t.chats }).waitFor();
    await guest.close();
  });

  test('a link carries the code', async () => {
    const { code } = server.admin('invite', 'create');
    const guest = await Person.open(browser, server.origin('dua'), { path: `/#/join/${code}` });
    await guest.signUp('Tamu Kedua');
    guest.calm();
    await guest.close();
  });
});

test('a closed server says so', async () => {
  const server = await startServer({ KABAR__REGISTRATION__MODE: 'closed' });
  const guest = await Person.open(browser, server.origin());
  await guest.page.getByRole('heading', { name: 'Server ini tidak menerima orang baru' }).waitFor();
  await assertAccessible(guest.page, 'a closed server');
  await guest.close();
  await server.stop();
});

test('an address that is not secure explains itself', async () => {
  const server = await startServer();
  const guest = await Person.open(browser, `http://kabar.test:${server.port}`);
  await guest.page.getByRole('heading', { name: 'Alamat ini tidak aman' }).waitFor();
  assert.equal(await guest.page.getByRole('link').getAttribute('href'), `http://localhost:${server.port}/`);
  await assertAccessible(guest.page, 'an insecure address');
  await guest.close();
  await server.stop();
});

describe('the language', () => {
  let server;
  const words = (language) => new RegExp(`/assets/${language}-[^/]*\\.js$`);
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());

  test('is that of the browser until another is chosen, and only its words are fetched', async () => {
    const guest = await Person.open(browser, 'about:blank', { path: '', language: 'en', serviceWorkers: 'block' });
    const { page } = guest;
    const fetched = [];
    page.on('request', (request) => fetched.push(request.url()));
    await page.goto(server.origin());
    await page.getByText(guest.t.question).waitFor();
    assert.equal(fetched.filter((url) => words('en').test(url)).length, 1);
    assert.equal(fetched.filter((url) => words('id').test(url)).length, 0);
    const [asked, code] = [words('en'), /\/assets\/index-[^/]*\.js$/].map((file) => fetched.findIndex((url) => file.test(url)));
    assert.ok(Math.abs(asked - code) <= 3, `the words are asked for beside the code: ${fetched}`);
    await page.getByRole('radio', { name: 'Bahasa Indonesia' }).check({ force: true });
    await page.getByText('Siapa nama Anda?').waitFor();
    await page.reload();
    await page.getByText('Siapa nama Anda?').waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'id');
    guest.calm();
    await guest.close();
  });

  test('is the other one where its words cannot be had; without any the page says so', async () => {
    const guest = await Person.open(browser, 'about:blank', { path: '', language: 'en', serviceWorkers: 'block' });
    const { page } = guest;
    await page.route(words('en'), (route) => route.abort());
    await page.goto(server.origin());
    await page.getByText('Siapa nama Anda?').waitFor();
    await page.route(words('id'), (route) => route.abort());
    await page.reload();
    await page.getByText('The app could not be loaded').waitFor();
    await assertAccessible(page, 'a page without words');
    await guest.close();
  });
});
