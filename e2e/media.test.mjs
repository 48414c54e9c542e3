// Films, sounds, albums and what may be looked at once, between a desk in Indonesian and a phone in English, in the dark; and where
// all of it is found again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { pair } from './lib/pair.mjs';
import { closed, dialog } from './lib/panel.mjs';
import { PHONE } from './lib/person.mjs';
import { drawPicture } from './lib/picture.mjs';
import { startServer } from './lib/server.mjs';
import { recordFilm, tone } from './lib/sound.mjs';

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

test('nothing was said in the console', () => {
  for (const person of [rani, budi]) person.calm();
});
