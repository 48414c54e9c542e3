// Fetching a file and opening it, chunk by chunk. Nothing comes out before the core says that it is whole.
import type { FileBody } from '../../core/contract';
import { addressOf, ask, type Fetch } from './http';
import { JobError, Retry } from './retry';
import type { Sink } from './sink';

/** The core's FileOpener. */
export interface Opener {
  wants(): number | undefined;
  open(sealed: Uint8Array): Uint8Array<ArrayBuffer>;
  finish(): void;
  free(): void;
}

export interface DownloadParts {
  fetch: Fetch;
  opener(file: FileBody): Opener;
  sink(sizeBytes: number): Promise<Sink>;
}

const ANSWER_TIMEOUT_MS = 30_000;
/** A server that is silent for so long in the middle of a file has gone. */
const SILENCE_MS = 30_000;

export class Download {
  readonly #file: FileBody;
  readonly #parts: DownloadParts;
  readonly #retry = new Retry();
  #opener: Opener | undefined;
  #sink: Sink | undefined;
  /** Ciphertext of the next chunk, as far as it has come. */
  #buffer = new Uint8Array();
  #buffered = 0;
  /** Bytes of ciphertext that have come. */
  #fetched = 0;
  /** Bytes of the file that have been opened. */
  #opened = 0;

  constructor(file: FileBody, parts: DownloadParts) {
    this.#file = file;
    this.#parts = parts;
  }

  hurry(): void {
    this.#retry.hurry();
  }

  /** May be called again after an error that is resumable. `progress` is told bytes of the file. */
  async run(signal: AbortSignal, progress: (done: number) => void): Promise<Blob> {
    this.#opener ??= opening(() => this.#parts.opener(this.#file));
    this.#sink ??= await this.#parts.sink(this.#file.size_bytes);
    while (this.#opener.wants() !== undefined) {
      const before = this.#fetched;
      const why = await this.#fetch(this.#opener, this.#sink, signal, progress);
      if (this.#fetched > before) this.#retry.moved();
      if (this.#opener.wants() !== undefined) await this.#retry.failed(why, signal);
    }
    const opener = this.#opener;
    this.#opener = undefined;
    opening(() => opener.finish());
    return this.#sink.close();
  }

  drop(): void {
    this.#opener?.free();
    this.#opener = undefined;
    this.#sink?.discard();
  }

  /** Takes what one request brings; why it ended. */
  async #fetch(opener: Opener, sink: Sink, signal: AbortSignal, progress: (done: number) => void): Promise<string> {
    const patience = new AbortController();
    let timer = setTimeout(() => patience.abort(), ANSWER_TIMEOUT_MS);
    let ended = false;
    try {
      const init = { headers: { Range: `bytes=${this.#fetched}-` } };
      const asked = await ask(this.#parts.fetch, addressOf(this.#file), init, signal, patience.signal);
      if ('broken' in asked) return asked.broken;
      const { answer } = asked;
      if (answer.status === 404) throw new JobError('file_gone', 'The server has this file no more.');
      // A proxy without ranges begins at the beginning.
      if (answer.status !== 206 && !(answer.status === 200 && this.#fetched === 0)) {
        throw new JobError('file_refused', `The server does not give the file: ${answer.status}`);
      }
      const reader = answer.body?.getReader();
      for (;;) {
        clearTimeout(timer);
        timer = setTimeout(() => patience.abort(), SILENCE_MS);
        const piece = await reader?.read().catch((error: unknown) => String(error));
        signal.throwIfAborted();
        if (typeof piece === 'string') return piece;
        ended = !piece || piece.done;
        if (!piece || piece.done) return 'the connection broke off';
        this.#take(piece.value, opener, sink);
        progress(this.#opened);
      }
    } finally {
      clearTimeout(timer);
      // Lets go of a body that nobody reads any more; one that ended may still be read by who keeps it.
      if (!ended) patience.abort();
    }
  }

  #take(bytes: Uint8Array, opener: Opener, sink: Sink): void {
    this.#fetched += bytes.length;
    let rest = bytes;
    while (rest.length > 0) {
      const wanted = opener.wants();
      if (wanted === undefined) throw new JobError('file_damaged', 'There is more of it than the file has.');
      if (this.#buffer.length < wanted) this.#buffer = new Uint8Array(wanted);
      const taken = rest.subarray(0, wanted - this.#buffered);
      this.#buffer.set(taken, this.#buffered);
      this.#buffered += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#buffered < wanted) return;
      const opened = opening(() => opener.open(this.#buffer.subarray(0, wanted)));
      sink.write(opened);
      this.#opened += opened.length;
      this.#buffered = 0;
    }
  }
}

/** What the opener refuses is not what the sender sealed. */
function opening<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw new JobError('file_damaged', error instanceof Error ? error.message : String(error));
  }
}
