// The words of what keeps the list in order, at hand once a menu is.
import type { Language } from '../../../../i18n/index.svelte';
import { en } from './en';
import { id } from './id';

export type Words = { [Key in keyof typeof en]: string };

export const catalogues: Record<Language, Words> = { id, en };
