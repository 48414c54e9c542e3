// Paying in the thread, tickets, and the seller's gate, with the scripted core (web/dev): every state, in both themes, languages and
// sizes, looked over by axe and kept as a picture in e2e/out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEveryScreen } from './lib/scripted.mjs';
import { issuerOf, issueTicket } from './lib/ticket.mjs';

const cinema = 'c19e'.padEnd(32, '0');
const words = {
  id: {
    order: (reference) => `Pesanan ${reference}`,
    pay: /^Bayar Rp50\.000$/,
    again: 'Lanjutkan pembayaran',
    expired: 'Kedaluwarsa',
    paid: 'Lunas',
    waiting: 'Dibayar, menunggu penjual',
    test: 'Uang uji. Tidak ada uang sungguhan yang berpindah.',
    card: (digits) => new RegExp(`^Kartu uji …${digits}`),
    declined: /^Bank menolak kartu ini/,
    challenge: 'Jawaban untuk bank',
    go: 'Lanjutkan',
    received: 'Pembayaran diterima',
    done: 'Selesai',
    changed: /tidak sama dengan yang didaftarkan/,
    unsure: /periksa dulu/,
    check: 'Periksa pembayaran',
    close: 'Tutup',
    tickets: 'Tiket',
    show: 'Tampilkan besar',
    qr: 'Kode QR tiket',
    giveBack: 'Kembalikan tiket',
    yes: 'Ya, kembalikan',
    asked: /^Pengembalian diminta/,
    returned: 'Dikembalikan',
    key: 'Kunci penerbit',
    code: 'Kode tiket',
    judge: 'Periksa',
    used: /Sudah dipakai pukul \d\d[.:]\d\d/,
  },
  en: {
    order: (reference) => `Order ${reference}`,
    pay: /^Pay IDR\s50,000$/,
    again: 'Go on with the payment',
    expired: 'Expired',
    paid: 'Paid in full',
    waiting: 'Paid, waiting for the seller',
    test: 'Test money. No real money changes hands.',
    card: (digits) => new RegExp(`^Test card …${digits}`),
    declined: /^The bank declined this card/,
    challenge: 'Answer for the bank',
    go: 'Continue',
    received: 'Payment received',
    done: 'Done',
    changed: /not the one that the seller registered/,
    unsure: /check first/,
    check: 'Check the payment',
    close: 'Close',
    tickets: 'Tickets',
    show: 'Show large',
    qr: 'QR code of the ticket',
    giveBack: 'Return ticket',
    yes: 'Yes, return it',
    asked: /^Return asked for/,
    returned: 'Returned',
    key: "Issuer's key",
    code: 'Code of the ticket',
    judge: 'Check',
    used: /Already used at \d\d[.:]\d\d/,
  },
};

onEveryScreen('commerce', shopping);

