// A card of a person as it is being written, and what its numbers and addresses link to. Pure.
import { CONTACT_NAME_CHARS_MAX, CONTACT_PHONE_CHARS_MAX, type ContactCard, EMAIL_CHARS_MAX } from '../../core/kinds';
import { charsOf } from '../messaging/text';

export interface Draft {
  name: string;
  organization: string;
  phone: string;
  email: string;
}

export type Field = keyof Draft;
export type Fault = 'need_name' | 'need_way' | 'bad_phone' | 'bad_email' | 'too_long';

const LONGEST: Record<Field, number> = {
  name: CONTACT_NAME_CHARS_MAX,
  organization: CONTACT_NAME_CHARS_MAX,
  phone: CONTACT_PHONE_CHARS_MAX,
  email: EMAIL_CHARS_MAX,
};
const PHONE = /^(?=.*\d)[\d +\-().#*]+$/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;

export function cardOf(draft: Draft): ContactCard | { field: Field; fault: Fault } {
  const name = draft.name.trim();
  const organization = draft.organization.trim();
  const phone = draft.phone.trim();
  const email = draft.email.trim();
  if (!name) return { field: 'name', fault: 'need_name' };
  const all = { name, organization, phone, email };
  const long = (Object.keys(all) as Field[]).find((field) => charsOf(all[field]) > LONGEST[field]);
  if (long) return { field: long, fault: 'too_long' };
  if (!phone && !email) return { field: 'phone', fault: 'need_way' };
  if (phone && !PHONE.test(phone)) return { field: 'phone', fault: 'bad_phone' };
  if (email && !EMAIL.test(email)) return { field: 'email', fault: 'bad_email' };
  return {
    name,
    organization,
    phones: phone ? [phone] : [],
    emails: email ? [email] : [],
    account_id: '',
  };
}

/** What picks the colour of somebody who has no account here: the same for the same name. */
export function colourOf(name: string): string {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 0x10000;
  return sum.toString(16).padStart(4, '0');
}

/** RFC 3966: digits and signs, nothing for the eye. */
export function telLink(phone: string): string {
  return `tel:${encodeURIComponent(phone.replace(/[^\d+*#]/g, '')).replace(/%2B/g, '+')}`;
}

/** RFC 6068: nothing in an address may add headers to a mail. */
export function mailLink(email: string): string {
  return `mailto:${encodeURIComponent(email).replace(/%40/g, '@')}`;
}
