// What the features show in a thread is fetched when it first has such a message, see their cards.svelte.ts.
import type { Message } from '../../core/contract';
import { cards } from '../commerce/cards.svelte';
import { events } from '../events/events.svelte';
import { media } from '../media/media.svelte';
import { choiceCards } from './choices.svelte';
import { kindCards } from './kinds.svelte';
import { richText } from './rich.svelte';

/** Resolves once every message can be shown: a row must not grow after it came into view. */
export async function need(messages: readonly Message[]): Promise<void> {
  await Promise.all([
    cards.need(messages),
    choiceCards.need(messages),
    kindCards.need(messages),
    events.need(messages),
    media.need(messages),
    richText.need(messages),
  ]);
}
