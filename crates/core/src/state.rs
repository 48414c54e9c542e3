//! Everything that core knows, and how it comes out of the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire,
};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::{Account, Peer},
    api::{ApiError, Command, MessageState, Notification, Output, TimeMs},
    connection::{Answer, Connection, Purpose},
    core::CoreConfig,
    messaging::{
        Chat, FlowCall, Groups, Intent, KeyUpdate, Live, Owed, PendingChange, Search, Team, Withdrawal, Withdrawing,
    },
    mls::Engine,
    store::{self, Blob, keys},
    tx::{Effect, Range, Reads, Rows, Step, Tx},
};

/// Rows read at a time while starting.
const LOAD_ROWS: u32 = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Loading,
    Running,
    /// The store holds something that this version cannot read: nothing is done with it.
    Halted,
}

/// One thing to do.
pub(crate) enum Job {
    Work(Work),
    /// The next item of the server's queue.
    Deliver(wire::Deliver),
    /// See what the conversation needs next.
    Advance(ConversationId),
}

pub(crate) enum Work {
    Command {
        command_id: u64,
        command: Box<Command>,
    },
    /// A push that is not a Deliver.
    Push(wire::server_frame::Body),
    Answer {
        purpose: Purpose,
        answer: Box<Answer>,
    },
    /// The socket's Challenge.
    Challenged,
    /// Delete all rows under a prefix.
    Purge(Vec<u8>),
    /// A change of a message that has come.
    Change(u64),
    /// The next page of a search.
    Search(u64),
    /// Messages whose time is over.
    Vanish,
    /// What a group has said lately, for who has just come in.
    Tell(ConversationId),
    /// Something that the server is to forget.
    Forget(u64),
    /// Somebody has stopped typing.
    Typing(ConversationId, AccountId),
    /// Somebody has not said for a while that he is there.
    Away(ConversationId),
    /// The mark of this state has moved: show the own messages that it has reached.
    Marks {
        conversation: ConversationId,
        /// Whose.
        by: AccountId,
        from: u64,
        to: u64,
        state: MessageState,
    },
}

/// What the inbox waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    DeviceList(AccountId),
    Log(ConversationId),
    /// The outcome of a commit of ours.
    Outcome(ConversationId),
}

/// Counters of this device, in one row because every incoming message changes them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The last item of the server's queue that is persisted here.
    pub(crate) inbox: u64,
    pub(crate) timeline: Blob,
    /// Timelines before this one: a restored server begins another.
    #[serde(default)]
    pub(crate) timelines: u32,
    /// Counts every batch that changed MLS state; the server confirms it, and so notices a rolled-back store.
    pub(crate) client_seq: u64,
    pub(crate) next_intent: u64,
    pub(crate) next_feed: u64,
    /// Changes of messages that have come so far.
    #[serde(default)]
    pub(crate) changes: u64,
    /// Wishes that the server forget something, so far.
    #[serde(default)]
    pub(crate) withdrawals: u64,
    /// When the next message vanishes.
    #[serde(default)]
    pub(crate) vanish_at: Option<TimeMs>,
    /// Envelopes quarantined so far.
    #[serde(default)]
    pub(crate) quarantined: u64,
    /// KeyPackages have to be published anew whatever the server still has.
    pub(crate) publish_key_packages: bool,
    /// KeyPackages of the suite of large groups were published, too.
    #[serde(default)]
    pub(crate) for_large_groups: bool,
}

pub(crate) struct State {
    pub(crate) config: CoreConfig,
    pub(crate) now: TimeMs,
    pub(crate) phase: Phase,
    pub(crate) engine: Engine,

