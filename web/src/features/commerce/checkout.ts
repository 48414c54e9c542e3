// The way of a payment from the choice of a card to its end, as states and what leads from one to the next. Pure: whoever
// keeps it asks the core when a step begins that waits for an answer, and only then. That is why a second tap pays nothing.
import type { Payment } from '../../core/contract';

/** Test cards of the sandbox. */
export const METHODS = ['sandbox:4242', 'sandbox:0002', 'sandbox:3220', 'sandbox:0077'] as const;
export type Method = (typeof METHODS)[number];

/** Why it did not go on. After the last four nothing but a new order helps. */
export type Trouble = 'declined' | 'method' | 'other' | 'expired' | 'changed' | 'unknown' | 'payee';

export type Checkout =
  | { step: 'choose'; method: Method; trouble?: Trouble; said?: string }
  /** The core has been asked to pay. */
  | { step: 'paying'; method: Method; answer: string | null }
  /** The bank wants to know more (3-D Secure). */
  | { step: 'challenge'; method: Method; prompt: string }
  /** No answer came: it may have been paid. */
  | { step: 'unsure'; method: Method }
  /** The core has been asked whether it was paid. */
  | { step: 'checking'; method: Method }
  | { step: 'done'; payment: Payment }
  | { step: 'over'; trouble: Trouble; said: string };

export type CheckoutEvent =
  | { type: 'choose'; method: Method }
  | { type: 'pay' }
  | { type: 'answer'; text: string }
  | { type: 'back' }
  | { type: 'check' }
  | { type: 'paid'; payment: Payment }
  | { type: 'challenged'; prompt: string }
  | { type: 'refused'; code: string; message: string };

export const BEGINNING: Checkout = { step: 'choose', method: METHODS[0] };

const troubles: Record<string, Trouble> = {
  payment_declined: 'declined',
  payment_method: 'method',
  order_expired: 'expired',
  order_changed: 'changed',
  payment_signature: 'changed',
  order_unknown: 'unknown',
  order_payee: 'payee',
};
/** The line broke while the bank was asked. */
const UNANSWERED = ['offline', 'timeout'];
const FINAL: Trouble[] = ['expired', 'changed', 'unknown', 'payee'];

/** The state after the event; the very same object where the event means nothing now. */
export function next(state: Checkout, event: CheckoutEvent): Checkout {
  switch (event.type) {
    case 'choose':
      return state.step === 'choose' ? { step: 'choose', method: event.method } : state;
    case 'pay':
      return state.step === 'choose' ? { step: 'paying', method: state.method, answer: null } : state;
    case 'answer': {
      const answer = event.text.trim();
      return state.step === 'challenge' && answer ? { step: 'paying', method: state.method, answer } : state;
    }
    case 'back':
      return state.step === 'challenge' ? { step: 'choose', method: state.method } : state;
    case 'check':
      return state.step === 'unsure' ? { step: 'checking', method: state.method } : state;
    case 'paid':
      if (event.payment.status === 'failed') {
        // A slow bank may say so after it had taken the payment on.
        return state.step === 'done'
          ? { step: 'choose', method: METHODS[0], trouble: 'declined' }
          : refused(state, 'payment_declined', '');
      }
      return state.step === 'done' && state.payment === event.payment
        ? state
        : { step: 'done', payment: event.payment };
    case 'challenged':
      return state.step === 'paying' ? { step: 'challenge', method: state.method, prompt: event.prompt } : state;
    case 'refused':
      return refused(state, event.code, event.message);
  }
}

function refused(state: Checkout, code: string, said: string): Checkout {
  if (state.step !== 'paying' && state.step !== 'checking') return state;
  const { method } = state;
  if (UNANSWERED.includes(code)) return { step: 'unsure', method };
  // It was asked whether somebody has paid, and nobody has.
  if (code === 'payment_unknown') return { step: 'choose', method };
  const trouble = troubles[code] ?? 'other';
  return FINAL.includes(trouble) ? { step: 'over', trouble, said } : { step: 'choose', method, trouble, said };
}

/** Whether an answer is on its way. */
export function isBusy({ step }: Checkout): boolean {
  return step === 'paying' || step === 'checking';
}
