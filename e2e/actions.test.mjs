// What people do to messages, and invitations: between two browsers, and with somebody at a terminal.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';
import { Terminal } from './lib/terminal.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let server;
let browser;
let rani;
let budi;

before(async () => {
  server = await startServer();
  browser = await launch();
  rani = await Person.open(browser, server.origin());
  await rani.signUp('Rani');
  budi = await Person.open(browser, server.origin('dua'), { colorScheme: 'dark' });
  await budi.signUp('Budi');
  await budi.openChatWith(await rani.link());
  await budi.say('Sudah sampai?');
  await rani.go('/');
  await rani.openChatFromList('Budi');
  await rani.say('Belum, macet di tol');
  await budi.sees('Belum, macet di tol');
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

const dialog = (person, name) => person.page.getByRole('dialog', { name });
const item = (person, name) => person.page.getByRole('menuitem', { name, exact: true });

/** By the button that appears beside the message. */
async function openMenu(person, text) {
  const message = person.message(text).last();
  await message.hover();
  await message.getByRole('button', { name: 'Lainnya untuk pesan ini' }).click();
  await person.page.getByRole('menu').waitFor();
}

async function choose(person, text, name) {
  await openMenu(person, text);
  await item(person, name).click();
}

/** The message on the other side, once its label says so. */
function labelled(person, pattern) {
  return person.page.getByRole('article', { name: pattern }).waitFor();
}

test('a reaction shows on both sides, changes, and is taken back by a tap', async () => {
  await openMenu(budi, 'Belum, macet');
  await look(budi, 'actions-menu-dark');
  await budi.page.getByRole('menuitemcheckbox', { name: 'Tanggapi dengan 😮' }).click();
  const chip = (person) => person.message('Belum, macet').getByRole('button', { name: /^😮 dari/ });
  await chip(rani).waitFor();
  assert.equal(await chip(rani).getAttribute('title'), '😮 dari Budi');
  await labelled(rani, /Belum, macet di tol, 😮 Budi, /);
  // In the list it is the latest news.
  await rani.page.getByRole('navigation').getByText('Budi menanggapi 😮 pada “Belum, macet di tol”').waitFor();

  await chip(rani).click();
  await budi.message('Belum, macet').getByRole('button', { name: '😮 dari Anda, Rani' }).waitFor();
  await look(budi, 'actions-reactions-dark');
  await chip(budi).click();
  await rani.message('Belum, macet').getByRole('button', { name: '😮 dari Anda' }).waitFor();
  await chip(rani).click();
  await chip(budi).waitFor({ state: 'detached' });
});

test('any emoji can be found by a word, in a few keys', async () => {
  await openMenu(rani, 'Sudah sampai');
  await rani.page.getByRole('menuitem', { name: 'Emoji lain' }).click();
  const panel = dialog(rani, 'Beri tanggapan');
  await panel.getByRole('button', { name: /^👍/ }).waitFor();
  await look(rani, 'actions-emoji-light');
  await panel.getByRole('searchbox').fill('kereta');
  await rani.page.keyboard.press('Enter');
  await budi.message('Sudah sampai').getByRole('button', { name: '🚆 dari Rani' }).waitFor();
});

test('an answer quotes, and the quote leads back to what it answers, however old', async () => {
  for (let i = 1; i <= 70; i += 1) await rani.say(`Pesan nomor ${i}`);
  await choose(rani, 'Pesan nomor 70', 'Balas');
  await rani.page.getByText('Membalas Anda').waitFor();
  await rani.page.keyboard.press('Escape');
  await rani.page.getByText('Membalas Anda').waitFor({ state: 'detached' });

  await budi.sees('Pesan nomor 70', 60_000);
  await rani.page.reload();
  await rani.sees('Pesan nomor 70');
  const oldest = budi.message('Sudah sampai').first();
  await budi.page.getByRole('feed').press('Home').catch(() => undefined);
  await budi.page.locator('article').last().focus();
  while ((await oldest.count()) === 0) {
    await budi.page.keyboard.press('Home');
    await budi.page.waitForTimeout(200);
  }
  await oldest.focus();
  await choose(budi, 'Belum, macet di tol', 'Balas');
  await budi.say('Lewat jalan biasa saja');
  await rani.sees('Lewat jalan biasa saja');
  const quote = rani.message('Lewat jalan biasa').locator('blockquote');
  await quote.getByText('Belum, macet di tol').waitFor();
  await look(rani, 'actions-quote-light');
  await quote.getByRole('button').click();
  await rani.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Belum, macet di tol'));
  await rani.page.locator('article.marked').waitFor();
  await look(rani, 'actions-jumped-light');
  await rani.page.locator('article.marked').waitFor({ state: 'detached' });
});

test('an edited message is marked on the other side, and its versions can be read', async () => {
  await rani.page.getByRole('button', { name: /terbaru/ }).click();
  await rani.say('Sampai jam tujuh');
  await rani.composer.fill('setengah tertulis');
  await choose(rani, 'Sampai jam tujuh', 'Sunting');
  assert.equal(await rani.composer.inputValue(), 'Sampai jam tujuh');
  await look(rani, 'actions-editing-light');
  await rani.page.keyboard.press('Escape');
  assert.equal(await rani.composer.inputValue(), 'setengah tertulis');
  await choose(rani, 'Sampai jam tujuh', 'Sunting');
  await rani.composer.fill('Sampai jam delapan');
  await rani.page.getByRole('button', { name: 'Simpan', exact: true }).click();
  await labelled(budi, /Rani, Sampai jam delapan, disunting, /);
  assert.equal(await rani.composer.inputValue(), 'setengah tertulis');
  await rani.composer.fill('');

  await choose(budi, 'Sampai jam delapan', 'Versi sebelumnya');
  const versions = dialog(budi, 'Versi sebelumnya');
  assert.deepEqual(await versions.locator('li p').allTextContents(), ['Sampai jam delapan', 'Sampai jam tujuh']);
  await look(budi, 'actions-versions-dark');
  await budi.page.keyboard.press('Escape');
  // Nobody edits what others wrote.
  await openMenu(budi, 'Sampai jam delapan');
  assert.equal(await item(budi, 'Sunting').count(), 0);
  assert.equal(await item(budi, 'Hapus untuk semua').count(), 0);
  await budi.page.keyboard.press('Escape');
});

test('a deleted message is gone for both, and says so', async () => {
  await rani.say('Salah kirim, maaf');
  await budi.sees('Salah kirim, maaf');
  await choose(rani, 'Salah kirim', 'Hapus untuk semua');
  const asks = dialog(rani, 'Hapus untuk semua?');
  await look(rani, 'actions-delete-light');
  await asks.getByRole('button', { name: 'Batal', exact: true }).click();
  assert.equal(await rani.message('Salah kirim').count(), 1);
  await choose(rani, 'Salah kirim', 'Hapus untuk semua');
  await asks.getByRole('button', { name: 'Hapus', exact: true }).click();
  await labelled(rani, /Anda menghapus pesan ini/);
  await labelled(budi, /Rani, Pesan dihapus/);
  assert.equal(await budi.page.getByText('Salah kirim').count(), 0);
  await budi.page.getByRole('navigation').getByText('Pesan dihapus').waitFor();
  await look(rani, 'actions-deleted-light');
});

test('from the keyboard alone: to a message, its menu, a reaction, and back to the message', async () => {
  const { page } = rani;
  await rani.composer.focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
  do await page.keyboard.press('Shift+Tab');
  while (!(await page.evaluate(() => document.activeElement?.matches('article'))));
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Sampai jam delapan'));
  await page.keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  assert.equal(await focused(), 'Tanggapi dengan 👍');
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), 'Balas');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement?.matches('article'));
  assert.match(await focused(), /Sampai jam delapan/);
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await budi.message('Sampai jam delapan').getByRole('button', { name: '❤️ dari Rani' }).waitFor();
  await page.waitForFunction(() => document.activeElement?.matches('article'));
});

test('nothing was said in the console', () => {
  for (const person of [rani, budi]) person.calm();
});
