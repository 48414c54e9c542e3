//! What a message can hold, in the shape that it has on the wire.

use kabar_protocol::{ids::AccountId, wire};
use serde::{Deserialize, Serialize};

/// What a message shows, beside its plain text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    Text(String),
    Interactive(wire::Interactive),
    InteractiveReply(wire::InteractiveReply),
    Template(wire::Template),
    Ticket(wire::Ticket),
    File(wire::File),
    Event(wire::Event),
    Poll(wire::Poll),
    Location(wire::Location),
    Contacts(wire::Contacts),
}

/// Where what a chat holds is found without its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shelf {
    /// Pictures and films.
    Media,
    /// Other files.
    Documents,
    /// Texts with a link.
    Links,
}

/// A part of a text, or of a caption, that names somebody: `@Budi`. In Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub start: u32,
    /// With the @.
    pub length: u32,
    /// `None`: everybody in the group.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account_id: Option<AccountId>,
}

impl Mention {
    pub(crate) fn of(mention: &wire::Mention) -> Self {
        Self {
            start: mention.start,
            length: mention.length,
            account_id: AccountId::from_slice(&mention.account_id).ok(),
        }
    }

    pub(crate) fn wire(&self) -> wire::Mention {
        wire::Mention {
            start: self.start,
            length: self.length,
            account_id: self.account_id.map(|account| account.to_bytes()).unwrap_or_default(),
        }
    }
}
