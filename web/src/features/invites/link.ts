// A link into a group, taken apart, and what can be wrong with it. Pure.
import { toHex } from '../../core/bytes';
import type { ApiError } from '../../core/contract';
import type { Words } from './words';

export type Wrong = 'gone' | 'damaged' | 'offline' | 'rate' | 'other';

export class LinkError extends Error {
  readonly wrong: Wrong;

  constructor(wrong: Wrong) {
    super(wrong);
    this.wrong = wrong;
  }
}

/** What a link shows. The words are whatever its maker wrote. */
export interface Found {
  name: string;
  description: string;
  inviter: string;
  members: number;
  approval: boolean;
}

/** 24 bytes in base64url, code and secret alike. */
const PART = /^[\w-]{32}$/;

/** Fails for a link that was cut, before anything is asked of anybody. */
export function partsOfLink(code: string, secret: string): { path: string } {
  if (!PART.test(code) || !PART.test(secret)) throw new LinkError('damaged');
  return { path: `/i/${code}#${secret}` };
}

/** The group's id, which is the first half of a code; so a group has one colour everywhere. */
export function conversationOf(code: string): string {
  const bytes = Uint8Array.from(atob(code.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
  return toHex(bytes.subarray(0, 16));
}

/** What a refusal of the core means for the link; undefined: it is about something else. */
export function wrongOf({
  code,
  parameter,
}: Pick<ApiError, 'code'> & { parameter?: string | undefined }): Wrong | undefined {
  if (code === 'invalid') return parameter === 'link' ? 'damaged' : undefined;
  const known: Record<string, Wrong> = {
    invite_gone: 'gone',
    invite_damaged: 'damaged',
    rate_limited: 'rate',
    offline: 'offline',
  };
  return known[code];
}

/** Whether it can be worth another try. */
export function mayHeal(wrong: Wrong): boolean {
  return wrong !== 'gone' && wrong !== 'damaged';
}

export function wordsOf(wrong: Wrong, w: Words): { title: string; text: string } {
  return { title: w[`${wrong}_title`], text: w[wrong] };
}

export const HOURS = { day: 24, week: 24 * 7, month: 24 * 30, year: 24 * 365 };
