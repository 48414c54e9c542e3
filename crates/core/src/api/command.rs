//! What a person or a script wishes.

use kabar_protocol::ids::{ConversationId, MessageId};
use serde::{Deserialize, Serialize};

use super::{Audience, BusinessCommand, BusinessSend, Change, GroupCommand, Mention, ReportReason, Shelf, Shown};

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
    /// The pinned ones first, then by time.
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
    /// Messages of all chats, newest first, in which each word of the text begins a word; neither case nor accents count. Older than
    /// the given one; `limit` at most 200. Replied to with [`super::Reply::Found`].
    Search {
        text: String,
        limit: u32,
        #[serde(default)]
        before: Option<MessageId>,
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
        /// Of a text, or of a file's caption.
        #[serde(default)]
        mentions: Vec<Mention>,
    },
    /// Passes what a person can write (no ticket, no offer of a business) on, to at most five chats; one that was passed on often, to one at a time. Replied to with
    /// [`super::Reply::Messages`] when the copies are queued durably.
    Forward {
        message_id: MessageId,
        to: Vec<String>,
    },
    /// Pays the order in a message, under this device's signature. `challenge_answer`: what the person typed after
    /// [`Reply::PaymentChallenge`](super::Reply).
    Pay {
        message_id: MessageId,
        method: String,
        #[serde(default)]
        challenge_answer: Option<String>,
    },
    /// What became of the payment of the order in a message.
    Payment {
        message_id: MessageId,
    },
    Tickets,
    /// Asks a business for a screen of the flow that it has sent in this message. Replied to with
    /// [`super::Reply::FlowScreen`], or with the business's error; `flow_timeout` if it does not answer.
    FlowExchange {
        message_id: MessageId,
        /// INIT, data_exchange or BACK.
        action: String,
        #[serde(default)]
        screen: String,
        /// JSON object; empty for none.
        #[serde(default)]
        data: String,
    },
    /// Of the account of a business number.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    Business {
        request: BusinessCommand,
    },
    /// Does something to a message that the server has. Replied to when it is queued durably; with `wait`, after the server's
    /// acknowledgement.
    ChangeMessage {
        message_id: MessageId,
        change: Change,
        #[serde(default)]
        wait: bool,
    },
    /// Keeps a message to be found again, or lets it go. Known on this device only.
    Star {
        message_id: MessageId,
        starred: bool,
    },
    /// What was starred in all chats, newest first, older than the given one; `limit` at most 200. Replied to with
    /// [`super::Reply::Found`].
    ListStarred {
        limit: u32,
        #[serde(default)]
        before: Option<MessageId>,
    },
    /// What of a chat is on a shelf, newest first, older than the given one; `limit` at most 200. Replied to with
    /// [`super::Reply::Messages`].
    ListShelf {
        conversation_id: ConversationId,
        shelf: Shelf,
        limit: u32,
        #[serde(default)]
        before: Option<MessageId>,
    },
    /// Puts a message to the top of its thread for everybody, for so many hours (at most 744); `None` takes it down. At most three
    /// stand there: the oldest makes room.
    Pin {
        message_id: MessageId,
        hours: Option<u32>,
    },
    /// Messages of this chat that are sent from now on vanish everywhere after so many seconds; 0: they stay.
    SetTimer {
        conversation_id: ConversationId,
        seconds: u32,
    },
    /// Makes a group of us and these people; replied to with [`super::Reply::Group`] once the server has it.
    CreateGroup {
        name: String,
        #[serde(default)]
        description: String,
        members: Vec<String>,
        /// For more than 32 devices: up to 256, without the post-quantum suite. For good.
        #[serde(default)]
        large: bool,
    },
    /// Replied to with [`super::Reply::Group`] once the change is in force.
    Group {
        conversation_id: ConversationId,
        request: GroupCommand,
    },
    /// What a link into a group leads to; replied to with [`super::Reply::InvitePreview`]. `link` is whole, or its path.
    OpenInvite {
        link: String,
    },
    /// Comes in by a link; replied to with [`super::Reply::Group`] once we are in, with [`super::Reply::JoinAsked`] where
    /// somebody has to let us in.
    JoinGroup {
        link: String,
    },
    /// With whom a message of ours has arrived.
    MessageInfo {
        message_id: MessageId,
    },
    /// No notifications for so many hours; `None`: notifications again. Known on this device only. Replied to with
    /// [`super::Reply::Chat`].
    Mute {
        conversation_id: ConversationId,
        hours: Option<u32>,
    },
    /// Keeps a chat on top (`pinned`), out of sight whatever comes (`archived`), or marked as unread; `unread: false` reads all
    /// that is in it. What is absent stays. Known on this device only. Replied to with [`super::Reply::Chat`].
    Arrange {
        conversation_id: ConversationId,
        #[serde(default)]
        pinned: Option<bool>,
        #[serde(default)]
        archived: Option<bool>,
        #[serde(default)]
        unread: Option<bool>,
    },
    /// Sorts a chat under these names of one's own: at most 10, of 1 to 30 characters. Known on this device only. Replied to with
    /// [`super::Reply::Chat`].
    SetLists {
        conversation_id: ConversationId,
        lists: Vec<String>,
    },
    /// Keeps a text that is being written, until a text is sent; empty: forgets it. Known on this device only. Replied to with
    /// [`super::Reply::Chat`].
    SetDraft {
        conversation_id: ConversationId,
        text: String,
    },
    /// Asks for room for a file of so many bytes, and a key for it; replied to with [`super::Reply::Upload`]. Once its bytes are
    /// there, `Send` with a file tells of it.
    BeginUpload {
        size_bytes: u64,
    },
    /// Shows messages of one person or business to the operator, with the server's proof that they wrote them; nothing else of the chat.
    /// Without any, the newest of a chat of two that are here. Replied to with `Done` once the server has them.
    Report {
        conversation_id: ConversationId,
        #[serde(default)]
        messages: Vec<MessageId>,
        reason: ReportReason,
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
    /// The screen is looked at, or is not any more.
    SetHere {
        here: bool,
    },
    /// Asks whether the other side of a chat is there, for two minutes; [`super::ChatView::seen`] shows it.
    Watch {
        conversation_id: ConversationId,
    },
    /// What others learn of us; what is absent stays as it is. Replied to with [`super::Reply::Privacy`].
    SetPrivacy {
        #[serde(default)]
        read_receipts: Option<bool>,
        #[serde(default)]
        typing: Option<bool>,
        #[serde(default)]
        presence: Option<Audience>,
        #[serde(default)]
        timer_s: Option<u32>,
    },
    /// What a person or a business writes to us alone is dropped unseen from now on, or is not any more. They do not learn it. Replied
    /// to with [`super::Reply::Chat`].
    Block {
        who: String,
        blocked: bool,
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
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    Feed {
        after: u64,
        limit: u32,
    },
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    FeedTaken {
        up_to: u64,
    },
    /// Answers when the server's queue has been emptied in this connection, everything taken in has been acknowledged
    /// and nothing of ours waits to go out. At once an error if there is no account.
    WaitIdle,
}
