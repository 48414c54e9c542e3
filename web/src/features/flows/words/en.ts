// The English words of flows, and the shape of every other catalogue: a key that is missing elsewhere is a type error.
import type { Problem } from '../answers';

const seats = (count: number) => (count === 1 ? '1 seat' : `${count} seats`);

export const en = {
  reply: 'Form sent',
  from: (name: string) => `For ${name}`,
  optional: 'optional',
  choose: 'Choose…',
  unknown: (kind: string) => `This version of Kabar cannot show this part (${kind}).`,
  no_footer: 'This screen has no button to go on. Tell the business in the chat.',
  asking: (name: string) => `Waiting for ${name}…`,
  sending: 'Sending…',
  leave: 'Close the form?',
  leave_hint: 'What you have filled in will be lost.',
  leave_yes: 'Close it',
  leave_no: 'Go on filling in',

  trouble_endpoint_unreachable: (name: string) => `${name} cannot be reached at the moment. Try again in a while.`,
  trouble_endpoint_failed: (name: string) => `Something went wrong at ${name}. Nothing was sent; try again.`,
  trouble_token_expired: (name: string) => `This form is no longer valid. Ask ${name} in the chat for a new one.`,
  trouble_flow_timeout: (name: string) => `${name} has not answered in time. Try again.`,
  trouble_flow_busy: (_name: string) => 'Too much is being asked for at once. Wait a moment.',
  trouble_flow_broken: (name: string) => `This form has a fault and cannot go on. Tell ${name} in the chat.`,
  says: (name: string) => `${name} says`,

  problem: (label: string, problem: Problem): string => {
    switch (problem.rule) {
      case 'required':
        return `${label} is needed.`;
      case 'agree':
        return 'It takes your consent to go on.';
      case 'chars':
        if (problem.has > problem.most) return `At most ${problem.most} characters; now ${problem.has}.`;
        return `At least ${problem.least} characters; now ${problem.has}.`;
      case 'count':
        if (problem.has > problem.most) return `Choose at most ${problem.most}; now ${problem.has}.`;
        return `Choose at least ${problem.least}; now ${problem.has}.`;
      case 'day':
        if (problem.from && problem.to) return `Choose a day from ${problem.from} to ${problem.to}.`;
        return problem.from ? `Not before ${problem.from}.` : `Not after ${problem.to}.`;
      case 'taken':
        return 'That day is not available. Choose another.';
      case 'number':
        return 'Type a number, such as 12.';
      case 'email':
        return 'Type an e-mail address, such as ani@example.com.';
      case 'phone':
        return 'Type a phone number of at least 5 digits.';
      default:
        return 'Choose one of what is offered.';
    }
  },

  seat_map: 'Map',
  seat_list: 'List',
  seat_view: 'How seats are shown',
  front: 'Front',
  row: (label: string) => `Row ${label}`,
  seat_free: 'free',
  seat_chosen: 'chosen',
  seat_held: 'held by somebody',
  seat_sold: 'sold',
  seat_accessible: 'for a wheelchair',
  free: 'Free',
  chosen: 'Yours',
  held: 'Held',
  sold: 'Sold',
  accessible: 'Wheelchair',
  taken_of_row: (sold: string, held: string) =>
    [sold && `Sold: ${sold}`, held && `Held: ${held}`].filter(Boolean).join(' · '),
  seats_none: 'There are no seats here.',
  seats_rule: (least: number, most: number) => {
    if (least === most) return `Choose ${seats(most)}.`;
    return least === 0 ? `Choose up to ${seats(most)}.` : `Choose ${least} to ${seats(most)}.`;
  },
  seats_keys: 'Arrow keys move, Space chooses.',
  seats_picked: (ids: string[]) =>
    ids.length === 0 ? 'No seat chosen yet' : `${seats(ids.length)}: ${ids.join(', ')}`,
  seats_total: 'Total',
  seats_full: (most: number) => `At most ${seats(most)}. Let one go to choose another.`,
  seats_is_held: (id: string) => `${id} is held by somebody who is paying.`,
  seats_is_sold: (id: string) => `${id} is sold.`,
  seats_gone: (ids: string) => `Gone meanwhile: ${ids}.`,
  hold: (clock: string) => `Seats held ${clock}`,
  hold_minutes: (minutes: number) => `Seats held for ${minutes === 1 ? '1 more minute' : `${minutes} more minutes`}`,
  hold_over: 'The time is over: the seats are no longer held for you.',
  hold_reload: 'Load the seats again',
};
