// One shop at work: takes what a person wrote or tapped, lets the conversation decide, and carries that out. A message that is
// delivered again, even after a crash in the middle, has no second effect: it gets the answer that was written down, every send has
// a key made of the message's id, and an order's reference is made of it too.
import { createHash } from 'node:crypto';
import { isTemporary } from './api.mjs';
import { answer, ask, decode, wantsLists } from './conversation.mjs';
import { tokenOf } from './seat-flow.mjs';
import { languageOf, texts } from './texts.mjs';
import { lasting } from './time.mjs';

const ANSWERS_MAX = 2_000;
/** Of an answer, once everything in it is done. */
const DONE = null;
const PEOPLE_MAX = 5_000;
const CLERK_AFTER_MS = 3_000;
const REFERENCE_CHARS = 16;

export class Desk {
  #store;
  #seats;
  #api;
  #shop;
  #payments;
  #flows;
  #now;

  /** `flows`: id of the flow with the seat map, where maps are sent. */
  constructor({ store, seats, api, shop, payments, flows, now = Date.now }) {
    store.data.answers ??= {};
    store.data.people ??= {};
    this.#store = store;
    this.#seats = seats;
    this.#api = api;
    this.#shop = shop;
    this.#payments = payments;
    this.#flows = flows;
    this.#now = now;
  }

  /**
   * A message in the SDK's normal form. The answer is on the disk before anything of it is said: when the message comes again, the
   * seats may have been sold meanwhile, to this very buyer, and judged anew it would get another answer.
   */
  async message(message, contact) {
    const { answers } = this.#store.data;
    if (answers[message.id] === DONE) return;
    answers[message.id] ??= this.#decide(message, contact);
    const deeds = answers[message.id];
    this.#store.save();
    if (deeds.length) void this.#api.read(message.id);
    try {
      for (const deed of deeds) await this.#do(deed);
    } catch (error) {
      if (!isTemporary(error)) this.#done(message.id);
      throw error;
    }
    this.#done(message.id);
  }

  #done(id) {
    const { answers } = this.#store.data;
    answers[id] = DONE;
    for (const old of Object.keys(answers).slice(0, -ANSWERS_MAX)) delete answers[old];
    this.#store.save();
  }

  /** What is to be done about a message: `{to, say, key}`, `{to, later, key}`, `{giveBack}`. Seats are held by it already. */
  #decide(message, contact) {
    const user = message.fromUserId ?? message.from;
    const place = `${this.#shop.id}/${user}`;
    const known = this.#store.data.people[place];
    const event = eventOf(message, !known);
    if (!event) return [];
    const language = languageOf(event.text ?? '') ?? known?.language ?? 'id';
    const lists = known?.lists || wantsLists(event.text);
    const world = this.#world(user, language, { lists, name: contact?.profile?.name });
    const steps = answer(event, world);
    this.#remember(place, { language, ...(lists && { lists }) });
    return steps.flatMap((step, at) => this.#deeds(step, `${message.id}/${at}`, world));
  }

  async #do({ to, say, later, key, giveBack }) {
    if (say) await this.#api.send(to, say, key);
    if (giveBack) await this.#payments.giveBack(giveBack);
    if (later) {
      const send = () => this.#api.send(to, later, key).catch(() => undefined);
      setTimeout(send, CLERK_AFTER_MS).unref();
    }
  }

  /** For the seat map of a buyer. */
  worldOf(user) {
    return this.#world(user, this.#store.data.people[`${this.#shop.id}/${user}`]?.language ?? 'id', {});
  }

  #world(user, language, { lists, name }) {
    return {
      shop: this.#shop,
      user,
      language,
      t: texts[language],
      name: name || '',
      now: this.#now(),
      flows: this.#flows && !lists,
      orders: this.#seats.ordersOf(this.#shop.id, user),
      taken: (stock) => this.#seats.taken(stock, user),
    };
  }

  #deeds(step, key, world) {
    const { user, t } = world;
    if (step.send) return [this.#saying(step.send, key, user)];
    if (step.order) return this.#order(step.order, key, world);
    if (step.giveBack) return [{ giveBack: step.giveBack }];
    return [{ to: user, later: { type: 'text', body: t.clerk_demo }, key: `${key}/clerk` }];
  }

  #saying(message, key, user) {
    const flow = message.type === 'flow' && { token: tokenOf(message.draft, user), flowId: this.#flows };
    return { to: user, say: { ...message, ...flow }, key };
  }

  /** The hold first, then the bill. */
  #order({ draft, rides }, key, world) {
    const { shop, user, language, t } = world;
    const reference = `${shop.prefix}-${digest(key)}`;
    const items = rides.flatMap((ride) => ride.seats.map((id) => item(ride, id)));
    const what = shop.describe(draft, language);
    const order = {
      reference,
      shop: shop.id,
      user,
      language,
      what,
      seats: rides.flatMap(({ stocks, seats }) => stocks.flatMap((stock) => seats.map((id) => `${stock}/${id}`))),
      starts: rides.map(({ at }) => at / 1000),
    };
    if (!this.#seats.hold(order)) {
      const sorry = this.#saying({ type: 'text', body: t.seats_gone }, `${key}/gone`, user);
      const again = ask(draft, world).filter(({ send }) => send);
      return [sorry, ...again.map(({ send }, at) => this.#saying(send, `${key}/again/${at}`, user))];
    }
    const expires = Math.floor(this.#seats.order(reference).until / 1000);
    const seats = [...new Set(rides.flatMap((ride) => ride.seats))].join(' ');
    const bill = {
      type: 'order_details',
      body: t.order(what, seats, lasting(this.#seats.holdMs, language)),
      footer: t.order_footer,
      reference,
      items,
      expires,
    };
    return [this.#saying(bill, `${reference}/details`, user)];
  }

  #remember(place, person) {
    const { people } = this.#store.data;
    delete people[place];
    people[place] = person;
    const [oldest] = Object.keys(people);
    if (Object.keys(people).length > PEOPLE_MAX) delete people[oldest];
  }
}

/** One seat of one ride: a ticket of its own. */
function item(ride, id) {
  const seat = ride.layout.rows.flatMap(({ seats }) => seats).find((seat) => seat.id === id);
  return { id: `ticket:${id}@${ride.at / 1000}`, name: `${ride.title} · ${id}`, price: ride.price(seat) };
}

function digest(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, REFERENCE_CHARS);
}

/** Undefined for what is no message to a shop, such as a reaction. */
function eventOf(message, first) {
  const { interactive } = message;
  if (message.type === 'text') return { text: message.text?.body ?? '', first };
  const reply = interactive?.buttonReply ?? interactive?.listReply;
  if (reply?.id) return { choice: reply.id };
  if (interactive?.nfmReply) return { draft: drafted(message.kapso) };
  if (message.type === 'button') return { choice: message.button?.payload ?? '' };
  return ['reaction', 'system'].includes(message.type) ? undefined : { text: '', first };
}

/** What came out of a seat map; the SDK has read it. */
function drafted({ flowToken, flowResponse } = {}) {
  const seats = Object.entries(flowResponse ?? {}).filter(([, value]) => typeof value === 'string');
  return { ...Object.fromEntries(seats), ...decode(flowToken) };
}
