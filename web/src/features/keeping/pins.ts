// Which messages stand at the top of a thread, and who puts them there.
import type { Chat, Message } from '../../core/contract';
import { groups } from '../groups/groups.svelte';
import { rightsOf } from '../groups/rights';
import { session } from '../session/session.svelte';

export const PIN_HOURS = [24, 24 * 7, 24 * 30] as const;

export function isPinned({ pins = [] }: Chat, { message_id }: Message, now: number): boolean {
  return pins.some((pin) => pin.message_id === message_id && pin.until > now);
}

/** In a group, whoever may change its name. A company's thread is not for notes. */
export function mayPin(chat: Chat): boolean {
  if (chat.request || chat.peer.business) return false;
  const view = groups.view(chat.conversation_id);
  return !chat.group || (view !== undefined && rightsOf(view).edit);
}

/** null takes it down. */
export async function setPin({ message_id }: Message, hours: number | null): Promise<void> {
  await session.link.request({ type: 'pin', message_id, hours });
}
