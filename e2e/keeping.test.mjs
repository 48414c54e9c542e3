// Messages kept and found again, in a group of three and between two: people spoken to by name, marks of formatting, stars, pinned
// messages, several at once, and an answer in private.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { meet, three } from './lib/pair.mjs';
import { closed, dialog, item, told } from './lib/panel.mjs';
import { startServer } from './lib/server.mjs';

let server;
let browser;
/** At a desk, by daylight, in Indonesian; owns the group. */
let ani;
/** On a phone in the dark, in Indonesian. */
let budi;
/** At a desk in the dark, in English. */
let citra;

before(async () => {
  server = await startServer();
  browser = await launch();
  ({ ani, budi, citra } = await three(browser, server, { citra: { colorScheme: 'dark', language: 'en' } }));
  await meet(citra, budi, 'Citra');
  await ani.go('/group');
  for (const name of ['Budi Santoso', 'Citra Dewi']) {
    await ani.page.getByRole('listitem').filter({ hasText: name }).getByRole('checkbox').check({ force: true });
  }
  await ani.page.getByLabel('Nama grup').fill('Arisan Keluarga');
  await ani.page.getByRole('button', { name: 'Buat grup' }).click();
  await told(ani, 'Anda membuat grup');
  await ani.say('Selamat datang!');
  for (const person of [budi, citra]) {
    await person.go('/');
    await person.openChatFromList('Arisan Keluarga');
    await person.sees('Selamat datang!');
    await person.say(person === budi ? 'Halo semuanya' : 'Hello all');
  }
  await ani.sees('Hello all');
  await ani.sees('Halo semuanya');
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

const option = (person, name) => person.page.getByRole('option', { name });
const row = ({ page }, name) => page.locator('a[data-chat]:has(.name)').filter({ hasText: name });
const bubble = (person, text) => person.message(text).last();
const button = (person, name) => person.page.getByRole('button', { name, exact: true });

/** On a phone by a finger that stays, at a desk by the button beside the message. */
async function openMenu(person, text) {
  if (person === budi) await bubble(person, text).locator('.bubble').dispatchEvent('contextmenu');
  else {
    await bubble(person, text).hover();
    await bubble(person, text).locator('.actions [aria-haspopup=menu]').click();
  }
  await person.page.getByRole('menu').waitFor();
}

async function choose(person, text, ...names) {
  await openMenu(person, text);
  for (const name of names) await item(person, name).click();
}

test('an @ offers the members, and the keyboard takes one', async () => {
  await ani.composer.pressSequentially('Kue dari @');
  await option(ani, 'Budi Santoso').waitFor();
  assert.deepEqual(await ani.page.getByRole('option').locator('bdi').allTextContents(), ['Budi Santoso', 'Citra Dewi', 'semua']);
  await look(ani, 'keeping-suggest-light-id');
  await ani.page.keyboard.press('ArrowDown');
  assert.equal(await option(ani, 'Citra Dewi').getAttribute('aria-selected'), 'true');
  const active = await ani.composer.getAttribute('aria-activedescendant');
  assert.equal(active, await option(ani, 'Citra Dewi').getAttribute('id'));
  await ani.page.keyboard.press('Escape');
  await option(ani, 'Citra Dewi').waitFor({ state: 'detached' });
  await ani.page.keyboard.press('Backspace');
  await ani.composer.pressSequentially('@bud');
  await option(ani, 'Budi Santoso').waitFor();
  assert.deepEqual(await ani.page.getByRole('option').locator('bdi').allTextContents(), ['Budi Santoso']);
  await ani.page.keyboard.press('Enter');
  assert.equal(await ani.composer.inputValue(), 'Kue dari @Budi Santoso ');
  await ani.composer.pressSequentially('ya');
  // What is written before the name moves it along.
  await ani.page.keyboard.press('Home');
  await ani.composer.pressSequentially('🎂 ');
  await ani.composer.press('Enter');
  const mention = (person) => bubble(person, '🎂 Kue dari').locator('.mention');
  assert.equal(await mention(ani).textContent(), '@Budi Santoso');
  await mention(budi).waitFor();
  assert.equal(await mention(budi).evaluate((name) => name.tagName), 'SPAN', 'nobody writes to oneself');
  await budi.page.getByRole('article', { name: /Kue dari @Budi Santoso ya, menyebut Anda/ }).waitFor();
  await look(budi, 'keeping-mentioned-phone-dark-id');
  await mention(citra).click();
  await item(citra, 'Message Budi Santoso').waitFor();
  await look(citra, 'keeping-person-dark-en');
  await item(citra, 'Message Budi Santoso').click();
  await citra.page.getByRole('heading', { name: 'Budi Santoso' }).waitFor();
  await citra.page.goBack();
});

test('a tap takes a name, and who edits it takes the mention away', async () => {
  await budi.composer.pressSequentially('Siap, @ani');
  await option(budi, 'Ani Lestari').waitFor();
  await look(budi, 'keeping-suggest-phone-dark-id');
  await option(budi, 'Ani Lestari').tap();
  await budi.composer.pressSequentially('dan @cit');
  await option(budi, 'Citra Dewi').tap();
  await budi.page.keyboard.press('Backspace');
  await budi.page.keyboard.press('Backspace');
  await budi.composer.pressSequentially('i');
  await option(budi, 'Citra Dewi').waitFor();
  await budi.composer.press('Escape');
  await budi.composer.press('Enter');
  await ani.sees('Siap, @Ani Lestari dan @Citra Dewi');
  assert.deepEqual(await bubble(ani, 'Siap, @Ani').locator('.mention').allTextContents(), ['@Ani Lestari']);
});

test('a draft and an edit keep who is spoken to', async () => {
  await ani.composer.pressSequentially('Besok @cit');
  await option(ani, 'Citra Dewi').click();
  await ani.composer.pressSequentially('jemput');
  await ani.page.waitForTimeout(800);
  await ani.page.reload();
  await ani.composer.waitFor();
  await ani.page.waitForFunction(() => document.querySelector('textarea')?.getAttribute('aria-autocomplete') === 'list');
  await ani.page.waitForTimeout(300);
  await ani.composer.press('Enter');
  await bubble(citra, 'Besok @Citra Dewi jemput').locator('.mention').waitFor();
  await choose(ani, 'Besok @Citra', 'Sunting');
  await ani.page.waitForTimeout(300);
  await ani.page.keyboard.press('Home');
  await ani.composer.pressSequentially('Lusa atau ');
  await ani.composer.press('Enter');
  await citra.page.getByRole('article', { name: /Lusa atau Besok @Citra Dewi jemput, speaks to you, edited/ }).waitFor();
  assert.equal(await bubble(citra, 'Lusa atau').locator('.mention').textContent(), '@Citra Dewi');
});

test('an unread mention shows in the list, muted or not, and a button leads to it', async () => {
  await citra.go('/');
  await row(citra, 'Arisan').click({ button: 'right' });
  await item(citra, 'Mute notifications').or(item(citra, 'Mute')).first().click();
  await citra.page.getByRole('menuitem').first().click();
  await row(citra, 'Arisan').getByText('muted').waitFor({ state: 'attached' });
  await ani.composer.pressSequentially('Penting @');
  await option(ani, 'semua').click();
  await ani.composer.press('Enter');
  for (let n = 1; n <= 30; n += 1) await ani.say(`Rencana nomor ${n}`);
  await row(citra, 'Arisan').getByText('speaks to you').waitFor({ state: 'attached' });
  await row(citra, 'Arisan').getByText(/31 unread/).waitFor({ state: 'attached' });
  await citra.page.waitForFunction(() => document.title.startsWith('(1)'));
  assert.match(await citra.page.getByRole('log').textContent(), /Penting @semua/);
  await citra.page.mouse.move(900, 700);
  await look(citra, 'keeping-list-dark-en');
  await row(citra, 'Arisan').click();
  const jump = button(citra, 'Jump to the message that speaks to you');
  await jump.waitFor();
  await look(citra, 'keeping-jump-dark-en');
  await jump.click();
  await citra.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Penting @semua'));
  await jump.waitFor({ state: 'detached' });
  await citra.page.getByRole('button', { name: 'Jump to the newest message' }).click();
  await citra.sees('Rencana nomor 30');
  await row(citra, 'Arisan').getByText('speaks to you').waitFor({ state: 'detached' });
});

test('marks become what they mean', async () => {
  const lines = ['*Daftar* untuk _Sabtu_ ~Minggu~, snake_case dan `kode`', '> kata Ani', '- tikar', '- kue *manis*', '1. doa', '2. makan'];
  await ani.composer.fill(`${lines.join('\n')}\n\`\`\`\nlet x = *1*;\n\`\`\`\nhttps://kabar.example/a_b_c`);
  await ani.composer.press('Enter');
  for (const person of [ani, budi, citra]) {
    const said = person.page.getByRole('article', { name: /Daftar untuk Sabtu Minggu, snake_case dan kode/ }).locator('.text');
    await said.waitFor();
    assert.equal(await said.locator('strong').first().textContent(), 'Daftar');
    assert.equal(await said.locator('em').textContent(), 'Sabtu');
    assert.equal(await said.locator('s').textContent(), 'Minggu');
    assert.deepEqual(await said.locator('ul li').allTextContents(), ['tikar', 'kue manis']);
    assert.deepEqual(await said.locator('ol li').allTextContents(), ['doa', 'makan']);
    assert.equal(await said.locator('.quote').textContent(), 'kata Ani');
    assert.equal(await said.locator('code.block').textContent(), 'let x = *1*;');
    assert.equal(await said.locator('a').getAttribute('href'), 'https://kabar.example/a_b_c');
  }
  await look(ani, 'keeping-marks-light-id');
  await look(budi, 'keeping-marks-phone-dark-id');
  await look(citra, 'keeping-marks-dark-en');
});

test('a star finds a message again', async () => {
  await citra.page.getByRole('navigation').getByRole('button', { name: 'More', exact: true }).click();
  await item(citra, 'Starred messages').click();
  await citra.page.getByRole('heading', { name: 'No message has a star yet' }).waitFor();
  await look(citra, 'keeping-starred-empty-dark-en');
  await citra.page.goBack();
  await choose(citra, 'Rencana nomor 28', 'Star');
  await citra.page.getByRole('article', { name: /Rencana nomor 28, starred/ }).waitFor();
  await choose(citra, 'Daftar untuk', 'Star');
  await citra.page.getByRole('article', { name: /Daftar untuk.*starred/s }).waitFor();
  await look(citra, 'keeping-star-dark-en');
  await citra.page.reload();
  await citra.go('/starred');
  const starred = citra.page.locator('a[data-found]');
  await starred.first().waitFor();
  assert.equal(await starred.count(), 2);
  await look(citra, 'keeping-starred-dark-en');
  await starred.filter({ hasText: 'Rencana nomor 28' }).click();
  await citra.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Rencana nomor 28'));
  await choose(citra, 'Rencana nomor 28', 'Remove the star');
  await citra.page.getByRole('article', { name: /Rencana nomor 28, starred/ }).waitFor({ state: 'detached' });
});

test('a pinned message stands above the thread for everybody', async () => {
  await openMenu(ani, 'Rencana nomor 30');
  await look(ani, 'keeping-menu-light-id');
  await item(ani, 'Sematkan').click();
  await item(ani, 'Selama 24 jam').waitFor();
  await look(ani, 'keeping-pin-light-id');
  await item(ani, 'Selama 24 jam').click();
  const strip = (person, name = 'Pesan tersemat') => person.page.getByRole('region', { name });
  for (const person of [ani, budi]) await strip(person).getByText('Rencana nomor 30').waitFor();
  await told(ani, 'Anda menyematkan pesan');
  await told(budi, 'Ani Lestari menyematkan pesan');
  await told(citra, 'Ani Lestari pinned a message');
  // In a group as it is made, only admins change what everybody sees.
  await openMenu(budi, 'Daftar untuk');
  assert.equal(await item(budi, 'Sematkan').count(), 0);
  await budi.page.keyboard.press('Escape');
  await choose(ani, 'Daftar untuk', 'Sematkan', 'Selama 7 hari');
  await strip(citra, 'Pinned messages').getByText('Pinned message 1 of 2').waitFor();
  await look(citra, 'keeping-pinned-dark-en');
  await look(budi, 'keeping-pinned-phone-dark-id');
  await strip(citra, 'Pinned messages').getByRole('button').click();
  await citra.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Daftar untuk'));
  await strip(citra, 'Pinned messages').getByText('Rencana nomor 30').waitFor();
  await choose(ani, 'Daftar untuk', 'Lepas sematan');
  await strip(citra, 'Pinned messages').getByText('Pinned message', { exact: true }).waitFor();
  await told(budi, 'Ani Lestari melepas sematan pesan');
});

test('several messages are picked, copied, forwarded and deleted', async () => {
  await ani.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await ani.say('Salah satu');
  await ani.say('Salah dua');
  await budi.sees('Salah dua');
  await choose(ani, 'Salah satu', 'Pilih');
  const bar = ani.page.getByRole('region', { name: 'Tindakan untuk pesan yang dipilih' });
  await bar.getByText('1 dipilih').waitFor();
  await bubble(ani, 'Salah dua').click();
  await bar.getByText('2 dipilih').waitFor();
  await look(ani, 'keeping-picking-light-id');
  await bar.getByRole('button', { name: 'Salin' }).click();
  await bar.getByText('Disalin').waitFor();
  assert.match(await ani.page.evaluate(() => navigator.clipboard.readText()), /\] Anda: Salah satu\n\[.*\] Anda: Salah dua$/);
  await bar.getByRole('button', { name: 'Teruskan' }).click();
  const forward = dialog(ani, 'Teruskan ke');
  await forward.getByRole('listitem').filter({ hasText: 'Citra Dewi' }).getByRole('checkbox').check({ force: true });
  await look(ani, 'keeping-forward-light-id');
  await forward.getByRole('button', { name: 'Teruskan ke 1 obrolan' }).click();
  await closed(ani);
  await ani.page.getByRole('heading', { name: 'Citra Dewi' }).waitFor();
  await ani.sees('Salah dua');
  await row(citra, 'Ani Lestari').getByText('Salah dua').waitFor();

  await ani.openChatFromList('Arisan');
  await choose(ani, 'Salah satu', 'Pilih');
  await bubble(ani, 'Salah dua').click();
  await bar.getByRole('button', { name: 'Hapus untuk semua' }).click();
  await look(ani, 'keeping-delete-light-id');
  await dialog(ani, 'Hapus 2 pesan untuk semua?').getByRole('button', { name: 'Hapus' }).click();
  await bar.waitFor({ state: 'detached' });
  await budi.message('Salah satu').waitFor({ state: 'detached' });
  await budi.message('Salah dua').waitFor({ state: 'detached' });
});

test('picking works by keyboard and on a phone, says why something cannot be, and Escape leaves', async () => {
  await choose(budi, 'Rencana nomor 29', 'Pilih');
  const bar = budi.page.getByRole('region', { name: 'Tindakan untuk pesan yang dipilih' });
  await bubble(budi, 'Rencana nomor 30').tap();
  await bar.getByText('2 dipilih').waitFor();
  await bar.getByRole('button', { name: 'Hapus untuk semua' }).tap({ force: true });
  await bar.getByText('Hanya pesan Anda sendiri dari dua hari terakhir').last().waitFor();
  await look(budi, 'keeping-picking-phone-dark-id');
  await bar.getByRole('button', { name: 'Beri bintang' }).tap();
  await bar.waitFor({ state: 'detached' });
  await budi.page.getByRole('article', { name: /Rencana nomor 30, berbintang/ }).waitFor();

  await bubble(citra, 'Rencana nomor 30').focus();
  await citra.page.keyboard.press('Enter');
  await item(citra, 'Select').click();
  await citra.page.getByText('1 selected').waitFor();
  await bubble(citra, 'Rencana nomor 29').focus();
  await citra.page.keyboard.press('Enter');
  await citra.page.getByText('2 selected').waitFor();
  await citra.page.keyboard.press('Escape');
  await citra.page.getByText('2 selected').waitFor({ state: 'detached' });
  await citra.composer.waitFor();
});

test('an answer in private quotes in words', async () => {
  await openMenu(budi, 'Rencana nomor 30');
  await look(budi, 'keeping-menu-phone-dark-id');
  await item(budi, 'Balas secara pribadi').click();
  await budi.page.getByRole('heading', { name: 'Ani Lestari' }).waitFor();
  assert.equal(await budi.composer.inputValue(), '> Rencana nomor 30\n');
  await budi.composer.pressSequentially('Setuju, tapi jangan bilang Citra');
  await budi.page.getByRole('button', { name: 'Kirim', exact: true }).tap();
  await ani.openChatFromList('Budi');
  const answer = bubble(ani, 'jangan bilang Citra').locator('.text');
  assert.equal(await answer.locator('.quote').textContent(), 'Rencana nomor 30');
  await look(ani, 'keeping-privately-light-id');
  // Between two, both pin.
  await choose(budi, 'jangan bilang Citra', 'Sematkan', 'Selama 30 hari');
  await ani.page.getByRole('region', { name: 'Pesan tersemat' }).getByText('Budi Santoso: Rencana nomor 30').waitFor();
  await told(ani, 'Budi Santoso menyematkan pesan');
  await told(budi, 'Anda menyematkan pesan');
  await look(ani, 'keeping-pinned-two-light-id');
  await look(budi, 'keeping-pinned-two-phone-dark-id');
});

test('nobody heard a complaint', () => {
  for (const person of [ani, budi, citra]) person.calm();
});
