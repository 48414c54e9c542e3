// Flows in the thread, with the scripted core (web/dev): seats that the seller is asked for, a form with every component, faults;
// in both themes, languages and sizes, looked over by axe and kept as a picture in e2e/out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEveryScreen } from './lib/scripted.mjs';

const hall = 'f10e'.padEnd(32, '0');
const words = {
  id: {
    close: 'Tutup',
    back: 'Kembali',
    retry: 'Coba lagi',
    list: 'Daftar',
    map: 'Denah',
    needed: 'Kursi Anda perlu diisi.',
    free: 'kosong',
    chosen: 'dipilih',
    sold: 'B5 sudah terjual.',
    held: 'B6 ditahan orang yang sedang membayar.',
    full: 'Paling banyak 3 kursi. Lepas satu untuk memilih yang lain.',
    picked: '2 kursi: A1, E8',
    total: /Rp240\.000/,
    gone: 'Sudah diambil orang lain: E8.',
    hold: /^Kursi ditahan (4:5\d|5:00)$/,
    over: 'Waktunya habis: kursi tidak ditahan lagi untuk Anda.',
    reload: 'Muat kursi lagi',
    unreachable: /sedang tidak dapat dihubungi/,
    expired: /tidak berlaku lagi.*Kata Gedung Kesenian: Acara ini sudah lewat\./,
    leave: 'Tutup formulir?',
    stay: 'Lanjut mengisi',
    sent: /^(Anda), Formulir terkirim/,
    unknown: /tidak dapat menampilkan bagian ini \(If\)/,
    email: /Tulis alamat surel/,
    agree: /Persetujuan Anda/,
    least: /Paling sedikit 3 huruf/,
    most: /Pilih paling banyak 2/,
    day: /Hari itu tidak tersedia/,
    number: /Tulis angka/,
  },
  en: {
    close: 'Close',
    back: 'Back',
    retry: 'Try again',
    list: 'List',
    map: 'Map',
    needed: 'Kursi Anda is needed.',
    free: 'free',
    chosen: 'chosen',
    sold: 'B5 is sold.',
    held: 'B6 is held by somebody who is paying.',
    full: 'At most 3 seats. Let one go to choose another.',
    picked: '2 seats: A1, E8',
    total: /IDR\s240,000/,
    gone: 'Gone meanwhile: E8.',
    hold: /^Seats held (4:5\d|5:00)$/,
    over: 'The time is over: the seats are no longer held for you.',
    reload: 'Load the seats again',
    unreachable: /cannot be reached at the moment/,
    expired: /no longer valid.*Gedung Kesenian says: Acara ini sudah lewat\./,
    leave: 'Close the form?',
    stay: 'Go on filling in',
    sent: /^(You), Form sent/,
    unknown: /cannot show this part \(If\)/,
    email: /Type an e-mail address/,
    agree: /It takes your consent/,
    least: /At least 3 characters/,
    most: /Choose at most 2/,
    day: /That day is not available/,
    number: /Type a number/,
  },
};

onEveryScreen('flows', filling);

