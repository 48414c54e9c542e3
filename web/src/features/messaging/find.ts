// Finds whoever somebody typed, pasted or scanned.
import type { Chat } from '../../core/contract';
import { i18n } from '../../i18n/index.svelte';
import { parseWho } from '../../who';
import { account } from '../accounts/account.svelte';
import { chats } from './chats.svelte';

/** The chat with a person or business; it fails with a sentence for the person, or as the core fails. */
export async function find(typed: string): Promise<Chat> {
  const { t } = i18n;
  const parsed = parseWho(typed, location.origin);
  if (parsed === 'invalid' || (typeof parsed === 'object' && 'invite' in parsed)) throw new Error(t.who_invalid);
  if ('otherServer' in parsed) throw new Error(t.other_server(parsed.otherServer));
  const { me } = account;
  const plain = parsed.who.replace(/^@/, '').toLowerCase();
  if (me && (plain === me.account_id || plain === me.username || plain === me.phone)) throw new Error(t.who_self);
  return chats.open(parsed.who, parsed.called);
}
