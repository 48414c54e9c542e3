// The cards of orders and tickets: fetched when a thread first has one, at hand from then on. A row that became its own height
// only after it came into view would make the thread jump.
import type { Message } from '../../core/contract';
import { orderOf } from './orders';

class Cards {
  parts: typeof import('./parts') | undefined = $state.raw();

  /** Resolves once every message can be shown. */
  async need(messages: readonly Message[]): Promise<void> {
    if (this.parts || !messages.some((message) => message.kind === 'ticket' || orderOf(message))) return;
    this.parts = await import('./parts');
  }
}

export const cards = new Cards();
