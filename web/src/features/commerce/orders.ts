// Where an order stands, from the order itself, its payment and what the seller said last. Pure.
import type { Message, OrderDetails, OrderUpdate, Payment } from '../../core/contract';

/** `open`: can be paid. `closed`: cannot, and only the seller's word says why. */
export type Standing = Payment['status'] | 'open' | 'expired' | 'canceled' | 'closed';

export function orderOf({ interactive }: Message): OrderDetails | undefined {
  const action = interactive?.action;
  return action && 'order_details' in action ? action.order_details : undefined;
}

export function updateOf({ interactive }: Message): OrderUpdate | undefined {
  const action = interactive?.action;
  return action && 'order_status' in action ? action.order_status : undefined;
}

/** What sellers said last of each order; messages come oldest first. */
export function updatesOf(messages: readonly Message[]): Map<string, OrderUpdate> {
  const updates = new Map<string, OrderUpdate>();
  for (const message of messages) {
    const update = message.mine ? undefined : updateOf(message);
    if (update) updates.set(update.reference_id, update);
  }
  return updates;
}

const UNDER_WAY = ['processing', 'partially_shipped', 'shipped', 'completed'];

/** `payment` null or unknown: as far as this device knows, nobody has paid. */
export function standingOf(
  order: OrderDetails,
  payment: Payment | null | undefined,
  update: OrderUpdate | undefined,
  now: number,
): Standing {
  if (update?.status === 'refunded' || update?.status === 'canceled') return update.status;
  if (payment && payment.status !== 'failed') return payment.status;
  if (update && UNDER_WAY.includes(update.status)) return 'closed';
  if (order.expires_ms <= now) return 'expired';
  return payment ? 'failed' : 'open';
}

export function isPayable(standing: Standing): boolean {
  return standing === 'open' || standing === 'failed';
}
