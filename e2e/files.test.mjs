// Pictures and documents between two people: sealed in one browser, opened in the other, and ciphertext in between.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertAccessible } from './lib/axe.mjs';
import { launch } from './lib/browser.mjs';
import { startLine } from './lib/line.mjs';
import { Person } from './lib/person.mjs';
import { drawPicture, PLACE } from './lib/picture.mjs';
import { startServer } from './lib/server.mjs';
import { Terminal } from './lib/terminal.mjs';

const out = new URL('out/', import.meta.url);
const DOCUMENT_BYTES = 20_000_000;
const UPLOAD_MS = 60_000;
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

let server;
let browser;
let line;
let rani;
let budi;
let jpeg;
/** What people have on their disks. */
let folder;

before(async () => {
  mkdirSync(out, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'kabar-e2e-files-'));
  line = await startLine();
  server = await startServer({ KABAR__SERVER__PUBLIC_URL: line.origin() });
  line.to(server.port);
  browser = await launch();
  rani = await Person.open(browser, line.origin());
  await rani.signUp('Rani');
  budi = await Person.open(browser, line.origin('dua'), { colorScheme: 'dark' });
  await budi.signUp('Budi');
  await budi.openChatWith(await rani.link());
  await budi.say('Halo Rani');
  await rani.go('/');
  await rani.openChatFromList('Budi');
  await rani.say('Halo Budi');
  await budi.sees('Halo Budi');
  jpeg = await drawPicture(rani.page);
});

after(async () => {
  await browser?.close();
  line?.stop();
  rmSync(folder, { recursive: true, force: true });
  assert.equal(await server?.stop(), 0);
});

const sheetOf = (person) => person.page.getByRole('dialog', { name: /^Kirim ke/ });

/** Files by their path, or as { name, mimeType, buffer }. */
async function choose(person, ...files) {
  await person.page.locator('input[type=file]').setInputFiles(files);
  await sheetOf(person).waitFor();
}

async function sendChosen(person, caption) {
  const sheet = sheetOf(person);
  if (caption) await sheet.getByRole('textbox').first().fill(caption);
  await sheet.getByRole('button', { name: /^Kirim/ }).click();
}

