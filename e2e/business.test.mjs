// Chats with businesses: what can be tapped, who holds the keys, a person one tap away. First with a scripted core (web/dev): every
// kind of message, in both themes, languages and sizes, looked over by axe and kept as a picture in e2e/out. Then once over a real
// server with its gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from './lib/person.mjs';
import { onEveryScreen } from './lib/scripted.mjs';
import { startServer } from './lib/server.mjs';

const companies = {
  coffee: 'c0ffee'.padEnd(32, '0'),
  bank: 'ba4c'.padEnd(32, '0'),
  clinic: 'c11a1c'.padEnd(32, '0'),
  stranger: '5a1e'.padEnd(32, '0'),
};
const words = {
  id: {
    business: 'Bisnis',
    operator: 'Pesan Anda dibaca oleh Kopi Nusantara melalui server ini; pengelola server dapat membacanya.',
    own: 'Hanya Bank Sejahtera Bersama Indonesia yang memegang kunci.',
    talk: 'Bicara dengan orang',
    talkText: 'Saya ingin berbicara dengan petugas.',
    asked: 'Anda sudah meminta petugas.',
    automated: 'otomatis',
    send: 'Kirim',
    unsupported: 'Versi Kabar ini tidak dapat menampilkan pesan ini.',
  },
  en: {
    business: 'Business',
    operator: 'Kopi Nusantara reads your messages through this server; whoever runs the server can read them.',
    own: 'Only Bank Sejahtera Bersama Indonesia holds the keys.',
    talk: 'Talk to a person',
    talkText: 'I would like to talk to a person.',
    asked: 'You have asked for a person.',
    automated: 'automated',
    send: 'Send',
    unsupported: 'This version of Kabar cannot show this message.',
  },
};

const stage = onEveryScreen('business', chats);

function chats({ language, ...screen }) {
  const w = words[language];
  let rani;

  const look = (name) => screen.look(rani, name);

  async function open(company) {
    await rani.go(`/c/${companies[company]}`);
    await rani.composer.waitFor();
  }

  const button = (name) => rani.page.getByRole('button', { name, exact: true });
  const question = () => rani.page.getByRole('article', { name: /Kapan sebaiknya kurir datang/ }).first();

  test('the list says which chats are with businesses', async () => {
    rani = await screen.open();
    const row = rani.page.getByRole('navigation').getByRole('link', { name: /Kopi Nusantara/ });
    await row.waitFor();
    assert.match((await row.textContent()).replaceAll(/\s+/g, ' '), new RegExp(`${w.business}.*\\+622155501234`));
    await look('list');
  });

  test('who holds the keys is said before the first word', async () => {
    await open('clinic');
    assert.match(await rani.page.locator('main header').textContent(), /Klinik Melati.*server/s);
    await look('empty');
    await open('bank');
    await rani.page.getByText(w.own).waitFor();
    await rani.sees(w.unsupported);
    await look('answered');
    await open('coffee');
    await rani.page.getByText(w.operator).waitFor();
    await look('thread');
  });

  test('a template that was answered shows what was picked', async () => {
    await rani.page.getByRole('feed').evaluate((feed) => feed.scrollTo(0, 0));
    const template = rani.page.getByRole('article', { name: /^Kopi Nusantara, .*Pesanan Anda dalam perjalanan/ });
    await template.waitFor();
    assert.match(await template.getAttribute('aria-label'), new RegExp(`, ${w.automated}, `));
    assert.equal(await template.getByRole('button', { name: /Ubah jadwal/ }).getAttribute('aria-disabled'), 'true');
    const link = template.getByRole('link', { name: /Lacak kiriman/ });
    assert.match(await link.textContent(), /lacak\.kopi-nusantara\.example/);
    assert.deepEqual(
      await link.evaluate(({ target, rel }) => [target, rel]),
      ['_blank', 'noopener noreferrer'],
    );
    await look('template');
  });

  test('a reply button answers once', async () => {
    const choice = question().getByRole('button', { name: 'Besok sore' });
    const { height } = await choice.boundingBox();
    assert.ok(height >= 44, `a target of ${height} px`);
    // By the keyboard: into the article, and on to its second button.
    await question().focus();
    await rani.page.keyboard.press('Tab');
    while (!(await choice.evaluate((node) => node === document.activeElement))) await rani.page.keyboard.press('Tab');
    await rani.page.keyboard.press('Enter');
    await rani.page.getByRole('article', { name: /Besok sore, / }).last().waitFor();
    await rani.page.waitForFunction(() => document.activeElement?.getAttribute('aria-disabled') === 'true');
    assert.equal(await rani.page.getByRole('article', { name: /^(Anda|You), Besok sore/ }).count(), 1);
    assert.equal(await question().getByRole('button', { name: 'Lusa' }).getAttribute('aria-disabled'), 'true');
    await look('tapped');
  });

  test('a row of a list is picked, then sent', async () => {
    await button('Lihat pilihan').click();
    const dialog = rani.page.getByRole('dialog');
    await dialog.getByRole('radiogroup').waitFor();
    assert.equal(await dialog.getByRole('button', { name: w.send }).isDisabled(), true);
    await dialog.getByRole('radio').first().focus();
    await rani.page.keyboard.press('ArrowDown');
    await look('picker');
    await rani.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await button('Lihat pilihan').click();
    await dialog.getByRole('radio', { name: /Toraja/ }).check();
    await dialog.getByRole('button', { name: w.send }).click();
    await dialog.waitFor({ state: 'detached' });
    const answer = rani.page.getByRole('article', { name: /^(Anda|You), Toraja, 250 gram/ });
    await answer.locator('blockquote').getByText('Sambil menunggu').waitFor();
    await rani.page.getByRole('button', { name: /^Toraja, 250 gram/ }).waitFor();
    await look('picked');
  });

  test('a person is one tap away', async () => {
    await button(w.talk).click();
    await rani.sees(w.talkText);
    await rani.page.getByRole('status').filter({ hasText: w.asked }).waitFor();
    assert.equal(await rani.page.getByRole('article', { name: new RegExp(`^(Anda|You), ${w.talkText}`) }).count(), 1);
    await look('asked');
  });

  test("a stranger's links lead nowhere until he is answered", async () => {
    await open('stranger');
    const offer = rani.page.getByRole('article', { name: /Diskon/ });
    await offer.waitFor();
    assert.equal(await offer.getByRole('link').count(), 0);
    await offer.getByText('promo.example').waitFor();
    await look('stranger');
    await offer.getByRole('button', { name: 'Berhenti' }).click();
    await offer.getByRole('link', { name: /promo\.example/ }).waitFor();
  });

  test('details say it too', async () => {
    await open('coffee');
    await rani.page.locator('a[href$="/details"]').click();
    await rani.page.getByRole('dialog').getByText(w.operator).waitFor();
    await look('details');
  });

  test('no complaints', async () => {
    rani.calm();
    await rani.close();
  });
}

