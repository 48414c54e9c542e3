// How a person is called on the screens.
import type { Person } from '../../core/contract';

/** The name that came in an encrypted message, else what this device found the person by; a business's as it is registered. */
export function nameOf(person: Person, unnamed: string): string {
  if (person.business) return person.business.name;
  return person.name || (person.username ? `@${person.username}` : '') || person.phone || unnamed;
}

/** A second line that tells two people of one name apart; nothing when it would repeat the first. */
export function handleOf(person: Person): string {
  if (person.business) return person.business.phone;
  if (!person.name) return '';
  return person.username ? `@${person.username}` : (person.phone ?? '');
}
