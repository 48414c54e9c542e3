// A star on a message: known on this device alone.
import type { Message } from '../../core/contract';
import { session } from '../session/session.svelte';

export async function setStar({ message_id }: Message, starred: boolean): Promise<void> {
  await session.link.request({ type: 'star', message_id, starred });
}
