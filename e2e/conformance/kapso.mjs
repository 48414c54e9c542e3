// @kapso/whatsapp-cloud-api, unmodified, against a running Kabar.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { GraphApiError, WhatsAppClient } from '@kapso/whatsapp-cloud-api';
import { normalizeWebhook, verifySignature } from '@kapso/whatsapp-cloud-api/server';
import { startReceiver } from './lib/receiver.mjs';

const IMAGE = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...new Array(64).fill(0)]);
const TEMPLATE = 'kapso_kursi';
const VERIFY_TOKEN = 'rahasia-verifikasi';

/** `world()` is there once the tests run. */
export function kapsoTests(world) {
  describe('@kapso/whatsapp-cloud-api 0.3.0', () => {
    const context = {};

    before(() => {
      const { company, rani, budi, site } = world();
      const client = new WhatsAppClient({ baseUrl: company.url, accessToken: company.token });
      Object.assign(context, { company, rani, budi, site, client, to: { phoneNumberId: company.phoneId, to: rani.digits } });
    });

    sends(context);
    files(context);
    sentFiles(context);
    templates(context);
    number(context);
    refusals(context);
    orders(context);
    flows(context);
    webhooks(context);
  });
}

/** The error of a call that is refused. */
async function refused(call) {
  const error = await call.then((answer) => assert.fail(`not refused: ${JSON.stringify(answer)}`), (thrown) => thrown);
  assert.ok(error instanceof GraphApiError, error.stack);
  return error;
}

function sends(context) {
  test('a text with preview', async () => {
    const { client, rani, to } = context;
    const sent = await client.messages.sendText({ ...to, body: 'Halo dari kapso https://bioskop.example', previewUrl: true });
    assert.match(sent.messages[0].id, /^wamid\./);
    assert.deepEqual([sent.contacts[0].input, sent.contacts[0].waId], [rani.digits, rani.digits]);
    const shown = await rani.sees('Halo dari kapso https://bioskop.example');
    assert.equal(shown.kind, 'text');
  });

  test('buttons', async () => {
    const { client, rani, to } = context;
    await client.messages.sendInteractiveButtons({ ...to, bodyText: 'Mau popcorn?', buttons: [{ id: 'p1', title: 'Mau' }] });
    const { buttons } = await rani.sees('Mau popcorn?');
    assert.deepEqual(buttons, [{ id: 'p1', title: 'Mau' }]);
  });

  test('a list', async () => {
    const { client, rani, to } = context;
    const sections = [{ title: 'Ukuran', rows: [{ id: 'u1', title: 'Besar' }] }];
    await client.messages.sendInteractiveList({ ...to, bodyText: 'Ukuran apa?', buttonText: 'Buka', sections });
    const { rows } = await rani.sees('Ukuran apa?');
    assert.deepEqual(rows, [{ id: 'u1', title: 'Besar', section: 'Ukuran' }]);
  });

  test('a link', async () => {
    const { client, rani, to } = context;
    const parameters = { displayText: 'Bayar', url: 'https://bioskop.example/bayar' };
    await client.messages.sendInteractiveCtaUrl({ ...to, bodyText: 'Bayar di sini', parameters });
    const { links } = await rani.sees('Bayar di sini');
    assert.deepEqual(links, [{ title: 'Bayar', url: 'https://bioskop.example/bayar' }]);
  });
}

function files(context) {
  test('media: uploaded, described, downloaded, deleted', async () => {
    const { client, company } = context;
    const file = new Blob([IMAGE], { type: 'image/png' });
    const { id: mediaId } = await client.media.upload({ phoneNumberId: company.phoneId, type: 'image/png', file, fileName: 'kursi.png' });
    const got = await client.media.get({ mediaId });
    assert.deepEqual([got.id, got.mimeType, Number(got.fileSize)], [mediaId, 'image/png', IMAGE.length]);
    assert.match(got.sha256, /^[0-9a-f]{64}$/);
    const bytes = await client.media.download({ mediaId, auth: 'always' });
    assert.deepEqual(new Uint8Array(bytes), IMAGE);
    assert.equal((await client.media.delete({ mediaId })).success, true);
    const error = await refused(client.media.get({ mediaId }));
    assert.deepEqual([error.code, error.errorSubcode], [100, 33]);
  });
}

