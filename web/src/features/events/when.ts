// What time has to do with an invitation. Pure; in the shell, so no more than the shell needs.
import type { EventBody, Message } from '../../core/contract';

/** One without an end counts as going on for so long. */
const OPEN_MS = 3 * 3_600_000;
/** The reminder comes so long before. */
const REMIND_MS = 3_600_000;

export const endOf = ({ starts_ms, ends_ms }: EventBody): number => ends_ms || starts_ms + OPEN_MS;

/** It will be, or is going on. */
export function isAhead(event: EventBody, now: number): boolean {
  return !event.canceled && endOf(event) > now;
}

const declined = ({ answers }: Message) => answers?.some(({ mine, answer }) => mine && answer === 'no') ?? false;

/** Of these the ones that are ahead and not declined, the next one first. */
export function ahead(messages: Iterable<Message>, now: number): (Message & { event: EventBody })[] {
  return [...messages]
    .filter((message): message is Message & { event: EventBody } => message.event !== undefined && !declined(message))
    .filter(({ event }) => isAhead(event, now))
    .sort((a, b) => a.event.starts_ms - b.event.starts_ms);
}

/** It begins within the hour. */
export function isDue({ starts_ms }: EventBody, now: number): boolean {
  return starts_ms > now && starts_ms - now <= REMIND_MS;
}
