// A thread as rows: days, messages in groups, notices, and where the unread part begins. Pure.
import type { Message } from '../../core/contract';
import { isSeen } from '../media/shown';
import { isNotice } from './order';

export type Row =
  | { kind: 'day'; key: string; time: number }
  | { kind: 'unread'; key: string }
  | { kind: 'notice'; key: string; message: Message }
  /** `album`: what was sent together with the message, and the message. */
  | { kind: 'message'; key: string; message: Message; album?: Message[]; first: boolean; last: boolean };

/** Messages of one person within this time stand together. */
const GROUP_MS = 5 * 60_000;

const sameDay = (a: number, b: number) => new Date(a).toDateString() === new Date(b).toDateString();

function together(a: Message | undefined, b: Message | undefined): boolean {
  if (!a || !b || isNotice(a) || isNotice(b)) return false;
  return (
    a.mine === b.mine &&
    a.from.account_id === b.from.account_id &&
    Math.abs(b.time - a.time) < GROUP_MS &&
    sameDay(a.time, b.time)
  );
}

/** Both are pictures or films that were sent together, and nothing keeps them apart. */
function ofOneAlbum(a: Message | undefined, b: Message): boolean {
  const [one, other] = [a?.file, b.file];
  if (!one?.album || one.album !== other?.album || b.in_reply_to || !together(a, b)) return false;
  return [a, b].every((each) => each?.file && isSeen(each.file) && each.state !== 'failed');
}

/** When each was. A notice has the clock of this device, perhaps much later than what it stands among: never later than what follows. */
function timesOf(messages: readonly Message[]): number[] {
  const times = messages.map(({ time }) => time);
  for (let i = times.length - 2; i >= 0; i -= 1) {
    if (isNotice(messages[i] as Message)) times[i] = Math.min(times[i] as number, times[i + 1] as number);
  }
  return times;
}

/** `unreadFrom` is the id of the first message that was unread when the thread was opened; `apart` shows albums one by one. */
export function rowsOf(messages: readonly Message[], unreadFrom?: string, apart = false): Row[] {
  const rows: Row[] = [];
  const times = timesOf(messages);
  messages.forEach((message, i) => {
    const before = messages[i - 1];
    const after = messages[i + 1];
    const time = times[i] as number;
    if (!before || !sameDay(times[i - 1] as number, time)) {
      rows.push({ kind: 'day', key: `day-${new Date(time).toDateString()}-${message.message_id}`, time });
    }
    const unread = message.message_id === unreadFrom;
    const last = !together(message, after) || after?.message_id === unreadFrom;
    const row = rows.at(-1);
    if (!apart && !unread && row?.kind === 'message' && ofOneAlbum(before, message)) {
      row.album = [...(row.album ?? [row.message]), message];
      row.last = last;
      return;
    }
    if (unread) rows.push({ kind: 'unread', key: 'unread' });
    if (isNotice(message)) {
      rows.push({ kind: 'notice', key: message.message_id, message });
      return;
    }
    const first = unread || !together(before, message);
    rows.push({ kind: 'message', key: message.message_id, message, first, last });
  });
  return rows;
}

/** Whether the message is in this row. */
export function holds(row: { kind: string; key: string; album?: Message[] }, id: string | undefined): boolean {
  return row.key === id || Boolean(row.album?.some(({ message_id }) => message_id === id));
}

/** The first message that has not been read: the one `unread` received messages from the end, if it is among these. */
export function firstUnread(messages: readonly Message[], unread: number): string | undefined {
  if (unread === 0) return undefined;
  const received = messages.filter((message) => !message.mine && !isNotice(message) && message.kind !== 'deleted');
  return received.at(-unread)?.message_id;
}
