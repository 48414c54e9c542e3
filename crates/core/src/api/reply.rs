//! What a command is answered with.

use kabar_protocol::ids::{AccountId, DeviceId};
use serde::Serialize;

use super::{
    ChargeView, ChatView, FeedItem, FoundMessage, GroupView, InvitePreview, InviteView, JoinRequestView, MessageInfo,
    MessageTemplate, MessageView, PaymentView, Person, PriceView, Privacy, TicketView, TimeMs, Upload,
};

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "few at a time, and each is moved once")]
// What only programs get is not written in a browser.
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
    Found {
        messages: Vec<FoundMessage>,
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
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    Feed {
        items: Vec<FeedItem>,
    },
    /// Until when the customer service window is open; `None`: closed.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    Window {
        open_until: Option<TimeMs>,
    },
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    Templates {
        templates: Vec<MessageTemplate>,
    },
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    Deleted {
        count: u32,
    },
    /// What the next message of each category costs. `rate_card_id` 0: there is no rate card, and everything is free.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    Prices {
        rate_card_id: u64,
        currency: String,
        prices: Vec<PriceView>,
    },
    /// Of the messages asked for, those that cost something.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    Charges {
        charges: Vec<ChargeView>,
    },
    /// The next screen of a flow and its data, a JSON object. SUCCESS ends it.
    FlowScreen {
        screen: String,
        data: String,
    },
    Payment(PaymentView),
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
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
    Invite(InviteView),
    InvitePreview(InvitePreview),
    JoinAsked(InvitePreview),
    JoinRequests {
        requests: Vec<JoinRequestView>,
    },
    MessageInfo(MessageInfo),
    Privacy(Privacy),
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
