//! Conversations: their threads, the outbox, the inbox, and keeping the group alive.
//!
//! `advance` looks at one conversation and does the next thing that it needs; every event only changes what is known
//! and calls for another look. Must not: name the MLS engine, or leave a decision about a commit to the server.

mod advance;
mod arrange;
mod billed;
mod block;
mod candidate;
mod changes;
mod check;
mod commits;
mod content;
mod entrance;
mod flows;
mod forward;
mod group_info;
mod groups;
mod history;
mod inbox;
mod intents;
mod invites;
mod key_update;
mod marks;
mod mentions;
mod once;
mod order;
mod outbox;
mod pins;
mod presence;
mod receipts;
mod reports;
mod resync;
mod roster;
mod sealed;
mod search;
mod settings;
mod shelf;
mod shown;
mod stars;
mod start;
mod team;
mod thread;
mod vanish;
mod welcome;
mod wishes;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet};

use kabar_protocol::{
    ids::{AccountId, ClientMessageId, ConversationId, DeviceId, MessageId},
    policy::GroupFacts,
    wire,
};
use serde::{Deserialize, Serialize};

pub use self::entrance::open_preview;
pub(crate) use self::{
    arrange::Arranged,
    billed::Owed,
    changes::{Changes, PendingChange},
    entrance::Entrance,
    flows::FlowCall,
    group_info::{InfoChange, field},
    groups::Groups,
    invites::Link,
    key_update::KeyUpdate,
    marks::Marks,
    order::{TIMELINES_MAX, server_seq},
    pins::Pinned,
    search::Search,
    team::{Team, Wanted, Wish, not_in_group},
    thread::class_name,
    wishes::with_role,
    withdraw::{Withdrawal, Withdrawing},
};
use crate::{
    api::{ApiError, BusinessSend, Mention, MessageKind, Shown, TimeMs},
    store::Blob,
};

/// With whom a conversation is. Stored where there was only an account once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Party {
    /// One other account: a person, or a company.
    Direct(AccountId),
    /// A group of people; what is known of it is its [`Team`].
    Group,
}

