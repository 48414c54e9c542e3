// The words of reports, which come with their sheet.
import type { Language } from '../../../i18n/index.svelte';
import { en } from './en';
import { id } from './id';

export type Words = {
  [Key in keyof typeof en]: (typeof en)[Key] extends (...parts: infer Parts) => string
    ? (...parts: Parts) => string
    : string;
};

export const catalogues: Record<Language, Words> = { id, en };
