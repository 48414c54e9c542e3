// Films, sounds, albums and what may be looked at once, between a desk in Indonesian and a phone in English, in the dark; and where
// all of it is found again.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { pair } from './lib/pair.mjs';
import { closed, dialog } from './lib/panel.mjs';
import { PHONE, Person } from './lib/person.mjs';
import { drawPicture, PLACE } from './lib/picture.mjs';
import { startServer } from './lib/server.mjs';
import { recordFilm, tone, withNote } from './lib/sound.mjs';

let server;
let browser;
let rani;
let budi;
let film;
const pictures = [];

before(async () => {
  server = await startServer();
  browser = await launch('--autoplay-policy=no-user-gesture-required', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
  const phone = { ...PHONE, colorScheme: 'dark', language: 'en' };
  ({ rani, budi } = await pair(browser, server, { budi: phone }));
  film = await recordFilm(rani.page);
  for (const [width, height] of [[900, 600], [600, 900], [800, 800], [1000, 500], [640, 480]]) {
    pictures.push(await drawPicture(rani.page, width, height));
  }
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

const sheetOf = (person) => dialog(person, /^(Kirim ke|Send to)/);
const button = (person, name) => person.page.getByRole('button', { name, exact: true });
const picture = (n) => ({ name: `foto ${n + 1}.jpg`, mimeType: 'image/jpeg', buffer: pictures[n] });

async function choose(person, ...files) {
  await person.page.locator('input[type=file]').setInputFiles(files);
  await sheetOf(person).waitFor();
}

const send = (person) => sheetOf(person).getByRole('button', { name: /^(Kirim|Send)( |$)/ }).click();

test('a film goes with its length and a picture of its beginning, and plays on the other side', async () => {
  await choose(rani, { name: 'bola.webm', mimeType: 'video/webm', buffer: film });
  await sheetOf(rani).getByText(/640 × 360/).waitFor();
  await sheetOf(rani).getByText(/· 0:0[23]/).waitFor();
  await sheetOf(rani).getByText(/^Dikirim apa adanya/).waitFor();
  await look(rani, 'media-film-sheet-light');
  await sheetOf(rani).getByRole('textbox').fill('Bolanya menggelinding');
  await send(rani);
  await rani.seesState('Bolanya menggelinding', rani.t.read);

  const card = budi.page.getByRole('button', { name: /^Load bola.webm/ });
  await card.getByText(/^0:0[23] · \d+ kB$/).waitFor();
  const poster = await card.locator('img').evaluate((image) => [image.complete, image.naturalWidth, image.naturalHeight]);
  assert.deepEqual(poster, [true, 320, 180], 'the poster came within the message');
  await look(budi, 'media-film-dark');
  await card.tap();
  const viewer = dialog(budi, 'bola.webm');
  await viewer.waitFor();
  await budi.page.waitForFunction(() => document.querySelector('dialog video')?.currentTime > 0.2);
  const played = await viewer.locator('video').evaluate((video) => [video.videoWidth, video.duration]);
  assert.equal(played[0], 640);
  assert.ok(played[1] > 1.5 && played[1] < 4, `${played[1]} s`);
  await look(budi, 'media-film-viewer-dark');
  await viewer.getByRole('button', { name: 'Close' }).tap();
  await closed(budi);
  await budi.page.getByRole('button', { name: /^Play bola.webm, 0:0[23]$/ }).waitFor();
});

test('an MP4 leaves behind where it was made, and plays all the same', async () => {
  const mp4 = withNote(await recordFilm(rani.page, { type: 'video/mp4;codecs=vp9' }), PLACE);
  await choose(rani, { name: 'bola.mp4', mimeType: 'video/mp4', buffer: mp4 });
  await sheetOf(rani).getByText(/640 × 360/).waitFor();
  await sheetOf(rani).getByText(/^Gambar dan video dikirim tanpa catatan kamera/).waitFor();
  await send(rani);
  await budi.page.getByRole('button', { name: /^Load bola.mp4/ }).tap();
  await budi.page.waitForFunction(() => document.querySelector('dialog video')?.currentTime > 0.2);
  const viewer = dialog(budi, 'bola.mp4');
  const [download] = await Promise.all([budi.page.waitForEvent('download'), viewer.getByRole('button', { name: 'Save bola.mp4' }).tap()]);
  const bytes = readFileSync(await download.path());
  assert.equal(bytes.length, mp4.length);
  assert.ok(mp4.includes(PLACE) && !bytes.includes(PLACE), 'the place is not in it');
  await budi.page.keyboard.press('Escape');
  await closed(budi);
});

test('a sound plays where it stands, can be sought and saved, and stops for a film', async () => {
  await choose(rani, { name: 'lagu.wav', mimeType: 'audio/wav', buffer: tone(6) });
  await sheetOf(rani).getByText(/0:06/).waitFor();
  await send(rani);
  await budi.sees('Audio lagu.wav');
  const message = budi.message('lagu.wav');
  const slider = message.getByRole('slider');
  await message.getByRole('button', { name: 'Save lagu.wav' }).waitFor();
  await message.getByRole('button', { name: 'Play lagu.wav' }).tap();
  await budi.page.waitForFunction(() => Number(document.querySelector('[role=slider]').getAttribute('aria-valuenow')) >= 1);
  const box = await slider.boundingBox();
  await budi.page.touchscreen.tap(box.x + box.width * 0.6, box.y + box.height / 2);
  await budi.page.waitForFunction(() => Number(document.querySelector('[role=slider]').getAttribute('aria-valuenow')) >= 4);
  await look(budi, 'media-sound-dark');
  await budi.page.getByRole('button', { name: /^Play bola.webm/ }).tap();
  await dialog(budi, 'bola.webm').waitFor();
  await message.getByRole('button', { name: 'Play lagu.wav', includeHidden: true }).waitFor({ state: 'attached' });
  await budi.page.keyboard.press('Escape');
  await closed(budi);
});

test('what calls itself a film and is none is a document in the end', async () => {
  await choose(rani, { name: 'rusak.mp4', mimeType: 'video/mp4', buffer: Buffer.from('bukan film') });
  await send(rani);
  await budi.page.getByRole('button', { name: /^Load rusak.mp4/ }).tap();
  await dialog(budi, 'rusak.mp4').getByText('This browser cannot play it. It can be saved.').waitFor();
  await budi.page.keyboard.press('Escape');
  await closed(budi);
});

const tiles = (person) => person.page.getByRole('article', { name: /(Album berisi|Album of) / }).getByRole('button', { name: /^(Buka|Open|Putar|Play|Muat|Load) / });

test('pictures and a film that are chosen together are one album with one caption', async () => {
  await choose(rani, ...[0, 1, 2, 3, 4].map(picture), { name: 'bola 2.webm', mimeType: 'video/webm', buffer: film });
  await sheetOf(rani).getByText(/640 × 360/).waitFor();
  assert.equal(await sheetOf(rani).getByRole('textbox').count(), 1, 'one caption for all');
  await sheetOf(rani).getByRole('textbox').fill('Liburan');
  await look(rani, 'media-album-sheet-light');
  await send(rani);
  for (const [person, label] of [[rani, /Album berisi 6, Liburan/], [budi, /Album of 6, Liburan/]]) {
    await person.page.getByRole('article', { name: label }).waitFor();
    await person.page.waitForFunction(() => document.querySelectorAll('.album img.drawn').length === 4);
  }
  assert.equal(await tiles(budi).count(), 4, 'four are shown');
  await budi.page.getByRole('article', { name: /Album of 6/ }).getByText('+2').waitFor();
  await look(rani, 'media-album-light');
  await look(budi, 'media-album-dark');
});

test('the viewer goes through all of them by keys and by a finger', async () => {
  await tiles(rani).first().click();
  await dialog(rani, 'foto 1.jpg').waitFor();
  await rani.page.keyboard.press('ArrowRight');
  await dialog(rani, 'foto 2.jpg').getByRole('img').waitFor();
  assert.equal(await rani.page.locator('dialog img').evaluate((image) => image.naturalWidth), 600);
  await rani.page.keyboard.press('ArrowLeft');
  await dialog(rani, 'foto 1.jpg').waitFor();
  for (let n = 0; n < 5; n += 1) await rani.page.keyboard.press('ArrowRight');
  await dialog(rani, 'bola 2.webm').waitFor();
  await rani.page.waitForFunction(() => document.querySelector('dialog video')?.currentTime > 0.1);
  assert.equal(await dialog(rani, 'bola 2.webm').getByRole('button', { name: 'Berikutnya' }).count(), 0, 'it is the last');
  await dialog(rani, 'bola 2.webm').getByText(/^9 dari 9$/).waitFor();
  await dialog(rani, 'bola 2.webm').getByRole('button', { name: 'Sebelumnya' }).click();
  await dialog(rani, 'foto 5.jpg').waitFor();
  await look(rani, 'media-viewer-light');
  await rani.page.keyboard.press('Escape');
  await closed(rani);

  await tiles(budi).nth(3).tap();
  await dialog(budi, 'foto 4.jpg').getByRole('img').waitFor();
  const swipe = (from, to) =>
    budi.page.locator('dialog .stage').evaluate(
      (stage, [begin, end]) => {
        const at = (x) => ({ bubbles: true, pointerType: 'touch', isPrimary: true, pointerId: 7, clientX: x, clientY: 400 });
        stage.dispatchEvent(new PointerEvent('pointerdown', at(begin)));
        stage.dispatchEvent(new PointerEvent('pointerup', at(end)));
      },
      [from, to],
    );
  await swipe(300, 80);
  await dialog(budi, 'foto 5.jpg').waitFor();
  await swipe(200, 180);
  await swipe(80, 300);
  await dialog(budi, 'foto 4.jpg').waitFor();
  await look(budi, 'media-viewer-dark');
  await budi.page.keyboard.press('Escape');
  await closed(budi);
});

test('one of an album is picked or quoted by itself', async () => {
  const album = budi.page.getByRole('article', { name: /Album of 6/ });
  await album.focus();
  await budi.page.keyboard.press('Enter');
  await budi.page.getByRole('menuitem', { name: 'Select', exact: true }).tap();
  await budi.page.getByRole('article', { name: /Picture foto 3.jpg/ }).waitFor();
  assert.equal(await album.count(), 0, 'they have come apart');
  await budi.page.keyboard.press('Escape');
  await album.waitFor();
});

test('a whole album is passed on and deleted at once', async () => {
  await choose(budi, picture(0), picture(1), picture(2));
  await sheetOf(budi).getByText(/800 × 800/).waitFor();
  await send(budi);
  const theirs = rani.page.getByRole('article', { name: /Album berisi 3/ });
  await theirs.waitFor();
  assert.deepEqual(await theirs.locator('.album > div').evaluateAll((tiles) => tiles.map((tile) => tile.className.includes('tall'))), [true, false, false]);
  await look(rani, 'media-album-three-light');
  const mine = budi.page.getByRole('article', { name: /Album of 3/ });
  const menu = async (item) => {
    await mine.last().focus();
    await budi.page.keyboard.press('Enter');
    await budi.page.getByRole('menuitem', { name: item, exact: true }).tap();
  };
  await menu('Forward');
  await budi.page.getByRole('dialog').getByRole('checkbox').first().check({ force: true });
  await budi.page.getByRole('dialog').getByRole('button', { name: /^Forward/ }).tap();
  await closed(budi);
  await rani.page.waitForFunction(() => document.querySelectorAll('article[aria-label*="foto"], article[aria-label*="Album berisi 3"]').length >= 2);
  await mine.first().focus();
  await budi.page.keyboard.press('Enter');
  await budi.page.getByRole('menuitem', { name: 'Delete for everyone', exact: true }).tap();
  await budi.page.getByRole('dialog', { name: /^Delete 3 messages/ }).getByRole('button', { name: /^Delete/ }).tap();
  // Only rows near the screen are in the page: those that are met on the way up count.
  await rani.page.waitForFunction(() => {
    globalThis.gone ??= new Set();
    for (const row of document.querySelectorAll('article[aria-label*="Pesan dihapus"]')) globalThis.gone.add(row.dataset.message);
    document.querySelector('[role=feed]').scrollBy(0, -60);
    return globalThis.gone.size === 3;
  });
});

test('what may be looked at once is shown once, and nothing of it is left', async () => {
  await choose(rani, { ...picture(0), name: 'rahasia.jpg' });
  await sheetOf(rani).getByText(/900 × 600/).waitFor();
  await sheetOf(rani).getByRole('switch', { name: /^Sekali lihat/ }).check();
  await look(rani, 'media-once-sheet-light');
  await send(rani);
  await rani.seesState('Gambar, sekali lihat', rani.t.read);
  await rani.message('Gambar, sekali lihat').getByText('Belum dibuka').waitFor();
  assert.equal(await rani.message('Gambar, sekali lihat').getByRole('button', { name: /^Buka/ }).count(), 0, 'not by its sender');
  await rani.page.getByRole('navigation').getByText('Gambar, sekali lihat').waitFor();

  const card = budi.page.getByRole('button', { name: /^Open Picture, view once \d/ });
  await card.waitFor();
  assert.equal(await budi.message('Picture, view once').locator('img').count(), 0, 'nothing of it is seen before');
  await look(budi, 'media-once-dark');
  await budi.message('Picture, view once').focus();
  await budi.page.keyboard.press('Enter');
  await budi.page.getByRole('menu').waitFor();
  assert.equal(await budi.page.getByRole('menuitem', { name: 'Forward' }).count(), 0);
  await budi.page.keyboard.press('Escape');
  await card.tap();
  const once = dialog(budi, 'Picture, view once');
  await once.waitFor();
  await budi.page.waitForFunction(() => document.querySelector('dialog img')?.naturalWidth === 900);
  assert.equal(await once.getByRole('button').count(), 1, 'nothing but a way out');
  await look(budi, 'media-once-viewer-dark');
  await once.getByRole('button', { name: 'Close' }).tap();
  await closed(budi);
  await budi.message('Picture, view once').getByText('Opened').waitFor();
  assert.equal(await card.count(), 0);
  await rani.message('Gambar, sekali lihat').getByText('Sudah dibuka').waitFor();
  await budi.page.reload();
  await budi.message('Picture, view once, Opened').waitFor();
  assert.equal(await card.count(), 0, 'not after the page came anew either');
  await look(budi, 'media-once-opened-dark');
});

test('a voice message is heard once', async () => {
  await rani.page.getByRole('button', { name: 'Rekam pesan suara' }).focus();
  await rani.page.keyboard.press('Enter');
  await rani.page.getByRole('button', { name: 'Hanya didengar sekali' }).click();
  await rani.page.waitForFunction(() => document.querySelector('[role=timer]')?.textContent.trim() === '0:02');
  await rani.page.getByRole('button', { name: 'Kirim pesan suara' }).click();
  await budi.page.getByRole('button', { name: /^Open Voice message, view once 0:0/ }).tap();
  await budi.page.waitForFunction(() => document.querySelector('dialog audio')?.currentTime > 0.3);
  await budi.page.keyboard.press('Escape');
  await closed(budi);
  await budi.message('Voice message, view once').getByText('Opened').waitFor();
});

const shelfOf = (person) => dialog(person, /^(Media, tautan, dan dokumen|Media, links and documents)$/);

async function openShelf(person) {
  await person.page.locator('header a[href$="/details"]:not([aria-hidden])').click();
  await person.page.getByRole('button', { name: /^(Media, tautan, dan dokumen|Media, links and documents)$/ }).click();
  await shelfOf(person).getByRole('tab').first().waitFor();
  return shelfOf(person);
}

test('what a chat holds is found in its details', async () => {
  await choose(rani, { name: 'daftar hadir.csv', mimeType: 'text/csv', buffer: Buffer.from('Ani;Budi') });
  await send(rani);
  await budi.sees('daftar hadir.csv');
  await choose(rani, { name: 'laporan.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n1 0 obj << /Type /Pages /Kids [2 0 R] /Count 12 >> endobj') });
  await sheetOf(rani).getByText(/12 halaman/).waitFor();
  await send(rani);
  await budi.message('laporan.pdf').getByText(/^12 pages · \d+ B$/).waitFor();
  for (let n = 1; n <= 52; n += 1) await rani.say(`Jadwal ke-${n}: https://www.kereta.example/jadwal/${n}`);
  await budi.sees('Jadwal ke-52');

  const shelf = await openShelf(budi);
  const month = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric' }).format(new Date());
  await shelf.getByRole('heading', { name: month }).waitFor();
  const items = shelf.locator('.grid li');
  assert.equal(await items.count(), 12, 'eight pictures and four films; what was seen once is not there');
  await look(budi, 'media-shelf-dark');
  await shelf.getByRole('button', { name: 'Open foto 4.jpg' }).tap();
  await dialog(budi, 'foto 4.jpg').getByText('7 of 12').waitFor();
  await budi.page.keyboard.press('Escape');
  await closed(budi, 2);

  await shelf.getByRole('tab', { name: 'Documents' }).tap();
  await shelf.getByRole('button', { name: 'Save daftar hadir.csv' }).waitFor();
  await shelf.getByRole('button', { name: 'Save lagu.wav' }).waitFor();
  assert.equal(await shelf.getByRole('listitem').count(), 3);
  await look(budi, 'media-shelf-documents-dark');
  await shelf.getByRole('tab', { name: 'Documents' }).focus();
  await budi.page.keyboard.press('ArrowLeft');
  assert.equal(await shelf.getByRole('tab', { name: 'Links' }).getAttribute('aria-selected'), 'true');
  await shelf.getByRole('link', { name: /jadwal\/52$/ }).waitFor();
  assert.equal(await shelf.getByRole('link', { name: /jadwal\/1$/ }).count(), 0, 'a page at a time');
  assert.equal(await shelf.getByRole('link', { name: /jadwal\/52$/ }).getAttribute('rel'), 'noopener noreferrer');
  await look(budi, 'media-shelf-links-dark');
  await shelf.getByRole('link').last().scrollIntoViewIfNeeded();
  await shelf.getByRole('link', { name: /jadwal\/1$/ }).waitFor();
  assert.equal(await shelf.getByRole('listitem').count(), 52);

  const third = shelf.getByRole('listitem').filter({ has: budi.page.getByRole('link', { name: /jadwal\/3$/ }) });
  await third.getByRole('button', { name: 'Show in the chat' }).tap();
  await closed(budi);
  await budi.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Jadwal ke-3:'));
});

test('on a desk the same, and a chat without any says so', async () => {
  const shelf = await openShelf(rani);
  await rani.page.waitForFunction(() => document.querySelectorAll('.grid img.drawn').length === 8);
  await look(rani, 'media-shelf-light');
  await rani.page.emulateMedia({ colorScheme: 'dark' });
  await look(rani, 'media-shelf-desk-dark');
  await shelf.getByRole('button', { name: 'Buka foto 2.jpg' }).last().click();
  await dialog(rani, 'foto 2.jpg').getByRole('button', { name: 'Lihat di obrolan' }).click();
  await closed(rani);
  await rani.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Album berisi 6'));
  await look(rani, 'media-thread-desk-dark');
  await rani.page.emulateMedia({ colorScheme: 'light' });
  await budi.page.emulateMedia({ colorScheme: 'light' });
  await look(budi, 'media-thread-phone-light');
  await budi.page.emulateMedia({ colorScheme: 'dark' });

  const citra = await Person.open(browser, server.origin('tiga'));
  await citra.signUp('Citra');
  await citra.openChatWith(await budi.link());
  await citra.say('Halo Budi');
  const empty = await openShelf(citra);
  await empty.getByText('Belum ada gambar atau video').waitFor();
  await look(citra, 'media-shelf-empty-light');
  citra.calm();
  await citra.close();
});

test('nothing was said in the console', () => {
  for (const person of [rani, budi]) person.calm();
});
