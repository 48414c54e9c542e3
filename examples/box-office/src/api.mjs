// The public Cloud API for one number, through the unmodified SDK. Nothing else of Kabar is known here.
import { createHash } from 'node:crypto';
import { GraphApiError, WhatsAppClient } from '@kapso/whatsapp-cloud-api';

const TIMEOUT_MS = 20_000;
/** The embedded provider of a Kabar server. */
const PAYMENT_SETTINGS = [
  { type: 'payment_gateway', payment_gateway: { type: 'sandbox', configuration_name: 'default' } },
];
const CONFIGURATION = 'default';
const CENTS = 100;

const amount = (rupiah) => ({ value: rupiah * CENTS, offset: CENTS });

/** Worth another try, of the whole webhook. Everything else was refused for good. */
export function isTemporary(error) {
  return !(error instanceof GraphApiError) || error.httpStatus >= 500 || error.httpStatus === 429;
}

export class Api {
  #account;

  /** `account`: {url, access_token, phone_number_id, waba_id, app_id}. */
  constructor(account) {
    this.#account = account;
  }

  /** A client whose calls carry these headers. */
  #client(headers = {}) {
    const { url, access_token } = this.#account;
    const withHeaders = (target, init) =>
      fetch(target, { ...init, headers: { ...init.headers, ...headers }, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return new WhatsAppClient({ baseUrl: url, accessToken: access_token, fetch: withHeaders });
  }

  /** Sends the same words once per key, however often it is asked to. A list of other seats than before a crash is other words. */
  async send(to, message, key) {
    const words = createHash('sha256').update(JSON.stringify(message)).digest('hex').slice(0, 16);
    const { messages } = this.#client({ 'Idempotency-Key': `${key}/${words}` });
    await write(messages, { phoneNumberId: this.#account.phone_number_id, to }, message);
  }

  /** The reader's ticks, and that somebody is writing. Nothing depends on it. */
  async read(messageId) {
    const seen = { phoneNumberId: this.#account.phone_number_id, messageId, typingIndicator: { type: 'text' } };
    await this.#client()
      .messages.markRead(seen)
      .catch(() => undefined);
  }

  /** {status} in the server's own words, or undefined for an order that nobody has paid. */
  async payment(reference) {
    try {
      const path = `${this.#account.phone_number_id}/payments/${CONFIGURATION}/${reference}`;
      const { payments } = await this.#client().request('GET', path, { responseType: 'json' });
      return { status: payments?.[0]?.transaction?.kabarStatus };
    } catch (error) {
      if (!isTemporary(error)) return undefined;
      throw error;
    }
  }

  async refund(reference) {
    const body = { reference_id: reference, payment_config_id: CONFIGURATION };
    await this.#client().request('POST', `${this.#account.phone_number_id}/payments_refund`, {
      body,
      responseType: 'json',
    });
  }

  /** Publishes a flow that our endpoint answers for, unless `known` is its id already; its data is sealed to `publicKey`. */
  async publish(known, { name, json, endpointUri, publicKey }) {
    const { waba_id, phone_number_id } = this.#account;
    const client = this.#client();
    const encryption = { body: { business_public_key: publicKey }, responseType: 'json' };
    await client.request('POST', `${phone_number_id}/whatsapp_business_encryption`, encryption);
    if (known) {
      await client.request('POST', known, { body: { endpoint_uri: endpointUri }, responseType: 'json' });
      return known;
    }
    const { flowId, validationErrors } = await client.flows.deploy(json, {
      name,
      wabaId: waba_id,
      endpointUri,
      publish: false,
    });
    if (validationErrors?.length) throw new Error(`the flow is not right: ${validationErrors[0].message}`);
    await client.flows.publish({ flowId });
    return flowId;
  }

  /** Webhooks of this number's app go to `callbackUrl` from now on. */
  async subscribe(callbackUrl, verifyToken) {
    const body = {
      object: 'whatsapp_business_account',
      callback_url: callbackUrl,
      verify_token: verifyToken,
      fields: 'messages',
    };
    await this.#client().request('POST', `${this.#account.app_id}/subscriptions`, { body, responseType: 'json' });
  }
}

function write(messages, base, message) {
  switch (message.type) {
    case 'text':
      return messages.sendText({ ...base, body: message.body });
    case 'buttons':
      return messages.sendInteractiveButtons({ ...base, bodyText: message.body, buttons: message.buttons });
    case 'flow':
      return messages.sendInteractiveFlow({
        ...base,
        bodyText: message.body,
        footerText: message.footer,
        parameters: {
          flowId: message.flowId,
          flowCta: message.cta,
          flowToken: message.token,
          flowAction: 'data_exchange',
          flowMessageVersion: '3',
          mode: 'published',
        },
      });
    case 'list':
      return messages.sendInteractiveList({
        ...base,
        bodyText: message.body,
        buttonText: message.button,
        sections: message.sections,
      });
    default:
      return messages.sendInteractiveRaw({ ...base, interactive: raw[message.type](message) });
  }
}

/** Messages for which the SDK has no words of its own. */
const raw = {
  order_details: ({ body, footer, reference, items, expires }) => {
    const total = items.reduce((sum, item) => sum + item.price, 0);
    const order = {
      status: 'pending',
      items: items.map(({ id, name, price }) => ({ retailer_id: id, name, amount: amount(price), quantity: 1 })),
      subtotal: amount(total),
      tax: amount(0),
      expiration: { timestamp: String(expires), description: body.slice(0, 120) },
    };
    const parameters = {
      reference_id: reference,
      type: 'digital-goods',
      payment_settings: PAYMENT_SETTINGS,
      currency: 'IDR',
      total_amount: amount(total),
      order,
    };
    return {
      type: 'order_details',
      body: { text: body },
      footer: { text: footer },
      action: { name: 'review_and_pay', parameters },
    };
  },
  order_status: ({ body, reference, status }) => ({
    type: 'order_status',
    body: { text: body },
    action: {
      name: 'review_order',
      parameters: { reference_id: reference, order: { status, description: body.slice(0, 120) } },
    },
  }),
};
