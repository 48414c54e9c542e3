// Every screen in both themes, both languages and both sizes: looked over by axe, and kept as a picture in e2e/out.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { assertAccessible } from './lib/axe.mjs';
import { launch } from './lib/browser.mjs';
import { Person } from './lib/person.mjs';
import { startServer } from './lib/server.mjs';

const out = new URL('out/', import.meta.url);
const sizes = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};
const names = ['Ani Lestari', 'Bayu', 'Citra Dewi', 'Dimas', 'Eka Putri', 'Fajar', 'Gita', 'Hana'];
const talk = [
  ['ani', 'Bu, kereta saya tiba jam lima sore 🚆'],
  ['ibu', 'Alhamdulillah. Nanti dijemput Bapak di pintu timur ya, parkirnya lebih gampang di sana.'],
  ['ani', 'Siap. Jadwalnya ada di https://kereta.example/jadwal?dari=Gambir&ke=Tugu'],
  ['ibu', 'Sudah makan?'],
  ['ibu', '❤️'],
  ['ani', 'Sudah, Bu. Oleh-olehnya bakpia saja?'],
];

let server;
let browser;
let ibu;

before(async () => {
  mkdirSync(out, { recursive: true });
  server = await startServer();
  browser = await launch();
  ibu = await Person.open(browser, server.origin('ibu'));
  await ibu.signUp('Ibu Sri Wahyuni');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [size, options] of Object.entries(sizes)) {
  for (const [theme, language] of [['light', 'id'], ['dark', 'en'], ['light', 'en'], ['dark', 'id']]) {
    describe(`${size}, ${theme}, ${language}`, () => everyScreen({ size, theme, language, options }));
  }
}

function everyScreen({ size, theme, language, options }) {
  const label = `${size}-${theme}-${language}`;
  const name = names.shift();
  let ani;

  async function look(screen) {
    await ani.page.evaluate(() => document.fonts.ready);
    await ani.page.waitForTimeout(250);
    await ani.page.screenshot({ path: new URL(`${screen}-${label}.png`, out).pathname });
    const wider = await ani.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wider, false, `${screen} is wider than the screen`);
    await assertAccessible(ani.page, screen);
  }

  test('onboarding', async () => {
    ani = await Person.open(browser, server.origin(label), { language, colorScheme: theme, ...options });
    await ani.page.getByLabel(ani.t.question).fill(name);
    await look('onboarding');
  });

  test('the empty list', async () => {
    await ani.page.keyboard.press('Enter');
    await ani.page.getByRole('navigation', { name: ani.t.chats }).waitFor();
    await look('empty');
  });

  test('new chat and my code', async () => {
    await ani.go('/new');
    await look('new-chat');
    await ani.page.getByLabel(ani.t.who).fill('tidak.ada');
    await ani.page.keyboard.press('Enter');
    await ani.page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
    await look('new-chat-error');
    await ani.go('/scan');
    await look('scan');
    await ani.go('/code');
    await ani.page.locator('canvas').waitFor();
    await look('my-code');
  });

  test('a thread', async () => {
    const link = await ibu.link();
    await ani.openChatWith(link);
    await look('thread-empty');
    for (const [who, text] of talk) {
      const [speaker, listener] = who === 'ani' ? [ani, ibu] : [ibu, ani];
      await speaker.say(text);
      if (speaker === ani && text === talk[0][1]) {
        await ibu.go('/');
        await ibu.openChatFromList(name);
      }
      await listener.sees(text.slice(0, 12));
    }
    await ani.seesState(talk.at(-1)[1], ani.t.read);
    await look('thread');
  });

  test('the list', async () => {
    await ani.go('/');
    await ani.page.getByRole('navigation').getByRole('link', { name: /Ibu Sri/ }).waitFor();
    await look('list');
  });

  test('details', async () => {
    await ani.openChatFromList('Ibu Sri');
    await ani.page.locator('a[href$="/details"]').click();
    await ani.page.getByRole('list', { name: ani.t.safety }).getByRole('listitem').first().waitFor();
    await ani.page.getByRole('button', { name: ani.t.serverSaw }).click();
    await ani.page.locator('.pair, .none').first().waitFor();
    await look('details');
    await ani.page.keyboard.press('Escape');
    // Going back takes a moment: the next address must not overtake it.
    await ani.page.waitForURL((url) => !url.hash.endsWith('/details'));
  });

  test('settings', async () => {
    await ani.go('/settings');
    await look('settings');
    await ani.page.getByRole('button', { name: `${ani.t.change}: ${ani.t.phone}` }).click();
    await look('settings-phone');
  });

  test('another tab', async () => {
    const second = await ani.context.newPage();
    await second.goto(ani.page.url());
    await second.getByRole('heading', { name: ani.t.elsewhere }).waitFor();
    await second.screenshot({ path: new URL(`elsewhere-${label}.png`, out).pathname });
    await assertAccessible(second, 'elsewhere');
    await second.close();
  });

  test('no complaints', async () => {
    ani.calm();
    await ani.close();
  });
}
