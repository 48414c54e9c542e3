// The shops of examples/box-office beside a test's server, as `make run` starts them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const START_MS = 20_000;
const program = fileURLToPath(new URL('../../examples/box-office/src/main.mjs', import.meta.url));

export async function startBoxOffice(server) {
  const child = spawn(process.execPath, [program, '--business', join(server.data, 'demo/business.json'), '--until-parent-ends']);
  let log = '';
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the box office did not open:\n${log}`)), START_MS);
    const listen = (chunk) => {
      log += chunk;
      if (!/answer in the chat/.test(log)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('exit', (code) => reject(new Error(`the box office ended with ${code}:\n${log}`)));
  });
  return {
    log: () => log,
    /** As a crash would. */
    async kill() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}
