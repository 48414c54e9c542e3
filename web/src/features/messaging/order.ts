// The order of a thread, and merging into it. Pure.
import type { Chat, Message } from '../../core/contract';

export const isNotice = (message: Message) => message.kind.startsWith('notice_');
/** The pinned ones first, then by time. */
export function compareChats(a: Chat, b: Chat): number {
  return Number(b.pinned ?? false) - Number(a.pinned ?? false) || b.updated_at - a.updated_at;
}

const waiting = (message: Message) => message.state === 'queued' || message.state === 'failed';

/** Oldest first. What waits on this device comes last, in the order of writing; the rest is in the server's order. */
export function compareMessages(a: Message, b: Message): number {
  if (waiting(a) !== waiting(b)) return waiting(a) ? 1 : -1;
  if (!waiting(a) && a.seq !== undefined && b.seq !== undefined) {
    return a.seq - b.seq || Number(isNotice(a)) - Number(isNotice(b)) || a.time - b.time;
  }
  return a.time - b.time;
}

/** `messages` with `changed` in its place, new or replaced. Never alters its input. */
export function merged(messages: readonly Message[], changed: readonly Message[]): Message[] {
  const ids = new Set(changed.map((message) => message.message_id));
  const result = messages.filter((message) => !ids.has(message.message_id));
  for (const message of changed) {
    // From the end: that is where almost everything belongs.
    let at = result.length;
    while (at > 0 && compareMessages(result[at - 1] as Message, message) > 0) at -= 1;
    result.splice(at, 0, message);
  }
  return result;
}
