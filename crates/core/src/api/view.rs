//! People, chats and messages as screens show them.

use kabar_protocol::ids::{AccountId, ConversationId, MessageId};
use serde::{Deserialize, Serialize};

use super::{ApiError, Business, ChangesView, GroupSummary, Mention, Seen, Shown, TimeMs};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub account_id: AccountId,
    /// As the person calls himself inside encrypted messages; empty until the first one came.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub username: Option<String>,
    /// Only if this device found the person by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phone: Option<String>,
    /// Not a person but a company's number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub business: Option<Business>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatView {
    pub conversation_id: ConversationId,
    pub kind: ChatKind,
    /// Whom one talks to. Of a group, its name under the conversation's id.
    pub peer: Person,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<GroupSummary>,
    /// No notifications until then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub muted_until: Option<TimeMs>,
    /// These four are known on this device only; see [`super::Command::Arrange`].
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub pinned: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub archived: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub marked_unread: bool,
    /// A text that is being written.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub draft: String,
    /// What stands at the top of the thread for everybody, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pins: Vec<PinView>,
    /// How long what is sent from now on stays; 0: for good.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub timer_s: u32,
    /// Newest message, if there is one.
    pub last: Option<MessageView>,
    pub unread: u32,
    /// Unread messages that speak to us, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mentions: Vec<MessageId>,
    /// True while a stranger's first messages have not been answered.
    pub request: bool,
    /// The safety number has changed and nobody has looked at it since.
    pub safety_changed: bool,
    /// We do not want to hear from whom this is with.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub blocked: bool,
    /// Of a person.
    #[serde(default)]
    pub seen: Seen,
    /// What this device's owner has sorted it under.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lists: Vec<String>,
    pub updated_at: TimeMs,
}

/// A message that somebody keeps in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinView {
    pub message_id: MessageId,
    pub until: TimeMs,
}

/// A message that was searched for, or starred.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundMessage {
    pub message: MessageView,
    /// Whom its chat is with. Of a group, its name.
    pub chat: Person,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    Direct,
    Business,
    Group,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    pub message_id: MessageId,
    pub conversation_id: ConversationId,
    /// Order in the conversation; absent until the server has acknowledged it. Of a notice: that of the message it follows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    pub from: Person,
    pub mine: bool,
    pub kind: MessageKind,
    /// Of a notice about people: whom `from` added, removed or promoted. `from` itself, where nobody knows who did it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub about: Vec<Person>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// What there is beside the text, under the name of the kind.
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub shown: Option<Shown>,
    /// Written by a program.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub automated: bool,
    /// How often it was passed on; 0: its sender wrote it.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub forwarded: u32,
    /// Who is spoken to in the text.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mentions: Vec<Mention>,
    /// We are among them.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub mentions_me: bool,
    /// Kept to be found again; known to this device only.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub starred: bool,
    /// When every device forgets it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<TimeMs>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_reply_to: Option<MessageId>,
    #[serde(flatten)]
    pub changes: ChangesView,
    /// Server time once acknowledged, the sender's clock before.
    pub time: TimeMs,
    pub state: MessageState,
    /// Why it failed, or why it still waits: a stable reason and a sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<ApiError>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    Text,
    Interactive,
    InteractiveReply,
    Template,
    Ticket,
    File,
    Event,
    Poll,
    Location,
    Contacts,
    /// Its sender took it back.
    Deleted,
    /// A notice of the client itself, in the thread: the safety number changed, the conversation was reset, messages were lost.
    NoticeSafetyChanged,
    NoticeReset,
    NoticeGap,
    /// In a group: what `from` did to it. The text is the group's name, or its description, the new role, or the settings.
    NoticeGroupCreated,
    NoticeGroupName,
    NoticeGroupDescription,
    NoticeGroupPhoto,
    NoticeGroupSettings,
    NoticeAdded,
    NoticeRemoved,
    NoticeLeft,
    NoticeRole,
    /// `from` put the message that this replies to at the top, or took it down.
    NoticePinned,
    NoticeUnpinned,
    /// The text is for how many seconds messages stay from now on; 0: for good.
    NoticeTimer,
    /// `from` has shown who came in the last messages; the text says how many.
    NoticeHistory,
    /// This version cannot show the message; it says so.
    Unsupported,
}

/// Of our own messages: on this device, at the server, at a device of the peer, seen. In a group: of every other member.
/// Received ones: `received`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    Queued,
    Failed,
    Sent,
    Delivered,
    Read,
    Received,
}
