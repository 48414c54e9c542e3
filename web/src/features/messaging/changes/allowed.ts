// What may be done to a message, and until when. Pure. The core and every other client hold the same rules.
import { DELETE_WINDOW_MS, EDIT_WINDOW_MS, type Message } from '../../../core/contract';

export interface Allowed {
  react: boolean;
  reply: boolean;
  copy: boolean;
  edit: boolean;
  delete: boolean;
  versions: boolean;
}

/** `accepted`: the chat is not a stranger's request that nobody has answered. */
export function allowed(message: Message, now: number, accepted: boolean): Allowed {
  const there = message.kind !== 'deleted';
  // The server has it: others can be told of a change.
  const sent = there && message.seq !== undefined;
  const age = now - message.time;
  return {
    react: sent && accepted,
    reply: sent,
    copy: there && Boolean(message.text),
    edit: sent && message.mine && message.kind === 'text' && age < EDIT_WINDOW_MS,
    delete: sent && message.mine && age < DELETE_WINDOW_MS,
    versions: there && Boolean(message.versions?.length),
  };
}
