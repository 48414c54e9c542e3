// Choosing seats on a seat map: the flow's screens, and the endpoint that fills them. A screen for each ride; whatever was taken
// meanwhile is said on the same screen, with the map as it is now.
import { FlowServerError, receiveFlowEvent, respondToFlow } from '@kapso/whatsapp-cloud-api/server';
import { ask, decode, seatsFit, takenOn } from './conversation.mjs';
import { when } from './time.mjs';

/** The token of a flow: what was chosen so far, and by whom. */
export const tokenOf = (draft, user) => `${draft}&user=${user}`;

function screen(id, payload) {
  const text = (example) => ({ type: 'string', __example__: example });
  const number = (example) => ({ type: 'number', __example__: example });
  return {
    id,
    title: 'Kursi',
    data: {
      heading: text('Ombak Selatan'),
      label: text('Pilih kursi'),
      button: text('Lanjut'),
      least: number(1),
      most: number(6),
      rows: {
        type: 'array',
        items: { type: 'object' },
        __example__: [{ label: 'A', seats: [{ id: 'A1', state: 'free', price: 45000 }] }],
      },
      chosen: text(''),
    },
    layout: {
      type: 'SingleColumnLayout',
      children: [
        { type: 'TextSubheading', text: `\${data.heading}` },
        {
          type: 'SeatMap',
          name: 'seats',
          label: `\${data.label}`,
          rows: `\${data.rows}`,
          minSeats: `\${data.least}`,
          maxSeats: `\${data.most}`,
          currency: 'IDR',
        },
        { type: 'Footer', label: `\${data.button}`, onClickAction: { name: 'data_exchange', payload } },
      ],
    },
  };
}

const payload = { seats: `\${form.seats}`, chosen: `\${data.chosen}` };

/** First and second ride; a cinema stays on the first. In the SDK's spelling, which it turns into that of Flow JSON. */
export const FLOW = {
  version: '7.0',
  dataApiVersion: '3.0',
  routingModel: { SEATS: ['RETURN'], RETURN: [] },
  screens: [screen('SEATS', payload), { ...screen('RETURN', payload), terminal: true }],
};
const SCREENS = FLOW.screens.map(({ id }) => id);

/** The answer to one question, {screen, data}. `worldOf(user)` is the conversation's world for a buyer. */
export async function exchange(question, phoneNumberId, worldOf) {
  const verifyToken = (token) => decode(token)?.user !== undefined;
  const rawBody = Buffer.from(question);
  const {
    raw,
    screen: at,
    data,
    flowToken,
  } = await receiveFlowEvent({ rawBody, phoneNumberId, verifyToken, getPrivateKey: noKey });
  const { user, ...draft } = decode(flowToken);
  const world = worldOf(user);
  const rides = ridesOf(draft, world);
  if (raw.action === 'data_exchange')
    return next({ at: SCREENS.indexOf(at), data, draft, rides, token: flowToken }, world);
  return map(raw.action === 'BACK' ? at : SCREENS[0], rides, {}, draft, world);
}

/** It was opened before. */
const noKey = async () => undefined;

/** Everything but the seats has to be chosen, and still to be had. A map that was sent is shown even when all is sold. */
function ridesOf(draft, world) {
  const [step] = ask(draft, { ...world, taken: () => new Map() });
  if (step.send?.type !== 'flow') throw new FlowServerError(427, world.t.too_late);
  return world.shop.rides(draft);
}

function next({ at, data, draft, rides, token }, world) {
  const { t, shop } = world;
  const seats = [data.seats].flat().filter((id) => typeof id === 'string');
  const fit = rides[at] ? seatsFit(rides[at], seats, shop.countBySeats ? undefined : draft.n, world) : 'wrong';
  const chosen = typeof data.chosen === 'string' ? data.chosen : '';
  if (fit !== 'free')
    return map(SCREENS[at] ?? SCREENS[0], rides, { chosen, error_message: t.seats_gone }, draft, world);
  const all = [...chosen.split('/').filter(Boolean), seats.join('.')];
  if (rides[at + 1]) return map(SCREENS[at + 1], rides, { chosen: all.join('/') }, draft, world);
  const named = Object.fromEntries(rides.map(({ field }, ride) => [field, all[ride]]));
  return { screen: 'SUCCESS', data: { extension_message_response: { params: { flow_token: token, ...named } } } };
}

function map(id, rides, more, draft, world) {
  const { t, language, shop } = world;
  const ride = rides[SCREENS.indexOf(id)] ?? rides[0];
  const taken = takenOn(ride, world);
  const rows = ride.layout.rows.map(({ name, seats }) => {
    const shown = seats.map((seat) => {
      const state = taken.get(seat.id) ?? 'free';
      return { id: seat.id, state, price: ride.price(seat) * 100, ...(seat.accessible && { accessible: true }) };
    });
    shown.splice(ride.layout.aisle, 0, { state: 'gap' });
    return { label: name, seats: shown };
  });
  const count = Number(draft.n);
  const [least, most] = shop.countBySeats ? [1, shop.seatsMax] : [count, count];
  const heading = `${ride.title}, ${when(ride.at, language)}`;
  return {
    screen: id,
    data: { heading, label: t.seats_cta, button: t.next, least, most, rows, chosen: '', error_message: '', ...more },
  };
}

/** The SDK's words for an answer, to be sealed. */
export function answered({ screen, data }) {
  return respondToFlow({ screen, data }).body;
}
