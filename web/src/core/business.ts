// What businesses send and what people answer: the wire types of proto/kabar/v1/content.proto as the core writes them; an absent optional field is null.

export interface Interactive {
  header: string | null;
  body: string;
  footer: string | null;
  action:
    | { buttons: { buttons: ReplyButton[] } }
    | { list: ReplyList }
    | { cta_url: CtaUrl }
    | { flow: FlowOffer }
    | { order_details: OrderDetails }
    | { order_status: OrderUpdate }
    | null;
}

export interface ReplyButton {
  id: string;
  title: string;
}

export interface ReplyList {
  /** What opens the list. */
  button: string;
  /** A title is empty only where there is one section. */
  sections: { title: string; rows: ListRow[] }[];
}

export interface ListRow {
  id: string;
  title: string;
  description: string | null;
}

export interface CtaUrl {
  display_text: string;
  url: string;
}

/** Screens to fill in (docs/FLOWS.md). */
export interface FlowOffer {
  flow_id: string;
  flow_token: string;
  /** What opens it. */
  cta: string;
  flow_json: string;
  /** The first screen is asked of the seller. */
  data_exchange: boolean;
  screen: string;
  /** A JSON object, or empty. */
  data: string;
}

export interface FlowReply {
  name: string;
  /** What the thread shows. */
  body: string;
  response_json: string;
}

/** Amounts are whole minor units of the currency (see features/commerce/amount.ts). */
export interface OrderDetails {
  reference_id: string;
  currency: string;
  items: OrderItem[];
  subtotal: number;
  tax: number;
  shipping: number;
  discount: number;
  total: number;
  expires_ms: number;
}

export interface OrderItem {
  name: string;
  /** Of one. */
  amount: number;
  quantity: number;
}

export interface OrderUpdate {
  reference_id: string;
  /** pending, processing, partially_shipped, shipped, completed, canceled, refunded */
  status: string;
  description: string;
}

export interface InteractiveReply {
  reply: { button: ReplyButton } | { list: ListRow } | { flow: FlowReply } | null;
}

export interface Template {
  name: string;
  language: string;
  header: string | null;
  body: string;
  footer: string | null;
  /** A payload is the id of a quick reply. */
  buttons: { text: string; action: { payload: string } | { url: string } | null }[];
}
