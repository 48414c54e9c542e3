// How far a message has got, in words.
import type { MessageState } from '../core/contract';
import type { Catalogue } from '../i18n/index.svelte';

export function progressOf(state: MessageState, t: Catalogue, all: boolean): string {
  return {
    queued: t.state_queued,
    failed: t.state_failed,
    sent: t.state_sent,
    delivered: all ? t.state_delivered_all : t.state_delivered,
    read: all ? t.state_read_all : t.state_read,
    received: '',
  }[state];
}
