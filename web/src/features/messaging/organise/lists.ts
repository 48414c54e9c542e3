// Which chats the list shows: all, those with something unread, groups, or those that were sorted under a name of one's own. Pure.
import type { Chat } from '../../../core/contract';

/** A name of one's own is told from the others by what stands before it. */
export type Wanted = 'all' | 'unread' | 'groups' | `list:${string}`;

export const isUnread = (chat: Chat): boolean => chat.unread > 0 || chat.marked_unread === true;

/** Every name that is in use, in the order of the language. */
export function listsOf(chats: readonly Chat[]): string[] {
  return [...new Set(chats.flatMap(({ lists = [] }) => lists))].sort((a, b) => a.localeCompare(b));
}

/** `kept` was unread when it was opened, and does not leave while it is looked at. */
export function shownOf(chats: readonly Chat[], wanted: Wanted, kept = ''): Chat[] {
  return chats.filter((chat) => {
    if (wanted === 'unread') return isUnread(chat) || chat.conversation_id === kept;
    if (wanted === 'groups') return chat.group !== undefined;
    return wanted === 'all' || chat.lists?.includes(wanted.slice('list:'.length));
  });
}
