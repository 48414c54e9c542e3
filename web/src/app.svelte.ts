// The app as a whole: the line to the core, who owns it, and what it says, passed on to the features' own stores.

import type { Notification } from './core/contract';
import { CoreLink } from './core/link';
import type { FromWorker } from './core/messages';
import { account } from './features/accounts/account.svelte';
import { cards } from './features/commerce/cards.svelte';
import { tickets } from './features/commerce/tickets.svelte';
import { events } from './features/events/events.svelte';
import { groupCards } from './features/groups/cards.svelte';
import { media } from './features/media/media.svelte';
import { chats } from './features/messaging/chats.svelte';
import { sayWhetherHere } from './features/session/here';
import { session } from './features/session/session.svelte';

function receive(message: Exclude<FromWorker, { type: 'reply' }>): void {
  switch (message.type) {
    case 'ownership':
      session.ownership = message.state;
      if (message.state === 'elsewhere') forget();
      break;
    case 'trouble':
      session.trouble = message.trouble;
      break;
    case 'notes':
      chats.restoreNotes(message.notes);
      events.restoreNotes(message.notes);
      break;
    case 'notification':
      notice(message.notification);
  }
}

function notice(notification: Notification): void {
  switch (notification.type) {
    case 'connection':
      session.connection = notification.state;
      session.retrying = notification.retry_at !== undefined;
      if (notification.state === 'online') media.reconnected();
      break;
    case 'registration':
      session.registration = notification.mode;
      break;
    case 'trouble':
      session.trouble = notification;
      break;
    case 'account':
      account.become(notification.me);
      if (notification.me) sayWhetherHere();
      if (notification.me && !chats.loaded) {
        void chats.load();
        void tickets.load();
        void events.load();
      }
      break;
    case 'chat':
      chats.put(notification.chat);
      break;
    case 'message':
      chats.receive(notification.message);
      tickets.receive(notification.message);
      events.receive(notification.message);
      break;
    case 'vanished':
      chats.vanish(notification.conversation_id, notification.message_id);
      events.vanish(notification.message_id);
      break;
    case 'payment':
      cards.paid(notification.payment);
      break;
    case 'join_requested':
      groupCards.joinRequested(notification.conversation_id);
      break;
    case 'typing':
      chats.setTyping(notification.conversation_id, notification.account_id, notification.active);
  }
}

/** Another tab runs the core now: what this one remembers grows old. */
function forget(): void {
  account.forget();
  chats.forget();
  tickets.forget();
  events.forget();
  cards.forget();
}

export function startApp(): void {
  const link = new CoreLink(receive);
  session.link = link;
}
