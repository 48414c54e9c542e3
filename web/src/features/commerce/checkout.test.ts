// The way of a payment, step by step.
import { describe, expect, it } from 'vitest';
import type { Payment } from '../../core/contract';
import { BEGINNING, type Checkout, type CheckoutEvent, next } from './checkout';

const payment: Payment = {
  reference_id: 'ORD-1',
  transaction_id: 'x',
  status: 'authorised',
  amount: 5_000_000,
  currency: 'IDR',
};
const reached = (...events: CheckoutEvent[]): Checkout => events.reduce(next, BEGINNING);
const refused = (code: string): CheckoutEvent => ({ type: 'refused', code, message: 'said' });

describe('a checkout', () => {
  it('asks once, however often it is tapped', () => {
    const paying = reached({ type: 'choose', method: 'sandbox:4242' }, { type: 'pay' });
    expect(paying).toEqual({ step: 'paying', method: 'sandbox:4242', answer: null });
    for (const event of [{ type: 'pay' }, { type: 'choose', method: 'sandbox:0002' }, { type: 'check' }] as const) {
      expect(next(paying, event)).toBe(paying);
    }
  });
  it('goes on with what the person told the bank', () => {
    const asked = reached(
      { type: 'choose', method: 'sandbox:3220' },
      { type: 'pay' },
      { type: 'challenged', prompt: 'Kode?' },
    );
    expect(asked).toEqual({ step: 'challenge', method: 'sandbox:3220', prompt: 'Kode?' });
    expect(next(asked, { type: 'answer', text: ' ' })).toBe(asked);
    const answered = next(asked, { type: 'answer', text: ' 123 ' });
    expect(answered).toEqual({ step: 'paying', method: 'sandbox:3220', answer: '123' });
    expect(next(answered, { type: 'answer', text: '123' })).toBe(answered);
    expect(next(asked, { type: 'back' })).toEqual({ step: 'choose', method: 'sandbox:3220' });
  });
  it('lets another card be chosen after one was declined', () => {
    const declined = reached({ type: 'pay' }, refused('payment_declined'));
    expect(declined).toMatchObject({ step: 'choose', trouble: 'declined' });
    expect(next(declined, { type: 'choose', method: 'sandbox:0077' })).toEqual({
      step: 'choose',
      method: 'sandbox:0077',
    });
    const failed = { ...payment, status: 'failed' } as const;
    expect(reached({ type: 'pay' }, { type: 'paid', payment: failed })).toMatchObject({ trouble: 'declined' });
  });
  it('ends where nothing but a new order helps', () => {
    for (const [code, trouble] of [
      ['order_expired', 'expired'],
      ['order_changed', 'changed'],
      ['payment_signature', 'changed'],
      ['order_unknown', 'unknown'],
      ['order_payee', 'payee'],
    ] as const) {
      const over = reached({ type: 'pay' }, refused(code));
      expect(over).toEqual({ step: 'over', trouble, said: 'said' });
      expect(next(over, { type: 'pay' })).toBe(over);
    }
  });
  it('checks before it pays again when no answer came', () => {
    const unsure = reached({ type: 'pay' }, refused('offline'));
    expect(unsure.step).toBe('unsure');
    expect(next(unsure, { type: 'pay' })).toBe(unsure);
    const checking = next(unsure, { type: 'check' });
    expect(next(checking, refused('offline')).step).toBe('unsure');
    expect(next(checking, refused('payment_unknown'))).toEqual({ step: 'choose', method: 'sandbox:4242' });
    expect(next(checking, { type: 'paid', payment })).toEqual({ step: 'done', payment });
  });
  it('believes a payment whenever it hears of one', () => {
    expect(reached({ type: 'paid', payment })).toEqual({ step: 'done', payment });
    const done = reached({ type: 'pay' }, { type: 'paid', payment });
    expect(next(done, refused('offline'))).toBe(done);
    expect(next(done, { type: 'pay' })).toBe(done);
    expect(next(done, { type: 'paid', payment: { ...payment, status: 'failed' } })).toMatchObject({ step: 'choose' });
  });
});
