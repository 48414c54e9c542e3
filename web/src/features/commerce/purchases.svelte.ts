// Payments as far as this page knows them, and the checkouts that are open. Both belong to a message with an order.
import { SvelteMap } from 'svelte/reactivity';
import type { OrderDetails, Payment } from '../../core/contract';
import { CoreError } from '../../core/link';
import { session } from '../session/session.svelte';
import { BEGINNING, type Checkout, type CheckoutEvent, next } from './checkout';

/** The core is not asked again about the same payment before this time, but for a hint that it has changed. */
const ASK_AGAIN_MS = 15_000;

class Purchases {
  /** null: nobody has paid. */
  readonly #payments = new SvelteMap<string, Payment | null>();
  readonly #checkouts = new SvelteMap<string, Checkout>();
  readonly #orders = new Map<string, OrderDetails>();
  readonly #asked = new Map<string, number>();

  payment(messageId: string): Payment | null | undefined {
    return this.#payments.get(messageId);
  }

  checkout(messageId: string): Checkout {
    return this.#checkouts.get(messageId) ?? BEGINNING;
  }

  /** An order is on the screen: learns what became of its payment. */
  look(messageId: string, order: OrderDetails): void {
    this.#orders.set(messageId, order);
    const asked = this.#asked.get(messageId) ?? 0;
    if (Date.now() - asked > ASK_AGAIN_MS) void this.#fetch(messageId);
  }

  /** The server says that a payment has changed. References are the sellers' own, so it may be another's. */
  hint(payment: Payment): void {
    for (const [messageId, order] of this.#orders) {
      if (order.reference_id === payment.reference_id) void this.#fetch(messageId);
    }
  }

  /** What the person does in the sheet. */
  act(messageId: string, event: CheckoutEvent): void {
    const state = this.#step(messageId, event);
    if (!state) return;
    if (state.step === 'paying') void this.#pay(messageId, state.method, state.answer);
    else if (state.step === 'checking') void this.#check(messageId);
  }

  /** The sheet was closed: what has come to an end begins anew the next time. */
  leave(messageId: string): void {
    const { step } = this.checkout(messageId);
    if (step === 'done' || step === 'over' || step === 'choose') this.#checkouts.delete(messageId);
  }

  forget(): void {
    this.#payments.clear();
    this.#checkouts.clear();
    this.#orders.clear();
    this.#asked.clear();
  }

  /** The new state, if the event has led to one. */
  #step(messageId: string, event: CheckoutEvent): Checkout | undefined {
    const before = this.checkout(messageId);
    const after = next(before, event);
    if (after === before) return undefined;
    this.#checkouts.set(messageId, after);
    return after;
  }

  async #pay(message_id: string, method: string, challenge_answer: string | null): Promise<void> {
    try {
      const reply = await session.link.request({ type: 'pay', message_id, method, challenge_answer });
      if (reply.type === 'payment') this.#learn(message_id, reply);
      else this.#step(message_id, { type: 'challenged', prompt: reply.prompt });
    } catch (error) {
      this.#step(message_id, refusal(error));
    }
  }

  async #check(message_id: string): Promise<void> {
    try {
      this.#learn(message_id, await session.link.request({ type: 'payment', message_id }));
    } catch (error) {
      this.#step(message_id, refusal(error));
    }
  }

  #learn(messageId: string, payment: Payment): void {
    this.#payments.set(messageId, payment);
    if (this.#checkouts.has(messageId)) this.#step(messageId, { type: 'paid', payment });
  }

  async #fetch(message_id: string): Promise<void> {
    this.#asked.set(message_id, Date.now());
    try {
      this.#learn(message_id, await session.link.request({ type: 'payment', message_id }));
    } catch (error) {
      // Whatever else went wrong, what was known before stays; the next connection asks again.
      if (error instanceof CoreError && error.code === 'payment_unknown') this.#payments.set(message_id, null);
      else this.#asked.delete(message_id);
    }
  }
}

function refusal(error: unknown): CheckoutEvent {
  const { code, message } = error instanceof CoreError ? error : { code: '', message: String(error) };
  return { type: 'refused', code, message };
}

export const purchases = new Purchases();
