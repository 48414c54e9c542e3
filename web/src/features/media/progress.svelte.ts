// How far a transfer has come, and how fast it goes at the moment.

/** A sample of the speed spans at least so long. */
const SAMPLE_MS = 500;

export class Progress {
  readonly all: number;
  /** Bytes of the file. */
  done = $state(0);
  /** 0 until it is known. */
  bytesPerSecond = $state(0);
  #sampled = { at: 0, done: 0 };

  constructor(all: number) {
    this.all = all;
  }

  /** Not a $derived: that would end with the screen that asked first. */
  get fraction(): number {
    return this.all > 0 ? Math.min(1, this.done / this.all) : 0;
  }

  begin(now = performance.now()): void {
    this.bytesPerSecond = 0;
    this.#sampled = { at: now, done: this.done };
  }

  take(done: number, now = performance.now()): void {
    this.done = done;
    const span = now - this.#sampled.at;
    if (span < SAMPLE_MS) return;
    const speed = Math.max(0, ((done - this.#sampled.done) * 1000) / span);
    this.bytesPerSecond = this.bytesPerSecond === 0 ? speed : (this.bytesPerSecond + speed) / 2;
    this.#sampled = { at: now, done };
  }
}
