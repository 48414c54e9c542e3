// How this account stands to a group, in a sentence; nothing of a member, about whom there is nothing to say.
import type { Standing } from '../../core/contract';
import type { Words } from './words';

export function standingOf(standing: Standing, w: Words): string {
  return {
    making: w.making,
    member: '',
    left: w.closed_left,
    removed: w.closed_removed,
    joining: w.joining,
    asked: w.asked,
  }[standing];
}
