// The list kept in order, on a desk and on a phone: pinned, put away, marked, muted, and a text begun that outlives a reload; and messages found.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { meet, three } from './lib/pair.mjs';
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
  await meet(citra, budi, 'Citra');
  for (const person of [ani, budi]) await person.go('/');
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

const rows = ({ page }) => page.locator('a[data-chat]:has(.name)');
const row = (person, name) => rows(person).filter({ hasText: name });
const item = ({ page }, name) => page.getByRole('menuitem', { name, exact: true });
const order = async (person, ...names) => {
  await assert.doesNotReject(
    person.page.waitForFunction(
      (wanted) => [...document.querySelectorAll('a[data-chat] .name')].map((name) => name.textContent).join() === wanted,
      names.join(),
    ),
    names.join(),
  );
};

async function choose(person, name, ...items) {
  await row(person, name).click({ button: 'right' });
  for (const each of items) await item(person, each).click();
}

test('a pinned chat is above all others', async () => {
  await order(ani, 'Citra Dewi', 'Budi Santoso');
  await row(ani, 'Budi').click({ button: 'right' });
  await item(ani, 'Sematkan').waitFor();
  await look(ani, 'organise-menu-light-id');
  await item(ani, 'Sematkan').click();
  await order(ani, 'Budi Santoso', 'Citra Dewi');
  await row(ani, 'Budi').getByText('disematkan').waitFor({ state: 'attached' });
  await ani.page.reload();
  await order(ani, 'Budi Santoso', 'Citra Dewi');
  await look(ani, 'organise-pinned-light-id');
  await choose(ani, 'Budi', 'Lepas sematan');
  await order(ani, 'Citra Dewi', 'Budi Santoso');
});

test('by keyboard, too', async () => {
  await row(ani, 'Citra').focus();
  await ani.page.keyboard.press('Tab');
  const more = ani.page.getByRole('button', { name: 'Lainnya untuk Citra Dewi' });
  assert.equal(await more.evaluate((button) => button === document.activeElement), true);
  await ani.page.keyboard.press('Enter');
  await item(ani, 'Sematkan').waitFor();
  await ani.page.keyboard.press('Escape');
  await item(ani, 'Sematkan').waitFor({ state: 'detached' });
});

test('a chat that was put away stays away when a message comes', async () => {
  await row(budi, 'Citra').waitFor();
  await row(budi, 'Citra').dispatchEvent('contextmenu');
  await item(budi, 'Archive').waitFor();
  await look(budi, 'organise-menu-phone-dark-en');
  await item(budi, 'Archive').click();
  await order(budi, 'Ani Lestari');
  await budi.page.waitForFunction(() => document.activeElement?.textContent === 'Chats');
  await citra.openChatFromList('Budi');
  await citra.say('Masih di sana?');
  await citra.seesState('Masih di sana?', 'sampai');
  await order(budi, 'Ani Lestari');
  assert.equal(await budi.page.title(), 'Kabar', 'it is not counted');
  await look(budi, 'organise-away-phone-dark-en');
  await budi.page.getByRole('link', { name: 'Archived 1' }).click();
  await row(budi, 'Citra').getByText('1 unread message').waitFor({ state: 'attached' });
  await look(budi, 'organise-archive-phone-dark-en');
  await row(budi, 'Citra').click();
  await budi.sees('Masih di sana?');
  await budi.page.goBack();
  await row(budi, 'Citra').dispatchEvent('contextmenu');
  await item(budi, 'Take out of the archive').click();
  await budi.page.getByText('No chat is archived.').waitFor();
  await look(budi, 'organise-archive-empty-phone-dark-en');
  await budi.page.getByRole('link', { name: 'Back' }).first().click();
  await order(budi, 'Citra Dewi', 'Ani Lestari');
});

