// What people show to somebody else: a stranger's words to the operator, and what a group has said to whoever comes in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible } from './lib/axe.mjs';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { closed, closePanel, dialog, item, openPanel, told } from './lib/panel.mjs';
import { PHONE, Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

let server;
let browser;
let ani;
/** On a phone in the dark, in English. */
let budi;

before(async () => {
  server = await startServer();
  browser = await launch();
  ani = await Person.open(browser, server.origin());
  await ani.signUp('Ani Lestari');
  budi = await Person.open(browser, server.origin('dua'), { colorScheme: 'dark', language: 'en', ...PHONE });
  await budi.signUp('Budi Santoso');
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

test('a stranger is reported, and the operator reads what he wrote and nothing else', async () => {
  await ani.openChatWith(await budi.link());
  await ani.say('Anda menang undian');
  await ani.say('Kirim kode OTP');
  await budi.go('/');
  await budi.openChatFromList('Ani');
  await budi.sees('Kirim kode OTP');
  await budi.page.getByRole('button', { name: 'Report', exact: true }).click();
  const sheet = dialog(budi, 'Report Ani Lestari');
  await sheet.getByRole('button', { name: 'Report', exact: true }).click();
  await sheet.getByText('Choose what it is about.').waitFor();
  await look(budi, 'reports-sheet-phone-dark-en');
  await assertAccessible(budi.page, 'the sheet of reports');
  await sheet.getByText('Fraud, or somebody who claims to be another').click();
  await sheet.getByRole('button', { name: 'Report', exact: true }).click();
  await budi.page.getByText('Reported. The operator decides what follows.').waitFor();
  await look(budi, 'reports-done-phone-dark-en');
  await dialog(budi, 'Report Ani Lestari').getByRole('button', { name: 'Close' }).click();
  await closed(budi);
  const { reports } = server.admin('reports', 'list');
  assert.deepEqual(
    reports.map(({ reason, open }) => [reason, open]),
    [['fraud', true]],
  );
  const { messages } = server.admin('reports', 'show', reports[0].report_id);
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['Kirim kode OTP', 'Anda menang undian'],
  );
});

test('one message is reported from its menu, and its author blocked with it', async () => {
  await budi.message('Anda menang undian').click({ button: 'right' });
  await item(budi, 'Report').click();
  const sheet = dialog(budi, 'Report Ani Lestari');
  await sheet.getByText('Advertising that nobody asked for').click();
  await sheet.getByText('Block as well').click();
  await sheet.getByRole('button', { name: 'Report', exact: true }).click();
  await budi.page.getByText('Reported. The operator decides what follows.').waitFor();
  await dialog(budi, 'Report Ani Lestari').getByRole('button', { name: 'Close' }).click();
  await budi.page.getByText('You have blocked Ani Lestari. Nothing they write reaches you.').waitFor();
  const newest = server.admin('reports', 'list').reports.find(({ reason }) => reason === 'spam');
  const { messages } = server.admin('reports', 'show', newest.report_id);
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['Anda menang undian'],
  );
});

test('whoever comes into a group is shown what it has said, and all are told', async () => {
  const citra = await Person.open(browser, server.origin('tiga'));
  await citra.signUp('Citra Dewi');
  const dewi = await Person.open(browser, server.origin('empat'), { language: 'en' });
  await dewi.signUp('Dewi Anggraini');
  const [of, hers] = [await citra.link(), await dewi.link()];
  await ani.go('/new');
  await ani.page.getByRole('link', { name: 'Grup baru' }).click();
  await ani.page.getByLabel('Nama grup').fill('Arisan');
  await ani.page.getByLabel('Cari, atau ketik').fill(of);
  await ani.page.getByLabel('Cari, atau ketik').press('Enter');
  await ani.page.getByRole('list', { name: 'Yang dipilih' }).getByRole('button').waitFor();
  await ani.page.getByRole('button', { name: 'Buat grup' }).click();
  await ani.composer.waitFor();
  await ani.say('Arisan hari Minggu');
  const panel = await openPanel(ani);
  await panel.getByRole('switch', { name: /Perlihatkan pesan terakhir/ }).click();
  await look(ani, 'reports-history-light-id');
  await closePanel(ani);
  await told(ani, 'Anda mengubah aturan: yang baru masuk melihat pesan-pesan terakhir');
  const open = await openPanel(ani);
  await open.getByRole('button', { name: 'Tambah orang' }).click();
  const sheet = dialog(ani, 'Tambah orang');
  await sheet.getByRole('textbox').fill(hers);
  await sheet.getByRole('textbox').press('Enter');
  await sheet.getByRole('button', { name: 'Tambahkan 1 orang' }).click();
  await closed(ani, 1);
  await closePanel(ani);
  await told(ani, 'Anda memperlihatkan 1 pesan terakhir kepada yang baru masuk');
  await dewi.go('/');
  await dewi.openChatFromList('Arisan');
  await dewi.sees('Arisan hari Minggu');
  await dewi.page.getByRole('article', { name: /showed who came in the last message/ }).waitFor();
  await look(dewi, 'reports-shown-light-en');
  ani.calm();
  dewi.calm();
});