    pub(crate) account: Option<Account>,
    pub(crate) cursor: Cursor,
    pub(crate) peers: BTreeMap<AccountId, Peer>,
    pub(crate) chats: BTreeMap<ConversationId, Chat>,
    /// Of the chats that are groups of people.
    pub(crate) teams: BTreeMap<ConversationId, Team>,
    pub(crate) intents: BTreeMap<(ConversationId, u64), Intent>,
    /// Changes of messages that have come and are not applied.
    pub(crate) changes: BTreeMap<u64, PendingChange>,
    /// Receipts for a business's messages that the server has not confirmed.
    pub(crate) owed: BTreeMap<(ConversationId, u64), Owed>,
    /// What the server is to forget and has not answered to.
    pub(crate) withdrawals: BTreeMap<u64, Withdrawal>,
    pub(crate) withdrawing: Withdrawing,
    pub(crate) groups: Groups,

    pub(crate) connection: Connection,
    pub(crate) live: BTreeMap<ConversationId, Live>,
    pub(crate) inbox: VecDeque<wire::Deliver>,
    pub(crate) inbox_wait: Option<Wait>,
    /// How often the first item of the inbox has waited: it must not wait for ever.
    pub(crate) inbox_waits: u32,
    pub(crate) due: BTreeSet<ConversationId>,
    pub(crate) work: VecDeque<Work>,
    pub(crate) waiting: Waiting,
    /// See [`crate::messaging::KeyUpdate`]; another number in tests only.
    pub(crate) key_update_messages: u32,

    pub(crate) tx: Tx,
    pub(crate) reads: Reads,
    pub(crate) batch: Option<(u64, Vec<Effect>)>,
    pub(crate) next_batch: u64,
    pub(crate) next_scan: u64,
    pub(crate) wake_at: Option<TimeMs>,
    pub(crate) out: Vec<Output>,
}

/// Commands that wait for something other than a request of their own.
#[derive(Default)]
pub(crate) struct Waiting {
    /// The command, and when it is told that the server cannot be reached.
    pub(crate) registering: Option<(u64, TimeMs)>,
    /// SendText with `wait`, by the intent's order.
    pub(crate) sends: BTreeMap<u64, u64>,
    /// Changes of groups, by group and wish.
    pub(crate) wishes: BTreeMap<(ConversationId, u64), u64>,
    /// JoinGroup, by group.
    pub(crate) joins: BTreeMap<ConversationId, u64>,
    pub(crate) idle: Vec<u64>,
    pub(crate) flows: Vec<FlowCall>,
    pub(crate) searches: BTreeMap<u64, Search>,
    /// Typing notices to take back: who, where, when.
    pub(crate) typing: BTreeMap<(ConversationId, AccountId), TimeMs>,
    pub(crate) presence: Presence,
}

/// Who is there, as far as anybody says it.
#[derive(Default)]
pub(crate) struct Presence {
    /// The screen is looked at.
    pub(crate) here: bool,
    /// Who wants to know that, until when.
    pub(crate) watchers: BTreeMap<ConversationId, TimeMs>,
    /// Where the other side is there, until when.
    pub(crate) seen: BTreeMap<ConversationId, TimeMs>,
}

impl State {
    pub(crate) fn new(config: CoreConfig) -> Self {
        let engine = Engine::new(config.rng_seed);
        Self {
            config,
            now: 0,
            phase: Phase::Loading,
            engine,
            account: None,
            cursor: Cursor::default(),
            peers: BTreeMap::new(),
            chats: BTreeMap::new(),
            teams: BTreeMap::new(),
            intents: BTreeMap::new(),
            changes: BTreeMap::new(),
            owed: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            withdrawing: Withdrawing::default(),
            groups: Groups::default(),
            connection: Connection::default(),
            live: BTreeMap::new(),
            inbox: VecDeque::new(),
            inbox_wait: None,
            inbox_waits: 0,
            due: BTreeSet::new(),
            work: VecDeque::new(),
            waiting: Waiting::default(),
            key_update_messages: KeyUpdate::MESSAGES_MAX,
            tx: Tx::default(),
            reads: Reads::default(),
            batch: None,
            next_batch: 0,
            next_scan: 0,
            wake_at: None,
            out: Vec::new(),
        }
    }

