//! The body of one delivery: one message or one status each, because many receivers read the first of each list only.

use bytes::Bytes;
use kabar_client::api::{Category, TimeMs};
use kabar_protocol::limits::FORWARDED_OFTEN;
use serde_json::{Value, json};

use crate::graph::GraphError;

/// The business number that a delivery is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    pub waba_id: String,
    pub phone_number_id: String,
    /// Sent as digits, however it is written here.
    pub display_phone_number: String,
}

/// The person on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    pub username: Option<String>,
    /// `None`: the person has not shown it to this business.
    pub phone: Option<String>,
    /// A country code, a dot and digits, as in `ID.1234567`: receivers tell by this form that it is no group.
    pub user_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Of the API, see [`crate::messages::wamid`].
    pub id: String,
    pub time: TimeMs,
    pub context: Option<Context>,
    /// How often it was passed on.
    pub forwarded: u32,
    pub content: InboundContent,
}

/// The message that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Number of who wrote that message, most often the business itself.
    pub from: String,
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundContent {
    Text(String),
    ButtonReply {
        id: String,
        title: String,
    },
    ListReply {
        id: String,
        title: String,
        description: Option<String>,
    },
    /// A tap on a template's quick reply.
    TemplateButton {
        payload: String,
        text: String,
    },
    /// A completed Flow; `response_json` is a JSON object as text, as with the Cloud API.
    FlowReply {
        name: String,
        body: String,
        response_json: String,
    },
    /// To one message; without an emoji it is taken back.
    Reaction {
        message_id: String,
        emoji: String,
    },
    /// A file; its bytes are asked for by the id.
    Media {
        /// image, video, audio or document.
        kind: &'static str,
        id: String,
        mime_type: String,
        /// Of the file, base64.
        sha256: String,
        caption: Option<String>,
        filename: String,
        /// Opened by the access token.
        url: String,
    },
    /// The person sent something for which the API has no words yet.
    Unsupported,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Of the message that was sent.
    pub id: String,
    pub state: State,
    pub time: TimeMs,
    pub conversation: Option<Conversation>,
    pub pricing: Option<Pricing>,
    pub biz_opaque_callback_data: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Sent,
    Delivered,
    Read,
    Failed(GraphError),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    pub id: String,
    pub origin: Category,
    /// Told with [`State::Sent`] only.
    pub expiration: Option<TimeMs>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    pub billable: bool,
    pub category: Category,
    pub kind: PricingKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PricingKind {
    Regular,
    FreeCustomerService,
    FreeEntryPoint,
}

/// The delivery of a message. `now` is the time of the notice, not of the message.
pub fn message(number: &Number, contact: &Contact, inbound: &Inbound, now: TimeMs) -> Value {
    let mut message = inbound.content.to_json();
    message["id"] = inbound.id.as_str().into();
    message["timestamp"] = timestamp(inbound.time).into();
    // Receivers index `from` without asking: where the number is unknown the id stands in.
    message["from"] = contact.phone_digits().unwrap_or_else(|| contact.user_id.clone()).into();
    message["from_user_id"] = contact.user_id.as_str().into();
    if let Some(context) = &inbound.context {
        message["context"] = json!({ "from": digits(&context.from), "id": context.id });
    }
    match inbound.forwarded {
        0 => {}
        times if times < FORWARDED_OFTEN => message["context"]["forwarded"] = true.into(),
        _ => message["context"]["frequently_forwarded"] = true.into(),
    }
    frame(number, contact, "messages", message, now)
}

/// The delivery of a status. It carries the contact too: SDKs take the person from there.
pub fn status(number: &Number, contact: &Contact, status: &Status, now: TimeMs) -> Value {
    let mut body = json!({
        "id": status.id,
        "status": status.state.name(),
        "timestamp": timestamp(status.time),
        "recipient_user_id": contact.user_id,
    });
    if let Some(phone) = contact.phone_digits() {
        body["recipient_id"] = phone.into();
    }
    if let Some(conversation) = &status.conversation {
        let origin = json!({ "type": category_name(conversation.origin) });
        body["conversation"] = json!({ "id": conversation.id, "origin": origin });
        if let (Some(expiration), State::Sent) = (conversation.expiration, &status.state) {
            body["conversation"]["expiration_timestamp"] = timestamp(expiration).into();
        }
    }
    if let Some(pricing) = &status.pricing {
        body["pricing"] = json!({
            "billable": pricing.billable,
            "pricing_model": "PMP",
            "category": category_name(pricing.category),
            "type": pricing.kind.name(),
        });
    }
    if let Some(data) = &status.biz_opaque_callback_data {
        body["biz_opaque_callback_data"] = data.as_str().into();
    }
    if let State::Failed(error) = &status.state {
        body["errors"] = json!([error.webhook_entry()]);
    }
    frame(number, contact, "statuses", body, now)
}

/// The bytes to keep, to sign and to send, at the first try and at the last.
pub fn to_bytes(body: &Value) -> Bytes {
    body.to_string().into()
}

pub(super) fn frame(number: &Number, contact: &Contact, list: &str, item: Value, now: TimeMs) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": digits(&number.display_phone_number),
            "phone_number_id": number.phone_number_id,
        },
        "contacts": [contact.to_json()],
    });
    value[list] = json!([item]);
    let changes = json!([{ "field": "messages", "value": value }]);
    let entry = json!([{ "id": number.waba_id, "time": now.div_euclid(1000), "changes": changes }]);
    json!({ "object": "whatsapp_business_account", "entry": entry })
}

