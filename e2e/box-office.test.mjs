// The storyboard of a person: from a name to a paid ticket, and back with the money. A real server, the real box office, a phone; with
// a stopwatch. Pictures are kept in e2e/out.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBoxOffice } from './lib/box-office.mjs';
import { launch } from './lib/browser.mjs';
import { look as lookOver, picture as keep } from './lib/look.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';
import { Taps } from './lib/taps.mjs';

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, timezoneId: 'Asia/Jakarta' };
/** From the name to the ticket; a person also reads. */
const TICKET_SECONDS_MAX = 90;
const TICKET_TAPS_MAX = 10;

describe('the box office', () => {
  let server;
  let shops;
  let browser;
  let rani;
  let taps;
  let started;

  before(async () => {
    server = await startServer();
    shops = await startBoxOffice(server);
    browser = await launch();
  });

  after(async () => {
    await rani?.close();
    await browser?.close();
    await shops?.kill();
    await server?.stop();
  });

  const button = (name) => rani.page.getByRole('button', { name });
  const sheet = () => rani.page.getByRole('dialog');

  const look = (screen) => lookOver(rani, `box-office-${screen}`, screen);
  const picture = (screen) => keep(rani, `box-office-${screen}`);

  /** Opens the list of that name that is not answered yet, and sends one of its rows. */
  async function pick(list, row, send = 'Kirim') {
    await rani.page.locator('button:not([aria-disabled="true"])', { hasText: list }).last().click();
    await sheet().getByRole('radio', { name: row }).first().check();
    await sheet().getByRole('button', { name: send, exact: true }).click();
    await sheet().waitFor({ state: 'detached' });
  }

  test('the shops are offered to who has no chat yet', async () => {
    started = Date.now();
    rani = await Person.open(browser, server.origin(), phone);
    taps = await Taps.count(rani.page);
    await rani.signUp('Rani');
    await rani.page.getByRole('link', { name: 'Bus Mudik' }).waitFor();
    await look('offered');
    await rani.page.getByRole('link', { name: 'Bioskop Kota' }).click();
    await rani.composer.waitFor();
    await taps.reach(rani.composer);
    // Who knows no title writes "tiket", and taps one.
    await rani.say('Ombak Selatan');
  });

  test('the seat map of the next showing comes by itself, and a seat is picked by tapping', async () => {
    await button(/WIB$/).waitFor();
    await button('Pilih kursi').last().waitFor();
    await look('thread');
    await button('Pilih kursi').last().click();
    await sheet().locator('[data-seat="B3"]').click();
    // Whether everybody can use the map itself, the tests of flows say.
    await picture('seats');
    await sheet().getByRole('button', { name: 'Lanjut', exact: true }).click();
    await sheet().waitFor({ state: 'detached' });
    await rani.sees('Kursi B3 kami simpan 5 menit untuk Anda');
    await look('order');
  });

  test('it is paid, and the tickets come in time', async () => {
    await button(/^Bayar Rp45\.000/).last().click();
    await look('pay');
    await sheet().getByRole('button', { name: /^Bayar Rp45\.000/ }).click();
    await sheet().getByRole('button', { name: 'Selesai' }).click();
    await rani.sees('Tiket Anda sudah siap');
    await rani.page.getByRole('article', { name: /Ombak Selatan.*B3|B3.*Ombak Selatan/ }).last().waitFor();
    const seconds = (Date.now() - started) / 1000;
    const count = await taps.sum();
    console.log(`# from an empty page to the ticket: ${count} taps, ${seconds.toFixed(1)} s, pictures and accessibility checks included`);
    await look('ticket');
    assert.ok(seconds < TICKET_SECONDS_MAX, `the ticket came after ${seconds} s`);
    assert.ok(count <= TICKET_TAPS_MAX, `the ticket took ${count} taps: ${taps.list()}`);
  });

  test('a ticket is given back after the box office was killed, and the seats are free again', async () => {
    await shops.kill();
    await rani.say('kembalikan');
    shops = await startBoxOffice(server);
    await button('Ya, kembalikan').last().click();
    await rani.sees('Tiket sudah dikembalikan dan kursinya bebas lagi');
    await look('returned');
    assert.equal(server.admin('ledger', 'verify').ok, true);
    rani.calm();
  });

  test('a clerk is one tap away, and Tante Rina invites who has met Halo', async () => {
    await rani.say('Saya ingin berbicara dengan petugas.');
    await rani.sees('(demo) Halo, saya Dewi dari loket');
    await rani.openChatWith('@halo');
    await rani.say('Halo');
    await rani.sees('Pesanmu 1 kata');
    // She has never talked with her.
    await rani.go('/requests');
    await rani.page.getByRole('link', { name: /Tante Rina/ }).waitFor();
    await look('list');
    rani.calm();
    await rani.close();
  });

  test('a family of six travels to Surabaya and home again, in English and from lists', async () => {
    rani = await Person.open(browser, server.origin('dua'), { ...phone, language: 'en', colorScheme: 'dark' });
    await rani.signUp('Ayu');
    await rani.page.getByRole('link', { name: 'Bus Mudik' }).click();
    // Without a seat map, as on a device that cannot show one.
    await rani.say('list');
    await pick('Choose a route', /^Jakarta → Surabaya/, 'Send');
    await pick('Choose how many', /^6 people/, 'Send');
    await pick('Choose a time', /WIB/, 'Send');
    await rani.sees('When would you like to come back');
    await pick('Choose a time', /19:00 WIB/, 'Send');
    await pick('Choose seats', /^1A 1B 1C 1D 2A 2B/, 'Send');
    await rani.sees('Surabaya → Jakarta, ');
    await pick('Choose seats', /^2A 2B 2C 2D 3A 3B|^1A 1B 1C 1D 2A 2B/, 'Send');
    await rani.sees('We hold 1A 1B 1C 1D 2A 2B');
    await look('bus-order');
    await button(/^Pay IDR\s5,160,000/).last().click();
    await sheet().getByRole('button', { name: /^Pay IDR/ }).click();
    await sheet().getByRole('button', { name: 'Done' }).click();
    await rani.sees('Your tickets are ready');
    await rani.go('/');
    const tickets = rani.page.getByRole('region', { name: 'Tickets', exact: true }).getByRole('link');
    await tickets.first().waitFor();
    await look('bus-tickets');
    assert.ok((await tickets.count()) >= 1);
    rani.calm();
  });
});
