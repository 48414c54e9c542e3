// What a message offers beside its words: buttons, a list, links; and what was picked of it. Pure.
import type { FlowOffer, InteractiveReply, ListRow, Message, ReplyButton, ReplyList } from '../../core/contract';

export type Picked = NonNullable<InteractiveReply['reply']>;

export interface WebLink {
  title: string;
  /** Empty where the address leads nowhere on the web. */
  href: string;
  host: string;
}

export interface Offer {
  header: string;
  footer: string;
  /** In the order of the message. */
  choices: (ReplyButton | WebLink)[];
  list?: ReplyList;
  flow?: FlowOffer;
  /** There is more to it than this version knows. */
  unknown?: boolean;
}

/** Nothing for what has words alone. */
export function offerOf({ interactive, template, interactive_reply }: Message): Offer | undefined {
  if (interactive) {
    const { header, footer, action } = interactive;
    const offer = { header: header ?? '', footer: footer ?? '' };
    if (action && 'list' in action) return { ...offer, choices: [], list: action.list };
    if (action && 'flow' in action) return { ...offer, choices: [], flow: action.flow };
    if (action && 'cta_url' in action) {
      return { ...offer, choices: [linkOf(action.cta_url.display_text, action.cta_url.url)] };
    }
    if (action && 'buttons' in action) return { ...offer, choices: action.buttons.buttons };
    // Features of their own show these.
    const elsewhere = action && ('order_details' in action || 'order_status' in action);
    return elsewhere ? { ...offer, choices: [] } : { ...offer, choices: [], unknown: true };
  }
  if (template) {
    const choices = template.buttons.flatMap(({ text, action }) => {
      if (!action) return [];
      return 'url' in action ? linkOf(text, action.url) : { id: action.payload, title: text };
    });
    return { header: template.header ?? '', footer: template.footer ?? '', choices };
  }
  const reply = interactive_reply?.reply;
  const description = reply && 'list' in reply ? reply.list.description : null;
  return description ? { header: '', footer: description, choices: [] } : undefined;
}

function linkOf(title: string, url: string): WebLink {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed && /^https?:$/.test(parsed.protocol)
    ? { title, href: parsed.href, host: parsed.host }
    : { title, href: '', host: '' };
}

export function rowsOfList(list: ReplyList): ListRow[] {
  return list.sections.flatMap((section) => section.rows);
}

/** What can be picked, by title. */
export function titlesOf(offer: Offer): string[] {
  const rows = offer.list ? rowsOfList(offer.list) : [];
  return [...offer.choices, ...rows].map(({ title }) => title).concat(offer.flow?.cta ?? []);
}

/** The id that was picked last of each message that has been answered. */
export function answersOf(messages: readonly Message[]): Map<string, string> {
  const answers = new Map<string, string>();
  for (const { mine, in_reply_to, interactive_reply } of messages) {
    const reply = interactive_reply?.reply;
    if (!mine || !in_reply_to || !reply) continue;
    if ('button' in reply) answers.set(in_reply_to, reply.button.id);
    else if ('list' in reply) answers.set(in_reply_to, reply.list.id);
    else answers.set(in_reply_to, reply.flow.name);
  }
  return answers;
}
