// What the browser says to the server, byte by byte: a listener between the two.
import { connect, createServer } from 'node:net';

export class Wire {
  #said = [];
  #server;
  #sockets = new Set();

  /** Listens on a port of its own for what is meant for the server's. */
  static async tap(port) {
    const wire = new Wire();
    wire.#server = createServer((browser) => {
      const server = connect(port, '127.0.0.1');
      for (const socket of [browser, server]) {
        wire.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          browser.destroy();
          server.destroy();
        });
      }
      browser.on('data', (bytes) => wire.#said.push(bytes));
      browser.pipe(server);
      server.pipe(browser);
    });
    await new Promise((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    wire.port = wire.#server.address().port;
    return wire;
  }

  /** Whether these bytes went over the line: as they are, or under the mask that a browser puts on a WebSocket's frames. */
  heard(bytes) {
    const said = Buffer.concat(this.#said);
    // The mask has four bytes and comes again and again, so that it falls out between bytes that are four apart.
    return said.includes(bytes) || unmasked(said).includes(unmasked(Buffer.from(bytes)));
  }

  stop() {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

function unmasked(bytes) {
  return Buffer.from(bytes.subarray(4).map((byte, i) => byte ^ bytes[i]));
}
