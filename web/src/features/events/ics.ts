// An invitation as a file that calendars take (RFC 5545). Pure.
import type { EventBody, Message } from '../../core/contract';

/** A line has at most so many bytes, without its end; a longer one goes on behind a space. */
const LINE_BYTES_MAX = 75;

export function icsOf(message: Message & { event: EventBody }): string {
  const { event, time, edited_at } = message;
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Kabar//Kabar//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    'BEGIN:VEVENT',
    `UID:${message.message_id}`,
    `DTSTAMP:${utc(edited_at ?? time)}`,
    // Must grow with every change, so that a calendar replaces what it has.
    `SEQUENCE:${edited_at ? Math.max(1, Math.floor((edited_at - time) / 1000)) : 0}`,
    `STATUS:${event.canceled ? 'CANCELLED' : 'CONFIRMED'}`,
    `DTSTART:${utc(event.starts_ms)}`,
    ...(event.ends_ms ? [`DTEND:${utc(event.ends_ms)}`] : []),
    `SUMMARY:${escaped(event.title)}`,
    ...(event.place ? [`LOCATION:${escaped(event.place)}`] : []),
    ...(event.text ? [`DESCRIPTION:${escaped(event.text)}`] : []),
    'END:VEVENT',
    'END:VCALENDAR',
  ];
  return lines.flatMap(folded).join('\r\n').concat('\r\n');
}

/** 20261205T040000Z */
function utc(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+|[-:]/g, '');
}

/** Characters that mean something to a calendar; other control characters have no place in it. */
export function escaped(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\\;,]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/(?!\t)\p{Cc}/gu, '');
}

/** Cut between characters, never within one. */
export function folded(line: string): string[] {
  const encoder = new TextEncoder();
  const lines: string[] = [];
  let current = '';
  let bytes = 0;
  for (const character of line) {
    const more = encoder.encode(character).length;
    if (bytes + more > LINE_BYTES_MAX) {
      lines.push(current);
      current = ' ';
      bytes = 1;
    }
    current += character;
    bytes += more;
  }
  return [...lines, current];
}

/** A name for the file that every system takes. */
export function fileName(title: string, ending = 'ics'): string {
  const plain = title
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return `${[...plain].slice(0, 60).join('') || 'kabar'}.${ending}`;
}
