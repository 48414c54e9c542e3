//! Groups of people: what may be asked of one, and how it is shown.

use kabar_protocol::ids::{ConversationId, MessageId};
use serde::{Deserialize, Serialize};

use super::{MessageState, Person};

/// What a person wishes of a group. Whoever is meant is given as everywhere: +phone, @username or account id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum GroupCommand {
    Show,
    /// With all their devices; they see nothing from before.
    Add {
        who: Vec<String>,
    },
    Remove {
        who: String,
    },
    SetRole {
        who: String,
        role: GroupRole,
    },
    /// The last owner names a successor.
    Leave {
        #[serde(default)]
        successor: Option<String>,
    },
    /// What is not given stays. The picture: hex of a small JPEG or WebP, empty for none.
    Edit {
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        description: Option<String>,
        #[serde(default)]
        photo: Option<String>,
    },
    /// What is not given stays.
    Settings {
        #[serde(default)]
        post: Option<Allowed>,
        #[serde(default)]
        add: Option<Allowed>,
        #[serde(default)]
        edit: Option<Allowed>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupRole {
    Member,
    Admin,
    Owner,
}

/// Who may do something: every member, or admins and owners only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    All,
    Admins,
}

/// How this account stands to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is being made: the server has not accepted it yet.
    Making,
    Member,
    Left,
    Removed,
}

/// Of a group, what a list of chats shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    pub members: u32,
    pub standing: Standing,
    /// `None` once we are out.
    pub role: Option<GroupRole>,
    /// We may write in it now.
    pub may_post: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupView {
    pub conversation_id: ConversationId,
    /// Empty until somebody has said it.
    pub name: String,
    pub description: String,
    /// Hex of a small JPEG or WebP; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub photo: String,
    pub standing: Standing,
    /// Owners first, then admins.
    pub members: Vec<GroupMember>,
    pub settings: GroupSettings,
    /// Made for up to 256 devices instead of 32; without the post-quantum suite.
    pub large: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupMember {
    #[serde(flatten)]
    pub person: Person,
    pub role: GroupRole,
    pub me: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GroupSettings {
    pub post: Allowed,
    pub add: Allowed,
    pub edit: Allowed,
}

/// How far a message of ours has come, with everybody whom it was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageInfo {
    pub message_id: MessageId,
    pub state: MessageState,
    pub members: Vec<MemberState>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberState {
    #[serde(flatten)]
    pub person: Person,
    /// sent, delivered or read.
    pub state: MessageState,
}
