// Says what went wrong in the person's language: by stable code where there is a sentence for it, else as the core said it.
import { CoreError } from '../../core/link';
import type { Catalogue } from '../../i18n/index.svelte';

type Sentence = { [Key in keyof Catalogue]: Catalogue[Key] extends string ? Key : never }[keyof Catalogue];

const sentences: Record<string, Sentence> = {
  username_taken: 'error_username_taken',
  username: 'error_username',
  username_invalid: 'error_username',
  name: 'error_name',
  name_invalid: 'error_name',
  phone: 'error_phone',
  phone_invalid: 'error_phone',
  invite_required: 'error_invite',
  invite_invalid: 'error_invite',
  registration_closed: 'error_closed',
  closed: 'error_closed',
  wrong_code: 'error_wrong_code',
  expired: 'error_expired',
  locked: 'error_locked',
  rate_limited: 'error_rate',
  offline: 'error_offline',
  not_connected: 'error_offline',
  not_found: 'who_not_found',
  account_not_found: 'who_not_found',
  who_not_found: 'who_not_found',
  who: 'who_invalid',
  who_invalid: 'who_invalid',
  self: 'who_self',
  who_self: 'who_self',
};

export function explain(error: unknown, t: Catalogue): string {
  if (!(error instanceof CoreError)) return error instanceof Error ? error.message : String(error);
  const key = sentences[error.code] ?? sentences[error.parameter ?? ''];
  return key ? t[key] : error.message;
}