/// What is known of one conversation. Resident; one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chat {
    pub(crate) conversation: ConversationId,
    #[serde(rename = "peer")]
    pub(crate) party: Party,
    /// The server has it: a group that is missing here is joined again, not created.
    pub(crate) on_server: bool,
    /// Our group, if we are in it.
    pub(crate) group: Option<GroupRef>,
    /// The group is of no more use (or has been lost): resync.
    pub(crate) lost: bool,
    pub(crate) next_slot: u32,
    /// A group that is ours once the server accepts it.
    pub(crate) candidate: Option<Candidate>,
    /// A commit of ours in the present group that the server has not answered.
    pub(crate) pending_commit: Option<PendingCommit>,
    /// Sequence of the last handshake that the group has taken in.
    pub(crate) handshake_seq: u64,
    #[serde(default)]
    pub(crate) key_update: KeyUpdate,
    pub(crate) resyncs_failed: u32,
    pub(crate) reset_at: Option<TimeMs>,

    /// Highest sequence seen here. This and every sequence below is a place, see `order`.
    pub(crate) last_seq: u64,
    /// Notices after `last_seq`, so that each has its place.
    pub(crate) notices: u32,
    pub(crate) last: Option<Row>,
    /// Own read position, what of it the peer has been told, and what is unread after it.
    pub(crate) read_seq: u64,
    pub(crate) read_sent_seq: u64,
    pub(crate) unread: u32,
    /// Highest message received, and what of it the server has been told.
    pub(crate) received_seq: u64,
    pub(crate) received_acked_seq: u64,
    /// Highest message of ours, and how far it got.
    pub(crate) own_seq: u64,
    pub(crate) peer_delivered_seq: u64,
    pub(crate) peer_read_seq: u64,
    /// The same, as far as the timeline `marks_of` says it; the above is what earlier ones have said.
    #[serde(default)]
    pub(crate) peer_delivered_now: u64,
    #[serde(default)]
    pub(crate) peer_read_now: u64,
    #[serde(default)]
    pub(crate) marks_of: u32,
    /// The timeline in which the server's numbers of this conversation began.
    #[serde(default)]
    pub(crate) begun_in: u32,
    /// The newest timeline in which something came, if the group was not known to be the server's then.
    #[serde(default)]
    pub(crate) heard_in: u32,
    /// Hash of the last Welcome that was accepted: the same one again would take the group back.
    #[serde(default)]
    pub(crate) welcome: Option<Blob>,

    pub(crate) request: bool,
    #[serde(default)]
    pub(crate) muted_until: Option<TimeMs>,
    #[serde(default)]
    pub(crate) arranged: Arranged,
    #[serde(default)]
    pub(crate) pins: Vec<Pinned>,
    /// Messages that are sent from now on vanish after so many seconds; 0: they stay.
    #[serde(default)]
    pub(crate) timer_s: u32,
    /// Unread messages that speak to us, by their places.
    #[serde(default)]
    pub(crate) mentioned: Vec<(u64, MessageId)>,
    pub(crate) safety_changed: bool,
    /// Version of our name that went into this conversation last.
    pub(crate) name_sent: u32,
    /// The last thing in the thread says that something is missing.
    pub(crate) in_gap: bool,
    pub(crate) updated_at: TimeMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRef {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    /// The timeline in which the server was last known to have this very group.
    #[serde(default)]
    pub(crate) timeline: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) kind: CandidateKind,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    /// The epoch that it begins.
    pub(crate) epoch: u64,
    /// The request, encoded, so that it can be repeated byte for byte.
    pub(crate) request: Blob,
    /// Order of the intent that travels in the same request.
    pub(crate) first: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CandidateKind {
    Create,
    Join,
    Reset,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingCommit {
    /// The epoch that it ends.
    pub(crate) epoch: u64,
    pub(crate) request: Blob,
    /// The wish that comes true by it.
    #[serde(default)]
    pub(crate) wish: Option<u64>,
}

/// A message of ours that the server has not acknowledged. Kept until it is, or until it fails for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) conversation: ConversationId,
    pub(crate) order: u64,
    /// Stable over all attempts: the server stores the message once.
    pub(crate) client_message_id: ClientMessageId,
    pub(crate) message_id: MessageId,
    /// Encoded Content: encrypted anew for each attempt, but never changed.
    pub(crate) content: Blob,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) shown: Option<Shown>,
    /// The `MessageClass` that it travels in; 0: CONTENT. All others have no row of their own in the thread.
    #[serde(default)]
    pub(crate) class: i32,
    #[serde(default)]
    pub(crate) business: Option<BusinessSend>,
    #[serde(default)]
    pub(crate) forwarded: u32,
    #[serde(default)]
    pub(crate) mentions: Vec<Mention>,
    #[serde(default)]
    pub(crate) expires_at: Option<TimeMs>,
    pub(crate) in_reply_to: Option<MessageId>,
    pub(crate) created_at: TimeMs,
    pub(crate) failed: Option<ApiError>,
}

/// A message or notice in its thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) message_id: MessageId,
    pub(crate) seq: u64,
    /// 0 for a message; notices after it count from 1.
    pub(crate) sub: u32,
    pub(crate) from: AccountId,
    pub(crate) kind: MessageKind,
    /// Of a notice: about whom.
    #[serde(default)]
    pub(crate) about: Vec<AccountId>,
    pub(crate) text: Option<String>,
    /// What there is beside the text.
    #[serde(default)]
    pub(crate) shown: Option<Shown>,
    #[serde(default)]
    pub(crate) automated: bool,
    /// How often it was passed on.
    #[serde(default)]
    pub(crate) forwarded: u32,
    #[serde(default)]
    pub(crate) mentions: Vec<Mention>,
    #[serde(default)]
    pub(crate) starred: bool,
    #[serde(default)]
    pub(crate) expires_at: Option<TimeMs>,
    pub(crate) in_reply_to: Option<MessageId>,
    #[serde(default)]
    pub(crate) changes: Changes,
    pub(crate) time: TimeMs,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) conversation: ConversationId,
    pub(crate) seq: u64,
    pub(crate) sub: u32,
}

/// An envelope as the server holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) device: DeviceId,
    pub(crate) class: i32,
    pub(crate) payload: Blob,
    /// The server's franking stamp: what a report has to show.
    pub(crate) stamp: Blob,
    /// Encoded Content of somebody else's message, which the stamp is over; empty of our own.
    #[serde(default)]
    pub(crate) content: Blob,
}

/// An envelope that could not be read, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quarantined {
    pub(crate) conversation: ConversationId,
    pub(crate) seq: u64,
    pub(crate) envelope: Envelope,
}

