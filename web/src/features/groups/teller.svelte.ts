// Who tells what happened in a group: the language of the screens, and whose device this is.
import type { Person } from '../../core/contract';
import { i18n } from '../../i18n/index.svelte';
import { account } from '../accounts/account.svelte';
import { nameOf } from '../messaging/person';
import { groups } from './groups.svelte';
import type { Teller } from './sentence';
import { catalogues } from './words';

export function called(person: Person): string {
  return nameOf({ ...person, name: groups.nameOf(person.account_id) ?? person.name }, i18n.t.unnamed);
}

export function teller(): Teller {
  const { language } = i18n;
  return { w: catalogues[language], language, me: account.me?.account_id, nameOf: called };
}
