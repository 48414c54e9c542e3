// The words of passing a message on, at hand once that sheet is.
import type { Language } from '../../../../i18n/index.svelte';
import { en } from './en';
import { id } from './id';

export const catalogues: Record<Language, typeof en> = { id, en };
