// The words of voice messages in each language.
import type { Language } from '../../../i18n/index.svelte';
import { en } from './en';
import { id } from './id';

export type Words = typeof en;

export const catalogues: Record<Language, Words> = { id, en };
