// A cinema for the scripted core: orders in every state, a till that takes the sandbox's test cards, and tickets that verify.
import type {
  Command,
  Interactive,
  Message,
  OrderDetails,
  OrderUpdate,
  Payment,
  Person,
  Ticket,
} from '../src/core/contract.ts';
import { CoreError } from '../src/core/link.ts';
import { company, type Written } from './business.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const start = Date.now();
const TOMORROW = new Date(start + 24 * HOUR).setHours(19, 0, 0, 0);

export const cinema = company('c19e', 'Bioskop Kota', '+622178901234', 'operator');

/** Signed by the seed of 32 sevens. */
const ISSUER_KEY = 'ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c';
const TOKENS = {
  laskar:
    'KABAR1.CiBhMWExYTFhMWExYTFhMWExYTFhMWExYTFhMWExYTFhMRIMQmlvc2tvcCBLb3RhGOoHIg5MYXNrYXIgUGVsYW5naSoSU3R1ZGlvIDIsIGt1cnNpIEM3MICEzuKiNDiAo-LKojRCB09SRC03NzEzdmC8fDCFaTYW8H9wagDPNbcD378SFSLyHqNohjDqFm-WjFBlgsxnAyQAWAMmnGu82Q2ynVFlHywaSn8E3oIP',
  sherina:
    'KABAR1.CiBiMmIyYjJiMmIyYjJiMmIyYjJiMmIyYjJiMmIyYjJiMhIMQmlvc2tvcCBLb3RhGOoHIhNQZXR1YWxhbmdhbiBTaGVyaW5hKhJTdHVkaW8gMSwga3Vyc2kgQTQwgITO4qI0OICj4sqiNEIHT1JELTY1MH337JgNVfNKLDEqZdA41uybzEd7onIDtZtOVCAu4Grnoq40NDvv46ucc8Nxt4mB2k7n2BonV8ma2PruSFUBNw0',
  gundala:
    'KABAR1.CiBjM2MzYzNjM2MzYzNjM2MzYzNjM2MzYzNjM2MzYzNjMxIMQmlvc2tvcCBLb3RhGOoHIgdHdW5kYWxhKhJTdHVkaW8gMywga3Vyc2kgRjEwgITO4qI0OICj4sqiNEIIT1JELTEwMDF2CEujwZoyBcWBE6cMGXoMSmc4Ik8JLurx4c3M7J5JPY-cwJvikxh8Mr1XZAVjyXc8V7NJPcgNQczmzGBTjhAP',
};

function order(reference_id: string, minutes: number, more: Partial<OrderDetails> = {}): OrderDetails {
  const items = [
    { name: 'Gundala, kursi F1', amount: 4_500_000, quantity: 1 },
    { name: 'Brondong jagung besar', amount: 250_000, quantity: 2 },
  ];
  return {
    reference_id,
    currency: 'IDR',
    items,
    subtotal: 5_000_000,
    tax: 0,
    shipping: 0,
    discount: 0,
    total: 5_000_000,
    expires_ms: start + minutes * MINUTE,
    ...more,
  };
}

function interactive(ago: number, body: string, action: Interactive['action']): Written {
  const shown = { header: null, body, footer: null, action };
  return { kind: 'interactive', text: body, interactive: shown, automated: true, ago: ago * MINUTE };
}

const offer = (ago: number, body: string, details: OrderDetails) => interactive(ago, body, { order_details: details });
const update = (ago: number, body: string, status: OrderUpdate) => interactive(ago, body, { order_status: status });

function ticket(ago: number, token: string, reference_id: string, text: string): Written {
  return { kind: 'ticket', text, ticket: { token, reference_id }, automated: true, ago: ago * MINUTE };
}

const taxed = { items: [{ name: 'Laskar Pelangi, kursi C7', amount: 4_500_000, quantity: 1 }], subtotal: 4_500_000 };

export const visits: Written[] = [
  ticket(4000, TOKENS.sherina, 'ORD-650', 'Petualangan Sherina Studio 1, kursi A4'),
  update(3900, 'Uang Anda sudah kami kembalikan.', { reference_id: 'ORD-650', status: 'refunded', description: '' }),
  offer(
    300,
    'Laskar Pelangi, besok pukul 19.00.',
    order('ORD-771', -250, { ...taxed, tax: 495_000, discount: 100_000, total: 4_895_000 }),
  ),
  ticket(290, TOKENS.laskar, 'ORD-771', 'Laskar Pelangi Studio 2, kursi C7'),
  update(289, 'Selamat menonton!', {
    reference_id: 'ORD-771',
    status: 'completed',
    description: 'Tiket sudah dikirim',
  }),
  offer(200, 'Kursi untuk malam ini.', order('ORD-900', -120)),
  offer(30, 'Paket keluarga.', order('ORD-CHANGED', 300)),
  offer(20, 'Paket hemat.', order('ORD-CUT', 2 * 24 * 60)),
  offer(1, 'Kursi F1 kami tahan lima menit.', order('ORD-1001', 5)),
];

