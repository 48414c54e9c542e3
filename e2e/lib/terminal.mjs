// Somebody who writes from a terminal, with `kabar chat` and a home of his own.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const binary = process.env.KABAR_BIN ?? fileURLToPath(new URL('../../target/debug/kabar', import.meta.url));
const run = promisify(execFile);

export class Terminal {
  constructor(server) {
    this.server = server;
    this.home = mkdtempSync(join(tmpdir(), 'kabar-terminal-'));
  }

  /** What the command prints: one object a line. */
  async chat(...command) {
    const { stdout } = await run(binary, ['chat', '--home', this.home, '--server', this.server, '--json', ...command]);
    return stdout.trim().split('\n').filter(Boolean).map((text) => JSON.parse(text));
  }

  close() {
    rmSync(this.home, { recursive: true, force: true });
  }
}
