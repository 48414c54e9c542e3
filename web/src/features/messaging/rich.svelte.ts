// Texts with marks or mentions in them: what shows these is fetched when a thread first has one, at hand from then on.
import type { Message } from '../../core/contract';
import { isMarked } from './text';

class RichText {
  parts: typeof import('./rich') | undefined = $state.raw();

  /** Resolves once every message can be shown: a row must not grow after it came into view. */
  async need(messages: readonly Message[]): Promise<void> {
    if (!this.parts && messages.some(isRich)) await this.#fetch();
  }

  /** In one line there are no marks, as soon as what reads them is here. */
  plain(text: string): string {
    if (!isMarked(text)) return text;
    if (!this.parts) void this.#fetch();
    return this.parts?.spokenOf(text) ?? text;
  }

  async #fetch(): Promise<void> {
    this.parts = await import('./rich');
  }
}

export function isRich({ text, file, mentions }: Message): boolean {
  return Boolean(mentions?.length) || isMarked(file?.caption ?? text ?? '');
}

export const richText = new RichText();
