// What can be tapped below a business's messages: fetched when a thread first has something of it, at hand from then on, like
// the cards of orders.
import type { Message } from '../../core/contract';
import { offerOf, titlesOf } from './offer';

class ChoiceCards {
  parts: { Choices: typeof import('./Choices.svelte').default } | undefined = $state.raw();

  /** Resolves once every message can be shown. */
  async need(messages: readonly Message[]): Promise<void> {
    const offers = (message: Message) => {
      const offer = offerOf(message);
      return offer !== undefined && titlesOf(offer).length > 0;
    };
    if (this.parts || !messages.some(offers)) return;
    this.parts = { Choices: (await import('./Choices.svelte')).default };
  }
}

export const choiceCards = new ChoiceCards();
