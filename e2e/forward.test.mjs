// A message is passed on: to whom, what it says, and how it looks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { look } from './lib/look.mjs';
import { meet, pair } from './lib/pair.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

let server;
let browser;
let rani;
let citra;

before(async () => {
  server = await startServer();
  browser = await launch();
  ({ rani } = await pair(browser, server, { first: 'Arisan pindah ke hari Minggu' }));
  citra = await Person.open(browser, server.origin('tiga'), { colorScheme: 'dark' });
  await citra.signUp('Citra');
  await rani.go('/');
  await meet(rani, citra, 'Rani', 'Citra, ini Rani', 'Halo Rani');
});

after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0);
});

const sheet = () => rani.page.getByRole('dialog', { name: 'Teruskan ke' });

async function openSheet(text) {
  const message = rani.message(text).last();
  await message.hover();
  await message.getByRole('button', { name: 'Lainnya untuk pesan ini' }).click();
  await rani.page.getByRole('menuitem', { name: 'Teruskan', exact: true }).click();
  await sheet().waitFor();
}

test('a message goes on to a chat that is picked by name, and says that it was passed on', async () => {
  await rani.go('/');
  await rani.openChatFromList('Budi');
  await openSheet('Arisan pindah');
  await sheet().getByRole('searchbox').fill('tidak ada');
  await sheet().getByText('Tidak ada obrolan dengan nama itu.').waitFor();
  assert.ok(await sheet().getByRole('button', { name: 'Pilih obrolan' }).isDisabled());
  await sheet().getByRole('searchbox').fill('cit');
  await sheet().getByRole('checkbox', { name: 'Citra' }).check();
  await look(rani, 'forward-sheet');
  await sheet().getByRole('button', { name: 'Teruskan ke 1 obrolan' }).click();
  await rani.page.getByRole('heading', { name: 'Citra' }).waitFor();
  const passedOn = (person) => person.page.getByRole('article', { name: /Diteruskan: Arisan pindah|Diteruskan.*Arisan pindah/ });
  await passedOn(rani).waitFor();
  await citra.sees('Arisan pindah ke hari Minggu');
  await passedOn(citra).waitFor();
  await look(citra, 'forward-came-dark');
});
