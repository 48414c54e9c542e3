//! The contract between core and its shells.
//!
//! # The store
//! A shell keeps one ordered map from key to value (both bytes). [`Output::Batch`] is applied atomically and durably;
//! [`Output::Scan`] reads a range. Keys and values are core's own; a shell that seals values sees only key prefixes.
//!
//! # The rule of one batch
//! Core changes its groups in memory, then emits one `Batch`. Frames, replies and notifications that depend on it are
//! held back until the shell answers [`Event::Committed`]. At most one batch is in flight. After [`Event::Failed`] core
//! drops all that it had in memory, reads the store again and reconnects, as after a crash: what depended on the batch
//! is never said, and the commands concerned are answered by `storage_failed`.

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId, MessageId},
    wire,
};
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
pub type TimeMs = i64;
pub type Key = Vec<u8>;
pub type Value = Vec<u8>;

/// What happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer to [`Output::Scan`].
    Scanned {
        scan_id: u64,
        rows: Vec<(Key, Value)>,
    },
    /// The batch is durable.
    Committed {
        batch_id: u64,
    },
    /// The batch was not applied, not even in part.
    Failed {
        batch_id: u64,
        error: String,
    },
    /// The socket is open; the server's Challenge comes as a frame.
    Connected,
    Disconnected,
    Frame(wire::ServerFrame),
    /// A person's or script's wish; answered by one [`Output::Reply`] with the same id.
    Command {
        command_id: u64,
        command: Command,
    },
    /// The time asked for by [`Output::WakeAt`] has come.
    Wake,
}

/// What the shell has to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Apply all writes atomically and durably, then answer Committed or Failed.
    Batch {
        batch_id: u64,
        writes: Vec<Write>,
    },
    /// Read at most `limit` rows with `from <= key` (or `key < from` and descending if `reverse`) that start with `prefix`.
    Scan {
        scan_id: u64,
        prefix: Key,
        from: Key,
        limit: u32,
        reverse: bool,
    },
    /// Open the socket after `delay_ms` (back-off with jitter is core's). Ignored if it is open or being opened.
    Connect {
        delay_ms: u64,
    },
    Disconnect,
    Send(wire::ClientFrame),
    Reply {
        command_id: u64,
        result: Result<Reply, ApiError>,
    },
    Notify(Notification),
    /// Send [`Event::Wake`] at that time; a later WakeAt replaces an earlier one.
    WakeAt(TimeMs),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    Put(Key, Value),
    Delete(Key),
}

/// A wish. In JSON: `{"type":"send_text","to":"@budi","text":"halo"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Makes the account on the server. `name` stays on this device and travels inside encrypted messages.
    Register {
        name: String,
        username: Option<String>,
        invite: Option<String>,
        /// Makes this the account of a business number: the code that the operator's `number add` made.
        #[serde(default)]
        enrolment: Option<String>,
    },
    RequestPhoneCode {
        phone: String,
    },
    VerifyPhone {
        code: String,
    },
    SetName {
        name: String,
    },
    SetUsername {
        username: Option<String>,
    },
    Whoami,
    /// Finds an account and its conversation; nothing reaches the other side.
    OpenChat {
        who: String,
    },
    ListChats,
    /// One message, of whichever conversation.
    GetMessage {
        message_id: MessageId,
    },
    /// Newest first, older than the given message; `limit` at most 200.
    ListMessages {
        conversation_id: ConversationId,
        before: Option<MessageId>,
        limit: u32,
    },
    /// Replied to when the message is queued durably on this device; its way on is told by [`Notification::Message`].
    /// With `wait`, replied to after the server's acknowledgement.
    SendText {
        to: String,
        text: String,
        reply_to: Option<MessageId>,
        #[serde(default)]
        wait: bool,
    },
    /// As `SendText`, with any content. `business` is for the account of a business number.
    Send {
        to: String,
        content: Shown,
        reply_to: Option<MessageId>,
        #[serde(default)]
        wait: bool,
        #[serde(default)]
        business: Option<BusinessSend>,
    },
    /// For the account of a business number: how long it may write freely to a person.
    Window {
        with: String,
    },
    /// For the account of a business number: its business's message templates.
    CreateTemplate {
        template: MessageTemplate,
    },
    ListTemplates {
        name: Option<String>,
        language: Option<String>,
    },
    /// `template_id` 0: the name in every language.
    DeleteTemplates {
        name: String,
        template_id: u64,
    },
    /// Forgets a message that could not be sent, or tries it again.
    ResolveFailed {
        message_id: MessageId,
        retry: bool,
    },
    /// Everything up to and including this message has been seen; a read receipt goes out, but not to a stranger whose
    /// request nobody has answered. Without a conversation, the message id alone says which.
    MarkRead {
        conversation_id: Option<ConversationId>,
        up_to: MessageId,
        /// Accepts a stranger's request, so that he learns it too.
        #[serde(default)]
        accept: bool,
    },
    SetTyping {
        conversation_id: ConversationId,
        active: bool,
    },
    SafetyNumber {
        with: String,
    },
    /// What the server holds of a conversation's messages: ciphertext beside our text.
    ServerView {
        conversation_id: ConversationId,
        limit: u32,
    },
    /// Takes the next unread items of the feed (see [`FeedItem`]), oldest first, and forgets them once `taken` comes back.
    Feed {
        after: u64,
        limit: u32,
    },
    FeedTaken {
        up_to: u64,
    },
    /// Answers when the server's queue has been emptied in this connection, everything taken in has been acknowledged
    /// and nothing of ours waits to go out. At once an error if there is no account.
    WaitIdle,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
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
    Sent(MessageView),
    SafetyNumber {
        safety_number: String,
        with: Person,
    },
    ServerView {
        items: Vec<ServerItem>,
    },
    Feed {
        items: Vec<FeedItem>,
    },
    /// Until when the customer service window is open; `None`: closed.
    Window {
        open_until: Option<TimeMs>,
    },
    Templates {
        templates: Vec<MessageTemplate>,
    },
    Deleted {
        count: u32,
    },
}

