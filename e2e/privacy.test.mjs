// What one lets others see, and from whom one wants to hear: who is there, receipts, requests, blocking; lists and pictures of one's own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { meet, three } from './lib/pair.mjs';
import { Person } from './lib/person.mjs';
import { drawPicture } from './lib/picture.mjs';
import { closed, closePanel, dialog, item, openPanel, told } from './lib/panel.mjs';
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
  browser = await launch('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
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

/** A chat in the list, by its name alone. */
const row = ({ page }, name) => page.locator('a[data-chat]').filter({ has: page.locator('.name', { hasText: name }) });
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

/** Somebody whom Ani does not know. */
let eka;
/** Files that Ani's app has asked for. */
const fetched = [];
const tray = (person) => person.page.getByRole('link', { name: person.t.requests });

test('what strangers write stands apart, and is neither announced nor counted', async () => {
  await ani.go('/');
  const link = await ani.link();
  await ani.go('/');
  eka = await Person.open(browser, server.origin('empat'));
  await eka.context.grantPermissions(['microphone']);
  await eka.signUp('Eka Putri');
  await eka.openChatWith(link);
  await eka.say('Halo, lihat ini: https://hadiah.example/klik');
  await tray(ani).waitFor();
  await eka.say('Masih di sana?');
  await eka.seesState('Masih di sana?', 'sampai');
  assert.equal(await row(ani, 'Eka').count(), 0, 'not among the chats');
  assert.equal(await ani.page.title(), 'Kabar', 'not counted');
  assert.equal(await ani.page.getByRole('log').getByText('Eka').count(), 0, 'not read out');
  await look(ani, 'privacy-tray-light-id');
  await tray(ani).focus();
  await ani.page.keyboard.press('Enter');
  await ani.page.waitForFunction(() => document.activeElement?.textContent === 'Permintaan');
  await ani.page.getByText('Orang dan bisnis yang belum Anda jawab.').waitFor();
  await row(ani, 'Eka').waitFor();
  assert.equal(await row(ani, 'Budi').count(), 0);
  await look(ani, 'privacy-requests-light-id');
});

test('nothing of a stranger is fetched or can be followed before he is accepted', async () => {
  const jpeg = await drawPicture(eka.page, 1200, 800);
  await eka.page.locator('input[type=file]').setInputFiles([
    { name: 'kejutan.jpg', mimeType: 'image/jpeg', buffer: jpeg },
    { name: 'daftar.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') },
  ]);
  await eka.page.getByRole('dialog', { name: /^Kirim ke/ }).getByRole('button', { name: /^Kirim/ }).click();
  await eka.seesState('daftar.pdf', 'sampai');
  const record = await eka.page.getByRole('button', { name: 'Rekam pesan suara' }).boundingBox();
  await eka.page.mouse.move(record.x + 10, record.y + 10);
  await eka.page.mouse.down();
  await eka.page.waitForTimeout(2500);
  await eka.page.mouse.up();
  await eka.page.getByRole('article', { name: /Pesan suara 0:.*sampai$/ }).waitFor();

  ani.context.on('request', (request) => request.url().includes('/v1/media/') && fetched.push(request.url()));
  await row(ani, 'Eka').click();
  const main = ani.page.getByRole('main');
  await main.getByRole('article', { name: /Pesan suara/ }).waitFor();
  await ani.page.waitForTimeout(1500);
  assert.deepEqual(fetched, []);
  for (const what of ['a[href^="http"]', 'article img', 'article [role=slider]', 'article audio', 'article video'])
    assert.equal(await main.locator(what).count(), 0, what);
  assert.equal(await main.getByRole('button', { name: /kejutan|daftar|Putar/ }).count(), 0);
  await look(ani, 'privacy-request-light-id');
  await eka.page.waitForTimeout(500);
  await eka.seesState('Masih di sana?', 'sampai');
});

test('a stranger is blocked from his request, and leaves the tray', async () => {
  const main = ani.page.getByRole('main');
  await main.getByRole('button', { name: 'Blokir', exact: true }).click();
  await dialog(ani, 'Blokir Eka Putri?').getByRole('button', { name: 'Blokir', exact: true }).click();
  await main.getByText('Anda memblokir Eka Putri.').waitFor();
  await ani.page.waitForFunction(() => document.activeElement?.textContent.includes('Anda memblokir'));
  assert.equal(await ani.page.getByRole('button', { name: 'Terima', exact: true }).count(), 0);
  assert.equal(await tray(ani).count(), 0);
  assert.equal(await row(ani, 'Eka').count(), 0);
  await main.getByRole('button', { name: 'Buka blokir' }).click();
  await main.getByRole('button', { name: 'Terima', exact: true }).waitFor();
});