function shopping({ language, ...screen }) {
  const w = words[language];
  let rani;

  const look = (name) => screen.look(rani, name);

  const card = (reference) => rani.page.getByRole('group', { name: w.order(reference), exact: true });
  const sheet = () => rani.page.getByRole('dialog');
  const inSheet = (name) => sheet().getByRole('button', { name, exact: typeof name === 'string' });
  const strip = () => rani.page.getByRole('navigation').getByRole('region', { name: w.tickets, exact: true });

  /** Only the messages near the screen are in the page: walks up until the one that is wanted is. */
  async function reach(locator) {
    const feed = rani.page.getByRole('feed');
    await feed.evaluate((node) => node.scrollTo(0, node.scrollHeight));
    await rani.page.waitForTimeout(150);
    for (let step = 0; step < 30 && !(await locator.isVisible()); step += 1) {
      await feed.evaluate((node) => node.scrollBy(0, -250));
      await rani.page.waitForTimeout(80);
    }
    await locator.scrollIntoViewIfNeeded();
    // A jump that no hand makes: until the feed has followed it, a click would meet nothing.
    await rani.page.waitForTimeout(200);
  }

  async function pay(reference, digits) {
    await reach(card(reference));
    await card(reference).getByRole('button').click();
    await sheet().getByRole('radio', { name: w.card(digits) }).check();
    await inSheet(w.pay).click();
  }

  test('tickets stand above the chats', async () => {
    rani = await screen.open();
    await strip().getByRole('link', { name: /Laskar Pelangi/ }).waitFor();
    assert.equal(await strip().getByRole('link').count(), 1, 'a returned ticket is not among them');
    await look('list');
  });

  test('orders say where they stand', async () => {
    await rani.openChatFromList('Bioskop Kota');
    await card('ORD-1001').getByRole('button', { name: w.pay }).waitFor();
    // The countdown, not the time of day beside it.
    await card('ORD-1001').locator('b').filter({ hasText: /\b4:[0-5]\d/ }).waitFor();
    await look('orders');
    await reach(card('ORD-900').getByText(w.expired));
    assert.equal(await card('ORD-900').getByRole('button').count(), 0);
    await reach(card('ORD-771').getByText(w.paid));
    await look('settled');
    await reach(rani.page.getByText(w.returned, { exact: true }));
    await look('returned');
  });

  test('the sheet says whom, how much, and that it is test money', async () => {
    await reach(card('ORD-1001'));
    await card('ORD-1001').getByRole('button').click();
    await sheet().getByText(w.test).waitFor();
    await look('sheet');
    await rani.page.keyboard.press('Escape');
    await sheet().waitFor({ state: 'detached' });
  });

  test('a declined card leaves the choice of another', async () => {
    await pay('ORD-1001', '0002');
    await sheet().getByRole('status').filter({ hasText: /\w/ }).waitFor();
    await look('progress');
    await sheet().getByRole('alert').getByText(w.declined).waitFor();
    await look('declined');
    await inSheet(w.close).click();
  });

  test('a changed order is not paid', async () => {
    await pay('ORD-CHANGED', '4242');
    await sheet().getByRole('alert').getByText(w.changed).waitFor();
    assert.equal(await inSheet(w.pay).count(), 0);
    await look('changed');
    await inSheet(w.close).last().click();
    await sheet().waitFor({ state: 'detached' });
  });

  test('after a broken line it is checked before it is paid again', async () => {
    await pay('ORD-CUT', '4242');
    await sheet().getByRole('alert').getByText(w.unsure).waitFor();
    assert.equal(await inSheet(w.pay).count(), 0);
    await look('unsure');
    await inSheet(w.close).click();
    await card('ORD-CUT').getByRole('button', { name: w.again }).click();
    await inSheet(w.check).click();
    await inSheet(w.pay).waitFor();
    await rani.page.keyboard.press('Escape');
    await sheet().waitFor({ state: 'detached' });
  });

  test('the bank asks, two taps pay once, the ticket comes', async () => {
    await pay('ORD-1001', '3220');
    const field = sheet().getByLabel(w.challenge);
    await field.waitFor();
    assert.equal(await field.evaluate((node) => node === document.activeElement), true);
    await look('challenge');
    await field.fill('123456');
    await inSheet(w.go).dblclick({ noWaitAfter: true });
    await sheet().getByRole('heading', { name: w.received }).waitFor();
    await look('paid');
    await inSheet(w.done).click();
    await card('ORD-1001').getByText(w.waiting).waitFor();
    await card('ORD-1001').getByText(w.paid).waitFor();
    await rani.page.getByRole('article', { name: /Gundala Studio 3/ }).last().getByRole('img', { name: w.qr }).waitFor();
    await look('ticket');
  });

  test('one step back, and the ticket tops the list', async () => {
    await rani.page.goBack();
    await strip().getByRole('link', { name: /Gundala/ }).waitFor();
    await look('strip');
    await strip().getByRole('link', { name: /Gundala/ }).click();
    await rani.page.getByRole('main').getByRole('img', { name: w.qr }).waitFor();
    await look('large');
  });

  test('a ticket is returned, once one is sure', async () => {
    const main = rani.page.getByRole('main');
    await main.getByRole('button', { name: w.giveBack }).click();
    await look('sure');
    await main.getByRole('button', { name: w.yes }).click();
    await main.getByText(w.asked).waitFor();
    await main.getByText(w.returned, { exact: true }).waitFor();
    await look('given-back');
    await rani.page.goBack();
    await strip().getByRole('link', { name: /Laskar/ }).waitFor();
    assert.equal(await strip().getByRole('link', { name: /Gundala/ }).count(), 0);
  });

  test('no complaints', async () => {
    rani.calm();
    await rani.close();
  });

  test('the gate lets each ticket in once, without an account', async () => {
    rani = await screen.open({ path: '/?new#/gate' });
    const issuer = issuerOf(3);
    const token = issueTicket(issuer, { ticket_id: 'ab'.repeat(16), issuer: 'Bioskop Kota', title: 'Gundala', place: 'Kursi F1' });
    const forged = issueTicket(issuerOf(4), { ticket_id: 'cd'.repeat(16), issuer: 'Bioskop Kota', title: 'Gundala', place: 'F2' });
    const verdict = (is) => rani.page.locator(`[data-verdict="${is}"]`);
    const judge = async (code) => {
      await rani.page.getByLabel(w.code).fill(code);
      await rani.page.getByRole('button', { name: w.judge, exact: true }).click();
    };
    await rani.page.getByLabel(w.key).fill('zz');
    await look('gate-empty');
    await rani.page.getByLabel(w.key).fill(issuer.hex);
    await judge(token);
    await verdict('valid').getByText('Gundala').waitFor();
    await look('gate-valid');
    await rani.page.reload();
    await judge(token);
    await verdict('used').getByText(w.used).waitFor();
    await look('gate-used');
    await judge(forged);
    await verdict('invalid').waitFor();
    await look('gate-invalid');
    rani.calm();
    await rani.close();
  });
}
