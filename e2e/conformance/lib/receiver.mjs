// The company's web server: answers the challenge and keeps every delivery as it came, for an SDK to verify and read.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Mailbox } from './mailbox.mjs';

const SIGNATURE = 'x-hub-signature-256';

export async function startReceiver(verifyToken) {
  /** Of `{rawBody, signature}`. */
  const deliveries = new Mailbox('webhooks');
  const server = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url, 'http://receiver');
    if (request.method === 'GET') {
      const known = searchParams.get('hub.mode') === 'subscribe' && searchParams.get('hub.verify_token') === verifyToken;
      return response.writeHead(known ? 200 : 403).end(known ? searchParams.get('hub.challenge') : '');
    }
    const rawBody = Buffer.concat(await request.toArray());
    response.end();
    deliveries.put({ rawBody, signature: request.headers[SIGNATURE] });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    deliveries,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