function sentFiles(context) {
  test('an image by id and a document by link', async () => {
    const { client, company, rani, site, to } = context;
    const file = new Blob([IMAGE], { type: 'image/png' });
    const { id } = await client.media.upload({ phoneNumberId: company.phoneId, type: 'image/png', file, fileName: 'poster.png' });
    await client.messages.sendImage({ ...to, image: { id, caption: 'Poster kapso' } });
    const image = (await rani.sees('Poster kapso')).file;
    assert.deepEqual([image.mime_type, new Uint8Array(readFileSync(image.path))], ['image/png', IMAGE]);
    await client.messages.sendDocument({ ...to, document: { link: `${site}/tiket.pdf`, filename: 'tiket kapso.pdf', caption: 'Tiket kapso' } });
    const document = (await rani.sees('Tiket kapso')).file;
    assert.deepEqual([document.name, String(readFileSync(document.path))], ['tiket kapso.pdf', '%PDF-1.4 tiket']);
    const error = await refused(client.messages.sendImage({ ...to, image: { link: `${site}/hilang.png` } }));
    assert.equal(error.code, 131052);
  });
}

function templates(context) {
  test('a template: created, listed page by page, sent outside the window, deleted', async () => {
    const { client, company, budi } = context;
    const businessAccountId = company.wabaId;
    const body = { type: 'BODY', text: 'Kursi {{1}} menunggu Anda.', example: { bodyText: [['A1']] } };
    for (const name of [TEMPLATE, `${TEMPLATE}_lain`]) {
      const created = await client.templates.create({ businessAccountId, name, language: 'id', category: 'UTILITY', components: [body] });
      assert.deepEqual([created.status, created.category], ['APPROVED', 'UTILITY']);
    }
    const named = await client.templates.list({ businessAccountId, name: TEMPLATE });
    assert.deepEqual(named.data.map(({ name }) => name), [TEMPLATE]);
    const names = await everyTemplate(client, businessAccountId);
    for (const name of [TEMPLATE, `${TEMPLATE}_lain`]) assert.equal(names.filter((one) => one === name).length, 1, name);

    const components = [{ type: 'body', parameters: [{ type: 'text', text: 'C3' }] }];
    const template = { name: TEMPLATE, language: { code: 'id' }, components };
    await client.messages.sendTemplate({ phoneNumberId: company.phoneId, to: budi.digits, template });
    const shown = await budi.sees('Kursi C3 menunggu Anda.');
    assert.deepEqual([shown.kind, shown.request], ['template', true], "a stranger's: the person decides");

    for (const name of [TEMPLATE, `${TEMPLATE}_lain`]) {
      assert.equal((await client.templates.delete({ businessAccountId, name })).success, true);
      assert.deepEqual((await client.templates.list({ businessAccountId, name })).data, []);
    }
  });
}

/** Names of all, one a page. */
async function everyTemplate(client, businessAccountId) {
  const names = [];
  let page = await client.templates.list({ businessAccountId, limit: 1 });
  for (;;) {
    names.push(...page.data.map(({ name }) => name));
    if (!page.paging?.next) return names;
    assert.equal(page.data.length, 1);
    page = await client.templates.list({ businessAccountId, limit: 1, after: page.paging.cursors.after });
  }
}

function number(context) {
  test('the business profile', async () => {
    const { client, company } = context;
    const { phoneId: phoneNumberId } = company;
    await client.phoneNumbers.businessProfile.update({ phoneNumberId, description: 'Tiga layar', websites: ['https://bioskop.example'] });
    const { data: [profile] } = await client.phoneNumbers.businessProfile.get({ phoneNumberId });
    assert.deepEqual([profile.description, profile.websites], ['Tiga layar', ['https://bioskop.example']]);
    assert.equal(profile.messagingProduct, 'whatsapp');
  });

  test('the number registers and has settings', async () => {
    const { client, company } = context;
    const { phoneId: phoneNumberId } = company;
    assert.equal((await client.phoneNumbers.register({ phoneNumberId, pin: '123456' })).success, true);
    assert.ok(await client.phoneNumbers.settings.get({ phoneNumberId }));
  });
}

function refusals(context) {
  test('a closed window is 131047: reengagementWindow, do_not_retry', async () => {
    const { client, company, budi } = context;
    const error = await refused(client.messages.sendText({ phoneNumberId: company.phoneId, to: budi.digits, body: 'Halo' }));
    assert.deepEqual([error.code, error.category, error.retry.action], [131047, 'reengagementWindow', 'do_not_retry']);
    assert.match(error.details, /24 hours/);
    assert.ok(error.fbtraceId);
  });

  test('an unknown token is 190: authorization, refresh_token', async () => {
    const { company, to } = context;
    const stranger = new WhatsAppClient({ baseUrl: company.url, accessToken: 'EAAsalah' });
    const error = await refused(stranger.messages.sendText({ ...to, body: 'Halo' }));
    assert.deepEqual([error.code, error.httpStatus, error.category, error.retry.action], [190, 401, 'authorization', 'refresh_token']);
    assert.equal(error.requiresTokenRefresh(), true);
  });
}

