// What a screen reader hears of a message, beside who sent it, when, and how far it got.
import type { FileBody, Message } from '../../core/contract';
import { type Catalogue, i18n } from '../../i18n/index.svelte';
import type { orderOf } from '../commerce/orders';
import { clockOf, kindOf } from '../media/shown';
import { isCard, kindCards } from './kinds.svelte';
import { type offerOf, titlesOf } from './offer';
import { nameOf } from './person';
import { summaryOf } from './summary';

interface Said {
  /** Without its marks. */
  text: string;
  footer: string;
  order: ReturnType<typeof orderOf>;
  offer: ReturnType<typeof offerOf>;
  /** Of what was sent together. */
  count: number;
}

export function toldOf(message: Message, { text, footer, order, offer, count }: Said): string {
  const { t } = i18n;
  const { file, event } = message;
  const titles = offer ? titlesOf(offer) : [];
  const parts = [
    message.kind === 'ticket' ? t.ticket : offer?.header,
    file && (count > 1 ? t.album(count) : calledOf(file, t)),
    file?.view_once && (message.opened?.length || !file.location) && t.opened,
    event || isCard(message) ? summaryOf(message, t) : text,
    event && [i18n.appointment(event.starts_ms), event.place].filter(Boolean).join(', '),
    kindCards.parts?.factsOf(message),
    footer,
    message.mentions_me && t.mentions_you,
    message.starred && t.starred,
    order ? t.order_label(i18n.amount(order.total, order.currency)) : '',
    titles.length ? t.choices(titles.join('; ')) : '',
    message.edited_at && t.edited,
    message.expires_at && t.vanishes(i18n.appointment(message.expires_at)),
    ...(message.reactions ?? []).map(({ emoji, by, mine }) => `${emoji} ${mine ? t.you : nameOf(by, t.unnamed)}`),
  ];
  return parts.filter(Boolean).join(', ');
}

/** A recording is known by how long it is, everything else by its name. */
function calledOf(file: FileBody, t: Catalogue): string {
  const kind = kindOf(file);
  if (file.view_once) return t.once(t[kind]);
  return `${t[kind]} ${kind === 'voice' ? clockOf(file.duration_ms ?? 0) : file.name}`;
}
