// People as a file that address books take (RFC 6350). Pure. Its text is escaped and its lines are folded as those of calendars.
import type { ContactCard } from '../../core/kinds';
import { escaped, folded } from '../events/ics';

export function vcardOf(people: readonly ContactCard[]): string {
  return people.flatMap(linesOf).flatMap(folded).join('\r\n').concat('\r\n');
}

function linesOf({ name, organization, phones, emails }: ContactCard): string[] {
  return [
    'BEGIN:VCARD',
    'VERSION:4.0',
    `FN:${escaped(name)}`,
    ...(organization ? [`ORG:${escaped(organization)}`] : []),
    ...phones.map((phone) => `TEL:${escaped(phone)}`),
    ...emails.map((email) => `EMAIL:${escaped(email)}`),
    'END:VCARD',
  ];
}
