// The browser's shell of the core: does what the core says (store, socket, timer, answers) and tells it what happened.
// Every event goes into the core one at a time, in the order in which it came; the core itself never waits.
import type { ApiError, Command, Reply } from '../core/contract';
import type { FromWorker } from '../core/messages';
import type { Core, CoreOutput } from '../wasm/core';
import { Socket } from './socket';
import { type Store, StoreError } from './store';

const TIMER_MS_MAX = 2 ** 31 - 1;
/** Above every id that a page gives to its commands. */
const OWN_IDS_FROM = 2 ** 40;

type Result = { ok: Reply } | { error: ApiError };

export class Shell {
  readonly #core: Core;
  readonly #store: Store;
  readonly #socket: Socket;
  readonly #tell: (message: FromWorker) => void;
  #wake: ReturnType<typeof setTimeout> | undefined;
  /** Commands of the worker itself. */
  readonly #asked = new Map<number, (result: Result) => void>();
  #lastOwnId = OWN_IDS_FROM;
  #stopped = false;

  constructor(core: Core, store: Store, socketUrl: string, tell: (message: FromWorker) => void) {
    this.#core = core;
    this.#store = store;
    this.#tell = tell;
    this.#socket = new Socket(socketUrl, {
      connected: () => this.#step((now) => core.connected(now)),
      disconnected: () => this.#step((now) => core.disconnected(now)),
      frame: (bytes) => this.#frame(bytes),
    });
  }

  start(): void {
    this.#store.notes().then(
      (notes) => this.#tell({ type: 'notes', notes }),
      (error) => this.#fail('store_unreadable', error),
    );
    this.#step((now) => this.#core.start(now));
  }

  command(id: number, json: string): void {
    this.#step((now) => this.#core.command(id, json, now));
  }

  /** A command whose answer stays in the worker. */
  ask(command: Command): Promise<Result> {
    this.#lastOwnId += 1;
    const id = this.#lastOwnId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.command(id, JSON.stringify(command));
    });
  }

  keepNote(key: string, text: string): void {
    this.#store.keepNote(key, text).catch((error) => this.#fail('store_write', error));
  }

  network(online: boolean): void {
    if (online) this.#socket.hurry();
    else this.#socket.disconnect();
  }

  /** Lets a write under way finish, then leaves everything closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#wake);
    this.#socket.stop();
    await this.#store.close();
    this.#core.free();
  }

  #frame(bytes: Uint8Array): void {
    this.#step((now) => {
      try {
        return this.#core.frame(bytes, now);
      } catch (error) {
        if (!(error instanceof Error && error.name === 'FrameError')) throw error;
        // Not a frame of our protocol: the line is of no use any more.
        queueMicrotask(() => this.#socket.disconnect());
        return [];
      }
    });
  }

  #step(into: (now: number) => CoreOutput[]): void {
    if (this.#stopped) return;
    try {
      for (const output of into(Date.now())) this.#perform(output);
    } catch (error) {
      this.#fail('core', error);
    }
  }

  #perform(output: CoreOutput): void {
    switch (output.type) {
      case 'batch':
        this.#write(output);
        break;
      case 'scan':
        this.#scan(output);
        break;
      case 'connect':
        this.#socket.connect(output.delay_ms);
        break;
      case 'disconnect':
        this.#socket.disconnect();
        break;
      case 'send':
        this.#socket.send(output.frame);
        break;
      case 'reply': {
        const result: Result = JSON.parse(output.json);
        const asked = this.#asked.get(output.id);
        this.#asked.delete(output.id);
        if (asked) asked(result);
        else this.#tell({ type: 'reply', id: output.id, result });
        break;
      }
      case 'notify':
        this.#tell({ type: 'notification', notification: JSON.parse(output.json) });
        break;
      case 'wake_at':
        clearTimeout(this.#wake);
        this.#wake = setTimeout(
          () => this.#step((now) => this.#core.wake(now)),
          Math.min(Math.max(0, output.time - Date.now()), TIMER_MS_MAX),
        );
    }
  }

  #write({ id, writes }: Extract<CoreOutput, { type: 'batch' }>): void {
    this.#store.write(writes).then(
      () => this.#step((now) => this.#core.committed(id, now)),
      (error) => {
        // The core forgets what it had not written; the person has to know why nothing is kept.
        this.#step((now) => this.#core.failed(id, String(error), now));
        this.#fail('store_write', error);
      },
    );
  }

  #scan({ id, prefix, from, limit, reverse }: Extract<CoreOutput, { type: 'scan' }>): void {
    this.#store.scan(prefix, from, limit, reverse).then(
      (rows) => this.#step((now) => this.#core.scanned(id, rows, now)),
      (error) => this.#fail('store_read', error),
    );
  }

  #fail(reason: string, error: unknown): void {
    if (this.#stopped) return;
    const known = error instanceof StoreError ? error.reason : reason;
    this.#tell({
      type: 'trouble',
      trouble: { reason: known, message: error instanceof Error ? error.message : String(error) },
    });
  }
}