/** What the scripted core's till needs of it. */
export interface House {
  find(messageId: string): Message | undefined;
  write(peer: Person, written: Written): void;
  notify(payment: Payment): void;
}

/** Takes payments as the sandbox does: by the last digits of the card. */
export class Till {
  readonly #house: House;
  readonly #payments = new Map<string, Payment>();
  /** References whose order the seller has ended. */
  readonly #ended = new Set(['ORD-650']);
  readonly #tickets: [token: string, reference: string, title: string, place: string][] = [
    [TOKENS.sherina, 'ORD-650', 'Petualangan Sherina', 'Studio 1, kursi A4'],
    [TOKENS.laskar, 'ORD-771', 'Laskar Pelangi', 'Studio 2, kursi C7'],
  ];

  constructor(house: House) {
    this.#house = house;
    this.#set(order('ORD-771', 0, { total: 4_895_000 }), 'captured');
  }

  #set({ reference_id, total, currency }: OrderDetails, status: Payment['status']): Payment {
    const payment = { reference_id, transaction_id: `sbx_${reference_id}`, status, amount: total, currency };
    this.#payments.set(reference_id, payment);
    return payment;
  }

  #order(messageId: string): OrderDetails {
    const action = this.#house.find(messageId)?.interactive?.action;
    if (!action || !('order_details' in action)) throw new CoreError({ code: 'invalid', message: 'no order' });
    return action.order_details;
  }

  payment(messageId: string): Payment {
    const found = this.#payments.get(this.#order(messageId).reference_id);
    if (!found) throw new CoreError({ code: 'payment_unknown', message: 'nobody has paid this order' });
    return found;
  }

  async pay({ message_id, method, challenge_answer }: Extract<Command, { type: 'pay' }>): Promise<unknown> {
    const details = this.#order(message_id);
    const refuse = (code: string, message = code) => {
      throw new CoreError({ code, message });
    };
    await new Promise((resolve) => setTimeout(resolve, 900));
    if (details.expires_ms < Date.now()) refuse('order_expired');
    if (details.reference_id === 'ORD-CHANGED') refuse('order_changed');
    if (details.reference_id === 'ORD-CUT') refuse('offline');
    if (method.endsWith('0002')) refuse('payment_declined', 'card_declined');
    if (method.endsWith('3220')) {
      const prompt = 'Ketik kode yang dikirim bank uji. Kodenya 123456.';
      if (challenge_answer === null) return { type: 'payment_challenge', prompt };
      if (challenge_answer !== '123456') refuse('payment_declined', 'authentication_failed');
    }
    const slow = method.endsWith('0077');
    setTimeout(() => this.#settle(details), slow ? 10_000 : 7000);
    return { type: 'payment', ...this.#set(details, slow ? 'pending' : 'authorised') };
  }

  #settle(details: OrderDetails): void {
    this.#house.notify(this.#set(details, 'captured'));
    this.#tickets.push([TOKENS.gundala, details.reference_id, 'Gundala', 'Studio 3, kursi F1']);
    this.#house.write(cinema, ticket(0, TOKENS.gundala, details.reference_id, 'Gundala Studio 3, kursi F1'));
  }

  /** Takes a ticket back: the money first, then the word. */
  giveBack(reference: string): void {
    const payment = this.#payments.get(reference);
    this.#ended.add(reference);
    if (payment) this.#house.notify({ ...payment, status: 'refunded' });
    this.#house.write(
      cinema,
      update(0, 'Tiket sudah kami terima kembali.', { reference_id: reference, status: 'refunded', description: '' }),
    );
  }

  tickets(messages: readonly Message[]): Ticket[] {
    return this.#tickets.map(([token, reference_id, title, place], i) => ({
      ticket_id: String(i).padStart(32, '0'),
      conversation_id: cinema.account_id,
      message_id: messages.find((message) => message.ticket?.token === token)?.message_id ?? '',
      issuer: cinema.name,
      title,
      place,
      starts_at: TOMORROW,
      reference_id,
      token,
      issuer_key: ISSUER_KEY,
      returned: this.#ended.has(reference_id),
    }));
  }
}
