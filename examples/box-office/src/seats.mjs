// The only authority on seats: who holds which until when, and which are sold under which order. Everything here happens
// at once, without waiting, and is on the disk before anybody hears of it; so no two buyers get one seat.
//
// A seat is named `<stock>/<seat>`; a stock is a showing, or one leg of a bus. An order holds all of its seats or none.

export const HOLD_MS = 5 * 60_000;
/** A payment that was made in time may arrive a little later: by this part of the hold. */
const GRACE = 0.2;
const DAY_MS = 86_400_000;
/** States in which an order has its seats, whatever the time. */
const FIRM = new Set(['confirming', 'sold', 'returning']);

export class Seats {
  #store;
  #now;
  #holdMs;
  /** Seat -> reference of the order that took it last. */
  #owners = new Map();

  constructor(store, now = Date.now, holdMs = HOLD_MS) {
    this.#store = store;
    this.#now = now;
    this.#holdMs = holdMs;
    store.data.orders ??= {};
    this.#prune();
    const orders = Object.values(store.data.orders).sort((a, b) => a.created - b.created);
    const occupying = orders.filter((order) => FIRM.has(order.state) || order.state === 'held');
    // Whoever has its seats for good wins over a hold that ran out.
    for (const order of [
      ...occupying.filter((order) => !this.#has(order)),
      ...occupying.filter((order) => this.#has(order)),
    ]) {
      for (const key of order.seats) this.#owners.set(key, order.reference);
    }
  }

  /** How long seats are kept for who has not paid yet. */
  get holdMs() {
    return this.#holdMs;
  }

  order(reference) {
    return this.#store.data.orders[reference];
  }

  /** Seat -> held or sold, of a stock: what nobody can have now; `except`'s own open holds count as free. */
  taken(stock, except) {
    const taken = new Map();
    for (const [key, reference] of this.#owners) {
      const order = this.order(reference);
      if (!key.startsWith(`${stock}/`) || !order || !this.#has(order)) continue;
      if (order.state === 'held' && order.user === except) continue;
      taken.set(key.slice(stock.length + 1), order.state === 'held' ? 'held' : 'sold');
    }
    return taken;
  }

  /**
   * Holds the seats of a new order; false if one of them is gone. The same order again is the same hold. A buyer has one open
   * hold per shop: an older one lets its seats go.
   */
  hold(order) {
    const known = this.order(order.reference);
    if (known) return this.#has(known);
    const older = this.#of(order.shop, order.user).filter(({ state }) => state === 'held');
    const own = new Set(older.map(({ reference }) => reference));
    if (order.seats.some((key) => this.#ownerOf(key) && !own.has(this.#ownerOf(key)))) return false;
    for (const { reference } of older) this.order(reference).until = 0;
    const now = this.#now();
    const kept = { ...order, state: 'held', told: false, created: now, until: now + this.#holdMs };
    this.#store.data.orders[order.reference] = kept;
    for (const key of kept.seats) this.#owners.set(key, kept.reference);
    this.#store.save();
    return true;
  }

  /** Are the order's seats its own, or still nobody's? Then they are its own from now on. */
  claim(reference) {
    const order = this.order(reference);
    if (order.seats.some((key) => ![undefined, reference].includes(this.#ownerOf(key)))) return false;
    for (const key of order.seats) this.#owners.set(key, reference);
    return true;
  }

  /** Has the order's time run out? To the second, as the buyer's device and the server count it. */
  isOver(reference) {
    return Math.floor(this.order(reference).until / 1000) * 1000 <= this.#now();
  }

  /** Writes down what became of an order. */
  move(reference, change) {
    Object.assign(this.order(reference), change);
    this.#store.save();
  }

  /** A buyer's orders of a shop, the newest first. */
  ordersOf(shop, user) {
    return this.#of(shop, user).sort((a, b) => b.created - a.created);
  }

  /** Orders of a shop whose end is still open, or of which the buyer was not told. */
  unfinished(shop) {
    const open = (order) => !order.told && (order.state !== 'held' || this.#has(order));
    return Object.values(this.#store.data.orders).filter((order) => order.shop === shop && open(order));
  }

  #of(shop, user) {
    return Object.values(this.#store.data.orders).filter((order) => order.shop === shop && order.user === user);
  }

  #ownerOf(key) {
    const reference = this.#owners.get(key);
    const order = reference && this.order(reference);
    return order && this.#has(order) ? reference : undefined;
  }

  #has(order) {
    return FIRM.has(order.state) || (order.state === 'held' && this.#now() < order.until + GRACE * this.#holdMs);
  }

  /** What nobody asks for any more. */
  #prune() {
    const { orders } = this.#store.data;
    const now = this.#now();
    for (const [reference, order] of Object.entries(orders)) {
      const over = Math.max(...order.starts) * 1000 < now - DAY_MS;
      const idle = !this.#has(order) && order.created < now - DAY_MS;
      if (over || idle) delete orders[reference];
    }
  }
}