/** What the person gets who saves the file. */
async function saved(person, button) {
  const [download] = await Promise.all([person.page.waitForEvent('download', { timeout: UPLOAD_MS }), button.click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

function filesAtServer() {
  const all = readdirSync(server.data, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test('a picture arrives with its caption, opens, and says nothing of where it was taken', async () => {
  assert.ok(jpeg.includes(PLACE) && jpeg.includes('Exif'), 'the camera wrote a place');
  await choose(rani, { name: 'merapi.jpg', mimeType: 'image/jpeg', buffer: jpeg });
  await sheetOf(rani).getByText('2.048 × 1.365').or(sheetOf(rani).getByText('2048 × 1365')).waitFor();
  await sendChosen(rani, 'Merapi pagi ini');
  await rani.seesState('Merapi pagi ini', rani.t.read);
  await budi.sees('Gambar merapi.jpg, Merapi pagi ini');

  const open = budi.page.getByRole('button', { name: 'Buka merapi.jpg' });
  await open.click();
  const viewer = budi.page.getByRole('dialog', { name: 'merapi.jpg' });
  await viewer.getByText('Merapi pagi ini').waitFor();
  const drawn = await viewer.getByRole('img').evaluate((image) => [image.naturalWidth, image.naturalHeight]);
  assert.deepEqual(drawn, [2048, 1365]);
  const { name, bytes } = await saved(budi, viewer.getByRole('button', { name: 'Simpan merapi.jpg' }));
  assert.equal(name, 'merapi.jpg');
  assert.equal(bytes.readUInt16BE(0), 0xffd8, 'a JPEG');
  for (const trace of [PLACE, 'Exif', 'GPS']) assert.ok(!bytes.includes(trace), trace);
  await budi.page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });
  await budi.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Buka merapi.jpg');
});

test('HD keeps the pixels and leaves the place behind all the same', async () => {
  await choose(rani, { name: 'besar.jpg', mimeType: 'image/jpeg', buffer: jpeg });
  await sheetOf(rani).getByText(/2048/).waitFor();
  await sheetOf(rani).getByRole('switch', { name: /HD/ }).check();
  await sheetOf(rani).getByText(/3000/).waitFor();
  await sendChosen(rani);
  await budi.page.getByRole('button', { name: 'Buka besar.jpg' }).click();
  const viewer = budi.page.getByRole('dialog', { name: 'besar.jpg' });
  const { bytes } = await saved(budi, viewer.getByRole('button', { name: 'Simpan besar.jpg' }));
  assert.equal(await viewer.getByRole('img').evaluate((image) => image.naturalWidth), 3000);
  assert.ok(!bytes.includes(PLACE));
  await budi.page.keyboard.press('Escape');
});

const document = randomBytes(DOCUMENT_BYTES);
const SECRET = 'rahasia-di-dalam-berkas';
document.write(SECRET, 12_345_678);

test('a document whose upload is cut in the middle goes on, and arrives as it was', async () => {
  const path = join(folder, 'laporan rahasia.pdf');
  writeFileSync(path, document);
  await choose(rani, path);
  const begun = line.up();
  const broken = line.cutAfter(9_000_000);
  await sendChosen(rani, 'Laporan');
  const row = rani.message('laporan rahasia.pdf').first();
  await broken;
  await row.getByText(/^(Mengirim, [1-9]|Menunggu sambungan)/).waitFor();
  line.mend();
  await rani.seesState('Laporan', rani.t.read, UPLOAD_MS);
  const sent = line.up() - begun;
  assert.ok(sent < DOCUMENT_BYTES + 6_000_000, `sent ${sent} bytes: what had arrived was not sent again`);

  const save = budi.page.getByRole('button', { name: 'Simpan laporan rahasia.pdf' });
  const { name, bytes } = await saved(budi, save);
  assert.equal(name, 'laporan rahasia.pdf');
  assert.equal(sha256(bytes), sha256(document));
  await budi.page.getByText('Diserahkan ke peramban').waitFor();
});

test('the server has neither the bytes nor the names', () => {
  const picture = jpeg.subarray(60_000, 60_032);
  const paths = filesAtServer();
  assert.ok(paths.some((path) => readFileSync(path).length > DOCUMENT_BYTES), 'the ciphertext is there');
  for (const path of paths) {
    const content = readFileSync(path);
    for (const secret of [SECRET, 'laporan rahasia', 'merapi.jpg', 'Merapi pagi', 'application/pdf', picture]) {
      assert.ok(!content.includes(secret), `${path} holds ${secret}`);
    }
  }
  assert.ok(!/laporan|merapi/i.test(server.log()), 'the log holds a name');
});

test('the list says what the last message is', async () => {
  const row = budi.page.getByRole('navigation').getByRole('link', { name: /Rani/ });
  assert.match(await row.textContent(), /Laporan/);
  assert.equal(await row.locator('.preview svg').count(), 1);
});

test('without a network a file waits, and goes out by itself', async () => {
  await rani.context.setOffline(true);
  await rani.page.getByRole('navigation').getByText(/Luring/).waitFor();
  await choose(rani, { name: 'catatan.txt', mimeType: 'text/plain', buffer: Buffer.from('isi catatan') });
  await sendChosen(rani);
  const row = rani.message('catatan.txt');
  await row.getByText('Menunggu sambungan').waitFor();
  await row.getByText(/Biarkan halaman ini terbuka/).waitFor();
  await rani.context.setOffline(false);
  await budi.sees('Dokumen catatan.txt', UPLOAD_MS);
  const { bytes } = await saved(budi, budi.page.getByRole('button', { name: 'Simpan catatan.txt' }));
  assert.equal(bytes.toString(), 'isi catatan');
});

test('what is on its way can be taken back', async () => {
  await rani.context.setOffline(true);
  await rani.page.getByRole('navigation').getByText(/Luring/).waitFor();
  await choose(rani, { name: 'salah.txt', mimeType: 'text/plain', buffer: Buffer.from('salah') });
  await sendChosen(rani);
  const [asked] = await Promise.all([rani.page.waitForEvent('dialog'), rani.page.close({ runBeforeUnload: true })]);
  assert.equal(asked.type(), 'beforeunload', 'who leaves is asked');
  await asked.dismiss();
  await rani.page.getByRole('button', { name: 'Batalkan salah.txt' }).click();
  await rani.message('salah.txt').waitFor({ state: 'detached' });
  await rani.context.setOffline(false);
});

test('what calls itself a picture and is none goes as a document, and says so', async () => {
  await choose(
    rani,
    { name: 'rusak.png', mimeType: 'image/png', buffer: Buffer.from('bukan gambar') },
    { name: 'halaman.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
    { name: 'kosong.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
  );
  await sheetOf(rani).getByText(/tidak dapat membukanya sebagai gambar/).waitFor();
  await sheetOf(rani).getByText(/kosong dan tidak dapat dikirim/).waitFor();
  await rani.page.screenshot({ path: new URL('files-sheet-notes.png', out).pathname });
  await sendChosen(rani);
  const broken = await saved(budi, budi.page.getByRole('button', { name: 'Simpan rusak.png' }));
  assert.equal(broken.bytes.toString(), 'bukan gambar');
  await budi.page.getByRole('button', { name: 'Simpan halaman.svg' }).waitFor();
  assert.equal(await budi.message('halaman.svg').getByRole('img').count(), 0, 'an SVG is never drawn');
  assert.equal(await budi.message('kosong.txt').count(), 0);
});

test('a picture is pasted and dropped as well', async () => {
  const base64 = jpeg.toString('base64');
  const deliver = (target, kind) =>
    target.evaluate(
      (element, [data, what]) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], `${what}.jpg`, { type: 'image/jpeg' }));
        const options = { bubbles: true, cancelable: true };
        element.dispatchEvent(
          what === 'paste'
            ? new ClipboardEvent('paste', { ...options, clipboardData: transfer })
            : new DragEvent('drop', { ...options, dataTransfer: transfer }),
        );
      },
      [base64, kind],
    );
  for (const [kind, target] of [
    ['paste', rani.composer],
    ['drop', rani.page.getByRole('main')],
  ]) {
    await deliver(target, kind);
    await sheetOf(rani).getByText(`${kind}.jpg`).waitFor();
    await rani.page.keyboard.press('Escape');
    await sheetOf(rani).waitFor({ state: 'detached' });
  }
});

test('everything works from the keyboard alone', async () => {
  const { page } = rani;
  // Listened for early: the browser has to be told before the key is pressed.
  const choosing = page.waitForEvent('filechooser');
  await rani.composer.focus();
  await page.keyboard.press('Shift+Tab');
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Lampirkan');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Gambar atau berkas' }).waitFor();
  await page.keyboard.press('Enter');
  const chooser = await choosing;
  await chooser.setFiles({ name: 'tombol.jpg', mimeType: 'image/jpeg', buffer: jpeg });
  await sheetOf(rani).getByText(/2048/).waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Keterangan untuk tombol.jpg');
  await page.keyboard.type('Dari papan ketik');
  await page.keyboard.press('Enter');
  await budi.sees('Dari papan ketik');

  await budi.composer.focus();
  const inFeed = () => document.activeElement?.closest('article') !== null;
  while (!(await budi.page.evaluate(inFeed))) await budi.page.keyboard.press('Shift+Tab');
  await budi.page.keyboard.press('End');
  await budi.page.waitForFunction(() => document.activeElement?.getAttribute('aria-label')?.includes('Dari papan ketik'));
  await budi.page.keyboard.press('Tab');
  const opens = () => document.activeElement?.getAttribute('aria-label') === 'Buka tombol.jpg';
  assert.ok(await budi.page.evaluate(opens), 'the picture can be reached');
  await budi.page.keyboard.press('Enter');
  const viewer = budi.page.getByRole('dialog', { name: 'tombol.jpg' });
  await viewer.waitFor();
  await budi.page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });
  assert.ok(await budi.page.evaluate(opens), 'focus is back');
});

