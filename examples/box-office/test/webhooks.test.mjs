// The HTTP side: what is not signed, not sealed to us, or asked by a stranger has no effect.
import assert from 'node:assert/strict';
import { constants, createCipheriv, createHmac, publicEncrypt, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { newKey } from '../src/envelope.mjs';
import { listen } from '../src/webhooks.mjs';

const SECRET = 'the secret of our app';
const FORGED = 'another secret';
const ours = newKey();
const taken = [];
let failing;
let server;
let origin;

before(async () => {
  const desk = {
    async message({ id }) {
      if (failing) throw failing;
      taken.push(id);
    },
    worldOf: () => assert.fail('nobody was to be asked about seats'),
  };
  const payments = { advance: async (reference) => void taken.push(reference) };
  const shop = { secret: SECRET, phoneNumberId: '1', flowKey: ours.privateKey, desk, payments };
  server = await listen({ cinema: shop }, { port: 0, verifyToken: 'verify', log: () => undefined });
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

function webhook(value) {
  const change = { field: 'messages', value: { messaging_product: 'whatsapp', metadata: {}, contacts: [], ...value } };
  return JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '1', changes: [change] }] });
}

const message = (id) =>
  webhook({ messages: [{ id, from: '62', type: 'text', timestamp: '1', text: { body: 'tiket' } }] });

async function post(path, body, secret = SECRET) {
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
  return (await fetch(origin + path, { method: 'POST', body, headers })).status;
}

test('a forged or changed delivery is refused, a genuine one is taken', async () => {
  assert.equal(await post('/cinema', message('forged'), FORGED), 401);
  const unsigned = await fetch(`${origin}/cinema`, { method: 'POST', body: message('unsigned') });
  assert.equal(unsigned.status, 401);
  assert.equal(await post('/bus', message('no such shop')), 503);
  assert.equal(await post('/cinema', message('genuine')), 200);
  const payment = { type: 'payment', id: 'x', status: 'captured', timestamp: '1', payment: { reference_id: 'BK-1' } };
  assert.equal(await post('/cinema', webhook({ statuses: [payment] })), 200);
  assert.deepEqual(taken.splice(0), ['genuine', 'BK-1']);
});

test('what could not be done is to come again', async () => {
  failing = new Error('the server is away');
  assert.equal(await post('/cinema', message('later')), 503);
  failing = undefined;
  assert.equal(await post('/cinema', message('later')), 200);
  assert.deepEqual(taken.splice(0), ['later']);
});

test('a question that is sealed to another key, or not signed, is refused by its status', async () => {
  const sealed = (publicKey) => {
    const [key, iv] = [randomBytes(16), randomBytes(16)];
    const cipher = createCipheriv('aes-128-gcm', key, iv);
    const asked = [cipher.update('{"version":"3.0","action":"ping"}'), cipher.final()];
    const padding = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    return JSON.stringify({
      encrypted_flow_data: Buffer.concat([...asked, cipher.getAuthTag()]).toString('base64'),
      encrypted_aes_key: publicEncrypt(padding, key).toString('base64'),
      initial_vector: iv.toString('base64'),
    });
  };
  assert.equal(await post('/cinema/flow', sealed(newKey().publicKey)), 421);
  assert.equal(await post('/cinema/flow', '{}'), 421);
  assert.equal(await post('/cinema/flow', sealed(ours.publicKey), FORGED), 432);
  assert.equal(await post('/cinema/flow', sealed(ours.publicKey)), 200);
});

test('the address answers only who knows the word', async () => {
  const ask = (token) =>
    fetch(`${origin}/cinema?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`);
  assert.equal((await ask('guess')).status, 403);
  assert.equal(await (await ask('verify')).text(), '1158201444');
});
