// What people do to messages, and invitations: between two browsers, and with somebody at a terminal.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { pair } from './lib/pair.mjs';
import { PHONE, Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';
import { Terminal } from './lib/terminal.mjs';

let server;
let browser;
let rani;
let budi;

before(async () => {
  server = await startServer();
  browser = await launch();
  const dark = { colorScheme: 'dark' };
  ({ rani, budi } = await pair(browser, server, { budi: dark, first: 'Sudah sampai?', answer: 'Belum, macet di tol' }));
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
  await choose(budi, 'Belum, macet di tol', 'Balas');
  for (let i = 1; i <= 70; i += 1) await rani.say(`Pesan nomor ${i}`);
  await choose(rani, 'Pesan nomor 70', 'Balas');
  await rani.page.getByText('Membalas Anda').waitFor();
  await rani.page.keyboard.press('Escape');
  await rani.page.getByText('Membalas Anda').waitFor({ state: 'detached' });

  await budi.sees('Pesan nomor 70', 60_000);
  await rani.page.reload();
  await rani.sees('Pesan nomor 70');
  // By now what is quoted is older than the page that the thread opens with.
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

const sheet = (person) => person.page.getByRole('dialog', { name: /^(Undang|Ubah undangan)/ });
const card = (person) => person.page.getByRole('group', { name: /^Undangan: Syukuran rumah/ });

/** As the inputs of a browser write a day some days ahead. */
const dayAhead = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

async function invite(person, title, { date, time, guests = 0 }) {
  await person.page.getByRole('button', { name: 'Kirim undangan' }).click();
  await sheet(person).getByLabel('Acara apa?').fill(title);
  await sheet(person).getByLabel('Mulai: tanggal').fill(date);
  await sheet(person).getByLabel('Mulai: jam').fill(time);
  for (let i = 0; i < guests; i += 1) await sheet(person).getByRole('button', { name: 'Tambah satu' }).click();
}

test('an invitation is written, checked, and stands in the thread of both and above it', async () => {
  await invite(rani, 'Syukuran rumah baru', { date: dayAhead(14), time: '11:00', guests: 3 });
  await sheet(rani).getByLabel('Di mana?').fill('Jalan Melati 12, Yogyakarta');
  await sheet(rani).getByLabel('Sepatah dua patah kata').fill('Ada soto, ada cerita.');
  await sheet(rani).getByLabel('Selesai (boleh kosong): jam').fill('10:00');
  const send = sheet(rani).getByRole('button', { name: 'Kirim undangan' });
  await send.click();
  await sheet(rani).getByText('Selesai harus sesudah mulai.').waitFor();
  await look(rani, 'actions-event-sheet-light');
  await sheet(rani).getByLabel('Selesai (boleh kosong): jam').fill('14:00');
  await send.click();
  for (const person of [rani, budi]) {
    await card(person).getByText('Jalan Melati 12, Yogyakarta').waitFor();
    await person.page.getByRole('region', { name: 'Undangan mendatang' }).getByText('Syukuran rumah baru').waitFor();
    await person.page.getByRole('navigation').getByText('Undangan: Syukuran rumah baru').waitFor();
  }
  assert.equal(await card(rani).getByRole('button', { name: 'Datang' }).count(), 0, 'the host is not asked');
  await look(budi, 'actions-event-dark');
});

test('it is answered with guests, and the host sees who comes', async () => {
  await card(budi).getByRole('button', { name: 'Datang' }).click();
  await card(rani).getByText('Datang 1', { exact: true }).waitFor();
  for (let i = 0; i < 2; i += 1) await card(budi).getByRole('button', { name: 'Tambah satu' }).click();
  await card(rani).getByText('Datang 1 + 2 tamu').waitFor();
  await look(budi, 'actions-event-answered-dark');
  await card(rani).getByRole('button', { name: /Datang 1/ }).click();
  const answers = dialog(rani, 'Jawaban');
  await answers.getByText('Budi').waitFor();
  await answers.getByText('+ 2 tamu', { exact: true }).waitFor();
  await look(rani, 'actions-answers-light');
  await rani.page.keyboard.press('Escape');

  await card(budi).getByRole('button', { name: 'Tidak', exact: true }).click();
  await card(rani).getByText('Tidak 1', { exact: true }).waitFor();
  // Whoever stays away is not reminded of it all day.
  await budi.page.getByRole('region', { name: 'Undangan mendatang' }).waitFor({ state: 'detached' });
  await card(budi).getByRole('button', { name: 'Mungkin' }).click();
  await budi.page.getByRole('region', { name: 'Undangan mendatang' }).waitFor();
});

test('it goes into a calendar', async () => {
  const [download] = await Promise.all([
    budi.page.waitForEvent('download'),
    card(budi).getByRole('button', { name: 'Ke kalender saya' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'Syukuran-rumah-baru.ics');
  const text = readFileSync(await download.path(), 'utf8');
  assert.match(text, /^BEGIN:VCALENDAR\r\n/);
  assert.match(text, /\r\nUID:[0-9a-f]{64}\r\n/);
  assert.match(text, /\r\nLOCATION:Jalan Melati 12\\, Yogyakarta\r\n/);
});

test('it is changed and canceled, and stays above the chat until then, across a reload', async () => {
  await card(rani).getByRole('button', { name: 'Ubah' }).click();
  assert.equal(await sheet(rani).getByLabel('Mulai: jam').inputValue(), '11:00');
  await sheet(rani).getByLabel('Acara apa?').fill('Syukuran rumah di Yogya');
  await sheet(rani).getByRole('button', { name: 'Simpan perubahan' }).click();
  await card(budi).getByText('Syukuran rumah di Yogya').waitFor();
  await card(budi).getByText('Mungkin 1', { exact: true }).waitFor();

  await budi.page.reload();
  const strip = budi.page.getByRole('region', { name: 'Undangan mendatang' });
  await strip.getByRole('button', { name: /Syukuran rumah di Yogya/ }).click();
  await budi.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Syukuran rumah di Yogya'));

  await card(rani).getByRole('button', { name: 'Batalkan' }).click();
  await dialog(rani, 'Batalkan acara?').getByRole('button', { name: 'Batalkan acara' }).click();
  const canceled = (person) => person.page.getByRole('group', { name: 'Undangan dibatalkan: Syukuran rumah di Yogya' });
  await canceled(budi).getByText('Dibatalkan').waitFor();
  await strip.waitFor({ state: 'detached' });
  assert.equal(await canceled(budi).getByRole('button', { name: 'Datang' }).count(), 0);
  await look(budi, 'actions-event-canceled-dark');
});

test('the app says so an hour before, wherever one is', async () => {
  const soon = new Date(Date.now() + 40 * 60_000);
  const date = [soon.getFullYear(), soon.getMonth() + 1, soon.getDate()].map((n) => String(n).padStart(2, '0')).join('-');
  const time = [soon.getHours(), soon.getMinutes()].map((n) => String(n).padStart(2, '0')).join(':');
  await budi.go('/settings');
  await invite(rani, 'Rapat sebentar', { date, time });
  await sheet(rani).getByRole('button', { name: 'Kirim undangan' }).click();
  await budi.page.getByText(/^(39|40) menit lagi/).waitFor();
  await look(budi, 'actions-reminder-dark');
  await budi.page.getByRole('button', { name: 'Mengerti' }).click();
  await budi.page.getByText(/menit lagi/).waitFor({ state: 'detached' });
  await budi.page.reload();
  await budi.page.waitForTimeout(1500);
  assert.equal(await budi.page.getByText(/menit lagi/).count(), 0, 'once is enough');
});

test('somebody at a terminal answers, reacts and edits likewise', async () => {
  const terminal = new Terminal(server.origin());
  try {
    await terminal.chat('register', '--name', 'Tuti');
    const me = (await terminal.chat('whoami'))[0];
    await rani.openChatWith(me.account_id);
    await rani.say('Halo Tuti');
    await invite(rani, 'Arisan', { date: dayAhead(3), time: '19:00', guests: 1 });
    await sheet(rani).getByRole('button', { name: 'Kirim undangan' }).click();
    await rani.seesState('Undangan: Arisan', rani.t.sent);
    const came = await terminal.chat('receive', '--timeout', '8');
    const greeting = came.find(({ text }) => text === 'Halo Tuti');
    const event = came.find(({ kind }) => kind === 'event');
    assert.equal(event.event.guests_max, 1);

    await terminal.chat('rsvp', '--message', event.message_id, '--answer', 'going', '--guests', '1');
    await rani.page.getByRole('group', { name: 'Undangan: Arisan' }).getByText('Datang 1 + 1 tamu').waitFor();
    await terminal.chat('react', '--message', greeting.message_id, '--emoji', '🙏');
    await rani.message('Halo Tuti').getByRole('button', { name: /^🙏 dari/ }).waitFor();
    const [sent] = await terminal.chat('send', '--to', greeting.conversation_id, '--text', 'Saya bawa kue');
    await rani.sees('Saya bawa kue');
    await terminal.chat('edit', '--message', sent.message_id, '--text', 'Saya bawa kue lapis');
    await labelled(rani, /Saya bawa kue lapis, disunting/);
    await terminal.chat('delete', '--message', sent.message_id);
    await labelled(rani, /Tuti, Pesan dihapus/);

    await choose(rani, 'Halo Tuti', 'Sunting');
    await rani.composer.fill('Halo Tante Tuti');
    await rani.composer.press('Enter');
    const edit = (await terminal.chat('receive', '--timeout', '8')).find(({ kind }) => kind === 'edit');
    assert.equal(edit.text, 'Halo Tante Tuti');
  } finally {
    terminal.close();
  }
});

test('a finger that stays opens the menu on a phone, and everything fits', async () => {
  for (const [name, theme] of [['Citra', 'light'], ['Dewi', 'dark']]) {
    const citra = await Person.open(browser, server.origin(name.toLowerCase()), { colorScheme: theme, ...PHONE });
    await citra.signUp(name);
    await citra.openChatWith(await rani.link());
    await citra.say(`Tante, ini ${name}`);
    await rani.go('/');
    await rani.openChatFromList(name);
    await rani.sees(`Tante, ini ${name}`);
    await rani.say('Halo sayang, sudah besar ya sekarang? Jangan lupa datang hari Sabtu.');
    await citra.sees('Halo sayang');
    await invite(rani, 'Syukuran rumah baru', { date: dayAhead(14), time: '11:00', guests: 3 });
    await sheet(rani).getByRole('button', { name: 'Kirim undangan' }).click();
    await card(citra).last().getByRole('button', { name: 'Datang' }).tap();
    await card(citra).getByRole('button', { name: 'Tambah satu' }).tap();
    await card(citra).getByText('Datang 1 + 1 tamu').waitFor();
    await look(citra, `actions-phone-event-${theme}`);

    const bubble = citra.message('Halo sayang').locator('.bubble');
    const box = await bubble.boundingBox();
    const touch = await citra.context.newCDPSession(citra.page);
    const at = { x: box.x + 40, y: box.y + 14 };
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
    await citra.page.getByRole('menu').waitFor();
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await look(citra, `actions-phone-menu-${theme}`);
    await citra.page.getByRole('menuitemcheckbox', { name: 'Tanggapi dengan 😂' }).tap();
    await citra.message('Halo sayang').getByRole('button', { name: /^😂 dari/ }).waitFor();
    await citra.page.getByRole('button', { name: 'Kirim undangan' }).tap();
    await sheet(citra).waitFor();
    await look(citra, `actions-phone-sheet-${theme}`);
    await citra.page.keyboard.press('Escape');
    await look(citra, `actions-phone-reacted-${theme}`);
    citra.calm();
    await citra.close();
  }
});

test('nothing was said in the console', () => {
  for (const person of [rani, budi]) person.calm();
});
