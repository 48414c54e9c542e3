//! What a business's messages cost, as its programs see it. Amounts are integer minor units of their currency.

use kabar_protocol::ids::{AccountId, ConversationId, DeviceId, MessageId, Timeline};
use serde::{Deserialize, Serialize};

use super::Category;

/// What one delivered message costs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceView {
    pub category: Category,
    /// 0 while the month's allowance lasts, or where the rate card says so.
    pub price: i64,
    /// Of the month's allowance.
    pub free_left: u64,
}

/// A message that costs something, or is taken from the month's allowance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeView {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub seq: u64,
    pub category: Category,
    pub rate_card_id: u64,
    /// 0: taken from the allowance.
    pub price: i64,
    pub currency: String,
    /// Nothing is charged without one.
    pub receipt: Option<ReceiptView>,
}

/// The recipient's device's signature over the message's delivery; see `kabar_protocol::receipt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptView {
    pub timeline: Timeline,
    pub account_id: AccountId,
    pub device_id: DeviceId,
    /// Hex.
    pub signature: String,
    /// It is the signature of a device that the recipient's verified device list has, over this very message.
    pub verified: bool,
}