    /// Asks for the next rows of the account level.
    pub(crate) fn load_more(&mut self) {
        let from = match self.reads.fetched.last().and_then(|(_, rows)| rows.last()) {
            Some((last, _)) => [&last[..], &[0]].concat(),
            None => keys::ACCOUNT_LEVEL.to_vec(),
        };
        self.reads.fetched.clear();
        self.read_rows(Range {
            prefix: keys::ACCOUNT_LEVEL.to_vec(),
            from,
            limit: LOAD_ROWS,
            reverse: false,
        });
    }

    pub(crate) fn scanned(&mut self, scan_id: u64, rows: Rows) {
        let Some((_, range)) = self.reads.pending.take_if(|(id, _)| *id == scan_id) else {
            return;
        };
        if self.phase != Phase::Loading {
            self.reads.fetched.push((range, rows));
            return;
        }
        let full = rows.len() >= LOAD_ROWS as usize;
        if rows.iter().any(|(key, value)| self.load_row(key, value).is_err()) {
            self.phase = Phase::Halted;
            self.out.push(Output::Notify(Notification::Trouble {
                reason: "store_unreadable".into(),
                message: "The data of this device was written by a newer version, or is damaged. Update Kabar.".into(),
            }));
            return;
        }
        self.reads.fetched.push((range, rows));
        if full {
            self.load_more();
        } else {
            self.reads.fetched.clear();
            self.phase = Phase::Running;
            self.loaded();
        }
    }

    fn load_row(&mut self, key: &[u8], value: &[u8]) -> Result<(), store::StoreError> {
        if key == keys::ACCOUNT {
            self.account = Some(store::decode(value)?);
        } else if key == keys::CURSOR {
            self.cursor = store::decode(value)?;
        } else if key.starts_with(keys::CHAT) {
            let chat: Chat = store::decode(value)?;
            self.chats.insert(chat.conversation, chat);
        } else if key.starts_with(keys::TEAM) {
            let team: Team = store::decode(value)?;
            self.teams.insert(team.conversation, team);
        } else if key.starts_with(keys::PEER) {
            let peer: Peer = store::decode(value)?;
            self.peers.insert(peer.account, peer);
        } else if key.starts_with(keys::INTENT) {
            let intent: Intent = store::decode(value)?;
            self.intents.insert((intent.conversation, intent.order), intent);
        } else if key.starts_with(keys::CHANGE) {
            let change: PendingChange = store::decode(value)?;
            self.work.push_back(Work::Change(change.number));
            self.changes.insert(change.number, change);
        } else if key.starts_with(keys::RECEIPT) {
            let owed: Owed = store::decode(value)?;
            self.owed.insert((owed.conversation, owed.seq), owed);
        } else if key.starts_with(keys::WITHDRAWAL) {
            let wish: Withdrawal = store::decode(value)?;
            self.withdrawals.insert(wish.number, wish);
        }
        Ok(())
    }

    /// The account level is here.
    fn loaded(&mut self) {
        let me = self.me();
        self.notify(Notification::Account { me });
        self.connect_now();
    }

