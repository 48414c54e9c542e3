// The HTTP side: /SHOP takes the webhooks of that shop. Answers 200 once everything in a delivery is done, so that whatever dies in
// between is delivered again. A delivery without the signature of the shop's app is nothing to us.
import { createServer } from 'node:http';
import { normalizeWebhook, verifySignature } from '@kapso/whatsapp-cloud-api/server';
import { isTemporary } from './api.mjs';

const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** `shops`: name -> {secret, desk, payments}. Resolves to the server once it listens on the loopback address. */
export function listen(shops, { port, verifyToken, log }) {
  const server = createServer((request, response) => {
    const end = (status, text = '') => response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    const url = new URL(request.url, 'http://localhost');
    const shop = shops[url.pathname.slice(1)];
    if (!shop) return end(404);
    if (request.method === 'GET') return challenge(url.searchParams, verifyToken, end);
    body(request)
      .then((raw) => deliver(shop, raw, request.headers['x-hub-signature-256'], log))
      .then(end, (error) => {
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

async function deliver(shop, rawBody, signatureHeader, log) {
  if (!verifySignature({ appSecret: shop.secret, rawBody, signatureHeader })) return 401;
  const { messages, statuses, contacts } = normalizeWebhook(JSON.parse(rawBody));
  for (const message of messages) await settle(() => shop.desk.message(message, contacts[0]), log);
  for (const { type, payment } of statuses) {
    if (type === 'payment' && payment?.referenceId) await settle(() => shop.payments.advance(payment.referenceId), log);
  }
  return 200;
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