test('over a real server, what the Cloud API sends is shown and answered', async () => {
  const server = await startServer();
  const { waba_id, app_id } = server.admin('business', 'create', '--name', 'Kopi Nusantara');
  const { phone_number_id } = server.admin('number', 'add', '--waba', waba_id, '--phone', '+622155501234', '--name', 'Kopi Nusantara');
  const { access_token } = server.admin('token', 'create', '--app', app_id);
  const rani = await Person.open(stage.browser, server.origin());
  try {
    await rani.signUp('Rani');
    await confirmPhone(rani, '+6281234567890');
    await rani.openChatWith('+622155501234');
    await rani.page.getByText(words.id.operator).waitFor();
    await rani.say('Halo');
    await rani.seesState('Halo', rani.t.delivered);
    const answer = await fetch(`http://127.0.0.1:${server.port}/v23.0/${phone_number_id}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        messaging_product: 'whatsapp',
        to: '6281234567890',
        type: 'interactive',
        interactive: {
          type: 'list',
          body: { text: 'Mau kopi apa?' },
          action: { button: 'Lihat', sections: [{ rows: [{ id: 'gayo', title: 'Gayo', description: 'Aceh' }] }] },
        },
      }),
    });
    assert.equal(answer.status, 200, await answer.text());
    await rani.page.getByRole('button', { name: 'Lihat', exact: true }).click();
    await rani.page.getByRole('radio', { name: /Gayo/ }).check();
    await rani.page.getByRole('dialog').getByRole('button', { name: words.id.send }).click();
    await rani.page.getByRole('article', { name: /^Anda, Gayo, Aceh, .*, sampai$/ }).waitFor();
    await rani.page.reload();
    await rani.page.getByRole('button', { name: /^Gayo/ }).waitFor();
    rani.calm();
  } finally {
    await rani.close();
    await server.stop();
  }
});

async function confirmPhone(person, phone) {
  const { page, t } = person;
  await person.go('/settings');
  await page.getByRole('button', { name: `${t.change}: ${t.phone}` }).click();
  await page.getByLabel(t.phoneNumber).fill(phone);
  await page.getByRole('button', { name: t.phoneSend }).click();
  const shown = page.getByText(/kode Anda \d{6}/);
  await shown.waitFor();
  await page.getByLabel(/Kode untuk/).fill(/\d{6}/.exec(await shown.textContent())[0]);
  await page.getByRole('button', { name: t.phoneConfirm }).click();
  await page.getByText(phone).waitFor();
}
