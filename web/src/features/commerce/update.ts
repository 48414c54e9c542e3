// What a seller says of an order, in the person's language.
import type { Catalogue } from '../../i18n/index.svelte';

/** A word that is not in the protocol is shown as it came. */
export function updateWord(status: string, t: Catalogue): string {
  const key = `update_${status}`;
  return key in t ? (t[key as keyof Catalogue] as string) : status;
}