    /// The shell could not write: what is in memory may be ahead of the store, so it is read again from the start.
    pub(crate) fn failed(&mut self, batch_id: u64, error: &str) {
        let Some((_, effects)) = self.batch.take_if(|(id, _)| *id == batch_id) else {
            return;
        };
        let trouble = ApiError {
            code: "storage_failed".into(),
            message: format!("this device could not store its data: {error}"),
            parameter: None,
            retry_after_ms: None,
        };
        let mut unanswered: BTreeSet<u64> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Out(Output::Reply { command_id, .. }) => Some(*command_id),
                Effect::Out(_) => None,
                // It was to be asked once this batch is durable.
                Effect::Request(request) => request.purpose.command(),
            })
            .collect();
        // The server has answered it, and nobody has read that yet.
        unanswered.extend(self.work.iter().filter_map(|work| match work {
            Work::Answer { purpose, .. } => purpose.command(),
            _ => None,
        }));
        unanswered.extend(self.waiting.registering.map(|(command_id, _)| command_id));
        unanswered.extend(self.waiting.sends.values());
        unanswered.extend(self.waiting.wishes.values());
        unanswered.extend(&self.waiting.idle);
        unanswered.extend(self.waiting.searches.keys());
        unanswered.extend(self.waiting.flows.iter().map(FlowCall::command_id));
        unanswered.extend(self.connection.commands());
        let mut fresh = Self::new(self.config.clone());
        fresh.now = self.now;
        fresh.key_update_messages = self.key_update_messages;
        (fresh.next_batch, fresh.next_scan) = (self.next_batch, self.next_scan);
        fresh.connection = self.connection.again();
        fresh.out = std::mem::take(&mut self.out);
        fresh.work = std::mem::take(&mut self.work);
        // What the server said in the meantime belongs to the old connection.
        fresh.work.retain(|work| matches!(work, Work::Command { .. }));
        *self = fresh;
        self.out.push(Output::Disconnect);
        self.out.push(Output::Notify(Notification::Trouble {
            reason: trouble.code.clone(),
            message: trouble.message.clone(),
        }));
        for command_id in unanswered {
            self.out.push(Output::Reply {
                command_id,
                result: Err(trouble.clone()),
            });
        }
        self.load_more();
    }

    pub(crate) fn run(&mut self, job: &Job) -> Step {
        match job {
            Job::Work(Work::Command { command_id, command }) => self.command(*command_id, command),
            Job::Work(Work::Push(body)) => self.push(body),
            Job::Work(Work::Answer { purpose, answer }) => self.answered(purpose, answer),
            Job::Work(Work::Challenged) => {
                self.challenged();
                Ok(())
            }
            Job::Work(Work::Purge(prefix)) => self.purge(prefix),
            Job::Work(Work::Change(number)) => self.apply_change(*number),
            Job::Work(Work::Search(command_id)) => self.search_on(*command_id),
            Job::Work(Work::Vanish) => self.vanish(),
            Job::Work(Work::Tell(conversation)) => self.tell(*conversation),
            Job::Work(Work::Forget(number)) => self.forget_at_server(*number),
            Job::Work(Work::Typing(conversation, account)) => {
                self.typing_ended(*conversation, *account);
                Ok(())
            }
            Job::Work(Work::Away(conversation)) => {
                self.went_away(*conversation);
                Ok(())
            }
            Job::Work(Work::Marks {
                conversation,
                by,
                from,
                to,
                state,
            }) => self.show_marks(*conversation, *by, (*from, *to), *state),
            Job::Deliver(item) => self.deliver(item),
            Job::Advance(conversation) => self.advance(*conversation),
        }
    }

    fn purge(&mut self, prefix: &[u8]) -> Step {
        let rows = self.rows_under(prefix, LOAD_ROWS)?;
        if rows.len() >= LOAD_ROWS as usize {
            // To its end before anything else: what comes next may write under the same prefix.
            self.work.push_front(Work::Purge(prefix.to_vec()));
        }
        rows.into_iter().for_each(|(key, _)| self.delete(key));
        Ok(())
    }

    pub(crate) fn save_cursor(&mut self) {
        let cursor = self.cursor.clone();
        self.put(keys::CURSOR.to_vec(), &cursor);
    }

    /// MLS state changes in this batch; returns the batch's client_seq.
    pub(crate) fn count_mls_change(&mut self) -> u64 {
        if !self.tx.mls_changed {
            self.tx.mls_changed = true;
            self.cursor.client_seq += 1;
            self.save_cursor();
        }
        self.cursor.client_seq
    }
}