/// A template of a business; see `proto/kabar/v1/business.proto`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTemplate {
    pub template_id: u64,
    pub name: String,
    pub language: String,
    pub category: Category,
    /// JSON array, as in the Cloud API.
    pub components: String,
    pub named_parameters: bool,
    pub approved: bool,
    /// The rule that a rejected one breaks.
    pub rejected_reason: String,
    pub created_at: TimeMs,
}

/// What a message shows, beside its plain text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    Text(String),
    Interactive(wire::Interactive),
    InteractiveReply(wire::InteractiveReply),
    Template(wire::Template),
}

/// How a business's message is counted: the server decides by it whether the message may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessSend {
    pub category: Category,
    /// 0 for [`Category::Service`].
    #[serde(default)]
    pub template_id: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Service,
    Utility,
    Authentication,
    Marketing,
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// What the server says of a business number, known before the first word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Business {
    pub phone_number_id: u64,
    pub phone: String,
    pub name: String,
    pub keys_held_by: KeysHeldBy,
}

/// Who can read what is written to a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysHeldBy {
    /// Its gateway runs inside the server.
    Operator,
    /// Its gateway runs on its own machine.
    Business,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatView {
    pub conversation_id: ConversationId,
    pub kind: ChatKind,
    pub peer: Person,
    /// Newest message, if there is one.
    pub last: Option<MessageView>,
    pub unread: u32,
    /// True while a stranger's first messages have not been answered.
    pub request: bool,
    /// The safety number has changed and nobody has looked at it since.
    pub safety_changed: bool,
    pub updated_at: TimeMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    Direct,
    Business,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    pub message_id: MessageId,
    pub conversation_id: ConversationId,
    /// Order in the conversation; absent until the server has acknowledged it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    pub from: Person,
    pub mine: bool,
    pub kind: MessageKind,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// What there is beside the text, under the name of the kind.
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub shown: Option<Shown>,
    /// Written by a program.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub automated: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_reply_to: Option<MessageId>,
    /// Server time once acknowledged, the sender's clock before.
    pub time: TimeMs,
    pub state: MessageState,
    /// Why it failed, or why it still waits: a stable reason and a sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<ApiError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    Text,
    Interactive,
    InteractiveReply,
    Template,
    /// A notice of the client itself, in the thread: the safety number changed, the conversation was reset, messages were lost.
    NoticeSafetyChanged,
    NoticeReset,
    NoticeGap,
    /// This version cannot show the message; it says so.
    Unsupported,
}

/// Of our own messages: on this device, at the server, at a device of the peer, seen. Received ones: `received`.
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

/// An item of a script's stream: `kabar chat receive` prints each once per home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    #[serde(skip)]
    pub position: u64,
    pub message_id: MessageId,
    pub conversation_id: ConversationId,
    pub from: Person,
    /// text, receipt, notice_...
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub shown: Option<Shown>,
    /// Written by a program.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub automated: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_reply_to: Option<MessageId>,
    /// Of a receipt: delivered or read; `sent` too where the account is a business number's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<MessageState>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub request: bool,
    pub time: TimeMs,
}

/// Something changed that a screen may show.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
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
    Typing {
        conversation_id: ConversationId,
        account_id: AccountId,
        active: bool,
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
