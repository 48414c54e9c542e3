// What may be done with several messages at once, and what of them is copied. Pure.
import { FORWARDED_OFTEN, type Message } from '../../core/contract';
import { allowed, type Place } from '../messaging/changes/allowed';

export interface AllowedAll {
  copy: boolean;
  forward: boolean;
  star: boolean;
  /** All have a star: it is taken from them. */
  starred: boolean;
  delete: boolean;
}

export function allowedAll(messages: readonly Message[], now: number, accepted: boolean, place: Place): AllowedAll {
  const may = messages.map((message) => allowed(message, now, accepted, place));
  const some = messages.length > 0;
  return {
    copy: may.some(({ copy }) => copy),
    forward: some && may.every(({ forward }) => forward),
    star: some && may.every(({ star }) => star),
    starred: some && messages.every(({ starred }) => starred),
    delete: some && messages.every(({ mine }, i) => mine && may[i]?.delete),
  };
}

/** One as it is; several with when and by whom. */
export function copyOf(messages: readonly Message[], line: (message: Message, text: string) => string): string {
  const said = messages.flatMap((message) => {
    const text = message.file ? message.file.caption : message.text;
    return text ? [{ message, text }] : [];
  });
  if (said.length === 1) return said[0]?.text ?? '';
  return said.map(({ message, text }) => line(message, text)).join('\n');
}

/** What was passed on often goes into one chat at a time. */
export function chatsMax(messages: readonly Message[], most: number): number {
  return messages.some(({ forwarded = 0 }) => forwarded >= FORWARDED_OFTEN) ? 1 : most;
}

const QUOTE_CHARS = 120;

/** A message in a line above the answer: in another conversation it can only be quoted in words. */
export function quoteOf(said: string): string {
  const chars = [...said.replace(/\s+/gu, ' ').trim()];
  const cut = chars.length > QUOTE_CHARS ? `${chars.slice(0, QUOTE_CHARS).join('').trimEnd()}…` : chars.join('');
  return `> ${cut}\n`;
}
