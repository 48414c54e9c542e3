// What one lets others see, and from whom one wants to hear: who is there, receipts, requests, blocking; lists and pictures of one's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { meet, three } from './lib/pair.mjs';
import { closed, dialog, item } from './lib/panel.mjs';
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

/** A setting was stored. */
const saved = ({ page }) => page.getByText(/^(Tersimpan|Saved)$/).waitFor();

test('read receipts are given and taken, or neither', async () => {
  await budi.go('/settings');
  await budi.page.getByRole('link', { name: /^Privacy/ }).click();
  await budi.page.getByRole('heading', { name: 'Privacy' }).waitFor();
  await budi.page.getByText('You have blocked nobody.').waitFor();
  await look(budi, 'privacy-settings-phone-dark-en');
  const receipts = budi.page.getByRole('switch', { name: /^Read receipts/ });
  assert.equal(await receipts.isChecked(), true);
  await receipts.click();
  await saved(budi);
  await budi.page.reload();
  await receipts.waitFor();
  assert.equal(await receipts.isChecked(), false);
  await budi.page.getByRole('button', { name: 'Back' }).click();
  await budi.page.getByRole('heading', { name: 'Settings' }).waitFor();
  await budi.go('/');
  await budi.openChatFromList('Ani');
  await ani.say('Sudah dibaca belum?');
  await budi.sees('Sudah dibaca belum?');
  await budi.say('Perhaps');
  await ani.sees('Perhaps');
  await budi.seesState('Perhaps', 'delivered');
  await ani.page.waitForTimeout(2500);
  await ani.seesState('Sudah dibaca belum?', 'sampai');
  await budi.seesState('Perhaps', 'delivered');
  await budi.go('/privacy');
  await receipts.click();
  await saved(budi);
  await budi.go('/');
  await budi.openChatFromList('Ani');
  await ani.say('Dan sekarang?');
  await ani.seesState('Dan sekarang?', 'dibaca');
});

test('whoever keeps to himself when he is there is not told either', async () => {
  await ani.go('/privacy');
  await ani.page.getByText('Orang yang mengobrol dengan Anda').waitFor();
  await look(ani, 'privacy-settings-light-id');
  await ani.page.getByRole('radio', { name: 'Tidak ada' }).check({ force: true });
  await ani.page.getByText('Tidak ada yang melihatnya').waitFor();
  await saved(ani);
  await ani.page.reload();
  await ani.go('/');
  await ani.openChatFromList('Budi');
  await header(ani).getByText('Terenkripsi').waitFor();
  await ani.page.waitForTimeout(1500);
  assert.equal(await header(ani).getByText(/daring|terlihat/).count(), 0);
  assert.equal(await light(ani).count(), 0);
  await ani.go('/privacy');
  await ani.page.getByRole('radio', { name: 'Kontak' }).check({ force: true });
  await saved(ani);
  await ani.go('/');
  await ani.openChatFromList('Budi');
  await header(ani).getByText('daring', { exact: true }).waitFor();
});

const typed = ({ page }) => page.getByRole('main').getByText('typing…');

test('typing that is kept to oneself is not seen', async () => {
  await ani.go('/privacy');
  await ani.page.getByRole('switch', { name: /^Mengetik/ }).click();
  await saved(ani);
  await ani.go('/');
  await ani.openChatFromList('Budi');
  await ani.composer.pressSequentially('halo', { delay: 40 });
  await budi.page.waitForTimeout(1500);
  assert.equal(await typed(budi).count(), 0);
  await ani.composer.fill('');
  await ani.go('/privacy');
  await ani.page.getByRole('switch', { name: /^Mengetik/ }).click();
  await saved(ani);
  await ani.go('/');
  await ani.openChatFromList('Budi');
  await ani.composer.pressSequentially('halo', { delay: 40 });
  await typed(budi).first().waitFor();
  await ani.composer.fill('');
});

test('a setting that cannot be stored says so, and stands as it was', async () => {
  await ani.go('/privacy');
  const typing = ani.page.getByRole('switch', { name: /^Mengetik/ });
  await typing.waitFor();
  // The worker hears of every wish by a message: this one comes broken.
  await ani.page.evaluate(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      const wish = message.command?.type === 'set_privacy' && 'typing' in message.command;
      return post.call(this, wish ? { ...message, command: { type: 'set_privacy', timer_s: 5 } } : message, ...rest);
    };
    globalThis.mend = () => (Worker.prototype.postMessage = post);
  });
  await typing.click();
  await ani.page.getByRole('alert').filter({ hasText: /timer_s/ }).waitFor();
  assert.equal(await typing.isChecked(), true);
  await ani.page.evaluate(() => globalThis.mend());
});