test('a stranger shows nothing before an answer but a name and a size', async () => {
  const citra = await Person.open(browser, line.origin('tiga'));
  await citra.signUp('Citra');
  await citra.openChatWith(await rani.link());
  await choose(citra, { name: 'kejutan.jpg', mimeType: 'image/jpeg', buffer: jpeg });
  await sheetOf(citra).getByText(/2048/).waitFor();
  await sendChosen(citra);
  await citra.seesState('kejutan.jpg', citra.t.delivered);
  await rani.go('/');
  await rani.openChatFromList('Citra');
  const message = rani.message('kejutan.jpg');
  await message.getByText('Dapat dibuka setelah Anda menerima.').waitFor();
  assert.equal(await message.locator('img').count(), 0);
  assert.equal(await message.getByRole('button', { name: /kejutan/ }).count(), 0);
  await rani.page.screenshot({ path: new URL('files-request.png', out).pathname });
  await rani.say('Dari siapa ini?');
  await message.getByRole('button', { name: 'Buka kejutan.jpg' }).waitFor();
  citra.calm();
  await citra.close();
});

test('a terminal and a browser understand each other', async () => {
  const tomi = new Terminal(`http://localhost:${server.port}`);
  try {
    await tomi.chat('register', '--name', 'Tomi', '--username', 'tomi.terminal');
    await rani.openChatWith('@tomi.terminal');
    await choose(rani, { name: 'untuk tomi.jpg', mimeType: 'image/jpeg', buffer: jpeg });
    await sheetOf(rani).getByText(/2048/).waitFor();
    await sendChosen(rani, 'Lihat ini');
    await rani.seesState('Lihat ini', rani.t.sent, UPLOAD_MS);
    const items = await tomi.chat('receive');
    const { message_id, conversation_id, file } = items.find(({ kind }) => kind === 'file');
    assert.equal(file.caption, 'Lihat ini');
    const path = join(tomi.home, 'untuk tomi.jpg');
    await tomi.chat('save-file', '--message', message_id, '--out', path);
    const got = readFileSync(path);
    assert.equal(got.readUInt16BE(0), 0xffd8);
    assert.ok(!got.includes(PLACE));

    const answer = join(tomi.home, 'balasan.jpg');
    writeFileSync(answer, jpeg);
    await tomi.chat('send', '--to', conversation_id, '--file', answer, '--text', 'Dari terminal');
    await rani.sees('Gambar balasan.jpg, Dari terminal');
    // It came without a preview and without a size, and is drawn all the same.
    await rani.page.getByRole('button', { name: 'Buka balasan.jpg' }).click();
    const viewer = rani.page.getByRole('dialog', { name: 'balasan.jpg' });
    const { bytes } = await saved(rani, viewer.getByRole('button', { name: 'Simpan balasan.jpg' }));
    assert.equal(sha256(bytes), sha256(jpeg));
    await rani.page.keyboard.press('Escape');
  } finally {
    tomi.close();
  }
});

