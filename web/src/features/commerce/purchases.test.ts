// What the core is asked, and how often.
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command, OrderDetails, Payment } from '../../core/contract';
import type { CoreLink } from '../../core/link';

const order = { reference_id: 'ORD-1' } as OrderDetails;
const payment = { type: 'payment', reference_id: 'ORD-1', status: 'authorised' } as unknown as Payment;
const asked: Command[] = [];
let answer: (command: Command) => Promise<unknown>;

beforeAll(() => {
  vi.stubGlobal('window', { addEventListener() {} });
  vi.stubGlobal('navigator', { onLine: true, languages: [] });
});

async function fresh() {
  const { session } = await import('../session/session.svelte');
  const { purchases } = await import('./purchases.svelte');
  const request = (command: Command) => {
    asked.push(command);
    return answer(command);
  };
  session.link = { request } as unknown as CoreLink;
  purchases.forget();
  asked.length = 0;
  return purchases;
}

describe('purchases', () => {
  beforeEach(() => {
    answer = async () => payment;
  });
  it('ask for one payment under many taps', async () => {
    const purchases = await fresh();
    for (let tap = 0; tap < 5; tap += 1) purchases.act('m', { type: 'pay' });
    purchases.leave('m');
    purchases.act('m', { type: 'pay' });
    await vi.waitFor(() => expect(purchases.checkout('m').step).toBe('done'));
    expect(asked.map(({ type }) => type)).toEqual(['pay']);
    expect(purchases.payment('m')?.status).toBe('authorised');
  });
  it('take a hint for no more than that', async () => {
    const purchases = await fresh();
    const { CoreError } = await import('../../core/link');
    answer = async () => {
      throw new CoreError({ code: 'payment_unknown', message: '' });
    };
    purchases.look('m', order);
    await vi.waitFor(() => expect(purchases.payment('m')).toBeNull());
    purchases.look('m', order);
    purchases.hint({ ...payment, reference_id: 'ORD-2' });
    expect(asked.length).toBe(1);
    purchases.hint({ ...payment, status: 'captured' });
    expect(asked.length).toBe(2);
    await vi.waitFor(() => expect(purchases.payment('m')).toBeNull());
  });
  it('keep what they know when the line breaks', async () => {
    const purchases = await fresh();
    purchases.look('m', order);
    await vi.waitFor(() => expect(purchases.payment('m')?.status).toBe('authorised'));
    answer = async () => Promise.reject(new Error('offline'));
    purchases.hint(payment);
    await vi.waitFor(() => expect(asked.length).toBe(2));
    expect(purchases.payment('m')?.status).toBe('authorised');
  });
});
