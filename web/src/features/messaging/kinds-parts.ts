// What kinds.svelte.ts fetches.
import type { Message } from '../../core/contract';
import { i18n } from '../../i18n/index.svelte';
import { readable } from '../places/coordinates';
import { linesOf } from '../polls/poll';
import { catalogues as pollWords } from '../polls/words';

export { default as KindCard } from './KindCard.svelte';

/** What a card says beside its summary, for the label of its row. */
export function factsOf({ poll, location, votes = [] }: Message): string {
  if (poll) {
    const w = pollWords[i18n.language];
    const said = linesOf(poll, votes).map((line) => `${line.option} ${i18n.count(line.votes.length)}`);
    return [poll.closed ? w.closed : '', ...said].filter(Boolean).join(', ');
  }
  return location ? readable(location, i18n.language) : '';
}
