// A message in one line: for the chat list, a quote, and whoever listens.
import type { Message } from '../../core/contract';
import type { Catalogue } from '../../i18n/index.svelte';
import { nameOf } from './person';

/** `me` is the account of this device, where it could matter that it did the deleting. */
export function summaryOf(message: Message, t: Catalogue, me?: string): string {
  const { deleted_by: by } = message;
  if (by) return by.account_id === me ? t.deleted_by_me : t.deleted_by(nameOf(by, t.unnamed));
  if (message.kind === 'deleted') return message.mine ? t.deleted_mine : t.deleted;
  if (message.event) return `${message.event.canceled ? t.invitation_canceled : t.invitation}: ${message.event.title}`;
  return message.text ?? t.unsupported;
}

/** Something was done to it since it was sent. */
export function isChanged({ kind, edited_at, reactions, answers }: Message): boolean {
  return kind === 'deleted' || Boolean(edited_at || reactions?.length || answers?.length);
}
