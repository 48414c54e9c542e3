// How a person is called on the screens.
import type { Chat, Person } from '../../core/contract';
import type { Catalogue } from '../../i18n/index.svelte';

/** Characters that turn the line: with them, one name could look like another. */
const TURNING = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The name that came in an encrypted message, else what this device found the person by; a business's as it is registered. */
export function nameOf(person: Person, unnamed: string): string {
  if (person.business) return person.business.name;
  return person.name.replace(TURNING, '') || (person.username ? `@${person.username}` : '') || person.phone || unnamed;
}

/** Whom one talks to; a group is new until it has said what it is called. */
export function titleOf({ peer, group }: Chat, t: Catalogue): string {
  return nameOf(peer, group ? t.new_group : t.unnamed);
}

/** A second line that tells two people of one name apart; nothing when it would repeat the first. */
export function handleOf(person: Person): string {
  if (person.business) return person.business.phone;
  if (!person.name) return '';
  return person.username ? `@${person.username}` : (person.phone ?? '');
}