function orders(context) {
  const money = { value: 5_000_000, offset: 100 };
  const order = { status: 'pending', items: [{ retailer_id: 'A1', name: 'Kursi', amount: money, quantity: 1 }], subtotal: money };
  const payment = {
    reference_id: 'ORD-1',
    type: 'digital-goods',
    payment_settings: [{ type: 'payment_gateway', payment_gateway: { type: 'sandbox', configuration_name: 'default' } }],
    currency: 'IDR',
    total_amount: money,
    order,
  };

  test('an order to be paid in the thread', async () => {
    const { client, rani, to } = context;
    const interactive = { type: 'order_details', body: { text: 'Satu kursi' }, action: { name: 'review_and_pay', parameters: payment } };
    await client.messages.sendInteractiveRaw({ ...to, interactive });
    const shown = (await rani.sees('Satu kursi')).order;
    assert.deepEqual([shown.reference_id, shown.currency, shown.total], ['ORD-1', 'IDR', 5_000_000]);
  });

  test('the state of an order', async () => {
    const { client, rani, to } = context;
    const parameters = { reference_id: 'ORD-1', order: { status: 'completed', description: 'Selamat menonton' } };
    const interactive = { type: 'order_status', body: { text: 'Sudah selesai' }, action: { name: 'review_order', parameters } };
    await client.messages.sendInteractiveRaw({ ...to, interactive });
    const shown = (await rani.sees('Sudah selesai')).order_status;
    assert.deepEqual([shown.reference_id, shown.status], ['ORD-1', 'completed']);
  });
}

function flows(context) {
  test('a flow that does not exist is refused by name', async () => {
    const { client, to } = context;
    const parameters = { flowId: '1', flowCta: 'Pesan', flowMessageVersion: '3', flowToken: 't' };
    const error = await refused(client.messages.sendInteractiveFlow({ ...to, bodyText: 'Pesan kursi', parameters }));
    assert.match(error.details, /flow/);
  });
}

function webhooks(context) {
  let receiver;

  before(async () => {
    receiver = await startReceiver(VERIFY_TOKEN);
  });

  after(async () => {
    await receiver.stop();
  });

  /** The first delivery whose normal form fits, in that form. */
  async function normalized(fits, what) {
    const read = ({ rawBody }) => normalizeWebhook(JSON.parse(rawBody));
    return read(await receiver.deliveries.first((delivery) => fits(read(delivery)), what));
  }

  test('a subscription by the app token', async () => {
    const { company } = context;
    const app = new WhatsAppClient({ baseUrl: company.url, accessToken: `${company.appId}|${company.appSecret}` });
    const body = { object: 'whatsapp_business_account', callback_url: receiver.url, verify_token: VERIFY_TOKEN, fields: 'messages' };
    assert.deepEqual(await app.request('POST', `${company.appId}/subscriptions`, { body, responseType: 'json' }), { success: true });
  });

  test('delivered, with its price', async () => {
    const { client, company, rani, to } = context;
    const { messages: [{ id }] } = await client.messages.sendText({ ...to, body: 'Sampai jumpa' });
    await rani.sees('Sampai jumpa');
    const isDelivery = (status) => status.id === id && status.status === 'delivered';
    const { statuses, phoneNumberId, contacts } = await normalized((one) => one.statuses.some(isDelivery), `delivered of ${id}`);
    const { pricing, recipientId } = statuses.find(isDelivery);
    assert.deepEqual([pricing.pricingModel, pricing.category, pricing.billable], ['PMP', 'service', false]);
    assert.deepEqual([recipientId, phoneNumberId, contacts[0].waId], [rani.digits, company.phoneId, rani.digits]);
  });

  test('an answer of the person, marked read while typing', async () => {
    const { client, company, rani } = context;
    const written = await rani.says(company.phone, 'Terima kasih');
    const isAnswer = (message) => message.text?.body === 'Terima kasih';
    const { messages } = await normalized((one) => one.messages.some(isAnswer), "the person's text");
    const { id: messageId, from, fromUserId } = messages.find(isAnswer);
    assert.equal(from, rani.digits);
    assert.match(fromUserId, /^ID\./);
    const read = await client.messages.markRead({ phoneNumberId: company.phoneId, messageId, typingIndicator: { type: 'text' } });
    assert.equal(read.success, true);
    await rani.seesRead(written.message_id);
  });

  test('every webhook is signed over its bytes', () => {
    const { appSecret } = context.company;
    const unsigned = receiver.deliveries.items.filter(
      ({ rawBody, signature }) => !verifySignature({ appSecret, rawBody, signatureHeader: signature }),
    );
    assert.deepEqual(unsigned.map(({ rawBody }) => String(rawBody)), []);
    assert.ok(receiver.deliveries.items.length > 0);
  });
}
