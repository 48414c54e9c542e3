//! What is done to a message after it was sent.

use kabar_protocol::wire;
use serde::{Deserialize, Serialize};

use super::{Mention, Person, Shown, TimeMs};

/// In JSON: `{"type":"react","emoji":"👍"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "one at a time, on its way into a command")]
pub enum Change {
    /// One of each person; empty takes it back.
    React { emoji: String },
    /// Another text for a text (within 15 minutes), another event for an event, the same poll closed for a poll.
    Edit {
        content: Shown,
        #[serde(default)]
        mentions: Vec<Mention>,
    },
    /// For everyone, within two days.
    Delete,
    /// Answers an event. `None` takes the answer back.
    Rsvp {
        answer: Option<RsvpAnswer>,
        #[serde(default)]
        guests: u32,
    },
    /// Chooses these of a poll's options, by their indexes; none takes the vote back.
    Vote { options: Vec<u32> },
    /// Looks at a file that may be looked at once: what opens it is forgotten here, so its bytes are to be here before.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RsvpAnswer {
    Going,
    Maybe,
    No,
}

impl RsvpAnswer {
    pub(crate) fn wire(self) -> wire::rsvp::Answer {
        match self {
            Self::Going => wire::rsvp::Answer::Going,
            Self::Maybe => wire::rsvp::Answer::Maybe,
            Self::No => wire::rsvp::Answer::No,
        }
    }

    pub(crate) fn of(answer: wire::rsvp::Answer) -> Option<Self> {
        match answer {
            wire::rsvp::Answer::Going => Some(Self::Going),
            wire::rsvp::Answer::Maybe => Some(Self::Maybe),
            wire::rsvp::Answer::No => Some(Self::No),
            wire::rsvp::Answer::Unspecified => None,
        }
    }
}

/// Everything that was done to a message, as screens show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangesView {
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reactions: Vec<ReactionView>,
    /// To an event.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub answers: Vec<RsvpView>,
    /// In a poll.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub votes: Vec<VoteView>,
    /// Who has looked at what may be looked at once.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub opened: Vec<Person>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub edited_at: Option<TimeMs>,
    /// What it said before, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub versions: Vec<Version>,
    /// The admin of the group who deleted what somebody else had written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deleted_by: Option<Person>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReactionView {
    pub emoji: String,
    pub by: Person,
    pub mine: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RsvpView {
    pub answer: RsvpAnswer,
    pub guests: u32,
    pub by: Person,
    pub mine: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteView {
    /// Indexes of the poll's options.
    pub options: Vec<u32>,
    pub by: Person,
    pub mine: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub text: String,
    pub time: TimeMs,
}

/// An answer in the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsvpGiven {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<RsvpAnswer>,
    pub guests: u32,
}
