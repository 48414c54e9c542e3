// One JSON file, kept whole: written beside itself, flushed, then renamed over. Who reads it after a crash finds the state
// before a change or after it, never a part. Knows nothing of what it keeps.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export class Store {
  #path;

  /** `path` undefined: in memory, for tests. */
  constructor(path, empty) {
    this.#path = path;
    this.data = { ...empty, ...(path && read(path)) };
  }

  /** Durable when it returns. */
  save() {
    if (!this.#path) return;
    const directory = dirname(this.#path);
    mkdirSync(directory, { recursive: true });
    const beside = `${this.#path}.new`;
    const file = openSync(beside, 'w', 0o600);
    try {
      writeSync(file, JSON.stringify(this.data));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, this.#path);
    const folder = openSync(directory, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}