test('who was accepted is among the chats, with all there is', async () => {
  const main = ani.page.getByRole('main');
  await main.getByRole('button', { name: 'Terima', exact: true }).click();
  await main.locator('a[href="https://hadiah.example/klik"]').waitFor();
  await main.getByRole('button', { name: 'Buka kejutan.jpg' }).waitFor();
  assert.ok(fetched.length > 0, 'now it comes');
  await row(ani, 'Eka').waitFor();
  assert.equal(await tray(ani).count(), 0);
  await eka.seesState('Masih di sana?', 'dibaca');
  await ani.go('/requests');
  await ani.page.getByText('Tidak ada orang baru yang menulis kepada Anda.').waitFor();
  await look(ani, 'privacy-requests-none-light-id');
  await ani.go('/');
});

test('on a phone, too', async () => {
  const link = await budi.link();
  await budi.go('/');
  await eka.openChatWith(link);
  await eka.say('Hi, I am Eka');
  await tray(budi).waitFor();
  await look(budi, 'privacy-tray-phone-dark-en');
  await tray(budi).click();
  await row(budi, 'Eka').waitFor();
  await look(budi, 'privacy-requests-phone-dark-en');
  await row(budi, 'Eka').click();
  await budi.page.getByRole('button', { name: 'Block', exact: true }).waitFor();
  await look(budi, 'privacy-request-phone-dark-en');
  await budi.page.getByRole('button', { name: 'Accept' }).click();
  await budi.page.getByRole('button', { name: 'Back' }).first().click();
  await budi.page.getByText('Nobody new has written to you.').waitFor();
  await budi.page.getByRole('link', { name: 'Back' }).click();
  await row(budi, 'Eka').waitFor();
});

const chip = ({ page }, name) => page.getByRole('radio', { name, exact: true });
/** The names in the list, once they are these. */
const listed = ({ page }, ...names) =>
  page.waitForFunction(
    (wanted) => [...document.querySelectorAll('nav a[data-chat] .name')].map((name) => name.textContent).sort().join() === wanted,
    names.sort().join(),
  );
async function sort(person, name, to) {
  await row(person, name).dispatchEvent('contextmenu');
  await item(person, to).click();
  return dialog(person, new RegExp(`${name}`));
}

test('a chat is sorted under names of its own, which stand above the list', async () => {
  await ani.go('/');
  const sheet = await sort(ani, 'Budi', 'Masukkan ke daftar');
  const name = sheet.getByLabel('Daftar baru');
  assert.equal(await name.evaluate((input) => input === document.activeElement), true);
  await name.fill('x'.repeat(31));
  await sheet.getByText('Nama daftar paling banyak 30 huruf.').waitFor();
  await sheet.getByRole('button', { name: 'Simpan' }).click();
  await look(ani, 'privacy-lists-error-light-id');
  await name.fill('Arisan RT');
  await sheet.getByRole('button', { name: 'Simpan' }).click();
  await closed(ani);
  await ani.page.waitForFunction(() => document.activeElement?.textContent.includes('Budi'));
  await chip(ani, 'Arisan RT').waitFor();
  await chip(ani, 'Arisan RT').check({ force: true });
  await listed(ani, 'Budi Santoso');
  await look(ani, 'privacy-lists-light-id');
  await chip(ani, 'Semua').check({ force: true });
  const hers = await sort(ani, 'Citra', 'Masukkan ke daftar');
  await hers.getByRole('checkbox', { name: 'Arisan RT' }).check({ force: true });
  await hers.getByLabel('Daftar baru').fill('Kantor');
  await look(ani, 'privacy-lists-sheet-light-id');
  await ani.page.keyboard.press('Enter');
  await closed(ani);
  await ani.page.reload();
  await chip(ani, 'Kantor').check({ force: true });
  await listed(ani, 'Citra Dewi');
  await chip(ani, 'Arisan RT').check({ force: true });
  await listed(ani, 'Budi Santoso', 'Citra Dewi');
});

test('chips are walked through by arrow keys', async () => {
  await chip(ani, 'Semua').check({ force: true });
  await chip(ani, 'Semua').focus();
  await ani.page.keyboard.press('ArrowRight');
  assert.equal(await chip(ani, 'Belum dibaca').isChecked(), true);
  await ani.page.getByText('Semua sudah Anda baca.').waitFor();
  await look(ani, 'privacy-unread-none-light-id');
  await ani.page.keyboard.press('ArrowRight');
  await ani.page.getByText('Anda belum ada di grup mana pun.').waitFor();
  await ani.page.keyboard.press('ArrowLeft');
  await budi.go('/');
  await budi.openChatFromList('Ani');
  await budi.say('Baca ini dulu');
  await listed(ani, 'Budi Santoso');
  await row(ani, 'Budi').click();
  await ani.sees('Baca ini dulu');
  await budi.seesState('Baca ini dulu', 'read');
  await ani.page.waitForTimeout(300);
  await listed(ani, 'Budi Santoso');
  await ani.go('/');
  await ani.page.getByText('Semua sudah Anda baca.').waitFor();
  await ani.page.getByRole('button', { name: 'Tampilkan semua obrolan' }).click();
  await listed(ani, 'Budi Santoso', 'Citra Dewi', 'Eka Putri');
});

