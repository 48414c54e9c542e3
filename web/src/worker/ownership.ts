// One tab at a time runs the core: two of them would use the same message keys twice. The one that does holds a Web Lock.
// Another tab takes over by asking: the holder finishes what it is writing, lets go, and only then the other begins.
import type { Ownership } from '../core/messages';

const LOCK = 'kabar-core';
const CHANNEL = 'kabar-tabs';
/** A reload may find the lock still held by the page that is going away. */
const GRACE_MS = 600;
const ANSWER_MS = 5000;
/** How long a tab that was asked to let go stays out of the queue. */
const STEP_BACK_MS = 1000;

export interface Owner {
  /** The lock is held: start the core. */
  begin(): Promise<void>;
  /** Stop cleanly; the lock is released when this is done. */
  end(): Promise<void>;
  report(state: Ownership): void;
}

export class TabOwnership {
  readonly #owner: Owner;
  readonly #channel = new BroadcastChannel(CHANNEL);
  #release: (() => void) | undefined;
  #queue: AbortController | undefined;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.#channel.onmessage = (event) => {
      if (event.data === 'let_go') this.#letGo();
    };
    this.#wait();
    setTimeout(() => {
      if (!this.#release) owner.report('elsewhere');
    }, GRACE_MS);
  }

  /** Asks the tab that holds the lock for it. */
  useHere(): void {
    if (this.#release) return;
    this.#owner.report('asking');
    if (!this.#queue) this.#wait();
    this.#channel.postMessage('let_go');
    setTimeout(() => {
      if (!this.#release) this.#owner.report('unanswered');
    }, ANSWER_MS);
  }

  /** Stands in line for the lock, also without being asked: when the other tab is closed, this one goes on by itself. */
  #wait(): void {
    this.#queue = new AbortController();
    navigator.locks
      .request(LOCK, { signal: this.#queue.signal }, async () => {
        this.#queue = undefined;
        const released = new Promise<void>((resolve) => {
          this.#release = resolve;
        });
        this.#owner.report('held');
        await this.#owner.begin();
        await released;
        await this.#owner.end();
        this.#release = undefined;
        this.#owner.report('elsewhere');
      })
      .catch((error: unknown) => {
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
      });
  }

  #letGo(): void {
    // Whoever is not the asker leaves the queue for a moment, so that the asker is the next.
    this.#queue?.abort();
    this.#queue = undefined;
    this.#release?.();
    setTimeout(() => {
      if (!this.#queue) this.#wait();
    }, STEP_BACK_MS);
  }
}
