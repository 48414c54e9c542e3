// Several messages of a thread, picked to do something with all of them. What shows it is fetched with the first.
import type { Message } from '../../core/contract';

/** More at once is a flood to whoever they are forwarded to. */
const PICKED_MAX = 50;

export class Picking {
  /** Ids; undefined while nobody picks. */
  ids: readonly string[] | undefined = $state.raw();
  parts: typeof import('./parts') | undefined = $state.raw();

  async begin({ message_id }: Message): Promise<void> {
    this.parts ??= await import('./parts');
    this.ids = [message_id];
  }

  has({ message_id }: Message): boolean {
    return this.ids?.includes(message_id) ?? false;
  }

  toggle({ message_id: id }: Message): void {
    if (!this.ids) return;
    if (this.ids.includes(id)) this.ids = this.ids.filter((picked) => picked !== id);
    else if (this.ids.length < PICKED_MAX) this.ids = [...this.ids, id];
  }

  end(): void {
    this.ids = undefined;
  }
}
