// Amounts, countdowns, where orders stand, which tickets count, and what the gate remembers.
import { describe, expect, it } from 'vitest';
import type { Message, OrderDetails, Payment, Ticket } from '../../core/contract';
import { formatAmount } from './amount';
import { leftUntil } from './countdown';
import { GateBook, issuerKey } from './gate';
import { isPayable, standingOf, updatesOf } from './orders';
import { upcoming } from './upcoming';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

describe('an amount', () => {
  it('is counted in the minor units of the protocol', () => {
    expect(formatAmount(5_000_000, 'IDR', 'id-ID')).toBe('Rp50.000');
    expect(formatAmount(5_000_050, 'IDR', 'id-ID')).toBe('Rp50.000,50');
    expect(formatAmount(50_000, 'JPY', 'en-GB')).toBe('JP¥50,000');
    expect(formatAmount(1999, 'USD', 'en-US')).toBe('$19.99');
    expect(formatAmount(1500, 'KWD', 'en-GB')).toMatch(/^KWD\s1\.500$/);
  });
  it('keeps its sign', () => {
    expect(formatAmount(-100_000, 'IDR', 'id-ID')).toBe('-Rp1.000');
  });
});

describe('the time that is left', () => {
  it('is a clock on the last day', () => {
    expect(leftUntil(NOW + 299_000, NOW)).toEqual({ clock: '4:59' });
    expect(leftUntil(NOW + 1, NOW)).toEqual({ clock: '0:01' });
    expect(leftUntil(NOW + HOUR + 299_000, NOW)).toEqual({ clock: '1:04:59' });
    expect(leftUntil(NOW + 24 * HOUR, NOW)).toBe('later');
  });
  it('ends', () => {
    expect(leftUntil(NOW, NOW)).toBe('over');
    expect(leftUntil(NOW - HOUR, NOW)).toBe('over');
  });
});

describe('an order', () => {
  const order = { reference_id: 'ORD-1', expires_ms: NOW + HOUR } as OrderDetails;
  const paid = (status: Payment['status']) => ({ reference_id: 'ORD-1', status }) as Payment;
  const said = (status: string) => ({ reference_id: 'ORD-1', status, description: '' });

  it('can be paid until it expires', () => {
    expect(standingOf(order, null, undefined, NOW)).toBe('open');
    expect(standingOf(order, undefined, undefined, NOW + HOUR)).toBe('expired');
    expect(standingOf(order, paid('failed'), undefined, NOW)).toBe('failed');
    expect(standingOf(order, paid('failed'), undefined, NOW + HOUR)).toBe('expired');
  });
  it('is no longer payable once somebody has', () => {
    for (const status of ['pending', 'authorised', 'captured', 'voided', 'refunded'] as const) {
      const standing = standingOf(order, paid(status), undefined, NOW + HOUR);
      expect(standing).toBe(status);
      expect(isPayable(standing)).toBe(false);
    }
  });
  it('ends by the word of the seller', () => {
    expect(standingOf(order, paid('captured'), said('refunded'), NOW)).toBe('refunded');
    expect(standingOf(order, null, said('canceled'), NOW)).toBe('canceled');
    expect(standingOf(order, undefined, said('completed'), NOW)).toBe('closed');
    expect(standingOf(order, undefined, said('pending'), NOW)).toBe('open');
  });
  it('has the newest word of the seller, and nobody else’s', () => {
    const message = (status: string, mine = false) =>
      ({ mine, interactive: { action: { order_status: said(status) } } }) as unknown as Message;
    const updates = updatesOf([message('processing'), message('shipped'), message('refunded', true)]);
    expect(updates.get('ORD-1')?.status).toBe('shipped');
  });
});

describe('tickets at the top', () => {
  const ticket = (changes: Partial<Ticket>) =>
    ({ issuer_key: 'ab', returned: false, starts_at: NOW, ...changes }) as Ticket;
  it('are genuine, not returned, and not long over', () => {
    const shown = [ticket({}), ticket({ starts_at: NOW - HOUR }), ticket({ starts_at: 0 })];
    const hidden = [ticket({ issuer_key: null }), ticket({ returned: true }), ticket({ starts_at: NOW - 7 * HOUR })];
    expect(upcoming([...hidden, ...shown], NOW)).toEqual([shown[1], shown[0], shown[2]]);
  });
});

describe('the gate', () => {
  const storage = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => void kept.set(key, text),
    };
  };
  const ticket = { ticket_id: 'a', title: 'Gundala', place: 'F1' };
  it('lets a ticket in once, and knows when that was', () => {
    const keep = storage();
    expect(new GateBook(keep).admit(ticket, NOW)).toBeUndefined();
    const again = new GateBook(keep);
    expect(again.admit(ticket, NOW + HOUR)?.time).toBe(NOW);
    expect(again.admit({ ...ticket, ticket_id: 'b' }, NOW)).toBeUndefined();
    expect(again.entries().map(({ ticket_id }) => ticket_id)).toEqual(['b', 'a']);
    again.clear();
    expect(again.admit(ticket, NOW)).toBeUndefined();
  });
  it('takes a key however it was pasted', () => {
    expect(issuerKey(` ${'AB'.repeat(16)}\n${'cd'.repeat(16)} `)).toBe('ab'.repeat(16) + 'cd'.repeat(16));
    expect(issuerKey('ab')).toBeUndefined();
    expect(issuerKey('xy'.repeat(32))).toBeUndefined();
  });
});
