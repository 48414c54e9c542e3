// Who comes. Pure.
import type { Rsvp, RsvpAnswer } from '../../core/contract';

export interface Count {
  people: number;
  guests: number;
}

export const ANSWERS: readonly RsvpAnswer[] = ['going', 'maybe', 'no'];

export function tally(answers: readonly Rsvp[]): Record<RsvpAnswer, Count> {
  const counts = { going: { people: 0, guests: 0 }, maybe: { people: 0, guests: 0 }, no: { people: 0, guests: 0 } };
  for (const { answer, guests } of answers) {
    counts[answer].people += 1;
    counts[answer].guests += guests;
  }
  return counts;
}
