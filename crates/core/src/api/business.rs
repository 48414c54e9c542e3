//! Companies: their numbers, templates, and how their messages are counted.

use kabar_protocol::{ids::MessageId, wire};
use serde::{Deserialize, Serialize};

use super::TimeMs;

/// What only the account of a business number may ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BusinessCommand {
    /// How long it may write freely to a person.
    Window {
        with: String,
    },
    CreateTemplate {
        template: MessageTemplate,
    },
    ListTemplates {
        name: Option<String>,
        language: Option<String>,
    },
    /// `template_id` 0: the name in every language.
    DeleteTemplates {
        name: String,
        template_id: u64,
    },
    /// Lets a person pay an order; before the order is sent.
    RegisterOrder {
        with: String,
        order: wire::OrderDetails,
    },
    /// Takes the reserved money, or lets it go.
    SettlePayment {
        reference_id: String,
        capture: bool,
    },
    /// In full.
    RefundPayment {
        reference_id: String,
    },
    FetchPayment {
        reference_id: String,
    },
    /// Oldest first, behind a sequence number.
    PaymentChanges {
        after_seq: u64,
        limit: u32,
    },
    /// What a message of each category costs now.
    Prices,
    /// What own messages cost, and their signed receipts; at most 100.
    Charges {
        messages: Vec<MessageId>,
    },
    /// Answers a [`super::FeedItem`] of kind `flow_request`; replied to when the server has the answer.
    FlowRespond {
        to_message: MessageId,
        outcome: FlowOutcome,
    },
}

/// What a person's device asks of a flow's endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowAsk {
    /// INIT, data_exchange or BACK.
    pub action: String,
    pub screen: String,
    /// JSON object.
    pub data: String,
    pub flow_token: String,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FlowOutcome {
    /// The next screen (SUCCESS ends the flow) and its data, a JSON object.
    Screen { screen: String, data: String },
    /// endpoint_unreachable, endpoint_failed or token_expired, and a sentence for the person.
    Error { code: String, message: String },
}

/// A template of a business; see `proto/kabar/v1/business.proto`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTemplate {
    pub template_id: u64,
    pub name: String,
    pub language: String,
    pub category: Category,
    /// JSON array, as in the Cloud API.
    pub components: String,
    pub named_parameters: bool,
    pub approved: bool,
    /// The rule that a rejected one breaks.
    pub rejected_reason: String,
    pub created_at: TimeMs,
}

/// How a business's message is counted: the server decides by it whether the message may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessSend {
    pub category: Category,
    /// 0 for [`Category::Service`].
    #[serde(default)]
    pub template_id: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Service,
    Utility,
    Authentication,
    Marketing,
}

/// What the server says of a business number, known before the first word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Business {
    pub phone_number_id: u64,
    pub phone: String,
    pub name: String,
    pub keys_held_by: KeysHeldBy,
}

/// Who can read what is written to a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysHeldBy {
    /// Its gateway runs inside the server.
    Operator,
    /// Its gateway runs on its own machine.
    Business,
}
