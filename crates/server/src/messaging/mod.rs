//! Conversations: the order of handshakes, messages, per-device queues, acknowledgements, receipts.
//!
//! Owns the tables conversation, conversation_group, conversation_commit, member, conversation_log,
//! group_policy, group_invite, join_request, send, receipt, last_content, inbox and queue. Knows nothing of prices (see `meter`), and reads no other slice's tables. Cannot decrypt.

mod authors;
mod batch;
mod batch_store;
mod commit_store;
mod conversation;
mod create_conversation;
mod envelope;
mod ephemeral;
mod group_check;
mod inbox;
mod invites;
mod meter;
mod queue;
mod read;
mod receipts;
mod reset_conversation;
mod retention;
mod send;
mod submit_commit;
mod withdraw;

#[cfg(test)]
mod disk_full_tests;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};

use kabar_protocol::ids::ConversationId;
use tokio::sync::mpsc;

use self::{authors::Authors, batch::Item, conversation::Cached};
pub(crate) use self::{
    create_conversation::create_conversation,
    envelope::stamps,
    ephemeral::{presence, typing},
    inbox::{drop_device, open_inbox},
    invites::{
        decline_join_request, fetch_invite, fetch_invited_group, fetch_join_requests, publish_invite, request_join,
        revoke_invite, router,
    },
    meter::{Bill, Due, Expected, Meter, Signed, Taken, Tariff},
    queue::read_queue,
    read::{exists, fetch_group_info, fetch_log, fetch_receipts, last_content_ms},
    reset_conversation::reset_conversation,
    retention::sweep,
    send::{ack, send},
    submit_commit::submit_commit,
    withdraw::withdraw,
};
use crate::{app::App, cache::Cache, db::Engine};

/// Conversations kept in memory: members, epoch.
const CONVERSATIONS_CACHED_MAX: usize = 200_000;
/// Sends and acknowledgements that wait for a batch; beyond, clients are told to come back.
const ITEMS_WAITING_MAX: usize = 8_192;
/// Batches in parallel. SQLite has one writer, so a second would only wait.
const POSTGRES_BATCHERS: usize = 2;

/// What the slice keeps in memory.
pub(crate) struct Messaging {
    conversations: Cache<ConversationId, Cached>,
    authors: Authors,
    batchers: Vec<mpsc::Sender<Item>>,
    /// Devices revoked since the start: whoever fills the cache meanwhile must look again.
    revocations: AtomicU64,
    meter: Box<dyn Meter>,
}

/// The receiving ends, until [`Messaging::start`].
pub(crate) type Batches = Vec<mpsc::Receiver<Item>>;

impl Messaging {
    pub(crate) fn new(engine: Engine, meter: Box<dyn Meter>) -> (Self, Batches) {
        let count = match engine {
            Engine::Sqlite => 1,
            Engine::Postgres => POSTGRES_BATCHERS,
        };
        let (batchers, batches) = (0..count).map(|_| mpsc::channel(ITEMS_WAITING_MAX)).unzip();
        let messaging = Self {
            conversations: Cache::new(CONVERSATIONS_CACHED_MAX),
            authors: Authors::new(),
            batchers,
            revocations: AtomicU64::new(0),
            meter,
        };
        (messaging, batches)
    }

    /// Starts the batchers; they run until the server stops and their channel is empty.
    pub(crate) fn start(app: &App, batches: Batches) {
        for receiver in batches {
            app.tasks.spawn(batch::run(app.clone(), receiver));
        }
    }

    fn count_revocation(&self) {
        self.revocations.fetch_add(1, Ordering::SeqCst);
    }

    fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::SeqCst)
    }

    /// Items that wait for a batch, for /metrics.
    pub(crate) fn waiting(&self) -> usize {
        self.batchers
            .iter()
            .map(|sender| sender.max_capacity() - sender.capacity())
            .sum()
    }
}