test('what was seen once is there after a reload, whether or not the server still has it', async () => {
  await budi.page.reload();
  await budi.openChatFromList('Rani');
  await budi.page.getByRole('button', { name: 'Buka tombol.jpg' }).waitFor();
  const asked = [];
  budi.context.on('request', (request) => asked.push(request.url()));
  await budi.page.reload();
  await budi.openChatFromList('Rani');
  await budi.page.getByRole('button', { name: 'Buka tombol.jpg' }).waitFor();
  assert.deepEqual(asked.filter((url) => url.includes('/v1/media/')), [], 'nothing is fetched twice');
});

test('every screen of it, in both themes and sizes', async () => {
  await rani.go('/');
  await rani.openChatFromList('Budi');
  await rani.say('Sudah saya terima semua');
  for (const [person, label] of [[rani, 'light'], [budi, 'dark']]) {
    for (const [size, viewport] of [['desktop', { width: 1280, height: 800 }], ['phone', { width: 390, height: 844 }]]) {
      await person.page.setViewportSize(viewport);
      const look = async (screen) => {
        await person.page.waitForTimeout(400);
        await person.page.screenshot({ path: new URL(`files-${screen}-${size}-${label}.png`, out).pathname });
        const wider = await person.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        assert.equal(wider, false, `${screen} is wider than the screen`);
        await assertAccessible(person.page, `${screen} ${size} ${label}`);
      };
      await look('thread');
      await choose(
        person,
        { name: 'liburan.jpg', mimeType: 'image/jpeg', buffer: jpeg },
        { name: 'daftar belanja untuk pesta ulang tahun ke tujuh puluh nenek.xlsx', mimeType: 'application/vnd.ms-excel', buffer: Buffer.alloc(123_456, 1) },
      );
      await sheetOf(person).getByText(/2048/).waitFor();
      await look('sheet');
      await person.page.keyboard.press('Escape');
      await sheetOf(person).waitFor({ state: 'detached' });
      await person.page.getByRole('button', { name: 'Buka tombol.jpg' }).click();
      await person.page.getByRole('dialog', { name: 'tombol.jpg' }).waitFor();
      await look('viewer');
      await person.page.keyboard.press('Escape');
    }
    await person.page.setViewportSize({ width: 1280, height: 800 });
  }
});

test('what the server no longer has, or has changed, says so', async () => {
  await choose(rani, { name: 'hilang.txt', mimeType: 'text/plain', buffer: randomBytes(5000) });
  await sendChosen(rani);
  await budi.sees('Dokumen hilang.txt');
  await choose(rani, { name: 'rusak.bin', mimeType: '', buffer: randomBytes(300_000) });
  await sendChosen(rani);
  await budi.sees('Dokumen rusak.bin');
  const media = filesAtServer().filter((path) => path.includes('media'));
  for (const path of media) {
    const bytes = readFileSync(path);
    if (bytes.length > 300_000 && bytes.length < 400_000) {
      bytes[150_000] ^= 1;
      writeFileSync(path, bytes);
    } else rmSync(path);
  }
  await budi.page.getByRole('button', { name: 'Simpan rusak.bin' }).click();
  await budi.message('rusak.bin').getByText(/^Rusak/).waitFor();
  await budi.page.getByRole('button', { name: 'Simpan hilang.txt' }).click();
  await budi.message('hilang.txt').getByText(/disimpan untuk waktu terbatas/).waitFor();
  await budi.page.screenshot({ path: new URL('files-gone.png', out).pathname });
});

test('nothing was said in the console', () => {
  // The browser itself reports every request that fails; that is not ours to hush.
  const ours = (complaint) => !/WebSocket connection|net::ERR_|status of 404/.test(complaint);
  assert.deepEqual([...rani.complaints, ...budi.complaints].filter(ours), []);
});
