// A message in one line: for the chat list, a quote, and whoever listens.
import type { Message } from '../../core/contract';
import type { Catalogue } from '../../i18n/index.svelte';
import { spanOf } from '../../i18n/span';
import { clockOf, kindOf } from '../media/shown';
import { nameOf } from './person';
import { richText } from './rich.svelte';

/** `me` is the account of this device, where it could matter that it did the deleting, or set something. */
export function summaryOf(message: Message, t: Catalogue, me?: string): string {
  const { deleted_by: by } = message;
  if (by) return by.account_id === me ? t.deleted_by_me : t.deleted_by(nameOf(by, t.unnamed));
  if (message.kind === 'deleted') return message.mine ? t.deleted_mine : t.deleted;
  if (message.event) return `${message.event.canceled ? t.invitation_canceled : t.invitation}: ${message.event.title}`;
  if (message.kind === 'notice_timer') return timerSaid(message, t, me);
  if (message.kind === 'notice_pinned' || message.kind === 'notice_unpinned') return pinSaid(message, t, me);
  const { poll, location, contacts, file } = message;
  if (file?.view_once) return t.once(t[kindOf(file)]);
  if (file?.voice) return `${t.voice} ${clockOf(file.duration_ms ?? 0)}`;
  const text = message.text === undefined ? undefined : richText.plain(message.text);
  const what = poll ? t.poll : location ? t.place : contacts && t.contact;
  if (what) return text ? `${what}: ${text}` : what;
  return text ?? t.unsupported;
}

/** Who has set how long messages stay. */
export function timerSaid({ from, text }: Message, t: Catalogue, me?: string, who = nameOf(from, t.unnamed)): string {
  const mine = from.account_id === me;
  const seconds = Number(text);
  if (!seconds) return mine ? t.timer_off_me : t.timer_off(who);
  const span = spanOf(seconds, t);
  return mine ? t.timer_set_me(span) : t.timer_set(who, span);
}

/** Who has put a message at the top of the thread, or taken it down. */
export function pinSaid({ kind, from }: Message, t: Catalogue, me?: string): string {
  const mine = from.account_id === me;
  const who = nameOf(from, t.unnamed);
  if (kind === 'notice_pinned') return mine ? t.pinned_by_me : t.pinned_by(who);
  return mine ? t.unpinned_by_me : t.unpinned_by(who);
}

/** Something was done to it since it was sent. */
export function isChanged({ kind, edited_at, reactions, answers, votes, poll }: Message): boolean {
  return (
    kind === 'deleted' || Boolean(edited_at || reactions?.length || answers?.length || votes?.length || poll?.closed)
  );
}
