//! What a screen is told without asking, and failures.

use kabar_protocol::ids::{AccountId, ConversationId, MessageId};
use serde::{Deserialize, Serialize};

use super::{ChatView, Me, MessageView, PaymentView, TimeMs};

/// Something changed that a screen may show.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "few at a time, and each is moved once")]
pub enum Notification {
    Connection {
        state: ConnectionState,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<TimeMs>,
    },
    /// The account changed (registered, name, username, phone), or there is none yet.
    Account {
        me: Option<Me>,
    },
    Chat {
        chat: ChatView,
    },
    /// New or changed.
    Message {
        message: MessageView,
    },
    /// A message has vanished: its time was over.
    Vanished {
        conversation_id: ConversationId,
        message_id: MessageId,
    },
    Typing {
        conversation_id: ConversationId,
        account_id: AccountId,
        active: bool,
    },
    /// Somebody asks to be let into a group of ours.
    JoinRequested {
        conversation_id: ConversationId,
    },
    /// A payment of ours, or of our business, has changed.
    Payment {
        payment: PaymentView,
    },
    /// How the server lets people in, known before an account exists.
    Registration {
        mode: String,
    },
    /// This device cannot go on as it is; the sentence says what happened and what to do.
    Trouble {
        reason: String,
        message: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    Offline,
    Connecting,
    /// Connected and reading the queue.
    CatchingUp,
    Online,
}

/// A failure as scripts and screens see it: a stable code, and a sentence that names the thing and the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub code: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<u64>,
}
