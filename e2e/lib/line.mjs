// A line between the browser and the server that can break: a plain TCP relay, counting what goes up.
import { connect, createServer } from 'node:net';

export async function startLine() {
  let target = 0;
  const open = new Set();
  let up = 0;
  let cutAt = Number.POSITIVE_INFINITY;
  let down = false;
  let broken = () => {};
  const server = createServer((near) => {
    if (down) return near.destroy();
    const far = connect(target, '127.0.0.1');
    const pair = { near, far, up: 0 };
    open.add(pair);
    const end = () => {
      open.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.on('data', (bytes) => {
      up += bytes.length;
      if (up >= cutAt) return breakDown();
      if (!far.write(bytes)) near.pause();
    });
    far.on('drain', () => near.resume());
    far.pipe(near);
    for (const socket of [near, far]) socket.on('close', end).on('error', end);
  });
  function breakDown() {
    cutAt = Number.POSITIVE_INFINITY;
    down = true;
    broken();
    for (const { near, far } of open) {
      near.destroy();
      far.destroy();
    }
  }
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    /** Where it leads. */
    to(port) {
      target = port;
    },
    /** The app at this end of the line; another name is another person. */
    origin: (name = '') => `http://${name ? `${name}.` : ''}localhost:${server.address().port}`,
    /** Bytes that went to the server. */
    up: () => up,
    /** Breaks after so many more bytes, and stays broken; resolves when it has. */
    cutAfter(bytes) {
      cutAt = up + bytes;
      return new Promise((resolve) => {
        broken = resolve;
      });
    },
    mend() {
      down = false;
    },
    stop() {
      breakDown();
      server.close();
    },
  };
}