const row = ({ page }, name) => page.locator('a[data-chat]:has(.name)').filter({ hasText: name });
const details = async (person) => {
  await person.page.locator('header a[href$="/details"]:not([aria-hidden])').click();
  return dialog(person, /^(Rincian|Details)/);
};

test('somebody is blocked from the details, and does not learn it', async () => {
  await meet(citra, budi, 'Citra');
  const sheet = await details(budi);
  await sheet.getByRole('button', { name: 'Block Citra Dewi' }).click();
  const asks = dialog(budi, 'Block Citra Dewi?');
  await asks.getByText('They do not learn it.').waitFor();
  await look(budi, 'privacy-block-phone-dark-en');
  await asks.getByRole('button', { name: 'Block', exact: true }).click();
  await sheet.getByRole('button', { name: 'Unblock Citra Dewi' }).waitFor();
  await sheet.getByRole('button', { name: 'Close' }).click();
  await closed(budi);
  await budi.page.getByText('You have blocked Citra Dewi.').waitFor();
  assert.equal(await budi.composer.count(), 0);
  assert.equal(await header(budi).getByText(/online|last seen/).count(), 0);
  await look(budi, 'privacy-blocked-phone-dark-en');
  await citra.say('Kenapa diam saja?');
  await citra.seesState('Kenapa diam saja?', 'terkirim');
  await citra.page.waitForTimeout(2000);
  await citra.seesState('Kenapa diam saja?', 'terkirim');
  assert.equal(await budi.message('Kenapa diam saja?').count(), 0);
  await budi.go('/');
  await row(budi, 'Citra').getByText('blocked').waitFor({ state: 'attached' });
  assert.equal(await budi.page.title(), 'Kabar');
  await look(budi, 'privacy-blocked-list-phone-dark-en');
});

test('a message of somebody who is blocked offers nothing that would be refused', async () => {
  await row(budi, 'Citra').click();
  const halo = budi.message('Citra Dewi, Halo');
  await halo.focus();
  await budi.page.keyboard.press('Enter');
  await item(budi, 'Copy').waitFor();
  assert.equal(await item(budi, 'Reply').count(), 0);
  assert.equal(await budi.page.getByRole('menuitemcheckbox').count(), 0);
  await budi.page.keyboard.press('Escape');
});

test('the settings know who is blocked, and take it back', async () => {
  await budi.go('/privacy');
  const list = budi.page.getByRole('list', { name: 'Blocked' });
  await list.getByText('Citra Dewi').waitFor();
  await look(budi, 'privacy-settings-blocked-phone-dark-en');
  await list.getByRole('button', { name: 'Unblock Citra Dewi' }).click();
  await budi.page.getByText('You have blocked nobody.').waitFor();
  await budi.page.waitForFunction(() => document.activeElement?.id === 'blocked');
  await citra.say('Halo lagi');
  await citra.seesState('Halo lagi', 'sampai');
  await budi.go('/');
  await budi.openChatFromList('Citra');
  await budi.sees('Halo lagi');
  assert.equal(await budi.message('Kenapa diam saja?').count(), 0, 'what was dropped does not come back');
});

test('what was blocked is unblocked where one would have written', async () => {
  await ani.go('/');
  await ani.openChatFromList('Budi');
  const sheet = await details(ani);
  await sheet.getByRole('button', { name: 'Blokir Budi Santoso' }).click();
  const asks = dialog(ani, 'Blokir Budi Santoso?');
  await look(ani, 'privacy-block-light-id');
  await asks.getByRole('button', { name: 'Batal' }).click();
  await closed(ani, 1);
  await ani.page.keyboard.press('Escape');
  await closed(ani);
  // Going back takes a moment: the next address must not overtake it.
  await ani.page.waitForURL((url) => !url.hash.endsWith('/details'));
  assert.equal(await ani.page.getByText('Anda memblokir').count(), 0);
  await details(ani);
  await sheet.getByRole('button', { name: 'Blokir Budi Santoso' }).click();
  await asks.getByRole('button', { name: 'Blokir', exact: true }).click();
  await sheet.getByRole('button', { name: 'Buka blokir Budi Santoso' }).waitFor();
  await ani.page.keyboard.press('Escape');
  await closed(ani);
  await look(ani, 'privacy-blocked-light-id');
  await ani.page.getByRole('button', { name: 'Buka blokir', exact: true }).click();
  await ani.composer.waitFor();
  await ani.say('Maaf, salah tekan');
  await budi.go('/');
  await budi.openChatFromList('Ani');
  await budi.sees('Maaf, salah tekan');
});

test('nobody heard a complaint', () => {
  for (const person of [budi, citra]) person.calm();
});
