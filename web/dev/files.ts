// Files for the scripted core: prepared as in life, sent slowly to nowhere, and given back from memory.
import { CoreError } from '../src/core/link.ts';
import type { Job } from '../src/core/messages.ts';
import { prepare } from '../src/worker/files/prepare.ts';

const STEPS = 20;
const STEP_MS = 120;

export class Cabinet {
  readonly #files = new Map<string, Blob>();
  readonly #dropped = new Set<number>();

  async work(id: number, job: Job, progress: (done: number) => void): Promise<unknown> {
    switch (job.type) {
      case 'prepare':
        return prepare(job.file, job.hd, (name) => name);
      case 'upload': {
        await this.#crawl(id, job.file.size, progress);
        const location = `file-${id}`;
        this.#files.set(location, job.file);
        const none = '0'.repeat(64);
        return { location, key: none, sha256: none, ciphertext_sha256: none, size_bytes: job.file.size };
      }
      case 'download': {
        const file = this.#files.get(job.file.location);
        if (!file) throw new CoreError({ code: 'file_gone', message: 'gone' });
        await this.#crawl(id, job.file.size_bytes, progress);
        return file;
      }
    }
  }

  drop(id: number): void {
    this.#dropped.add(id);
  }

  async #crawl(id: number, all: number, progress: (done: number) => void): Promise<void> {
    for (let step = 1; step <= STEPS; step += 1) {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      if (this.#dropped.has(id)) throw new CoreError({ code: 'dropped', message: 'dropped' });
      progress((all * step) / STEPS);
    }
  }
}
