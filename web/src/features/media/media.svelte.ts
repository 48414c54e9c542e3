// What the thread needs to show files: fetched when it first has one, at hand from then on, like the cards of orders. And which
// picture is looked at.
import type { Message } from '../../core/contract';

class Media {
  parts: typeof import('./parts') | undefined = $state.raw();
  /** The message whose picture fills the screen. */
  viewing: Message | undefined = $state.raw();

  /** Resolves once every file can be shown: those of messages, and those on their way out. */
  async need(messages: readonly Message[], outgoing: readonly unknown[]): Promise<void> {
    if (this.parts || (outgoing.length === 0 && !messages.some(({ kind }) => kind === 'file'))) return;
    this.parts = await import('./parts');
  }
}

export const media = new Media();
