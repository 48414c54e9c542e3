// What others may see of us, as the core keeps it: shown as it was wished at once, and as it was before if that is refused.
import type { Privacy } from '../../core/contract';
import { session } from '../session/session.svelte';

class Wishes {
  /** Absent until the core has said it. */
  value: Privacy | undefined = $state.raw();
  /** Why it could not be read. */
  failed: unknown = $state.raw();
  /** What is being stored, or was stored last. */
  what: keyof Privacy | undefined = $state();
  busy = $state(false);
  /** Why the last wish was refused. */
  refused: unknown = $state.raw();
  #before: Promise<void> = Promise.resolve();

  async load(): Promise<void> {
    this.failed = this.refused = this.what = undefined;
    try {
      this.#take(await session.link.request({ type: 'set_privacy' }));
    } catch (error) {
      this.failed = error;
    }
  }

  #take({ read_receipts, typing, presence, timer_s }: Privacy): void {
    this.value = { read_receipts, typing, presence, timer_s };
  }

  /** One after the other: the last one holds. */
  set<What extends keyof Privacy>(what: What, wish: Privacy[What]): Promise<void> {
    this.#before = this.#before.then(() => this.#store(what, wish));
    return this.#before;
  }

  async #store<What extends keyof Privacy>(what: What, wish: Privacy[What]): Promise<void> {
    const known = this.value;
    if (!known || known[what] === wish) return;
    this.value = { ...known, [what]: wish };
    this.what = what;
    this.busy = true;
    this.refused = undefined;
    try {
      this.#take(await session.link.request({ type: 'set_privacy', [what]: wish }));
    } catch (error) {
      this.value = known;
      this.refused = error;
    }
    this.busy = false;
  }
}

export const privacy = new Wishes();
