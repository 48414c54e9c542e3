//! What others may see of a person.

use serde::{Deserialize, Serialize};

use super::TimeMs;

/// See [`super::Command::SetPrivacy`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privacy {
    /// Others learn what we have read, and we what they have.
    pub read_receipts: bool,
    /// The same of typing.
    pub typing: bool,
    /// Who learns when we are there; of them we learn it, too.
    pub presence: Audience,
    /// How long messages stay in chats that we begin; 0: for good. See [`super::Command::SetTimer`].
    pub timer_s: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Strangers whose request nobody has answered, too.
    Everyone,
    Contacts,
    Nobody,
}

/// Why somebody is reported to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportReason {
    Spam,
    Fraud,
    /// Threats, harassment, hatred.
    Abuse,
    Illegal,
    Other,
}

/// Whether whom one talks to is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub here: bool,
    /// When he last let this device see him.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<TimeMs>,
}
