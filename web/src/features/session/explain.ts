// Says what went wrong in the person's language: by stable code where there is a sentence for it, else as the core said it.
import type { ApiError } from '../../core/contract';
import { CoreError } from '../../core/link';
import type { Catalogue } from '../../i18n/index.svelte';

type Sentence = { [Key in keyof Catalogue]: Catalogue[Key] extends string ? Key : never }[keyof Catalogue];

const byCode: Record<string, Sentence> = {
  username_taken: 'error_username_taken',
  invite_required: 'error_invite_required',
  invite_invalid: 'error_invite',
  registration_closed: 'error_closed',
  wrong_code: 'error_wrong_code',
  code_expired: 'error_expired',
  no_phone_pending: 'error_expired',
  phone_locked: 'error_locked',
  code_too_soon: 'error_rate',
  rate_limited: 'error_rate',
  offline: 'error_offline',
  not_found: 'who_not_found',
  account_unknown: 'error_account_gone',
  too_old: 'error_too_old',
};

/** Of the code `invalid`: which field broke its rule. */
const byParameter: Record<string, Sentence> = {
  name: 'error_name',
  username: 'error_username',
  phone: 'error_phone',
  code: 'error_wrong_code',
  who: 'who_invalid',
  to: 'who_invalid',
};

export function explain(error: unknown, t: Catalogue): string {
  if (error instanceof CoreError) return explainApi(error, t);
  return error instanceof Error ? error.message : String(error);
}

export function explainApi(
  error: Pick<ApiError, 'code' | 'message'> & { parameter?: string | undefined },
  t: Catalogue,
): string {
  const key = error.code === 'invalid' ? byParameter[error.parameter ?? ''] : byCode[error.code];
  return key ? t[key] : error.message;
}
