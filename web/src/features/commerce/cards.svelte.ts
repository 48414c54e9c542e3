// The cards of orders and tickets: fetched when a thread first has one, at hand from then on. A row that became its own height
// only after it came into view would make the thread jump.
import type { Message, Payment } from '../../core/contract';
import { orderOf } from './orders';

class Cards {
  parts: typeof import('./parts') | undefined = $state.raw();

  /** Resolves once every message can be shown. */
  async need(messages: readonly Message[]): Promise<void> {
    if (this.parts || !messages.some((message) => message.kind === 'ticket' || orderOf(message))) return;
    this.parts = await import('./parts');
  }

  /** Whoever has not seen an order knows no payment either. */
  paid(payment: Payment): void {
    this.parts?.purchases.hint(payment);
  }

  forget(): void {
    this.parts?.purchases.forget();
  }
}

export const cards = new Cards();
