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

mod billing;
mod business;
mod change;
mod command;
mod commerce;
mod feed;
mod group;
mod media;
mod notification;
mod privacy;
mod reply;
mod shown;
mod view;

use kabar_protocol::wire;

pub use self::{
    billing::{ChargeView, PriceView, ReceiptView},
    business::{Business, BusinessCommand, BusinessSend, Category, FlowAsk, FlowOutcome, KeysHeldBy, MessageTemplate},
    change::{Change, ChangesView, ReactionView, RsvpAnswer, RsvpGiven, RsvpView, Version, VoteView},
    command::Command,
    commerce::{PaymentStatus, PaymentView, TicketView},
    feed::FeedItem,
    group::{
        Allowed, GroupCommand, GroupMember, GroupRole, GroupSettings, GroupSummary, GroupView, InvitePreview,
        InviteView, JoinRequestView, MemberState, MessageInfo, Standing,
    },
    media::Upload,
    notification::{ApiError, ConnectionState, Notification},
    privacy::{Audience, Privacy, ReportReason, Seen},
    reply::{Me, PhoneCode, Reply, ServerItem},
    shown::{Mention, Shelf, Shown},
    view::{ChatKind, ChatView, FoundMessage, MessageKind, MessageState, MessageView, Person, PinView},
};

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
