// In words: whether a message was passed on, and whether often.
import { FORWARDED_OFTEN, type Message } from '../../../core/contract';
import { i18n } from '../../../i18n/index.svelte';
import { catalogues } from './words';

export function passedOn({ forwarded = 0 }: Message): string {
  const w = catalogues[i18n.language];
  if (forwarded === 0) return '';
  return forwarded < FORWARDED_OFTEN ? w.forwarded : w.forwarded_often;
}