test('a list that is put away is said to be so, and one without chats is gone', async () => {
  await chip(ani, 'Kantor').check({ force: true });
  await row(ani, 'Citra').dispatchEvent('contextmenu');
  await item(ani, 'Arsipkan').click();
  await ani.page.getByText('Tidak ada obrolan di “Kantor”, kecuali yang diarsipkan.').waitFor();
  await ani.go('/archived');
  const sheet = await sort(ani, 'Citra', 'Masukkan ke daftar');
  await sheet.getByRole('checkbox', { name: 'Kantor' }).uncheck({ force: true });
  await sheet.getByRole('button', { name: 'Simpan' }).click();
  await closed(ani);
  await row(ani, 'Citra').dispatchEvent('contextmenu');
  await item(ani, 'Keluarkan dari arsip').click();
  await ani.go('/');
  await listed(ani, 'Budi Santoso', 'Citra Dewi', 'Eka Putri');
  assert.equal(await chip(ani, 'Kantor').count(), 0);
});

test('on a phone the chips are scrolled by a finger, and the tenth list is the last', async () => {
  await budi.go('/');
  for (const list of ['Family', 'Work', 'Neighbours', 'Football', 'School', 'Choir', 'Market', 'Travel', 'Garden', 'Music']) {
    const sheet = await sort(budi, 'Ani', 'Add to list');
    await sheet.getByLabel('New list').fill(list);
    await budi.page.keyboard.press('Enter');
    await closed(budi);
  }
  const sheet = await sort(budi, 'Ani', 'Add to list');
  await sheet.getByLabel('New list').fill('One more');
  await budi.page.keyboard.press('Enter');
  await sheet.getByText('A chat can be in at most 10 lists.').waitFor();
  await look(budi, 'privacy-lists-sheet-phone-dark-en');
  await budi.page.keyboard.press('Escape');
  await closed(budi);
  await look(budi, 'privacy-lists-phone-dark-en');
  const last = chip(budi, 'Work');
  await last.scrollIntoViewIfNeeded();
  await last.check({ force: true });
  await listed(budi, 'Ani Lestari');
  const box = await last.boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390, 'it came into sight');
  await look(budi, 'privacy-lists-scrolled-phone-dark-en');
  await chip(budi, 'All').check({ force: true });
  await listed(budi, 'Ani Lestari', 'Citra Dewi', 'Eka Putri');
});

const drawn = ({ page }, where) => page.locator(`${where} .avatar img`);
const readable = (image) => image.evaluate((img) => img.decode().then(() => [img.naturalWidth, img.naturalHeight]));

