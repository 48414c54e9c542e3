// The HTTP side: /SHOP takes the webhooks of that shop, /SHOP/flow fills its seat maps. A webhook is answered 200 once
// everything in a delivery is done, so that whatever dies in between is delivered again. What lacks the signature of
// the shop's app is nothing to us.
import { createServer } from 'node:http';
import { normalizeWebhook, verifySignature } from '@kapso/whatsapp-cloud-api/server';
import { isTemporary } from './api.mjs';
import { open } from './envelope.mjs';
import { answered, exchange } from './seat-flow.mjs';

const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** `shops`: name -> {secret, desk, payments, phoneNumberId, flowKey}. Resolves to the server once it listens on the loopback address. */
export function listen(shops, { port, verifyToken, log }) {
  const server = createServer((request, response) => {
    const end = (status, text = '') => response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    const url = new URL(request.url, 'http://localhost');
    const [name, flow] = url.pathname.slice(1).split('/');
    const shop = shops[name];
    // Before the shops are open there is nobody to take it yet.
    if (!shop) return end(503);
    if (request.method === 'GET') return challenge(url.searchParams, verifyToken, end);
    body(request)
      .then((rawBody) => {
        const signatureHeader = request.headers['x-hub-signature-256'];
        if (!verifySignature({ appSecret: shop.secret, rawBody, signatureHeader })) return [flow ? 432 : 401];
        return flow ? fill(shop, rawBody) : deliver(shop, rawBody, log);
      })
      .then(([status, text]) => end(status, text))
      .catch((error) => {
        log(`a webhook is to come again: ${error.message}`);
        end(503);
      });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function challenge(query, verifyToken, end) {
  const known = query.get('hub.mode') === 'subscribe' && query.get('hub.verify_token') === verifyToken;
  return known ? end(200, query.get('hub.challenge')) : end(403);
}

async function body(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error('a delivery is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function deliver(shop, rawBody, log) {
  const { messages, statuses, contacts } = normalizeWebhook(JSON.parse(rawBody));
  for (const message of messages) await settle(() => shop.desk.message(message, contacts[0]), log);
  for (const { type, payment } of statuses) {
    if (type === 'payment' && payment?.referenceId) await settle(() => shop.payments.advance(payment.referenceId), log);
  }
  return [200];
}

/** One question of a seat map. */
async function fill(shop, rawBody) {
  let opened;
  try {
    opened = open(rawBody, shop.flowKey);
  } catch {
    return [421];
  }
  if (JSON.parse(opened.text).action === 'ping')
    return [200, opened.seal(JSON.stringify({ data: { status: 'active' } }))];
  try {
    const answer = await exchange(opened.text, shop.phoneNumberId, (user) => shop.desk.worldOf(user));
    return [200, opened.seal(answered(answer))];
  } catch (error) {
    if (error.status !== 427) throw error;
    return [427, opened.seal(JSON.stringify({ error_msg: error.message }))];
  }
}

/** What was refused for good would be refused again: it is said, and the delivery counts as taken. */
async function settle(work, log) {
  try {
    await work();
  } catch (error) {
    if (isTemporary(error)) throw error;
    log(`the server refused: ${error.code} ${error.details ?? error.message}`);
  }
}
