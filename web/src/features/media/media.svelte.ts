// What the thread needs to show files: fetched when it first has one, at hand from then on, like the cards of orders. And which
// picture is looked at.
import type { Message } from '../../core/contract';
import { outgoing } from './outgoing.svelte';

class Media {
  parts: typeof import('./parts') | undefined = $state.raw();
  /** The message whose picture fills the screen. */
  viewing: Message | undefined = $state.raw();

  /** Resolves once every file can be shown. */
  async need(conversationId: string, messages: readonly Message[]): Promise<void> {
    const some = outgoing.of(conversationId).length > 0 || messages.some(({ kind }) => kind === 'file');
    if (this.parts || !some) return;
    this.parts = await import('./parts');
  }
}

export const media = new Media();
