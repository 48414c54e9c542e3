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
