// Voice messages that are heard one after the other. Pure.
import type { FileBody, Message } from '../../core/contract';
import { kindOf } from './shown';

/** The message right after this one, if it is a voice message that may be heard more than once. */
export function nextVoice(messages: readonly Message[], id: string): (Message & { file: FileBody }) | undefined {
  const at = messages.findIndex((message) => message.message_id === id);
  const [message, next] = [messages[at], messages[at + 1]];
  if (!message?.file?.voice || !next?.file || next.file.view_once) return undefined;
  return kindOf(next.file) === 'voice' ? { ...next, file: next.file } : undefined;
}
