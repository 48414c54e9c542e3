//! Orders, payments and tickets as scripts and screens see them. Amounts are integer minor units of their currency.

use kabar_protocol::ids::{AccountId, ConversationId, MessageId};
use serde::{Deserialize, Serialize};

use super::TimeMs;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// At the provider; its outcome is not known yet.
    Pending,
    /// The money is reserved; the seller has still to confirm.
    Authorised,
    Captured,
    Voided,
    Failed,
    Refunded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    pub reference_id: String,
    /// The provider's.
    pub transaction_id: String,
    pub status: PaymentStatus,
    pub amount: i64,
    pub currency: String,
    pub refunded: i64,
    pub method: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub error: String,
    pub person: AccountId,
    pub created_at: TimeMs,
    pub updated_at: TimeMs,
    /// Counts the changes of all payments of the business.
    pub seq: u64,
}

/// A ticket of ours: readable offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    pub ticket_id: String,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub issuer: String,
    pub title: String,
    pub place: String,
    /// 0: at any time.
    pub starts_at: TimeMs,
    pub reference_id: String,
    /// What its QR code holds.
    pub token: String,
    /// Ed25519, hex; `None` if the ticket does not verify under it.
    pub issuer_key: Option<String>,
    /// The order was refunded: the seller will not let anybody in with it.
    pub returned: bool,
}