/// A request about the group itself; one at a time per conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// KeyPackages of this account, for a new group.
    Claim(AccountId),
    /// The state of the group at the server.
    GroupInfo,
    /// The same, to compare it with ours, which was this one when we asked.
    Check { slot: u32, epoch: u64 },
    /// The outcome of the candidate.
    Candidate,
    /// The outcome of the pending commit.
    Commit,
    /// Device lists, before a removal is decided.
    Lists(AccountId),
    /// A link of ours, made or taken back.
    Invite,
}

/// What is going on in this connection; forgotten with it.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) busy: Option<Control>,
    /// KeyPackages claimed so far for a new group or for new members, and whose are still to be claimed.
    pub(crate) building: Option<Building>,
    /// Intents on their way, with the ciphertext of this attempt.
    pub(crate) in_flight: BTreeMap<u64, Vec<u8>>,
    /// A send has failed, or may: nothing more goes out until the window is empty, or the order would be lost.
    pub(crate) draining: bool,
    /// The server is in a later epoch: wait for its commit until then, then fetch it.
    pub(crate) behind_until: Option<TimeMs>,
    /// The pair's conversation exists: wait for its Welcome until then, then resync.
    pub(crate) welcome_until: Option<TimeMs>,
    /// The server names members that are revoked.
    pub(crate) to_remove: BTreeSet<DeviceId>,
    pub(crate) retry_at: Option<TimeMs>,
    pub(crate) failures: u32,
    pub(crate) receipt_in_flight: bool,
    /// Outlive the connection, as do the checks of the group that have had no answer.
    pub(crate) receipt_at: TimeMs,
    pub(crate) checks: u32,
    pub(crate) checking_since: TimeMs,
}

/// What KeyPackages are claimed for.
pub(crate) enum Purposed {
    /// A new group; the last generation's facts if there was one.
    Group {
        kind: CandidateKind,
        generation: u32,
        last: Option<Box<GroupFacts>>,
    },
    /// New members, who are wished for under this number.
    Add(u64),
}

/// A new group, or an addition to one, in the making.
pub(crate) struct Building {
    pub(crate) what: Purposed,
    pub(crate) suite: u16,
    pub(crate) to_claim: Vec<AccountId>,
    pub(crate) claimed: Vec<wire::DeviceKeyPackage>,
}

impl Live {
    /// The connection is gone.
    pub(crate) fn reset(&mut self, now: TimeMs) {
        self.check_cut(now);
        let (receipt_at, checks) = (self.receipt_at, self.checks);
        *self = Self {
            receipt_at,
            checks,
            ..Self::default()
        };
    }

    /// The group is in another epoch: what is on its way in the old one is to be overtaken by nothing.
    pub(crate) fn drain(&mut self) {
        self.draining = !self.in_flight.is_empty();
    }
}

impl Chat {
    pub(crate) fn new(conversation: ConversationId, party: Party, now: TimeMs) -> Self {
        Self {
            conversation,
            party,
            on_server: false,
            group: None,
            lost: false,
            next_slot: 0,
            candidate: None,
            pending_commit: None,
            handshake_seq: 0,
            key_update: KeyUpdate::default(),
            resyncs_failed: 0,
            reset_at: None,
            last_seq: 0,
            notices: 0,
            last: None,
            read_seq: 0,
            read_sent_seq: 0,
            unread: 0,
            received_seq: 0,
            received_acked_seq: 0,
            own_seq: 0,
            peer_delivered_seq: 0,
            peer_read_seq: 0,
            peer_delivered_now: 0,
            peer_read_now: 0,
            marks_of: 0,
            begun_in: 0,
            heard_in: 0,
            welcome: None,
            request: false,
            muted_until: None,
            arranged: Arranged::default(),
            pins: Vec::new(),
            timer_s: 0,
            mentioned: Vec::new(),
            safety_changed: false,
            name_sent: 0,
            in_gap: false,
            updated_at: now,
        }
    }

    /// A message is no more.
    pub(crate) fn forget(&mut self, message: MessageId) {
        self.pins.retain(|pin| pin.message_id != message);
        self.mentioned.retain(|(_, mentioned)| *mentioned != message);
    }

    /// The other account, where there is one only.
    pub(crate) fn peer(&self) -> Option<AccountId> {
        match self.party {
            Party::Direct(peer) => Some(peer),
            Party::Group => None,
        }
    }

    /// All MLS state is gone; what the server has is joined again.
    pub(crate) fn forget_group(&mut self) {
        self.group = None;
        self.candidate = None;
        self.pending_commit = None;
        self.lost = self.on_server;
    }
}