impl Contact {
    pub(super) fn phone_digits(&self) -> Option<String> {
        self.phone.as_deref().map(digits).filter(|digits| !digits.is_empty())
    }

    fn to_json(&self) -> Value {
        let mut contact = json!({ "profile": { "name": self.name }, "user_id": self.user_id });
        if let Some(username) = &self.username {
            contact["profile"]["username"] = username.as_str().into();
        }
        if let Some(phone) = self.phone_digits() {
            contact["wa_id"] = phone.into();
        }
        contact
    }
}

impl InboundContent {
    fn to_json(&self) -> Value {
        match self {
            Self::Text(body) => json!({ "type": "text", "text": { "body": body } }),
            Self::ButtonReply { id, title } => {
                let reply = json!({ "id": id, "title": title });
                json!({ "type": "interactive", "interactive": { "type": "button_reply", "button_reply": reply } })
            }
            Self::ListReply { id, title, description } => {
                let mut reply = json!({ "id": id, "title": title });
                if let Some(description) = description {
                    reply["description"] = description.as_str().into();
                }
                json!({ "type": "interactive", "interactive": { "type": "list_reply", "list_reply": reply } })
            }
            Self::TemplateButton { payload, text } => {
                json!({ "type": "button", "button": { "payload": payload, "text": text } })
            }
            Self::FlowReply {
                name,
                body,
                response_json,
            } => {
                let reply = json!({ "name": name, "body": body, "response_json": response_json });
                json!({ "type": "interactive", "interactive": { "type": "nfm_reply", "nfm_reply": reply } })
            }
            Self::Media {
                kind,
                id,
                mime_type,
                sha256,
                caption,
                filename,
                url,
            } => {
                let mut media = json!({ "id": id, "mime_type": mime_type, "sha256": sha256, "url": url });
                match *kind {
                    "document" => media["filename"] = filename.as_str().into(),
                    "audio" => media["voice"] = false.into(),
                    _ => {}
                }
                if let Some(caption) = caption.as_ref().filter(|_| *kind != "audio") {
                    media["caption"] = caption.as_str().into();
                }
                let mut message = json!({ "type": kind });
                message[*kind] = media;
                message
            }
            Self::Reaction { message_id, emoji } => {
                let mut reaction = json!({ "message_id": message_id });
                if !emoji.is_empty() {
                    reaction["emoji"] = emoji.as_str().into();
                }
                json!({ "type": "reaction", "reaction": reaction })
            }
            Self::Unsupported => {
                let error =
                    GraphError::type_unsupported("the person sent a kind of message that this version cannot show");
                json!({ "type": "unsupported", "errors": [error.webhook_entry()] })
            }
        }
    }
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

impl PricingKind {
    fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::FreeCustomerService => "free_customer_service",
            Self::FreeEntryPoint => "free_entry_point",
        }
    }
}

fn category_name(category: Category) -> &'static str {
    match category {
        Category::Service => "service",
        Category::Utility => "utility",
        Category::Authentication => "authentication",
        Category::Marketing => "marketing",
    }
}

/// Seconds since the epoch, as a string.
pub(super) fn timestamp(time: TimeMs) -> String {
    time.div_euclid(1000).to_string()
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests;
