//! What a command is answered with.

use kabar_protocol::ids::{AccountId, ConversationId, DeviceId, MessageId};
use serde::{Deserialize, Serialize};

use super::{
    ChargeView, ChatView, FlowAsk, GroupView, MessageInfo, MessageState, MessageTemplate, MessageView, PaymentView,
    Person, PriceView, RsvpGiven, Shown, TicketView, TimeMs, Upload,
};

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "few at a time, and each is moved once")]
pub enum Reply {
    Done,
    Registered(Me),
    Me(Me),
    PhoneCode(PhoneCode),
    Chat(ChatView),
    Chats {
        chats: Vec<ChatView>,
    },
    Message(MessageView),
    Messages {
        messages: Vec<MessageView>,
        more: bool,
    },
    Sent(MessageView),
    SafetyNumber {
        safety_number: String,
        with: Person,
    },
    ServerView {
        items: Vec<ServerItem>,
    },
    Feed {
        items: Vec<FeedItem>,
    },
    /// Until when the customer service window is open; `None`: closed.
    Window {
        open_until: Option<TimeMs>,
    },
    Templates {
        templates: Vec<MessageTemplate>,
    },
    Deleted {
        count: u32,
    },
    /// What the next message of each category costs. `rate_card_id` 0: there is no rate card, and everything is free.
    Prices {
        rate_card_id: u64,
        currency: String,
        prices: Vec<PriceView>,
    },
    /// Of the messages asked for, those that cost something.
    Charges {
        charges: Vec<ChargeView>,
    },
    /// The next screen of a flow and its data, a JSON object. SUCCESS ends it.
    FlowScreen {
        screen: String,
        data: String,
    },
    Payment(PaymentView),
    Payments {
        payments: Vec<PaymentView>,
    },
    /// The provider wants to know more before it pays (3-D Secure).
    PaymentChallenge {
        prompt: String,
    },
    Tickets {
        tickets: Vec<TicketView>,
    },
    Upload(Upload),
    Group(GroupView),
    MessageInfo(MessageInfo),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhoneCode {
    pub phone: String,
    pub resend_after_s: u32,
    pub expires_after_s: u32,
    /// Only from a server that runs with `--dev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The account of this device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Me {
    pub account_id: AccountId,
    pub device_id: DeviceId,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// One envelope as the server holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerItem {
    pub message: MessageView,
    pub sender_device: DeviceId,
    pub class: String,
    pub bytes: usize,
    /// The envelope itself, hex.
    pub envelope: String,
}

/// An item of a script's stream: `kabar chat receive` prints each once per home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    #[serde(skip)]
    pub position: u64,
    pub message_id: MessageId,
    pub conversation_id: ConversationId,
    pub from: Person,
    /// text, receipt, reaction, notice_...
    pub kind: String,
    /// Of a notice about people: whom `from` added, removed or promoted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub about: Vec<Person>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub shown: Option<Shown>,
    /// Written by a program.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub automated: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_reply_to: Option<MessageId>,
    /// Of a receipt: delivered or read; `sent` too where the account is a business number's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<MessageState>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub request: bool,
    /// Of a `flow_request`: what is asked. `in_reply_to` is the flow's own message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flow: Option<FlowAsk>,
    /// Of an `rsvp`; `in_reply_to` is the event.
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub rsvp: Option<RsvpGiven>,
    pub time: TimeMs,
}
