// The words of this feature in the language of the screens, and those for what payments are called.
import type { Language } from '../../../i18n/index.svelte';
import type { Standing } from '../orders';
import { en } from './en';
import { id } from './id';

export type Words = {
  [Key in keyof typeof en]: (typeof en)[Key] extends (...parts: infer Parts) => string
    ? (...parts: Parts) => string
    : string;
};

export const catalogues: Record<Language, Words> = { id, en };

export function standingWord(standing: Standing, w: Words): string {
  return w[`order_${standing}`];
}
