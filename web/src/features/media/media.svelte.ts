// What the thread needs to show and to send files: fetched when it first has one, at hand from then on, like the cards of orders.
// And which picture is looked at.
import type { FileBody, Message } from '../../core/contract';
import type { Chosen, Outgoing } from './outgoing.svelte';
import type { FileKind } from './shown';

/** What is looked at for the only time. Its address is let go of with the look. */
export interface Looking {
  kind: FileKind;
  url: string;
  name: string;
  caption: string;
}

class Media {
  parts: typeof import('./parts') | undefined = $state.raw();
  /** The message whose picture fills the screen. */
  viewing: Message | undefined = $state.raw();
  /** What one can go to from it, where that is not its thread. */
  among: readonly Message[] | undefined = $state.raw();
  looking: Looking | undefined = $state.raw();

  /** Resolves once every file can be shown. */
  async need(messages: readonly Message[]): Promise<void> {
    if (messages.some(({ kind }) => kind === 'file')) await this.#fetch();
  }

  /** What is on its way out of a chat. */
  outgoing(conversation: string): Outgoing[] {
    return this.parts?.outgoing.of(conversation) ?? [];
  }

  async send(
    conversation: string,
    chosen: Chosen[],
    tell: (file: FileBody, index: number) => Promise<void>,
  ): Promise<void> {
    const { outgoing } = await this.#fetch();
    outgoing.add(conversation, chosen, tell);
  }

  /** Its message is gone. What the worker keeps of it cannot be opened any more, and goes too. */
  forget(file: FileBody): void {
    this.parts?.player.forget(file);
    this.parts?.outgoing.forget(file.location);
    this.parts?.incoming.forget(file);
  }

  /** The thread is left, or somebody is about to speak. */
  hush(): void {
    this.parts?.player.pause();
  }

  reconnected(): void {
    this.parts?.outgoing.reconnected();
  }

  async #fetch(): Promise<typeof import('./parts')> {
    this.parts ??= await import('./parts');
    return this.parts;
  }
}

export const media = new Media();
