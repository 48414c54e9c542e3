// Groups of people: three browsers, from the first name to the last word, and somebody who was away meanwhile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { three } from './lib/pair.mjs';
import { closePanel, dialog, item, openPanel, panelOf, told } from './lib/panel.mjs';
import { PHONE, Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';
import { Terminal } from './lib/terminal.mjs';

let server;
let browser;
/** Makes the group: at a desk, by daylight, in Indonesian. */
let ani;
/** On a phone in the dark. */
let budi;
/** At a desk in the dark, in English. */
let citra;

before(async () => {
  server = await startServer();
  browser = await launch();
  ({ ani, budi, citra } = await three(browser, server, { citra: { colorScheme: 'dark', language: 'en' } }));
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

/** The menu of a member, from the open panel. */
async function choose(person, member, action) {
  await panelOf(person).getByRole('button', { name: new RegExp(member) }).click();
  await item(person, action).click();
}

const settled = (person) =>
  panelOf(person).getByText(/Mengubah grup…|Changing the group…/).waitFor({ state: 'detached' });

test('a group is not made without a name or without people', async () => {
  await ani.go('/new');
  await ani.page.getByRole('link', { name: 'Grup baru' }).click();
  await ani.page.getByRole('heading', { name: 'Grup baru' }).waitFor();
  await look(ani, 'groups-new-empty-light-id');
  const create = ani.page.getByRole('button', { name: 'Buat grup' });
  await create.click();
  await ani.page.getByText('Nama grup 1 sampai 100 huruf').waitFor();
  const name = ani.page.getByLabel('Nama grup');
  assert.equal(await name.evaluate((input) => input === document.activeElement), true);
  await name.fill('x'.repeat(104));
  await ani.page.getByText('Kelebihan 4 huruf').waitFor();
  await name.fill('Arisan Keluarga');
  await create.click();
  await ani.page.getByText('Pilih setidaknya satu orang.').waitFor();
  await look(ani, 'groups-new-error-light-id');
});

test('people are picked from the list, by link, and left out again', async () => {
  const search = ani.page.getByLabel('Cari, atau ketik');
  const picked = ani.page.getByRole('list', { name: 'Yang dipilih' });
  await search.fill('tidak.ada.orangnya');
  await search.press('Enter');
  await ani.page.getByText('Tidak ada yang ditemukan').waitFor();
  await search.fill('+6221');
  await ani.page.getByRole('button', { name: 'Temukan' }).click();
  await ani.page.getByRole('region', { name: 'Siapa saja anggotanya?' }).getByRole('alert').filter({ hasText: /bukan nama|ditemukan/ }).waitFor();
  // A company is nobody to talk among.
  const shop = await ani.page.evaluate(() => fetch('/demo.json').then((answer) => answer.json()));
  if (shop[0]) {
    await search.fill(shop[0]);
    await ani.page.getByRole('button', { name: 'Temukan' }).click();
    await ani.page.getByText('Perusahaan tidak dapat menjadi anggota grup.').waitFor();
  }
  await search.fill('cit');
  await search.press('Enter');
  await picked.getByRole('button', { name: /^Citra Dewi.*batal memilih/ }).click();
  await picked.waitFor({ state: 'detached' });
  for (const name of ['Budi Santoso', 'Citra Dewi']) {
    await ani.page.getByRole('listitem').filter({ hasText: name }).getByRole('checkbox').check({ force: true });
  }
  assert.equal(await picked.getByRole('button').count(), 2);
  await look(ani, 'groups-new-picked-light-id');
});

test('a group is made, and everybody is in it', async () => {
  await ani.page.getByRole('button', { name: 'Buat grup' }).click();
  await ani.composer.waitFor();
  await told(ani, 'Anda membuat grup');
  await ani.page.getByRole('heading', { name: 'Arisan Keluarga' }).waitFor();
  await ani.say('Selamat datang! Sabtu jadi ya?');
  for (const person of [budi, citra]) {
    await person.go('/');
    await person.openChatFromList('Arisan Keluarga');
    await person.sees('Selamat datang! Sabtu jadi ya?');
  }
  await told(budi, 'Ani Lestari menambahkan Anda');
  await told(citra, 'Ani Lestari added you');
});

test('who speaks is said above the first of a run, and in the list', async () => {
  await budi.say('Jadi, saya bawa kue');
  await budi.say('Sama tikar');
  await citra.sees('Sama tikar');
  const names = citra.page.getByRole('article').filter({ has: citra.page.locator('.sender') });
  assert.deepEqual(await names.locator('.sender').allTextContents(), ['Ani Lestari', 'Budi Santoso']);
  await citra.say('I bring the drinks 🥤');
  await ani.sees('I bring the drinks');
  await ani.page.getByRole('navigation').getByText('Citra: I bring the drinks').waitFor();
  await citra.page.getByRole('navigation').getByText('You: I bring the drinks').waitFor();
  await ani.seesState('Selamat datang! Sabtu jadi ya?', 'dibaca semua');
  await look(ani, 'groups-thread-light-id');
  await look(budi, 'groups-phone-thread-dark-id');
  await look(citra, 'groups-thread-dark-en');
});

test('who types is said with the name', async () => {
  await budi.composer.pressSequentially('hm');
  await ani.page.getByText('Budi sedang mengetik…').waitFor();
  await budi.composer.fill('');
});

test('an answer and a reaction work as between two', async () => {
  const asked = ani.message('I bring the drinks');
  await asked.hover();
  await asked.getByRole('button', { name: 'Balas' }).click();
  await ani.say('Terima kasih, Citra');
  await citra.sees('Terima kasih, Citra');
  await citra.message('Terima kasih, Citra').locator('blockquote').getByText('I bring the drinks').waitFor();
  const thanks = citra.message('Terima kasih, Citra');
  await thanks.hover();
  await thanks.getByRole('button', { name: 'More for this message' }).click();
  await citra.page.getByRole('menuitemcheckbox', { name: 'React with ❤️' }).click();
  await ani.message('Terima kasih, Citra').getByRole('button', { name: '❤️ dari Citra Dewi' }).waitFor();
});

test('one sees with whom a message has arrived', async () => {
  await budi.go('/');
  await budi.context.setOffline(true);
  await ani.say('Alamatnya masih sama');
  await citra.sees('Alamatnya masih sama');
  const message = ani.message('Alamatnya masih sama');
  await message.hover();
  await message.getByRole('button', { name: 'Lainnya untuk pesan ini' }).click();
  await item(ani, 'Siapa sudah menerima').click();
  const info = dialog(ani, 'Siapa sudah menerima');
  const listed = (heading, name) =>
    info.locator('section').filter({ hasText: heading }).getByText(name).waitFor();
  await listed('Dibaca oleh', 'Citra Dewi');
  await listed('Dalam perjalanan ke', 'Budi Santoso');
  await look(ani, 'groups-info-light-id');
  await budi.context.setOffline(false);
  await listed('Sampai ke', 'Budi Santoso');
  await ani.page.keyboard.press('Escape');
  await ani.seesState('Alamatnya masih sama', 'sampai ke semua');
  await budi.openChatFromList('Arisan');
  await ani.seesState('Alamatnya masih sama', 'dibaca semua');
});

test('name and description are changed by whoever may, and told in the thread', async () => {
  const panel = await openPanel(ani);
  await look(ani, 'groups-panel-light-id');
  await panel.getByRole('button', { name: 'Ubah nama dan keterangan' }).click();
  const edit = dialog(ani, 'Nama dan keterangan');
  await edit.getByLabel('Nama grup').fill('Arisan Keluarga Besar');
  await edit.getByLabel('Keterangan (boleh kosong)').fill('Tiap Sabtu pertama.\nGiliran diundi.');
  await look(ani, 'groups-edit-light-id');
  await edit.getByRole('button', { name: 'Simpan' }).click();
  await told(budi, 'Ani Lestari mengganti nama grup menjadi Arisan Keluarga Besar');
  await told(citra, 'Ani Lestari changed the description');
  await citra.page.getByRole('heading', { name: 'Arisan Keluarga Besar' }).waitFor();
  await panel.getByText('Giliran diundi.').waitFor();

  const theirs = await openPanel(citra);
  await theirs.getByText('Giliran diundi.').waitFor();
  assert.equal(await theirs.getByRole('button', { name: 'Change name and description' }).count(), 0, 'she may not');
  await look(citra, 'groups-panel-dark-en');
  await closePanel(citra);
  await openPanel(budi);
  await look(budi, 'groups-phone-panel-dark-id');
  await closePanel(budi);
});

test('a member becomes an admin, and may add people then', async () => {
  await choose(ani, 'Budi Santoso', 'Jadikan admin');
  await panelOf(ani).getByRole('button', { name: /Budi Santoso.*Admin/ }).waitFor();
  await closePanel(ani);
  await told(ani, 'Anda menjadikan Budi Santoso admin');
  await told(citra, 'Ani Lestari made Budi Santoso an admin');
  await told(budi, 'Ani Lestari menjadikan Anda admin');

  const dewi = await Person.open(browser, server.origin('empat'));
  await dewi.signUp('Dewi');
  const link = await dewi.link();
  const panel = await openPanel(budi);
  await panel.getByRole('button', { name: 'Tambah orang' }).click();
  const sheet = dialog(budi, 'Tambah orang');
  await sheet.getByText('sudah menjadi anggota').first().waitFor();
  await sheet.getByRole('textbox').fill(link);
  await sheet.getByRole('textbox').press('Enter');
  await sheet.getByRole('button', { name: 'Tambahkan 1 orang' }).waitFor();
  await look(budi, 'groups-phone-add-dark-id');
  await sheet.getByRole('button', { name: 'Tambahkan 1 orang' }).click();
  await settled(budi);
  await closePanel(budi);
  // The link said her name to Budi alone; the others learn it with her first word.
  await told(budi, 'Anda menambahkan Dewi');
  await told(ani, 'Budi Santoso menambahkan Orang tak dikenal');
  // She has never talked with any of them.
  await dewi.go('/');
  await dewi.openChatFromList('Arisan Keluarga Besar');
  await dewi.page.getByRole('heading', { name: /oleh orang yang belum pernah mengobrol/ }).waitFor();
  await told(dewi, 'Budi Santoso menambahkan Anda');
  await look(dewi, 'groups-request-light-id');
  assert.equal(await dewi.message('Selamat datang').count(), 0, 'nothing from before');
  await dewi.page.getByRole('button', { name: 'Terima' }).click();
  await dewi.page.getByRole('heading', { name: /oleh orang yang belum pernah mengobrol/ }).waitFor({ state: 'detached' });
  await dewi.say('Halo semua');
  for (const person of [ani, budi, citra]) await person.sees('Halo semua');
  await told(ani, 'Budi Santoso menambahkan Dewi');
  dewi.calm();
  await dewi.close();
});

test('an admin deletes what somebody else wrote, and everybody sees who did', async () => {
  await citra.say('Wrong group, sorry');
  const stray = budi.message('Wrong group, sorry');
  await stray.waitFor();
  await stray.focus();
  await budi.page.keyboard.press('Enter');
  await item(budi, 'Hapus untuk semua').click();
  const asks = dialog(budi, 'Hapus untuk semua?');
  await asks.getByText('Semua orang melihat bahwa Anda yang menghapusnya').waitFor();
  await look(budi, 'groups-phone-delete-dark-id');
  await asks.getByRole('button', { name: 'Hapus', exact: true }).click();
  const gone = (person, words) => person.page.getByRole('article', { name: words }).waitFor();
  await gone(budi, /^Citra Dewi, Anda menghapus pesan ini sebagai admin/);
  await gone(ani, /^Citra Dewi, Dihapus oleh Budi Santoso, admin/);
  await gone(citra, /^You, Deleted by Budi Santoso, an admin/);
  await ani.page.getByRole('navigation').getByText('Dihapus oleh Budi Santoso, admin').waitFor();
  assert.equal(await ani.page.getByText('Wrong group').count(), 0);
  await look(citra, 'groups-deleted-dark-en');
  // She is no admin: of what others wrote she deletes nothing.
  const theirs = citra.message('Terima kasih, Citra');
  await theirs.hover();
  await theirs.getByRole('button', { name: 'More for this message' }).click();
  await item(citra, 'Copy').waitFor();
  assert.equal(await item(citra, 'Delete for everyone').count(), 0);
  await citra.page.keyboard.press('Escape');
});

test('where only admins write, the others see why they cannot', async () => {
  const panel = await openPanel(ani);
  const write = panel.getByRole('group', { name: 'Menulis pesan' });
  await write.getByRole('radio', { name: 'Admin' }).check({ force: true });
  await citra.page.getByText('Only admins may write in this group.').waitFor();
  assert.equal(await citra.composer.count(), 0);
  await told(citra, 'Ani Lestari changed the settings: only admins may write');
  await look(citra, 'groups-closed-dark-en');
  await citra.message('Sama tikar').hover();
  assert.equal(await citra.message('Sama tikar').getByRole('button', { name: 'Reply' }).count(), 0);
  await budi.say('Admin masih bisa');
  await citra.sees('Admin masih bisa');
  await write.getByRole('radio', { name: 'Semua' }).check({ force: true });
  await citra.composer.waitFor();
  await closePanel(ani);
});

test('somebody who was away comes back to what happened, in its order', async () => {
  await citra.go('/');
  await citra.context.setOffline(true);
  await ani.say('Satu');
  await budi.sees('Satu');
  const panel = await openPanel(ani);
  await choose(ani, 'Budi Santoso', 'Jadikan anggota biasa');
  await panel.getByRole('button', { name: /Budi Santoso.*Admin/ }).waitFor({ state: 'detached' });
  await closePanel(ani);
  await ani.say('Dua');
  await budi.sees('Dua');
  await citra.context.setOffline(false);
  await citra.openChatFromList('Arisan');
  await citra.sees('Dua');
  const labels = await citra.page.getByRole('article').evaluateAll((all) => all.map((article) => article.ariaLabel));
  const places = ['Satu', 'made Budi Santoso a plain member', 'Dua'].map((text) =>
    labels.findIndex((label) => label.includes(text)),
  );
  assert.deepEqual(places, [...places].sort((a, b) => a - b), labels.join('\n'));
});

test('a change that waits for a connection says so, and goes through by itself', async () => {
  const panel = await openPanel(ani);
  await ani.context.setOffline(true);
  await choose(ani, 'Citra Dewi', 'Jadikan admin');
  await panel.getByText('Menunggu sambungan, lalu berjalan sendiri.').waitFor();
  await look(ani, 'groups-waits-light-id');
  await ani.context.setOffline(false);
  await panel.getByRole('button', { name: /Citra Dewi.*Admin/ }).waitFor();
  await told(citra, 'Ani Lestari made you an admin');
  await closePanel(ani);
});

test('a group that is made offline waits in the list, and is there when the connection is', async () => {
  await citra.go('/group');
  await citra.page.getByLabel('Name of the group').fill('Book club');
  await citra.page.getByRole('listitem').filter({ hasText: 'Ani Lestari' }).getByRole('checkbox').check({ force: true });
  await citra.page.getByLabel('Up to 256 devices').check();
  await look(citra, 'groups-new-dark-en');
  await citra.context.setOffline(true);
  await citra.page.getByRole('button', { name: 'Make the group' }).click();
  await citra.page.getByText('The group is made by itself as soon as there is one').waitFor();
  await citra.page.getByRole('navigation').getByText('The group is being made…').waitFor();
  await look(citra, 'groups-making-dark-en');
  await citra.context.setOffline(false);
  await told(citra, 'You made the group');
  const panel = await openPanel(citra);
  await panel.getByText('End-to-end encrypted. Up to 256 devices.').waitFor();
  await panel.getByRole('button', { name: 'Leave the group' }).click();
  const leave = dialog(citra, 'Leave Book club?');
  await leave.getByText('You are its only owner.').waitFor();
  await look(citra, 'groups-leave-dark-en');
  await leave.getByRole('button', { name: 'Leave', exact: true }).click();
  await panel.getByText('You have left this group.').waitFor();
  await closePanel(citra);
  await ani.go('/');
  await ani.page.getByRole('navigation').getByRole('link', { name: /Book club/ }).click();
  await told(ani, 'Citra Dewi keluar dari grup');
  await told(ani, 'Citra Dewi menjadikan Anda pemilik');
});

test('a muted group is neither counted nor announced', async () => {
  await budi.go('/');
  await budi.openChatFromList('Arisan');
  const panel = await openPanel(budi);
  await panel.getByRole('button', { name: 'Ubah: Bisukan' }).click();
  await look(budi, 'groups-phone-mute-dark-id');
  await item(budi, 'Selama 8 jam').click();
  await panel.getByText(/^Dibisukan sampai/).waitFor();
  await closePanel(budi);
  await budi.go('/');
  await ani.go('/');
  await ani.openChatFromList('Arisan');
  await ani.say('Jangan lupa ya');
  await budi.page.getByRole('navigation').getByText('Ani: Jangan lupa ya').waitFor();
  assert.equal(await budi.page.title(), 'Kabar');
  await look(budi, 'groups-phone-list-dark-id');
});

test('a member is removed, and keeps the thread', async () => {
  await openPanel(ani);
  await choose(ani, 'Budi Santoso', 'Keluarkan dari grup');
  const asks = dialog(ani, 'Keluarkan Budi Santoso?');
  await look(ani, 'groups-remove-light-id');
  await asks.getByRole('button', { name: 'Keluarkan' }).click();
  await panelOf(ani).getByRole('button', { name: /Budi Santoso/ }).waitFor({ state: 'detached' });
  await closePanel(ani);
  await told(ani, 'Anda mengeluarkan Budi Santoso');
  await budi.page.getByRole('navigation').getByRole('link', { name: /Arisan/ }).click();
  await budi.page.getByText('Anda tidak lagi di grup ini.').waitFor();
  await told(budi, 'Ani Lestari mengeluarkan Anda');
  await budi.sees('Jangan lupa ya');
  await look(budi, 'groups-phone-removed-dark-id');
  await ani.say('Tanpa Budi');
  await citra.go('/');
  await citra.openChatFromList('Arisan');
  await citra.sees('Tanpa Budi');
  assert.equal(await budi.message('Tanpa Budi').count(), 0);
});

test('from the keyboard alone: to the panel, a member, and a private chat', async () => {
  const { page } = ani;
  const focused = () =>
    page.evaluate(() => (document.activeElement?.matches('button') ? document.activeElement.textContent.trim() : ''));
  await page.locator('header a[href$="/details"]:not([aria-hidden])').focus();
  await page.keyboard.press('Enter');
  await panelOf(ani).getByRole('listitem').first().waitFor();
  for (let i = 0; i < 12 && !(await focused()).includes('Citra Dewi'); i += 1) await page.keyboard.press('Tab');
  assert.match(await focused(), /Citra Dewi/);
  await page.keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  assert.equal(await focused(), 'Kirim pesan pribadi');
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  assert.match(await focused(), /Citra Dewi/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Citra Dewi' }).waitFor();
  await ani.sees('Halo juga');
});

test('somebody at a terminal is a member like any other, whatever he is called', async () => {
  const terminal = new Terminal(server.origin());
  try {
    await terminal.chat('register', '--name', 'Tuti \u202e!naluraB', '--username', 'tuti');
    const me = (await terminal.chat('whoami'))[0];
    await citra.openChatWith(me.account_id);
    await citra.say('Hello');
    await citra.go('/group');
    await citra.page.getByLabel('Name of the group').fill('مجموعة القراءة');
    const search = citra.page.getByLabel('Search, or type');
    await search.fill('@tuti');
    await citra.page.getByRole('button', { name: 'Find' }).click();
    await citra.page.getByRole('list', { name: 'Picked' }).waitFor();
    await citra.page.getByRole('button', { name: 'Make the group' }).click();
    await citra.composer.waitFor();
    const came = await terminal.chat('receive', '--timeout', '8');
    const group = came.findLast(({ kind }) => kind === 'notice_added').conversation_id;
    await terminal.chat('send', '--to', group, '--text', 'Halo dari terminal');
    await citra.sees('Halo dari terminal');
    const panel = await openPanel(citra);
    await choose(citra, 'Tuti', 'Make an admin');
    await panel.getByRole('button', { name: /Tuti.*Admin/ }).waitFor();
    await closePanel(citra);
    await terminal.chat('group', 'rename', group, '--name', 'Klub buku');
    await citra.page.getByRole('heading', { name: 'Klub buku' }).waitFor();
    await look(citra, 'groups-terminal-dark-en');
  } finally {
    terminal.close();
  }
});

test('in the other theme of each language everything is as sound', async () => {
  for (const [name, language, theme, options] of [
    ['eka', 'en', 'light', PHONE],
    ['fajar', 'id', 'dark', {}],
  ]) {
    const eka = await Person.open(browser, server.origin(name), { language, colorScheme: theme, ...options });
    await eka.signUp('Eka');
    await eka.openChatWith(await ani.link());
    await eka.say('Halo');
    const words = { en: ['Name of the group', 'Make the group'], id: ['Nama grup', 'Buat grup'] }[language];
    await eka.go('/group');
    await eka.page.getByLabel(words[0]).fill('Kelompok belajar bersama yang namanya panjang sekali sampai tidak muat di satu baris');
    await eka.page.getByRole('listitem').filter({ hasText: 'Ani' }).getByRole('checkbox').check({ force: true });
    await look(eka, `groups-new-${theme}-${language}`);
    await eka.page.getByRole('button', { name: words[1] }).click();
    await eka.composer.waitFor();
    await eka.say('Halo');
    await openPanel(eka);
    await look(eka, `groups-panel-${theme}-${language}`);
    await closePanel(eka);
    await look(eka, `groups-thread-${theme}-${language}`);
    eka.calm();
    await eka.close();
  }
});

test('nothing was said in the console', () => {
  for (const person of [ani, budi, citra]) person.calm();
});
