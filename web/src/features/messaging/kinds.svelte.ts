// The cards of polls, places and people: fetched when a thread first has one, at hand from then on, like those of orders.
import type { Message } from '../../core/contract';

export const isCard = ({ poll, location, contacts }: Message) => Boolean(poll ?? location ?? contacts);

class KindCards {
  parts: typeof import('./kinds-parts') | undefined = $state.raw();

  /** Resolves once every message can be shown. */
  async need(messages: readonly Message[]): Promise<void> {
    if (!this.parts && messages.some(isCard)) this.parts = await import('./kinds-parts');
  }
}

export const kindCards = new KindCards();
