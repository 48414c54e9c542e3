// The company's own website, as far as a link in a message needs it: a poster and a ticket.
import { createServer } from 'node:http';
import { once } from 'node:events';

const FILES = {
  '/poster.png': ['image/png', Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), Buffer.alloc(3000, 7)])],
  '/tiket.pdf': ['application/pdf', Buffer.from('%PDF-1.4 tiket')],
  '/film.mp4': ['video/mp4', Buffer.alloc(5000, 1)],
  '/lagu.mp3': ['audio/mpeg', Buffer.alloc(4000, 2)],
};

export async function startSite() {
  const server = createServer((request, response) => {
    const [type, bytes] = FILES[request.url] ?? [];
    if (bytes) response.writeHead(200, { 'content-type': type }).end(bytes);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
