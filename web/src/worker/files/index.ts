// The jobs about files, one at a time each: preparing a picture, uploading, downloading. Loaded when the first one comes.

import { fromHex } from '../../core/bytes';
import type { ApiError, Command, FileBody, Reply } from '../../core/contract';
import type { FromWorker, Gives, Job } from '../../core/messages';
import type { FileOpener, FileSealer } from '../../wasm/core';
import { Download } from './download';
import { addressOf } from './http';
import { forget, KEPT_BYTES_MAX, keeping } from './kept';
import { prepare } from './prepare';
import { JobError } from './retry';
import { sinkFor, sweep } from './sink';
import { Upload } from './upload';

export interface FilesParts {
  ask(command: Command): Promise<{ ok: Reply } | { error: ApiError }>;
  tell(message: FromWorker): void;
  /** The core's own, of the module that is loaded already. */
  core: { FileSealer: typeof FileSealer; FileOpener: typeof FileOpener; safeFileName(name: string): string };
}

interface Transfer {
  run(signal: AbortSignal, progress: (done: number) => void): Promise<Gives[Job['type']]>;
  hurry(): void;
  drop(): void;
}

interface Working {
  transfer: Transfer;
  running: AbortController | undefined;
}

/** Progress is told no more often than an eye can see. */
const PROGRESS_EVERY_MS = 100;

const plainFetch = (url: string, init: RequestInit) => fetch(url, init);

export class Files {
  readonly #parts: FilesParts;
  readonly #jobs = new Map<number, Working>();

  constructor(parts: FilesParts) {
    this.#parts = parts;
    // There may be nothing to delete, or no such storage.
    sweep().catch(() => undefined);
  }

  async begin(id: number, job: Job): Promise<void> {
    let working = this.#jobs.get(id);
    if (!working) {
      working = { transfer: this.#transferOf(job), running: undefined };
      this.#jobs.set(id, working);
    }
    const { transfer } = working;
    const running = new AbortController();
    working.running = running;
    try {
      const ok = await transfer.run(running.signal, this.#progressOf(id));
      this.#jobs.delete(id);
      this.#parts.tell({ type: 'job_done', id, result: { ok } });
    } catch (error) {
      working.running = undefined;
      if (running.signal.aborted) return;
      const known = error instanceof JobError ? error : new JobError('job_failed', String(error));
      if (!known.resumable) this.#forget(id);
      if (job.type === 'download' && known.code === 'file_damaged') {
        forget(addressOf(job.file), caches).catch(() => undefined);
      }
      this.#parts.tell({ type: 'job_done', id, result: { error: { code: known.code, message: known.message } } });
    }
  }

  drop(id: number): void {
    this.#jobs.get(id)?.running?.abort();
    this.#forget(id);
  }

  /** Another tab goes on, or nobody: what was under way begins anew there. */
  stop(): void {
    for (const [id, working] of this.#jobs) {
      const error = { code: 'unreachable', message: 'Kabar goes on in another tab.' };
      if (working.running) this.#parts.tell({ type: 'job_done', id, result: { error } });
      this.drop(id);
    }
  }

  hurry(): void {
    for (const { transfer } of this.#jobs.values()) transfer.hurry();
  }

  #forget(id: number): void {
    this.#jobs.get(id)?.transfer.drop();
    this.#jobs.delete(id);
  }

  #progressOf(id: number): (done: number) => void {
    let told = 0;
    return (done) => {
      const now = performance.now();
      if (now - told < PROGRESS_EVERY_MS) return;
      told = now;
      this.#parts.tell({ type: 'job_progress', id, done });
    };
  }

  #transferOf(job: Job): Transfer {
    const { core } = this.#parts;
    switch (job.type) {
      case 'prepare':
        return {
          run: () => prepare(job.file, job.hd, core.safeFileName),
          hurry: () => undefined,
          drop: () => undefined,
        };
      case 'upload':
        return new Upload(job.file, {
          fetch: plainFetch,
          room: (size_bytes) => this.#room(size_bytes),
          sealer: (room, size) => new core.FileSealer(fromHex(room.key), size),
        });
      case 'download':
        return new Download(job.file, {
          fetch: job.file.size_bytes <= KEPT_BYTES_MAX ? keeping(plainFetch, caches) : plainFetch,
          opener: ({ key, size_bytes, sha256, ciphertext_sha256 }: FileBody) =>
            new core.FileOpener(fromHex(key), size_bytes, fromHex(sha256), fromHex(ciphertext_sha256)),
          sink: sinkFor,
        });
    }
  }

  async #room(size_bytes: number) {
    const answer = await this.#parts.ask({ type: 'begin_upload', size_bytes });
    if ('error' in answer) {
      // Without a line the core says so at once: that is not the end of it.
      const code = answer.error.code === 'offline' ? 'unreachable' : answer.error.code;
      throw new JobError(code, answer.error.message);
    }
    if (answer.ok.type !== 'upload') throw new JobError('job_failed', 'The core answered something else.');
    return answer.ok;
  }
}
