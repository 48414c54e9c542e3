// The real binary, on a free port and a directory of its own; both are gone afterwards.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const START_MS = 20_000;
const binary = process.env.KABAR_BIN ?? fileURLToPath(new URL('../../target/debug/kabar', import.meta.url));

/** `settings` are environment variables of the server's configuration. */
export async function startServer(settings = {}) {
  const data = mkdtempSync(join(tmpdir(), 'kabar-e2e-'));
  const child = spawn(binary, ['serve', '--dev', '--data', data, '--listen', '127.0.0.1:0'], {
    env: { ...process.env, ...settings },
  });
  let log = '';
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server did not start:\n${log}`)), START_MS);
    const listen = (chunk) => {
      log += chunk;
      const found = /^listening on http:\/\/(\S+)$/m.exec(log);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}:\n${log}`)));
  });
  // A server that ends by itself fails everything after it: say so once, with its last words.
  child.removeAllListeners('exit');
  child.once('exit', (code, signal) => console.error(`# the server ended by itself (${signal ?? code}):\n${log.slice(-4000)}`));
  const port = Number(address.split(':').at(-1));
  return {
    data,
    port,
    /** The app as one person sees it; another name is another origin, and so another person. */
    origin: (name = '') => `http://${name ? `${name}.` : ''}localhost:${port}`,
    log: () => log,
    /** Runs an operator's command and returns what it prints. */
    admin: (...command) => JSON.parse(execFileSync(binary, ['admin', '--data', data, ...command, '--json'], { encoding: 'utf8' })),
    async stop() {
      child.removeAllListeners('exit');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const code = await gone;
      rmSync(data, { recursive: true, force: true });
      return code;
    },
  };
}
