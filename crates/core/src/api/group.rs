//! Groups of people: what may be asked of one, and how it is shown.

use kabar_protocol::ids::{ConversationId, MessageId};
use serde::{Deserialize, Serialize};

use super::{MessageState, Person, TimeMs};

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
    /// The last owner names a successor. Whoever has only asked to be let in takes that back.
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
    /// Makes a link by which people may come in; replied to with [`super::Reply::Invite`] once it works.
    Invite {
        /// 1 to 8784; a week if not given.
        #[serde(default)]
        hours: Option<u32>,
        /// Accounts that may come in by it; no limit if not given.
        #[serde(default)]
        uses: Option<u32>,
        /// Whoever follows it asks, and somebody who may add people lets him in.
        #[serde(default)]
        approval: bool,
    },
    /// Takes a link back, by its code; whoever came by it stays.
    Uninvite {
        code: String,
    },
    /// Who asks to be let in; replied to with [`super::Reply::JoinRequests`]. Being added is the yes.
    JoinRequests,
    Decline {
        who: String,
    },
    /// What is not given stays.
    Settings {
        #[serde(default)]
        post: Option<Allowed>,
        #[serde(default)]
        add: Option<Allowed>,
        #[serde(default)]
        edit: Option<Allowed>,
        /// Whoever comes in is shown the last 100 messages by who let him in; everybody is told.
        #[serde(default)]
        history: Option<bool>,
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
    /// On the way in by a link.
    Joining,
    /// Has asked to be let in.
    Asked,
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
    /// Links that work, as far as this device knows them.
    pub invites: Vec<InviteView>,
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
    /// Whoever comes in is shown the last messages.
    pub history: bool,
}

/// A link into a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InviteView {
    pub code: String,
    /// What follows the server's address in the link; `None` of one that somebody else made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub by: Person,
    pub expires_at: TimeMs,
    /// Of our own; 0: no limit.
    pub uses_max: u32,
    pub approval: bool,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvitePreview {
    pub conversation_id: ConversationId,
    pub name: String,
    pub description: String,
    /// Hex of a small JPEG or WebP; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub photo: String,
    /// What the one who made the link calls himself.
    pub inviter: String,
    /// Accounts that are in it, by the server's count.
    pub members: u32,
    pub expires_at: TimeMs,
    pub approval: bool,
    /// We are in it already.
    pub member: bool,
}

/// Somebody who asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinRequestView {
    /// Under the name that he gave with the request, where we do not know him by another.
    #[serde(flatten)]
    pub person: Person,
    pub asked_at: TimeMs,
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
