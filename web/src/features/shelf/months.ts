// What a chat holds, month by month. Pure.
import type { Message } from '../../core/contract';
import { piecesOf } from '../messaging/text';

export interface Month {
  key: string;
  /** Of one of them. */
  time: number;
  messages: Message[];
}

/** In their order. */
export function monthsOf(messages: readonly Message[]): Month[] {
  const months: Month[] = [];
  for (const message of messages) {
    const date = new Date(message.time);
    const key = `${date.getFullYear()}-${date.getMonth()}`;
    const last = months.at(-1);
    if (last?.key === key) last.messages.push(message);
    else months.push({ key, time: message.time, messages: [message] });
  }
  return months;
}

/** The links in a text, each once. */
export function linksOf(text: string): string[] {
  return [...new Set(piecesOf(text).flatMap((piece) => ('href' in piece ? [piece.href] : [])))];
}

/** What a link is known by: where it leads, without what every one has. */
export function hostOf(href: string): string {
  return new URL(href).host.replace(/^www\./, '');
}
