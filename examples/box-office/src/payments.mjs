// What becomes of an order when its payment changes. The decision is pure; carrying it out may be repeated at any time and leads
// to the same end, because every message has an Idempotency-Key and every state is on the disk before it is acted upon.
//
//   held -> confirming -> sold -> returning -> refunded        the money: authorised, captured, refunded
//   held -> cancelling -> canceled                             the seats were lost: voided
//   held, confirming -> late                                   the server let the money go first, or it came after the hold

/** `claim()`: are the seats the order's own (again)? Asked only where it matters. `over()`: has the hold run out? */
export function decide(state, payment, claim, over) {
  switch (payment) {
    case 'authorised':
      if (state === 'held') return claim() ? 'confirming' : 'cancelling';
      return state === 'canceled' || state === 'late' ? 'cancelling' : state;
    case 'captured':
      if (['sold', 'returning', 'refunded'].includes(state)) return state;
      return claim() ? 'sold' : 'returning';
    case 'refunded':
      return 'refunded';
    case 'voided':
      if (state === 'held' || state === 'confirming') return 'late';
      return state === 'cancelling' ? 'canceled' : state;
    case 'failed':
      // The buyer may try again while the hold lasts.
      return state === 'held' && over() ? 'late' : state;
    default:
      // Not paid, or on its way.
      return state;
  }
}

export class Payments {
  #seats;
  #api;
  #shop;
  #texts;
  /** One at a time for an order. */
  #turns = new Map();

  /** `texts(order)`: the words for its buyer. */
  constructor({ seats, api, shop, texts }) {
    this.#seats = seats;
    this.#api = api;
    this.#shop = shop;
    this.#texts = texts;
  }

  /** Looks at the payment and does what follows. Webhooks are only the reason to look. */
  advance(reference) {
    const before = this.#turns.get(reference) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.#advance(reference));
    this.#turns.set(reference, turn);
    const clear = () => this.#turns.get(reference) === turn && this.#turns.delete(reference);
    turn.then(clear, clear);
    return turn;
  }

  /** Whatever was under way goes on. */
  async reconcile() {
    for (const { reference } of this.#seats.unfinished(this.#shop.id)) await this.advance(reference);
  }

  /** The buyer wants the money back. Said again, it is the same wish. */
  giveBack(reference) {
    if (this.#seats.order(reference).state === 'sold') this.#seats.move(reference, { state: 'returning', told: false });
    return this.advance(reference);
  }

  async #advance(reference) {
    const order = this.#seats.order(reference);
    if (!order) return;
    const payment = await this.#api.payment(reference);
    const paid = payment?.status;
    const [claim, over] = [() => this.#seats.claim(reference), () => this.#seats.isOver(reference)];
    const state = decide(order.state, paid, claim, over);
    if (state !== order.state) {
      const unseated = state === 'returning';
      this.#seats.move(reference, { state, told: false, ...(unseated && { lost: true }) });
    }
    if (!order.told) await this.#act(order, paid);
  }

  async #act(order, paid) {
    const { reference, state } = order;
    const t = this.#texts(order);
    const tell = (body) => this.#api.send(order.user, { type: 'text', body }, `${reference}/text/${order.state}`);
    switch (state) {
      case 'confirming':
        // This takes the money; the webhook of it brings us back here.
        await this.#status(order, 'processing', t.processing);
        return;
      case 'sold':
        await this.#status(order, 'completed', t[this.#shop.done]);
        break;
      case 'cancelling':
        await this.#status(order, 'canceled', t.canceled);
        this.#seats.move(reference, { state: 'canceled' });
        await tell(t.lost);
        break;
      case 'canceled':
        await tell(t.lost);
        break;
      case 'late':
        await tell(t.late);
        break;
      case 'returning':
        if (paid === 'captured') await this.#api.refund(reference);
        this.#seats.move(reference, { state: 'refunded' });
        await tell(order.lost ? t.lost_paid : t.returned);
        break;
      case 'refunded':
        await tell(order.lost ? t.lost_paid : t.returned);
        break;
      default:
        return;
    }
    this.#seats.move(reference, { told: true });
  }

  #status(order, status, text) {
    const message = { type: 'order_status', reference: order.reference, status, body: text };
    return this.#api.send(order.user, message, `${order.reference}/${status}`);
  }
}
