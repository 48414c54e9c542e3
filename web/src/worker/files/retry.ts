// Patience with a line that breaks: waits longer after each failure, and gives up when nothing has moved for some tries.

/** Tries in a row that bring nothing. */
export const ATTEMPTS_MAX = 6;
/** Doubled each time: together longer than the server holds on to a line that died. */
const WAIT_MS = 1000;

/** Why a job ended; the code is stable. */
export class JobError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  /** What there is of the file is good: the same job can go on later. */
  get resumable(): boolean {
    return this.code === 'unreachable' || this.code === 'disk_full';
  }
}

export class Retry {
  #failures = 0;
  #hurry: () => void = () => {};

  /** Something came through. */
  moved(): void {
    this.#failures = 0;
  }

  /** The network is back: no use in waiting. */
  hurry(): void {
    this.#hurry();
  }

  /** Waits before the next try, or gives up with the last reason. */
  async failed(why: string, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    if (this.#failures >= ATTEMPTS_MAX) {
      this.#failures = 0;
      throw new JobError('unreachable', why);
    }
    const wait = WAIT_MS * 2 ** (this.#failures - 1);
    await new Promise<void>((resolve) => {
      const go = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', go);
        resolve();
      };
      const timer = setTimeout(go, wait);
      this.#hurry = go;
      signal.addEventListener('abort', go);
    });
    signal.throwIfAborted();
  }
}
