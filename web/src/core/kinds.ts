// What people send beside text, and what is done with it: the wire types of proto/kabar/v1/content.proto as the core writes them.
import type { Person } from './contract';

/** A question with answers to choose from. */
export interface PollBody {
  question: string;
  /** 2 to 12, no two alike. */
  options: string[];
  /** More than one may be chosen. */
  several: boolean;
  /** Its sender closes it by an edit that is the same but for this. */
  closed: boolean;
}

/** In a poll: indexes of the options. */
export interface Vote {
  options: number[];
  by: Person;
  mine: boolean;
}

/** A place on the earth, in 1e-7 degrees. */
export interface LocationBody {
  latitude_e7: number;
  longitude_e7: number;
  name: string;
  address: string;
}

export interface ContactsBody {
  people: ContactCard[];
}

export interface ContactCard {
  name: string;
  phones: string[];
  emails: string[];
  organization: string;
  /** Of somebody on this server; else empty. */
  account_id: string;
}

/** A part of a text, or of a caption, that names a member: `@Budi`. In Unicode scalar values, not in UTF-16 units. */
export interface Mention {
  start: number;
  /** With the @. */
  length: number;
  /** Absent: everybody in the group. */
  account_id?: string;
}

/** A message at the top of the thread. */
export interface Pin {
  message_id: string;
  until: number;
}

/** Limits of crates/protocol/src/limits.rs that a screen has to know. */
export const POLL_QUESTION_CHARS_MAX = 300;
export const POLL_OPTIONS_MIN = 2;
export const POLL_OPTIONS_MAX = 12;
export const POLL_OPTION_CHARS_MAX = 100;
export const LOCATION_NAME_CHARS_MAX = 100;
export const LOCATION_ADDRESS_CHARS_MAX = 200;
export const CONTACTS_MAX = 10;
export const CONTACT_NAME_CHARS_MAX = 100;
export const CONTACT_PHONE_CHARS_MAX = 32;
export const EMAIL_CHARS_MAX = 254;