function filling({ size, language, ...screen }) {
  const w = words[language];
  let rani;

  const look = (name) => screen.look(rani, name);

  const sheet = () => rani.page.getByRole('dialog');
  const inSheet = (name) => sheet().getByRole('button', { name, exact: typeof name === 'string' });
  const seat = (id) => sheet().getByRole('gridcell', { name: new RegExp(`^${id}, `) });
  const says = (text) => sheet().getByText(text).first().waitFor();
  const focused = () => rani.page.evaluate(() => document.activeElement?.textContent.trim());

  async function open(cta) {
    await rani.go(`/c/${hall}`);
    await rani.composer.waitFor();
    const button = rani.page.getByRole('button', { name: cta, exact: true });
    await button.scrollIntoViewIfNeeded();
    // An answer that comes just then moves the feed away under the finger.
    for (let i = 0; i < 3 && (await sheet().count()) === 0; i += 1) {
      await button.click();
      await sheet().waitFor({ timeout: 2000 }).catch(() => undefined);
    }
    await sheet().waitFor();
  }

  async function close() {
    await inSheet(w.close).first().click();
    await sheet().waitFor({ state: 'detached' });
  }

  test('a flow is opened from its message', async () => {
    rani = await screen.open();
    rani.page.setDefaultTimeout(6000);
    await rani.go(`/c/${hall}`);
    await rani.page.getByRole('button', { name: 'Pilih kursi', exact: true }).waitFor();
    await look('thread');
    await open('Pilih kursi');
    await sheet().getByRole('grid', { name: 'Kursi Anda' }).waitFor();
    await look('map');
    const { width, height } = await seat('A1').boundingBox();
    assert.ok(width >= 44 && height >= 44, `a seat of ${width} by ${height} px`);
    const box = await sheet().boundingBox();
    if (size === 'phone') assert.deepEqual([box.width, box.height], [390, 844]);
  });

  test('seats are picked by the keyboard, and only what may be', async () => {
    await inSheet('Lanjut').click();
    await says(w.needed);
    assert.match(await focused(), /^A1, /);
    await rani.page.keyboard.press('Space');
    assert.equal(await seat('A1').getAttribute('aria-selected'), 'true');
    for (const key of ['ArrowDown', 'End', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft']) await rani.page.keyboard.press(key);
    assert.match(await focused(), /^B5, /);
    await rani.page.keyboard.press('Enter');
    await says(w.sold);
    await seat('B6').click({ force: true });
    await says(w.held);
    await look('refused');
    for (const id of ['A3', 'A4', 'A5']) await seat(id).click();
    await says(w.full);
    assert.equal(await seat('A5').getAttribute('aria-selected'), 'false');
    await look('full');
    for (const id of ['A3', 'A4', 'E8']) await seat(id).click();
    await says(w.picked);
    await says(w.total);
    await look('picked');
  });

  test('the list says the same', async () => {
    await inSheet(w.list).click();
    assert.equal(await sheet().getByRole('checkbox', { name: /^E8/ }).isChecked(), true);
    assert.equal(await sheet().getByRole('checkbox', { name: /^B5/ }).count(), 0);
    await look('list');
    await inSheet(w.map).click();
  });

  test('a seat that has gone meanwhile is said', async () => {
    await inSheet('Lanjut').click();
    await says('Kursi E8 baru saja diambil. Pilih yang lain.');
    await says(w.gone);
    await look('gone');
  });

  test("the seller's troubles are said, and it can be tried again", async () => {
    await seat('D1').click();
    await inSheet('Lanjut').click();
    await says(w.unreachable);
    await look('unreachable');
    await inSheet(w.retry).click();
    await says('Kursi A1, D1, atas nama siapa?');
    await sheet().getByText(w.hold).waitFor();
    await look('held');
  });

  test('what is missing is said at its field; Back keeps what was typed', async () => {
    await sheet().getByLabel('Nama').fill('An');
    await sheet().getByLabel(/^Surel/).fill('ani');
    await inSheet('Pesan').click();
    for (const text of [w.least, w.email, w.agree]) await says(text);
    assert.equal(await sheet().getByLabel('Nama').evaluate((node) => node === document.activeElement), true);
    await look('wrong');
    await inSheet(w.back).click();
    assert.equal(await seat('A1').getAttribute('aria-selected'), 'true');
    await inSheet('Lanjut').click();
    assert.equal(await sheet().getByLabel('Nama').inputValue(), 'An');
  });

  test('closing asks, and the end is a message', async () => {
    await rani.page.keyboard.press('Escape');
    await says(w.leave);
    await look('leave');
    await inSheet(w.stay).click();
    await sheet().getByLabel('Nama').fill('Ani Rahayu');
    await sheet().getByLabel(/^Surel/).fill('ani@contoh.example');
    await sheet().getByRole('checkbox').check();
    await inSheet('Pesan').click();
    await sheet().waitFor({ state: 'detached' });
    await rani.page.getByRole('article', { name: w.sent }).waitFor();
    const button = rani.page.getByRole('button', { name: /^Pilih kursi/ });
    assert.equal(await button.getAttribute('aria-disabled'), 'true');
    await look('sent');
  });

  test('seats that are no longer held can be loaded again', async () => {
    await open('Kursi gladi');
    await seat('C1').click();
    await inSheet('Lanjut').click();
    await sheet().getByText(w.over).first().waitFor();
    await look('over');
    await inSheet(w.reload).click();
    await seat('C1').waitFor();
    assert.equal(await seat('C1').getAttribute('aria-selected'), 'true');
    await inSheet(w.close).first().click();
    await inSheet(w.close).last().click();
    await sheet().waitFor({ state: 'detached' });
  });

  test('a form with every component is filled in', async () => {
    await open('Daftar lokakarya');
    await says('Halo Rani, isi dulu minat Anda. Hanya dua menit.');
    await look('form');
    assert.equal(await sheet().getByRole('radio', { name: /^Pagi/ }).isChecked(), true);
    assert.equal(await sheet().getByRole('radio', { name: /^Malam/ }).isDisabled(), true);
    for (const name of ['Canting', 'Wajan kecil', 'Kain mori']) await sheet().getByRole('checkbox', { name }).check();
    await sheet().getByLabel('Hari').fill('2026-12-12');
    await inSheet('Lanjut').click();
    await says(w.most);
    await says(w.day);
    await look('form-wrong');
    await sheet().getByRole('checkbox', { name: 'Kain mori' }).uncheck();
    await sheet().getByLabel('Hari').fill('2026-12-13');
    await sheet().getByLabel('Kota').selectOption('jog');
    await inSheet('Lanjut').click();
    await sheet().getByRole('heading', { name: 'Tentang Anda' }).waitFor();
    await sheet().getByLabel('Umur').fill('tujuh');
    await sheet().getByLabel(/^Catatan/).fill('Datang bersama Ibu');
    await inSheet('Daftar').click();
    await says(w.number);
    await look('form-second');
    await sheet().getByLabel('Umur').fill('27');
    await inSheet('Daftar').click();
    await sheet().waitFor({ state: 'detached' });
    await rani.page.getByRole('article', { name: w.sent }).nth(1).waitFor();
  });

  test('what cannot be shown is said', async () => {
    await open('Isi survei');
    await says(w.unknown);
    await look('unknown');
    await close();
    await open('Buka yang lama');
    await says(w.expired);
    await look('expired');
    await close();
  });

  test('no complaints', async () => {
    rani.calm();
    await rani.close();
  });
}
