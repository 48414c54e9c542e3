// A message in one line: for the chat list, a quote, and whoever listens.
import type { Message } from '../../core/contract';
import type { Catalogue } from '../../i18n/index.svelte';
import { nameOf } from './person';

export function summaryOf(message: Message, t: Catalogue): string {
  if (message.kind === 'deleted') return deletedBy(message, t);
  if (message.event) return `${message.event.canceled ? t.invitation_canceled : t.invitation}: ${message.event.title}`;
  return message.text ?? t.unsupported;
}

function deletedBy({ mine, deleted_by }: Message, t: Catalogue): string {
  if (deleted_by) return t.deleted_by(nameOf(deleted_by, t.unnamed));
  return mine ? t.deleted_mine : t.deleted;
}

/** Something was done to it since it was sent. */
export function isChanged({ kind, edited_at, reactions, answers }: Message): boolean {
  return kind === 'deleted' || Boolean(edited_at || reactions?.length || answers?.length);
}
