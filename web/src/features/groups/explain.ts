// Why a wish about a group was refused, in the person's words.
import { CoreError } from '../../core/link';
import { i18n } from '../../i18n/index.svelte';
import { explain } from '../session/explain';
import { catalogues, type Words } from './words';

type Sentence = { [Key in keyof Words]: Words[Key] extends string ? Key : never }[keyof Words];

const byCode: Record<string, Sentence> = {
  not_allowed: 'error_not_allowed',
  role: 'error_not_allowed',
  small_group: 'error_small',
  too_many_members: 'error_many',
  last_owner: 'error_last_owner',
  busy: 'error_busy',
  not_a_member: 'error_out',
};

/** Of the code `invalid`: which field broke its rule. */
const byParameter: Record<string, Sentence> = {
  name: 'error_name',
  description: 'error_description',
  photo: 'picture_unreadable',
  members: 'error_members',
  who: 'error_not_member',
  successor: 'error_not_member',
};

/** The core names who it is at the beginning of its own sentence. */
const UNREACHABLE = /^(.+) has no device that can be added/u;

export function explainGroup(error: unknown): string {
  const w = catalogues[i18n.language];
  if (!(error instanceof CoreError)) return explain(error, i18n.t);
  if (error.code === 'member_unreachable') {
    return w.error_unreachable(UNREACHABLE.exec(error.message)?.[1] ?? w.error_somebody);
  }
  const key = error.code === 'invalid' ? byParameter[error.parameter ?? ''] : byCode[error.code];
  return key ? w[key] : explain(error, i18n.t);
}
