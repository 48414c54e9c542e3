// Links into a group: made in its panel, followed by somebody without an account and by one who asks first, and taken back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { closed, closePanel, dialog, openPanel, panelOf, told } from './lib/panel.mjs';
import { PHONE, Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';
import { Wire } from './lib/wire.mjs';

const ABOUT = 'Sabtu pagi di lapangan RW 05. Bawa air minum sendiri, ya.';

let server;
let wire;
let browser;
/** Owns the group: at a desk, by daylight, in Indonesian. */
let ani;
/** Has no account before the link: on a phone, in the dark, in English. */
let budi;
/** Has an account, and asks. */
let citra;
let open;
let guarded;

const origin = (name) => server.origin(name);
const at = (link, name) => link.replace('//localhost', `//${name}.localhost`);
/** A link in the open panel's list; a sheet that just closed may still hold the same words out of sight. */
const listed = (words) => panelOf(ani).getByRole('listitem').filter({ hasText: words });

before(async () => {
  server = await startServer();
  wire = await Wire.tap(server.port);
  // Every line of every person goes through the tap.
  const mapped = ['localhost', '*.localhost'].map((host) => `MAP ${host} 127.0.0.1:${wire.port}`);
  browser = await launch(`--host-resolver-rules=${mapped.join(',')}`);
  ani = await Person.open(browser, origin(), { permissions: ['clipboard-read', 'clipboard-write'] });
  await ani.signUp('Ani Lestari');
});

after(async () => {
  await browser?.close();
  wire?.stop();
  assert.equal(await server?.stop(), 0);
});

/** Makes a link in the open panel, and copies it. */
async function makeLink(choose) {
  await panelOf(ani).getByRole('button', { name: 'Buat tautan' }).click();
  const wish = dialog(ani, 'Tautan baru');
  await choose(wish);
  await wish.getByRole('button', { name: 'Buat tautannya' }).click();
  const sheet = dialog(ani, 'Senam Pagi');
  await sheet.locator('canvas').waitFor();
  return sheet;
}

test('a link is made, shown as a code, and copied', async () => {
  const { page } = ani;
  await ani.go('/group');
  await page.getByLabel('Nama grup').fill('Senam Pagi');
  await page.getByLabel('Keterangan').fill(ABOUT);
  // A group needs somebody else in it.
  const dewi = await Person.open(browser, origin('dewi'));
  await dewi.signUp('Dewi');
  const search = page.getByLabel('Cari, atau ketik');
  await search.fill(await dewi.link());
  await page.getByRole('button', { name: 'Temukan' }).click();
  await page.getByRole('list', { name: 'Yang dipilih' }).waitFor();
  await page.getByRole('button', { name: 'Buat grup' }).click();
  await ani.composer.waitFor();
  await dewi.close();
  await openPanel(ani);
  const sheet = await makeLink(async (wish) => {
    await wish.getByRole('radio', { name: '1 bulan' }).check({ force: true });
    await wish.getByRole('radio', { name: '10', exact: true }).check({ force: true });
    await look(ani, 'invites-new-light-id');
  });
  await look(ani, 'invites-code-light-id');
  await sheet.getByRole('button', { name: 'Salin tautan' }).click();
  await sheet.getByRole('button', { name: 'Tersalin' }).waitFor();
  open = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(open, /^http:\/\/localhost:\d+\/i\/[\w-]{32}#[\w-]{32}$/);
  await page.keyboard.press('Escape');
  await closed(ani, 1);
  await listed('untuk 10 orang').waitFor();
  guarded = (
    await (await makeLink((wish) => wish.getByRole('checkbox').check())).locator('code').textContent()
  ).trim();
  await page.keyboard.press('Escape');
  await closed(ani, 1);
  await listed('dengan persetujuan').waitFor();
  await panelOf(ani).getByText('Tautan Anda').first().scrollIntoViewIfNeeded();
  await look(ani, 'invites-links-light-id');
  await closePanel(ani);
});

test('somebody without an account sees what the link leads to, gives a name, and is in', async () => {
  const { pathname, hash } = new URL(open);
  budi = await Person.open(browser, origin('budi'), { language: 'en', colorScheme: 'dark', path: pathname + hash, ...PHONE });
  const { page } = budi;
  await page.getByRole('heading', { name: 'Senam Pagi' }).waitFor();
  await page.getByText(ABOUT).waitFor();
  await page.getByText('Ani Lestari invites you to this group.').waitFor();
  await page.getByText('2 members').waitFor();
  await look(budi, 'invites-landing-phone-dark-en');
  await page.getByLabel('What is your name?').fill('Budi Santoso');
  await page.getByRole('button', { name: 'Start and join' }).click();
  await budi.composer.waitFor();
  assert.doesNotMatch(page.url(), new RegExp(`${hash.slice(1)}|/i/`));
  await told(budi, 'You joined by a link');
  await budi.say('Halo semua!');
  await ani.sees('Halo semua!');
  await told(ani, 'Budi Santoso bergabung lewat tautan');
  await look(budi, 'invites-joined-phone-dark-en');
  await look(ani, 'invites-joined-light-id');
});

test('a member who follows the link is taken to the group', async () => {
  const { page } = budi;
  await page.goto(at(open, 'budi'));
  await budi.composer.waitFor();
  await budi.sees('Halo semua!');
  assert.match(page.url(), /\/#\/c\//);
});

test('where somebody has to say yes, one asks, is shown to those who may, and is let in', async () => {
  citra = await Person.open(browser, origin('citra'), { language: 'id', colorScheme: 'dark' });
  await citra.signUp('Citra Dewi');
  await citra.go('/new');
  await citra.page.getByLabel(citra.t.who).fill(at(guarded, 'citra'));
  await citra.page.keyboard.press('Enter');
  await citra.page.getByRole('heading', { name: 'Senam Pagi' }).waitFor();
  await citra.page.getByText('lalu seseorang di grup menyetujuinya').waitFor();
  await look(citra, 'invites-landing-ask-dark-id');
  await citra.page.getByRole('button', { name: 'Minta bergabung' }).click();
  await citra.page.getByText('Seseorang di grup harus menyetujuinya.').first().waitFor();
  await look(citra, 'invites-asked-dark-id');
  await ani.page.getByRole('link', { name: '1 orang meminta bergabung' }).waitFor();
  await look(ani, 'invites-strip-light-id');
  await ani.page.getByRole('link', { name: '1 orang meminta bergabung' }).click();
  const panel = panelOf(ani);
  await panel.getByRole('heading', { name: '1 orang meminta bergabung' }).waitFor();
  await look(ani, 'invites-requests-light-id');
  await panel.getByRole('button', { name: 'Izinkan Citra Dewi masuk' }).click();
  await panel.getByRole('heading', { name: '1 orang meminta bergabung' }).waitFor({ state: 'detached' });
  await closePanel(ani);
  await citra.composer.waitFor();
  await citra.say('Terima kasih sudah diizinkan');
  await ani.sees('Terima kasih sudah diizinkan');
  await budi.sees('Terima kasih sudah diizinkan');
});

test('one who is declined is not let in', async () => {
  const { pathname, hash } = new URL(guarded);
  const eka = await Person.open(browser, origin('eka'), { language: 'en', path: pathname + hash });
  await eka.page.getByText('Somebody in the group lets you in').waitFor();
  await look(eka, 'invites-landing-light-en');
  await eka.page.getByLabel('What is your name?').fill('Eka');
  await eka.page.getByRole('button', { name: 'Start and ask to join' }).click();
  await eka.page.getByText('Somebody in the group has to say yes.').first().waitFor();
  await look(eka, 'invites-asked-light-en');
  await ani.page.getByRole('link', { name: '1 orang meminta bergabung' }).click();
  await panelOf(ani).getByRole('button', { name: 'Tolak Eka' }).click();
  await panelOf(ani).getByRole('heading', { name: '1 orang meminta bergabung' }).waitFor({ state: 'detached' });
  await closePanel(ani);
  eka.calm();
  await eka.close();
});

test('who has asked takes it back, and may ask again', async () => {
  const { pathname, hash } = new URL(guarded);
  const gita = await Person.open(browser, origin('gita'), { colorScheme: 'dark', ...PHONE, path: pathname + hash });
  const { page } = gita;
  await page.getByLabel('Siapa nama Anda?').fill('Gita');
  await page.getByRole('button', { name: 'Mulai dan minta bergabung' }).click();
  const withdraw = page.getByRole('main').getByRole('button', { name: 'Batalkan permintaan' });
  await withdraw.waitFor();
  await look(gita, 'invites-phone-withdraw-dark-id');
  await ani.page.getByRole('link', { name: '1 orang meminta bergabung' }).waitFor();
  await withdraw.click();
  await page.getByRole('heading', { name: 'Obrolan' }).waitFor();
  await page.waitForFunction(() => document.activeElement?.matches('[data-list-focus]'));
  assert.equal(await page.getByRole('navigation').getByText('Senam Pagi').count(), 0);
  // Who looks now finds nobody to answer.
  const panel = await openPanel(ani);
  await panel.getByRole('heading', { name: '1 orang meminta bergabung' }).waitFor({ state: 'detached' });
  await closePanel(ani);
  await gita.go('/new');
  await page.getByLabel(gita.t.who).fill(at(guarded, 'gita'));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Minta bergabung' }).click();
  await withdraw.waitFor();
  await withdraw.click();
  await page.getByRole('heading', { name: 'Obrolan' }).waitFor();
  gita.calm();
  await gita.close();
});

test('a link that was taken back, or was cut, says so', async () => {
  const panel = await openPanel(ani);
  await panel.getByRole('listitem').filter({ hasText: 'untuk 10 orang' }).getByRole('button', { name: 'Lainnya untuk tautan ini' }).click();
  await look(ani, 'invites-menu-light-id');
  await ani.page.getByRole('menuitem', { name: 'Tarik kembali' }).click();
  await dialog(ani, 'Tarik kembali tautan ini?').getByRole('button', { name: 'Tarik kembali' }).click();
  await listed('untuk 10 orang').waitFor({ state: 'detached' });
  await closePanel(ani);

  const { pathname, hash } = new URL(open);
  const fajar = await Person.open(browser, origin('fajar'), { colorScheme: 'dark', path: pathname + hash, ...PHONE });
  await fajar.page.getByRole('heading', { name: 'Tautan ini tidak berlaku lagi' }).waitFor();
  await look(fajar, 'invites-gone-phone-dark-id');
  await fajar.page.goto(at(guarded.slice(0, -5), 'fajar'));
  await fajar.page.getByRole('heading', { name: 'Tautan ini tidak utuh' }).waitFor();
  // All the same he may begin, and is told again where he then stands.
  await fajar.page.getByLabel('Siapa nama Anda?').fill('Fajar');
  await fajar.page.getByRole('button', { name: 'Mulai', exact: true }).click();
  await fajar.page.getByRole('link', { name: 'Ke obrolan Anda' }).waitFor();
  await look(fajar, 'invites-damaged-phone-dark-id');
  await fajar.page.getByRole('link', { name: 'Ke obrolan Anda' }).click();
  await fajar.page.getByRole('navigation', { name: fajar.t.chats }).waitFor();
  assert.match(fajar.page.url(), /:\d+\/#\/$/);
  await fajar.close();
});

test('on a phone, in the dark and in English, the links of a group are as sound', async () => {
  const { page } = ani;
  await page.evaluate(() => localStorage.setItem('kabar.language', 'en'));
  await page.setViewportSize(PHONE.viewport);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.reload();
  const panel = await openPanel(ani);
  await panel.getByText('with approval').scrollIntoViewIfNeeded();
  await look(ani, 'invites-links-phone-dark-en');
  await panel.getByRole('button', { name: 'Make a link' }).click();
  await look(ani, 'invites-new-phone-dark-en');
  await page.keyboard.press('Escape');
  await panel.getByRole('button', { name: 'More for this link' }).click();
  await page.getByRole('menuitem', { name: 'Show QR code' }).press('Enter');
  await dialog(ani, 'Senam Pagi').locator('canvas').waitFor();
  await look(ani, 'invites-code-phone-dark-en');
  await page.keyboard.press('Escape');
  await closePanel(ani);
  await page.evaluate(() => localStorage.setItem('kabar.language', 'id'));
  await page.reload();
});

test('a link of another server is not followed', async () => {
  await ani.go('/new');
  await ani.page.getByLabel(ani.t.who).fill(guarded.replace(/localhost:\d+/, 'lain.example'));
  await ani.page.keyboard.press('Enter');
  await ani.page.getByText('lain.example').waitFor();
});

test('a link is opened without a connection, and waits for it', async () => {
  await budi.page.evaluate(() => navigator.serviceWorker.ready);
  await budi.context.setOffline(true);
  await budi.page.goto(at(guarded, 'budi'));
  await budi.page.getByRole('heading', { name: 'No connection' }).waitFor();
  await look(budi, 'invites-offline-phone-dark-en');
  await budi.context.setOffline(false);
  await budi.composer.waitFor();
});

test('the secret of a link went to nobody', () => {
  for (const link of [open, guarded]) {
    const { pathname, hash } = new URL(link);
    assert.equal(wire.heard(Buffer.from(pathname.slice('/i/'.length))), true, 'the tap hears the code');
    assert.equal(wire.heard(Buffer.from(hash.slice(1))), false, 'as text');
    assert.equal(wire.heard(Buffer.from(hash.slice(1), 'base64url')), false, 'as bytes');
  }
});

test('nothing was said in the console', () => {
  ani.calm();
  citra.calm();
});
