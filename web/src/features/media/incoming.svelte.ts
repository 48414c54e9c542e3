// Files of messages as this page has them: not yet, on the way, there, or no more to be had.
import type { FileBody } from '../../core/contract';
import { CoreError } from '../../core/link';
import { addressOf } from '../../worker/files/http';
import { forget as dropKept } from '../../worker/files/kept';
import { session } from '../session/session.svelte';
import { outgoing } from './outgoing.svelte';
import { Progress } from './progress.svelte';
import { harmlessType } from './shown';

/** Downloads at a time; the others wait. */
const AT_A_TIME_MAX = 3;
/** Pictures that are kept at hand, in bytes. */
const KEPT_BYTES_MAX = 64_000_000;
/** A save has begun by then: the browser reads what it saves by itself. */
const SAVE_MS = 60_000;

export class Incoming {
  readonly file: FileBody;
  readonly progress: Progress;
  readonly job = session.link.newJob();
  state: 'idle' | 'waiting' | 'loading' | 'ready' | 'saved' | 'failed' = $state('idle');
  error: unknown = $state.raw();
  /** Of a picture that can be shown. */
  url: string | undefined = $state();
  /** How many show it. */
  shown = 0;

  constructor(file: FileBody) {
    this.file = file;
    this.progress = new Progress(file.size_bytes);
  }

  get gone(): boolean {
    return this.error instanceof CoreError && this.error.code === 'file_gone';
  }
}

class IncomingFiles {
  readonly #files = new Map<string, Incoming>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  of(file: FileBody): Incoming {
    let known = this.#files.get(file.location);
    if (!known) {
      known = new Incoming(file);
      this.#files.set(file.location, known);
    }
    return known;
  }

  /** Makes a picture ready to be shown. */
  async load(incoming: Incoming): Promise<void> {
    if (incoming.url || incoming.state === 'waiting' || incoming.state === 'loading') return;
    const body = outgoing.sent(incoming.file.location) ?? (await this.#download(incoming));
    if (!body) return;
    incoming.url = URL.createObjectURL(new Blob([body], { type: harmlessType(incoming.file.mime_type) }));
    incoming.state = 'ready';
    this.#makeRoom();
  }

  /** Gives a file to the person, under its name and as nothing that a browser would open. */
  async save(incoming: Incoming): Promise<void> {
    const { name, mime_type } = incoming.file;
    if (incoming.url) return give(incoming.url, name);
    if (incoming.state === 'waiting' || incoming.state === 'loading') return;
    const body = await this.#download(incoming);
    if (!body) return;
    const url = URL.createObjectURL(new Blob([body], { type: harmlessType(mime_type) }));
    give(url, name);
    setTimeout(() => URL.revokeObjectURL(url), SAVE_MS);
    incoming.state = 'saved';
  }

  cancel(incoming: Incoming): void {
    incoming.state = 'idle';
    incoming.progress.done = 0;
    session.link.dropJob(incoming.job);
  }

  /** What lay on the disk for too long is there no more: it is fetched again. */
  async renew(incoming: Incoming): Promise<void> {
    if (incoming.url) URL.revokeObjectURL(incoming.url);
    incoming.url = undefined;
    incoming.state = 'idle';
    await this.load(incoming);
  }

  /** Gives its bytes away for good: whoever has their address lets go of them. */
  part(known: Incoming): void {
    known.url = undefined;
    this.forget(known.file);
  }

  forget(file: FileBody): void {
    const known = this.#files.get(file.location);
    this.#files.delete(file.location);
    if (known) session.link.dropJob(known.job);
    if (known?.url) URL.revokeObjectURL(known.url);
    // Where nothing is kept, there is nothing to forget.
    dropKept(addressOf(file), caches).catch(() => undefined);
  }

  async #download(incoming: Incoming): Promise<Blob | undefined> {
    incoming.error = undefined;
    incoming.state = 'waiting';
    if (this.#running >= AT_A_TIME_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    // Cancelled while it waited.
    if ((incoming.state as Incoming['state']) !== 'waiting') {
      this.#waiting.shift()?.();
      return undefined;
    }
    this.#running += 1;
    incoming.state = 'loading';
    incoming.progress.begin();
    try {
      return await session.link.work(incoming.job, { type: 'download', file: $state.snapshot(incoming.file) }, (done) =>
        incoming.progress.take(done),
      );
    } catch (error) {
      if (!(error instanceof CoreError && error.code === 'dropped')) {
        incoming.error = error;
        incoming.state = 'failed';
      }
      return undefined;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Lets go of pictures that nobody looks at, those first that came first. */
  #makeRoom(): void {
    const ready = [...this.#files.values()].filter(({ url }) => url);
    let bytes = ready.reduce((sum, { file }) => sum + file.size_bytes, 0);
    for (const incoming of ready) {
      if (bytes <= KEPT_BYTES_MAX) return;
      if (incoming.shown > 0 || !incoming.url) continue;
      URL.revokeObjectURL(incoming.url);
      incoming.url = undefined;
      incoming.state = 'idle';
      bytes -= incoming.file.size_bytes;
    }
  }
}

function give(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

export const incoming = new IncomingFiles();
