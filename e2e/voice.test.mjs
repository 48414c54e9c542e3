// Voice messages between a desk in Indonesian and a phone in English, in the dark: held, locked, paused, refused, heard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { pair } from './lib/pair.mjs';
import { PHONE } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

let server;
let browser;
let rani;
let budi;

before(async () => {
  server = await startServer();
  // A microphone that beeps, and a browser that lets it be heard.
  browser = await launch('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required');
  const phone = { ...PHONE, colorScheme: 'dark', language: 'en' };
  ({ rani, budi } = await pair(browser, server, { budi: phone }));
  for (const { context } of [rani, budi]) await context.grantPermissions(['microphone']);
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

const WORDS = {
  id: { record: 'Rekam pesan suara', bar: 'Pesan suara', send: 'Kirim pesan suara', bin: 'Buang', pause: 'Jeda', resume: 'Lanjut merekam' },
  en: { record: 'Record a voice message', bar: 'Voice message', send: 'Send voice message', bin: 'Throw away', pause: 'Pause', resume: 'Go on recording' },
};
const wordsOf = (person) => (person === budi ? WORDS.en : WORDS.id);
const button = (person, name) => person.page.getByRole('button', { name, exact: true });
const bar = (person) => person.page.getByRole('group', { name: wordsOf(person).bar, exact: true });
const note = (person, n = 0) => person.page.getByRole('article', { name: /(Pesan suara|Voice message) 0:/ }).nth(n);
const notes = (person) => person.page.getByRole('article', { name: /(Pesan suara|Voice message) 0:/ }).count();
const seconds = async (person) => {
  const [minutes, rest] = (await bar(person).getByRole('timer').textContent()).trim().split(':');
  return Number(minutes) * 60 + Number(rest);
};
const reaches = (person, least) =>
  person.page.waitForFunction((wanted) => {
    const [minutes, rest] = (document.querySelector('[role=timer]')?.textContent.trim() ?? '0:00').split(':');
    return Number(minutes) * 60 + Number(rest) >= wanted;
  }, least);
const slider = (message) => message.getByRole('slider');
const position = async (message) => Number(await slider(message).getAttribute('aria-valuenow'));

/** Holds the button down with the mouse. */
async function hold(person) {
  const box = await button(person, wordsOf(person).record).boundingBox();
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await person.page.mouse.move(at.x, at.y);
  await person.page.mouse.down();
  await bar(person).waitFor();
  return at;
}

test('held, it records; let go, it goes out, and is heard on the other side', async () => {
  await hold(rani);
  await reaches(rani, 2);
  await look(rani, 'voice-held-light');
  await rani.page.mouse.up();
  await bar(rani).waitFor({ state: 'detached' });
  await note(rani).waitFor();
  await rani.page.getByRole('article', { name: /Pesan suara 0:0[2-9], .*, dibaca$/ }).waitFor();
  await budi.page.getByRole('article', { name: /Voice message 0:0[2-9]/ }).waitFor();

  const message = note(budi);
  const drawn = await slider(message).locator('path').getAttribute('d');
  const heights = [...drawn.matchAll(/v([\d.]+)/g)].map(([, height]) => Number(height));
  assert.ok(heights.length > 20, `${heights.length} strokes`);
  assert.ok(Math.max(...heights) > 20 && new Set(heights).size > 3, `the beeps of the microphone: ${heights}`);
  await message.getByRole('button', { name: 'Play Voice message' }).tap();
  await message.getByRole('button', { name: 'Pause Voice message' }).waitFor();
  await budi.page.waitForFunction(() => Number(document.querySelector('[role=slider]').getAttribute('aria-valuenow')) >= 1);
  await look(budi, 'voice-playing-dark');
  await message.getByRole('button', { name: 'Play Voice message' }).waitFor();
  assert.equal(await position(message), 0, 'at its end it is back at its beginning');
});

test('a tap locks it: it pauses and goes on, and is thrown away or sent from the keyboard', async () => {
  await button(budi, WORDS.en.record).tap();
  await bar(budi).getByRole('button', { name: WORDS.en.pause }).waitFor();
  await reaches(budi, 1);
  await bar(budi).getByRole('button', { name: WORDS.en.pause }).tap();
  const before = await seconds(budi);
  await budi.page.waitForTimeout(1500);
  assert.equal(await seconds(budi), before, 'a pause is not counted');
  await look(budi, 'voice-paused-dark');
  await bar(budi).getByRole('button', { name: WORDS.en.resume }).tap();
  await reaches(budi, before + 2);
  await look(budi, 'voice-locked-dark');
  await bar(budi).getByRole('button', { name: WORDS.en.bin }).tap();
  await bar(budi).waitFor({ state: 'detached' });
  assert.equal(await notes(budi), 1, 'what was thrown away is not sent');

  await button(rani, WORDS.id.record).focus();
  await rani.page.keyboard.press('Enter');
  await reaches(rani, 2);
  assert.equal(await rani.page.evaluate(() => document.activeElement?.getAttribute('aria-label')), WORDS.id.send);
  await look(rani, 'voice-locked-light');
  await rani.page.keyboard.press('Enter');
  await note(budi, 1).waitFor();
  assert.equal(await notes(rani), 2);
  await rani.page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
});

test('a finger that slides back cancels, one that slides up locks, and a slip is too short', async () => {
  const at = await hold(rani);
  await reaches(rani, 1);
  await rani.page.mouse.move(at.x - 60, at.y, { steps: 4 });
  await bar(rani).waitFor();
  await rani.page.mouse.move(at.x - 140, at.y, { steps: 4 });
  await bar(rani).waitFor({ state: 'detached' });
  await rani.page.mouse.up();

  const again = await hold(rani);
  await reaches(rani, 1);
  await rani.page.mouse.move(again.x, again.y - 90, { steps: 4 });
  await bar(rani).getByRole('button', { name: WORDS.id.bin }).waitFor();
  await rani.page.mouse.up();
  await rani.page.keyboard.press('Escape');
  await bar(rani).waitFor({ state: 'detached' });

  await hold(rani);
  await rani.page.waitForTimeout(450);
  await rani.page.mouse.up();
  await rani.page.getByRole('alert').getByText(/^Terlalu singkat/).waitFor();
  await look(rani, 'voice-short-light');
  await rani.page.getByRole('group', { name: 'Pesan suara' }).getByRole('button', { name: 'Tutup' }).click();
  assert.equal(await notes(rani), 2, 'nothing of this was sent');
});

test('it is sought from the keyboard, goes faster, and the next one in the row is heard after it', async () => {
  const [first, second] = [note(rani, 0), note(rani, 1)];
  await slider(first).focus();
  await rani.page.keyboard.press('End');
  const all = Number(await slider(first).getAttribute('aria-valuemax'));
  assert.ok(all >= 2);
  assert.equal(await position(first), all);
  await rani.page.keyboard.press('Home');
  assert.equal(await position(first), 0);
  await rani.page.keyboard.press('ArrowRight');
  assert.equal(await position(first), 1);
  assert.equal(await rani.page.evaluate(() => document.activeElement?.getAttribute('role')), 'slider', 'the arrow did not leave it');

  await first.getByRole('button', { name: 'Kecepatan 1×' }).click();
  await first.getByRole('button', { name: 'Kecepatan 1,5×' }).click();
  await first.getByRole('button', { name: 'Kecepatan 2×' }).waitFor();
  await first.getByRole('button', { name: 'Putar Pesan suara' }).click();
  await second.getByRole('button', { name: 'Jeda Pesan suara' }).waitFor();
  assert.equal(await first.getByRole('button', { name: 'Jeda Pesan suara' }).count(), 0, 'one sound at a time');
  await look(rani, 'voice-row-light');
  await second.getByRole('button', { name: 'Putar Pesan suara' }).waitFor();
});

test('whoever may not listen says so, and a list names what it is', async () => {
  await rani.page.getByRole('navigation').getByText(/^Pesan suara 0:0\d$/).first().waitFor();
  await budi.context.clearPermissions();
  await budi.page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  await button(budi, WORDS.en.record).tap();
  await budi.page.getByRole('alert').getByText(/^Kabar may not listen/).waitFor();
  await look(budi, 'voice-refused-dark');
  await budi.page.getByRole('group', { name: 'Voice message' }).getByRole('button', { name: 'Close' }).tap();
  await bar(budi).waitFor({ state: 'detached' });
});

test('nothing was said in the console', () => {
  for (const person of [rani, budi]) person.calm();
});