test('a chat is marked as unread until it is opened', async () => {
  await choose(ani, 'Citra', 'Tandai belum dibaca');
  await row(ani, 'Citra').getByText('ditandai belum dibaca').waitFor({ state: 'attached' });
  await ani.page.reload();
  await row(ani, 'Citra').getByText('ditandai belum dibaca').waitFor({ state: 'attached' });
  await look(ani, 'organise-marked-light-id');
  await row(ani, 'Citra').click();
  await row(ani, 'Citra').getByText('ditandai belum dibaca').waitFor({ state: 'detached' });
  // An open one is left, or it would be read again at once.
  await choose(ani, 'Citra', 'Tandai belum dibaca');
  await ani.page.getByRole('heading', { name: 'Pilih obrolan' }).waitFor();
  await row(ani, 'Citra').getByText('ditandai belum dibaca').waitFor({ state: 'attached' });
  await choose(ani, 'Citra', 'Tandai sudah dibaca');
  await row(ani, 'Citra').getByText('ditandai belum dibaca').waitFor({ state: 'detached' });
});

test('a chat is muted from the list', async () => {
  await choose(ani, 'Citra', 'Bisukan', 'Selama 8 jam');
  await row(ani, 'Citra').getByText('dibisukan').waitFor({ state: 'attached' });
  await choose(ani, 'Citra', 'Bunyikan lagi');
  await row(ani, 'Citra').getByText('dibisukan').waitFor({ state: 'detached' });
});

test('a text that was begun is there after a reload, until it is sent', async () => {
  await ani.openChatFromList('Budi');
  await ani.composer.fill('Nanti sore');
  await ani.page.waitForTimeout(800);
  await ani.go('/');
  await row(ani, 'Budi').getByText('Draf:').waitFor();
  await ani.page.reload();
  await row(ani, 'Budi').getByText('Draf: Nanti sore').or(row(ani, 'Budi').getByText('Nanti sore')).first().waitFor();
  await look(ani, 'organise-draft-light-id');
  await ani.openChatFromList('Budi');
  assert.equal(await ani.composer.inputValue(), 'Nanti sore');
  await ani.composer.press('Enter');
  await ani.sees('Nanti sore');
  await ani.page.waitForTimeout(800);
  await ani.page.reload();
  await ani.composer.waitFor();
  assert.equal(await ani.composer.inputValue(), '');
  await ani.go('/');
  await row(ani, 'Budi').getByText('Draf:').waitFor({ state: 'detached' });
});

test('a message is found by its words, and jumped to', async () => {
  await ani.openChatFromList('Citra');
  await ani.say('Jangan lupa café Méliès, Sabtu sore');
  for (let n = 1; n <= 30; n += 1) await ani.say(`Pesan nomor ${n}`);
  await ani.seesState('Pesan nomor 30', 'sampai');
  await ani.page.reload();
  await ani.go('/');
  const field = ani.page.getByRole('searchbox', { name: 'Cari' });
  await field.fill('sore cafe');
  const results = ani.page.getByRole('region', { name: 'Pesan' });
  await results.getByRole('link').filter({ hasText: 'Citra Dewi' }).waitFor();
  assert.deepEqual(await results.locator('mark').allTextContents(), ['café', 'sore']);
  await look(ani, 'organise-found-light-id');
  await results.getByRole('link').click();
  const found = ani.message('Jangan lupa café');
  await found.waitFor();
  await ani.page.waitForFunction((text) => document.activeElement?.textContent?.includes(text), 'Jangan lupa');
  await look(ani, 'organise-jumped-light-id');
  await field.fill('tidakadaini');
  await results.getByText('Tidak ada pesan dengan “tidakadaini” di perangkat ini.').waitFor();
  await field.fill('');
  await results.waitFor({ state: 'detached' });
  await budi.page.getByRole('searchbox', { name: 'Search' }).fill('mas');
  await budi.page.getByRole('region', { name: 'Messages' }).getByRole('link').waitFor();
  await look(budi, 'organise-found-phone-dark-en');
});

test('nobody heard a complaint', () => {
  for (const person of [ani, budi, citra]) person.calm();
});
