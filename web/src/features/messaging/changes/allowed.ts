// What may be done to a message, and until when. Pure. The core and every other client hold the same rules.
import { DELETE_WINDOW_MS, EDIT_WINDOW_MS, type Message } from '../../../core/contract';

export interface Allowed {
  react: boolean;
  reply: boolean;
  copy: boolean;
  forward: boolean;
  edit: boolean;
  delete: boolean;
  versions: boolean;
  /** With whom of a group it has arrived. */
  info: boolean;
  /** To the operator. */
  report: boolean;
  /** To be found again, pinned or picked with others. */
  star: boolean;
}

/** What people write. */
const FORWARDED = new Set<Message['kind']>(['text', 'file', 'event', 'poll', 'location', 'contacts']);

/** What stands against it in a group: whoever is out does nothing more, and not everybody may write. */
export interface Place {
  inside: boolean;
  mayWrite: boolean;
  /** Of more than two. */
  several: boolean;
  /** Its admins delete what anybody wrote. */
  moderates: boolean;
}
const OF_TWO: Place = { inside: true, mayWrite: true, several: false, moderates: false };

/** `accepted`: the chat is not a stranger's request that nobody has answered. */
export function allowed(message: Message, now: number, accepted: boolean, place = OF_TWO): Allowed {
  const there = message.kind !== 'deleted';
  // The server has it: others can be told of a change.
  const sent = there && message.seq !== undefined;
  const age = now - message.time;
  return {
    react: sent && accepted && place.inside,
    reply: sent && place.mayWrite,
    // The name of a file is nothing that somebody wrote.
    copy: there && Boolean(message.file ? message.file.caption : message.text),
    forward: sent && accepted && FORWARDED.has(message.kind) && !message.file?.view_once,
    edit: sent && place.mayWrite && message.mine && message.kind === 'text' && age < EDIT_WINDOW_MS,
    delete: sent && place.inside && (message.mine || place.moderates) && age < DELETE_WINDOW_MS,
    versions: there && Boolean(message.versions?.length),
    star: sent,
    report: sent && !message.mine,
    info: there && place.several && place.inside && message.mine,
  };
}
