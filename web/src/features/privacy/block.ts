// From whom we want to hear nothing, or something again.
import type { Chat } from '../../core/contract';
import { chats } from '../messaging/chats.svelte';
import { session } from '../session/session.svelte';

export async function setBlocked({ peer }: Chat, blocked: boolean): Promise<void> {
  chats.put(await session.link.request({ type: 'block', who: peer.account_id, blocked }));
}