test('a group gets a picture, which everybody sees in list, thread and panel', async () => {
  await ani.go('/group');
  await ani.page.getByLabel('Nama grup').fill('Kebun Bersama');
  for (const name of ['Budi Santoso', 'Citra Dewi'])
    await ani.page.getByRole('listitem').filter({ hasText: name }).getByRole('checkbox').check({ force: true });
  await ani.page.getByRole('button', { name: 'Buat grup' }).click();
  await ani.composer.waitFor();
  await ani.say('Selamat datang');
  await budi.go('/');
  await row(budi, 'Kebun Bersama').waitFor();
  assert.equal(await drawn(budi, 'nav a').count(), 0);
  const panel = await openPanel(ani);
  const input = panel.locator('input[type=file]');
  await input.setInputFiles({ name: 'bukan.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('bukan gambar') });
  await panel.getByText('Ini tidak dapat dibaca sebagai gambar di sini.').waitFor();
  await look(ani, 'privacy-picture-unreadable-light-id');
  await input.setInputFiles({ name: 'kebun.jpg', mimeType: 'image/jpeg', buffer: await drawPicture(ani.page) });
  await panel.getByRole('button', { name: 'Ganti gambar' }).waitFor();
  const [width, height] = await readable(drawn(ani, 'dialog'));
  assert.equal(width, height);
  assert.ok(width >= 128, `${width} pixels`);
  await look(ani, 'privacy-picture-panel-light-id');
  await closePanel(ani);
  await readable(drawn(ani, 'main header'));
  await readable(drawn(ani, 'nav a'));
  await look(ani, 'privacy-picture-light-id');
  assert.deepEqual(await readable(drawn(budi, 'nav a')), [width, height]);
  await look(budi, 'privacy-picture-list-phone-dark-en');
  await budi.openChatFromList('Kebun Bersama');
  await told(budi, 'Ani Lestari changed the picture of the group');
  await readable(drawn(budi, 'main header'));
  await look(budi, 'privacy-picture-phone-dark-en');
  await budi.page.reload();
  await readable(drawn(budi, 'main header'));
});

test('who may not edit a group finds no button for its picture, and it is taken away again', async () => {
  const panel = await openPanel(ani);
  const his = await openPanel(budi);
  await readable(drawn(budi, 'dialog'));
  assert.equal(await his.getByRole('button', { name: /picture/ }).count(), 0);
  await look(budi, 'privacy-picture-panel-phone-dark-en');
  await closePanel(budi);
  await panel.getByRole('button', { name: 'Hapus gambar' }).click();
  await panel.getByRole('button', { name: 'Pasang gambar' }).waitFor();
  await drawn(ani, 'dialog').waitFor({ state: 'detached' });
  await drawn(budi, 'main header').waitFor({ state: 'detached' });
  await header(budi).getByText('KB').waitFor();
  await closePanel(ani);
});

test('a stranger shows no picture of a group before he is accepted', async () => {
  const link = await citra.link();
  await eka.go('/group');
  await eka.page.getByLabel('Nama grup').fill('Undian');
  await eka.page.getByLabel('Cari, atau ketik').fill(link);
  await eka.page.getByRole('button', { name: 'Temukan' }).click();
  await eka.page.getByRole('list', { name: 'Yang dipilih' }).getByRole('button').waitFor();
  await eka.page.getByRole('button', { name: 'Buat grup' }).click();
  await eka.composer.waitFor();
  const panel = await openPanel(eka);
  await panel.locator('input[type=file]').setInputFiles({ name: 'x.jpg', mimeType: 'image/jpeg', buffer: await drawPicture(eka.page, 900, 600) });
  await panel.getByRole('button', { name: 'Ganti gambar' }).waitFor();
  await closePanel(eka);
  await eka.say('Anda menang!');
  await citra.go('/');
  await citra.openChatFromList('Undian');
  await citra.sees('Anda menang!');
  await citra.page.waitForTimeout(500);
  assert.equal(await citra.page.locator('.avatar img').count(), 0);
  await citra.page.getByRole('button', { name: 'Terima', exact: true }).click();
  await readable(drawn(citra, 'main header'));
});

test('chats that one begins have messages vanish, and say so once', async () => {
  await citra.go('/privacy');
  const timer = citra.page.getByRole('region', { name: 'Pesan menghilang' });
  await timer.getByRole('button', { name: 'Ubah: Pesan menghilang' }).click();
  await citra.page.getByRole('menuitemradio', { name: 'Setelah 7 hari' }).click();
  await saved(citra);
  await timer.getByText('Setelah 7 hari').waitFor();
  await look(citra, 'privacy-timer-light-id');
  const gita = await Person.open(browser, server.origin('lima'));
  await gita.signUp('Gita');
  const link = await gita.link();
  await citra.go('/new');
  await citra.page.getByText('Pesan di obrolan yang Anda mulai hilang setelah 7 hari.').waitFor();
  await look(citra, 'privacy-timer-new-light-id');
  await citra.openChatWith(link);
  await citra.page.getByText('Pesan di obrolan ini hilang setelah 7 hari').waitFor();
  await look(citra, 'privacy-timer-empty-light-id');
  await citra.say('Halo Gita');
  await citra.seesState('Halo Gita', 'sampai');
  await header(citra).getByText('Pesan hilang setelah 7 hari').waitFor({ state: 'attached' });
  await gita.go('/');
  await gita.openChatFromList('Citra');
  await gita.sees('Halo Gita');
  await gita.page.waitForTimeout(500);
  // Whoever wished it has it above the thread.
  await told(gita, 'Citra Dewi membuat pesan baru hilang setelah 7 hari');
  for (const [person, most] of [[citra, 1], [gita, 1]]) {
    const notices = person.page.getByRole('article', { name: /membuat pesan baru hilang setelah 7 hari/ });
    assert.ok((await notices.count()) <= most, 'it is said once');
  }
  await look(citra, 'privacy-timer-thread-light-id');
  gita.calm();
  await gita.close();
});

test('nobody heard a complaint', () => {
  for (const person of [budi, citra, eka]) person.calm();
});
