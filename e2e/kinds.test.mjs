// Polls, places, cards of people, and messages that vanish: between a desk in Indonesian and a phone in English, in the dark.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { meet, pair } from './lib/pair.mjs';
import { closed, closePanel, dialog, item, openPanel, told } from './lib/panel.mjs';
import { PHONE, Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';
import { Terminal } from './lib/terminal.mjs';

/** Monas, in Jakarta. */
const MONAS = { latitude: -6.1753924, longitude: 106.8271528 };

let server;
let browser;
let rani;
let budi;

before(async () => {
  server = await startServer();
  browser = await launch();
  const phone = { ...PHONE, colorScheme: 'dark', language: 'en' };
  ({ rani, budi } = await pair(browser, server, { budi: phone, first: 'Jadi makan malam?', answer: 'Jadi!' }));
  await rani.context.grantPermissions(['clipboard-read', 'clipboard-write']);
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

/** Opens what can be sent beside text, and picks one. */
async function attach(person, name) {
  await person.page.getByRole('button', { name: /^(Lampirkan|Attach)$/ }).click();
  await item(person, name).click();
}

const poll = (person, question = 'Makan di mana?') => person.page.getByRole('group', { name: new RegExp(question.replace('?', '\\?')) });
const option = (person, name, question) => poll(person, question).getByRole(/day/.test(name) ? 'checkbox' : 'radio', { name, exact: true });
const pollSheet = (person) => dialog(person, /^(Jajak pendapat untuk|A poll for) /);

test('a poll is written with lines that grow, and says what is wrong', async () => {
  await rani.page.getByRole('button', { name: 'Lampirkan' }).click();
  await look(rani, 'kinds-attach-light');
  await item(rani, 'Jajak pendapat').click();
  const sheet = pollSheet(rani);
  const send = sheet.getByRole('button', { name: 'Kirim jajak pendapat' });
  await send.click();
  await sheet.getByText('Tulis apa yang ingin Anda tanyakan.').waitFor();
  await sheet.getByLabel('Pertanyaan').fill('Makan di mana?');
  await sheet.getByLabel('Jawaban 1').fill('Sate Blora');
  await send.click();
  await sheet.getByText('Harus ada paling sedikit dua jawaban.').waitFor();
  assert.equal(await rani.page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Jawaban 2');
  await rani.page.keyboard.type('Sate Blora');
  await send.click();
  await sheet.getByText('Dua jawaban sama.').waitFor();
  await sheet.getByLabel('Jawaban 2').fill('Warung Bu Tini');
  // Enter leads to the next line; Alt and an arrow move the option.
  await rani.page.keyboard.press('Enter');
  await rani.page.keyboard.type('Padang Sederhana');
  await rani.page.keyboard.press('Alt+ArrowUp');
  assert.equal(await sheet.getByLabel('Jawaban 2').inputValue(), 'Padang Sederhana');
  await sheet.getByRole('button', { name: 'Naikkan Warung Bu Tini' }).click();
  await rani.page.keyboard.press('Alt+ArrowDown');
  await look(rani, 'kinds-poll-sheet-light');
  for (let n = 4; n <= 12; n += 1) await sheet.getByLabel(`Jawaban ${n}`).fill(`Tempat ${n}`);
  assert.equal(await sheet.getByRole('textbox').count(), 13, 'twelve at most');
  for (let n = 12; n >= 4; n -= 1) await sheet.getByRole('button', { name: `Hapus Tempat ${n}` }).click();
  await send.click();
  await closed(rani);
  for (const person of [rani, budi]) await poll(person).waitFor();
  await rani.page.getByRole('navigation').getByText('Jajak pendapat: Makan di mana?').waitFor();
});

test('a vote is seen by both at once, changed from the keyboard, and taken back', async () => {
  await option(budi, 'Padang Sederhana').check();
  await poll(rani).getByText('1 orang memilih').waitFor();
  await rani.page.getByRole('article', { name: /Jajak pendapat: Makan di mana\?, Sate Blora 0, Padang Sederhana 1, Warung Bu Tini 0/ }).waitFor();
  await option(rani, 'Padang Sederhana').focus();
  await rani.page.keyboard.press('ArrowDown');
  await poll(budi).getByText('2 people voted').waitFor();
  await look(rani, 'kinds-poll-light');
  await look(budi, 'kinds-poll-dark');
  await poll(budi).getByRole('button', { name: '2 people voted' }).tap();
  const votes = dialog(budi, 'Votes');
  await votes.getByText('Rani').waitFor();
  await look(budi, 'kinds-votes-dark');
  await budi.page.keyboard.press('Escape');
  await closed(budi);

  await option(budi, 'Warung Bu Tini').check();
  await poll(rani).locator('li', { hasText: 'Warung Bu Tini' }).getByText('2 suara, 100%').waitFor();
  await poll(rani).getByRole('button', { name: 'Tarik suara saya' }).click();
  await poll(budi).getByText('1 person voted').waitFor();
  assert.equal(await option(rani, 'Warung Bu Tini').isChecked(), false);
  assert.equal(await poll(budi).getByRole('button', { name: 'Close the poll' }).count(), 0, 'it is not his');
});

test('its maker closes it, and nobody votes any more', async () => {
  await poll(rani).getByRole('button', { name: 'Tutup jajak pendapat' }).click();
  await dialog(rani, 'Tutup jajak pendapat?').getByRole('button', { name: 'Tutup jajak pendapat' }).click();
  for (const person of [rani, budi]) await poll(person).getByText(/^(Ditutup|Closed)$/).waitFor();
  assert.ok(await option(budi, 'Sate Blora').isDisabled());
  await look(budi, 'kinds-poll-closed-dark');
});

test('several answers are chosen where the poll allows it', async () => {
  await attach(budi, 'Poll');
  await pollSheet(budi).getByLabel('Question').fill('Which days?');
  for (const [n, day] of ['Friday', 'Saturday', 'Sunday'].entries()) await pollSheet(budi).getByLabel(`Answer ${n + 1}`).fill(day);
  await pollSheet(budi).getByRole('switch').tap();
  await look(budi, 'kinds-poll-sheet-dark');
  await pollSheet(budi).getByRole('button', { name: 'Send the poll' }).tap();
  await closed(budi);
  const days = (person) => poll(person, 'Which days?');
  await option(rani, 'Sunday', 'Which days?').check();
  await option(rani, 'Friday', 'Which days?').check();
  await days(budi).locator('li', { hasText: 'Friday' }).getByText('1 vote, 100%').waitFor();
  await days(budi).locator('li', { hasText: 'Sunday' }).getByText('1 vote, 100%').waitFor();
});

const place = (person, name) => person.page.getByRole('group', { name: new RegExp(`^(Lokasi|Location): ${name}`) });
const placeSheet = (person) => dialog(person, /^(Lokasi untuk|A place for) /);

test('where one is goes as a place, once the browser allows it', async () => {
  await attach(budi, 'Location');
  const sheet = placeSheet(budi);
  await sheet.getByRole('button', { name: 'Where I am now' }).tap();
  await sheet.getByText(/The browser does not allow it/).waitFor();
  await look(budi, 'kinds-place-refused-dark');
  await budi.context.grantPermissions(['geolocation']);
  await budi.context.setGeolocation({ ...MONAS, accuracy: 18 });
  await sheet.getByRole('button', { name: 'Where I am now' }).tap();
  await sheet.getByText('Accurate to about 18 m.').waitFor();
  await sheet.getByLabel('What is there?').fill('Monas');
  await sheet.getByLabel('Address').fill('Gambir, Jakarta Pusat');
  await look(budi, 'kinds-place-sheet-dark');
  await sheet.getByRole('button', { name: 'Send the place' }).tap();
  await closed(budi);

  const card = place(rani, 'Monas');
  await card.getByText('Gambir, Jakarta Pusat').waitFor();
  await card.getByText('6,17539° LS, 106,82715° BT').waitFor();
  const link = card.getByRole('link', { name: 'OpenStreetMap' });
  assert.match(await link.getAttribute('href'), /^https:\/\/www\.openstreetmap\.org\/\?mlat=-6\.1753924&mlon=106\.8271528/);
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  assert.equal(await place(budi, 'Monas').getByRole('link', { name: 'App for maps' }).getAttribute('href'), 'geo:-6.1753924,106.8271528');
  await card.getByRole('button', { name: 'Salin koordinat' }).click();
  await card.getByText('Tersalin').waitFor();
  assert.equal(await rani.page.evaluate(() => navigator.clipboard.readText()), '-6.1753924, 106.8271528');
  await rani.page.getByRole('navigation').getByText('Lokasi: Monas').waitFor();
  await look(rani, 'kinds-place-light');
  await look(budi, 'kinds-place-dark');
});

test('a place is typed, too, and what is none is refused', async () => {
  await attach(rani, 'Lokasi');
  const sheet = placeSheet(rani);
  const send = sheet.getByRole('button', { name: 'Kirim lokasi' });
  for (const wrong of ['', 'Jakarta', '91, 10', '10']) {
    await sheet.getByLabel('Koordinat').fill(wrong);
    await send.click();
    await sheet.getByRole('alert').getByText(/^Ketik lintang dan bujur/).waitFor();
  }
  await sheet.getByLabel('Koordinat').fill('78,2232° LU; 15,6267° BT');
  await look(rani, 'kinds-place-sheet-light');
  await send.click();
  await closed(rani);
  await place(budi, '78.22320° N, 15.62670° E').waitFor();
});

const contact = (person, name) => person.page.getByRole('group', { name: new RegExp(`^(Kontak|Contact): ${name}`) });
const contactSheet = (person) => dialog(person, /^(Kontak untuk|A contact for) /);

test('somebody known is passed on, and written to at once', async () => {
  const citra = await Person.open(browser, server.origin('tiga'));
  await citra.signUp('Citra');
  await meet(citra, rani, 'Citra', 'Halo Rani, ini Citra', 'Halo Citra');
  await rani.go('/');
  await rani.openChatFromList('Budi');
  await attach(rani, 'Kontak');
  const sheet = contactSheet(rani);
  await sheet.getByRole('button', { name: 'Kirim kontak' }).click();
  await sheet.getByText('Pilih paling sedikit satu orang.').waitFor();
  await sheet.getByRole('searchbox').fill('tidak ada');
  await sheet.getByText('Tidak ada yang bernama begitu di obrolan Anda.').waitFor();
  await sheet.getByRole('searchbox').fill('');
  await sheet.getByRole('checkbox', { name: /^Citra/ }).check();
  await look(rani, 'kinds-contact-sheet-light');
  await sheet.getByRole('button', { name: 'Kirim kontak' }).click();
  await closed(rani);

  await look(budi, 'kinds-contact-dark');
  await contact(budi, 'Citra').getByRole('button', { name: 'Message' }).tap();
  await budi.page.getByRole('heading', { name: 'Citra', exact: true }).waitFor();
  await budi.say('Hi Citra, Rani gave me your card');
  await citra.go('/');
  await citra.openChatFromList('Budi');
  await citra.sees('Hi Citra, Rani gave me your card');
  citra.calm();
  await citra.close();
  await budi.go('/');
  await budi.page.getByRole('link', { name: /^Rani/ }).click();
  await budi.composer.waitFor();
});

test('a card that is written by hand links to number and address, and is saved as a file', async () => {
  await attach(budi, 'Contact');
  const sheet = contactSheet(budi);
  await sheet.getByRole('radio', { name: 'Write it' }).check();
  const send = sheet.getByRole('button', { name: 'Send the contact' });
  await send.tap();
  await sheet.getByText('Write whose card it is.').waitFor();
  await sheet.getByLabel('Name').fill('Warung Bu Tini; Blora, pusat');
  await send.tap();
  await sheet.getByText('Write a phone number or an email address.').waitFor();
  await sheet.getByLabel('Phone number').fill('telepon rumah');
  await send.tap();
  await sheet.getByText('A number is digits, such as +62 812 3456 7890.').waitFor();
  await sheet.getByLabel('Phone number').fill('+62 296 531-234');
  await sheet.getByLabel('Email').fill('tini');
  await send.tap();
  await sheet.getByText('An address looks like ani@example.com.').waitFor();
  await look(budi, 'kinds-contact-sheet-dark');
  await sheet.getByLabel('Email').fill('tini@warung.example');
  await send.tap();
  await closed(budi);

  const card = contact(rani, 'Warung Bu Tini');
  assert.equal(await card.getByRole('link', { name: 'Telepon +62 296 531-234' }).getAttribute('href'), 'tel:+62296531234');
  assert.equal(await card.getByRole('link', { name: 'Tulis ke tini@warung.example' }).getAttribute('href'), 'mailto:tini@warung.example');
  assert.equal(await card.getByRole('button', { name: 'Kirim pesan' }).count(), 0, 'nobody of this server');
  const [download] = await Promise.all([
    rani.page.waitForEvent('download'),
    card.getByRole('button', { name: 'Simpan sebagai berkas' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'Warung-Bu-Tini-Blora-pusat.vcf');
  const text = readFileSync(await download.path(), 'utf8');
  assert.match(text, /^BEGIN:VCARD\r\nVERSION:4\.0\r\nFN:Warung Bu Tini\\; Blora\\, pusat\r\n/);
  assert.match(text, /\r\nTEL:\+62 296 531-234\r\nEMAIL:tini@warung\.example\r\nEND:VCARD\r\n$/);
  await look(rani, 'kinds-contact-light');
});

test('every kind is passed on to another chat', async () => {
  await place(rani, 'Monas').hover();
  const message = rani.page.getByRole('article', { name: /Lokasi: Monas/ });
  await message.getByRole('button', { name: 'Lainnya untuk pesan ini' }).click();
  await item(rani, 'Teruskan').click();
  await dialog(rani, 'Teruskan ke').getByRole('checkbox', { name: 'Citra' }).check();
  await dialog(rani, 'Teruskan ke').getByRole('button', { name: 'Teruskan ke 1 obrolan' }).click();
  await rani.page.getByRole('heading', { name: 'Citra', exact: true }).waitFor();
  await place(rani, 'Monas').waitFor();
  await rani.go('/');
  await rani.openChatFromList('Budi');
});

test('messages vanish once somebody sets how long they stay', async () => {
  await rani.page.locator('header a[href$="/details"]').click();
  const details = dialog(rani, 'Rincian');
  await details.getByRole('button', { name: 'Ubah: Pesan menghilang' }).click();
  await rani.page.getByRole('menuitemradio', { name: 'Setelah 24 jam' }).click();
  await details.getByText('Setelah 24 jam').waitFor();
  await details.getByText('Pesan menghilang', { exact: true }).scrollIntoViewIfNeeded();
  await look(rani, 'kinds-timer-light');
  await details.getByRole('button', { name: 'Tutup' }).click();
  await closed(rani);
  await rani.page.getByRole('article', { name: 'Anda membuat pesan baru hilang setelah 24 jam' }).waitFor();
  await budi.page.getByRole('article', { name: 'Rani let new messages vanish after 24 hours' }).waitFor();
  await budi.page.locator('header').getByText('Messages vanish after 24 hours').waitFor();
  await rani.say('Sampai besok saja');
  await budi.page.getByRole('article', { name: /Sampai besok saja, vanishes / }).waitFor();
  await look(budi, 'kinds-timer-dark');
});

test('a message is gone from every screen when its time is over', async () => {
  const terminal = new Terminal(server.origin());
  try {
    await terminal.chat('register', '--name', 'Tuti');
    const [tuti] = await terminal.chat('whoami');
    await rani.openChatWith(tuti.account_id);
    await rani.say('Halo Tuti, ini tetap ada');
    await rani.seesState('Halo Tuti, ini tetap ada', rani.t.sent);
    const [{ conversation_id: conversation }] = (await terminal.chat('receive', '--timeout', '8')).filter(({ text }) => text);
    await terminal.chat('timer', '--with', conversation, '--seconds', '60');
    await rani.page.getByRole('article', { name: / membuat pesan baru hilang setelah 1 menit$/ }).waitFor();
    await rani.say('Sandinya kunyit-7');
    await rani.page.getByRole('article', { name: /Sandinya kunyit-7, hilang / }).waitFor();
    await rani.page.getByRole('navigation').getByText('Sandinya kunyit-7').waitFor();
    await look(rani, 'kinds-vanishing-light');
    await rani.page.getByText('Sandinya kunyit-7').first().waitFor({ state: 'detached', timeout: 80_000 });
    assert.equal(await rani.page.getByText('Sandinya kunyit-7').count(), 0, 'nor in the list');
    await rani.sees('Halo Tuti, ini tetap ada');
    await rani.page.reload();
    await rani.sees('Halo Tuti, ini tetap ada');
    assert.equal(await rani.page.getByText('Sandinya kunyit-7').count(), 0);
    const kept = await terminal.chat('messages', '--with', conversation);
    assert.ok(!kept.some(({ text }) => text === 'Sandinya kunyit-7'));
  } finally {
    terminal.close();
  }
});

test('in a group, whoever may change it says how long messages stay, and polls know everybody', async () => {
  await rani.go('/new');
  await rani.page.getByRole('link', { name: 'Grup baru' }).click();
  await rani.page.getByLabel('Nama grup').fill('Arisan');
  for (const name of ['Budi', 'Citra']) {
    await rani.page.getByRole('listitem').filter({ hasText: name }).getByRole('checkbox').check({ force: true });
  }
  await rani.page.getByRole('button', { name: 'Buat grup' }).click();
  await rani.composer.waitFor();
  await told(rani, 'Anda membuat grup');
  const panel = await openPanel(rani);
  await panel.getByRole('button', { name: 'Ubah: Pesan menghilang' }).click();
  await rani.page.getByRole('menuitemradio', { name: 'Setelah 7 hari' }).click();
  await panel.getByText('Setelah 7 hari').waitFor();
  await closePanel(rani);
  await told(rani, 'Anda membuat pesan baru hilang setelah 7 hari');
  await budi.go('/');
  await budi.openChatFromList('Arisan');
  await told(budi, 'Rani let new messages vanish after 7 days');
  const his = await openPanel(budi);
  await his.getByText('After 7 days').waitFor();
  assert.equal(await his.getByRole('button', { name: 'Change: Messages vanish' }).count(), 0);
  await closePanel(budi);

  await attach(rani, 'Jajak pendapat');
  await pollSheet(rani).getByLabel('Pertanyaan').fill('Jam berapa?');
  await pollSheet(rani).getByLabel('Jawaban 1').fill('19.00');
  await pollSheet(rani).getByLabel('Jawaban 2').fill('20.00');
  await pollSheet(rani).getByRole('button', { name: 'Kirim jajak pendapat' }).click();
  await closed(rani);
  await option(budi, '20.00', 'Jam berapa?').check();
  await poll(rani, 'Jam berapa?').getByRole('button', { name: '1 orang memilih' }).click();
  await dialog(rani, 'Suara').getByText('Budi').waitFor();
  await rani.page.keyboard.press('Escape');
  await closed(rani);
  await look(budi, 'kinds-group-dark');
});

test('nobody has anything to complain about', () => {
  rani.calm();
  budi.calm();
});
