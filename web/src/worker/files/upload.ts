// Sealing a file and giving it to the server, as tus 1.0.0 does (proto/kabar/v1/media.proto). What was sealed stays in memory until
// the server has it: no chunk is ever sealed twice.

import { toHex } from '../../core/bytes';
import type { UploadRoom } from '../../core/contract';
import type { Uploaded } from '../../core/messages';
import type { FileHashes } from '../../wasm/core';
import { ask, type Fetch } from './http';
import { JobError, Retry } from './retry';

/** The core's FileSealer. */
export interface Sealer {
  wants(): number | undefined;
  seal(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  finish(): FileHashes;
  free(): void;
}

export interface UploadParts {
  fetch: Fetch;
  /** Asks the server for room. */
  room(sizeBytes: number): Promise<UploadRoom>;
  sealer(room: UploadRoom, sizeBytes: number): Sealer;
}

const CHUNKS_PER_REQUEST_MIN = 4;
/** 4 MiB. */
const CHUNKS_PER_REQUEST_MAX = 64;
/** A request is to take about so long: short enough to show that something moves. */
const REQUEST_MS = 2000;
const ANSWER_TIMEOUT_MS = 90_000;
const ADDRESS = '/v1/media/upload/';
const OFFSET = 'Upload-Offset';

export class Upload {
  readonly #file: Blob;
  readonly #parts: UploadParts;
  readonly #retry = new Retry();
  #room: UploadRoom | undefined;
  #sealer: Sealer | undefined;
  /** Bytes of the file that have been sealed. */
  #read = 0;
  /** Sealed bytes that the server may not have yet, and where they begin. */
  #pending: Uint8Array<ArrayBuffer> | undefined;
  #begin = 0;
  /** Bytes that the server has. */
  #offset = 0;
  #chunks = CHUNKS_PER_REQUEST_MIN;

  constructor(file: Blob, parts: UploadParts) {
    this.#file = file;
    this.#parts = parts;
  }

  hurry(): void {
    this.#retry.hurry();
  }

  /** May be called again after an error that is resumable. `progress` is told bytes of the file. */
  async run(signal: AbortSignal, progress: (done: number) => void): Promise<Uploaded> {
    this.#room ??= await this.#parts.room(this.#file.size);
    this.#sealer ??= this.#parts.sealer(this.#room, this.#file.size);
    for (;;) {
      this.#pending ??= await this.#sealNext(this.#sealer, signal);
      if (!this.#pending) break;
      const began = performance.now();
      const steady = await this.#send(this.#room, this.#pending, signal);
      this.#pending = undefined;
      this.#pace(steady ? performance.now() - began : REQUEST_MS * 4);
      progress(this.#read);
    }
    const hashes = sealing(() => this.#sealer?.finish());
    this.#sealer = undefined;
    if (!hashes) throw new JobError('file_changed', 'The file has been sent already.');
    return {
      key: this.#room.key,
      location: this.#room.location,
      size_bytes: this.#file.size,
      sha256: toHex(hashes.sha256),
      ciphertext_sha256: toHex(hashes.ciphertext_sha256),
    };
  }

  /** Gives the room back, if it is not used. */
  drop(): void {
    this.#sealer?.free();
    this.#sealer = undefined;
    this.#pending = undefined;
    // If it does not arrive, the server deletes what is not whole by itself.
    if (this.#room) this.#parts.fetch(ADDRESS + this.#room.upload, { method: 'DELETE' }).catch(() => undefined);
  }

  async #sealNext(sealer: Sealer, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const sealed: Uint8Array[] = [];
    let length = 0;
    for (let wanted = sealer.wants(); wanted !== undefined && sealed.length < this.#chunks; wanted = sealer.wants()) {
      const chunk = sealing(sealer.seal.bind(sealer, await this.#chunk(wanted)));
      signal.throwIfAborted();
      this.#read += wanted;
      sealed.push(chunk);
      length += chunk.length;
    }
    this.#begin = this.#offset;
    return length > 0 ? joined(sealed, length) : undefined;
  }

  async #chunk(length: number): Promise<Uint8Array> {
    try {
      return new Uint8Array(await this.#file.slice(this.#read, this.#read + length).arrayBuffer());
    } catch (error) {
      throw new JobError('file_changed', String(error));
    }
  }

  /** Sends the pending bytes in as many requests as it takes; false if it took more than one. */
  async #send(room: UploadRoom, pending: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<boolean> {
    const end = this.#begin + pending.length;
    let steady = true;
    let unsure = false;
    while (this.#offset < end) {
      const init: RequestInit = unsure
        ? { method: 'HEAD' }
        : {
            method: 'PATCH',
            headers: { [OFFSET]: String(this.#offset), 'Content-Type': 'application/offset+octet-stream' },
            body: pending.subarray(this.#offset - this.#begin),
          };
      const asked = await ask(
        this.#parts.fetch,
        ADDRESS + room.upload,
        init,
        signal,
        AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      );
      const moved = 'answer' in asked && this.#take(asked.answer, end);
      if (moved) this.#retry.moved();
      else if (!unsure || 'broken' in asked) {
        steady = false;
        await this.#retry.failed('broken' in asked ? asked.broken : 'nothing of it arrived', signal);
      }
      // How much of a broken request arrived, only the server knows.
      unsure = 'broken' in asked;
    }
    return steady;
  }

  /** Goes on from where the server says it is; true if that is further than before. */
  #take(answer: Response, end: number): boolean {
    if (answer.status === 404) throw new JobError('upload_gone', 'The server has forgotten this upload.');
    if (answer.status === 507) throw new JobError('disk_full', "The server's disk is full.");
    const said = answer.headers.get(OFFSET);
    const have = said === null ? Number.NaN : Number(said);
    // Further back than what is still in memory: the server has lost bytes that it had.
    if (!(have >= this.#begin && have <= end)) {
      throw new JobError('upload_refused', `The server does not take the file: ${answer.status}`);
    }
    const moved = have > this.#offset;
    this.#offset = have;
    return moved;
  }

  #pace(tookMs: number): void {
    if (tookMs < REQUEST_MS / 2) this.#chunks = Math.min(this.#chunks * 2, CHUNKS_PER_REQUEST_MAX);
    else if (tookMs > REQUEST_MS * 2) this.#chunks = Math.max(this.#chunks / 2, CHUNKS_PER_REQUEST_MIN);
  }
}

/** What the sealer refuses is a file that is not what it was. */
function sealing<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw new JobError('file_changed', error instanceof Error ? error.message : String(error));
  }
}

function joined(parts: Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
