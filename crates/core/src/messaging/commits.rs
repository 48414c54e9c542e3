//! Commits: the others' taken in, ours made, submitted and merged once they are accepted. One of ours at a time.

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    policy::{Committer, PolicyError},
    wire::{self, GroupPolicy, client_frame::Body, server_frame, submit_commit_outcome::Outcome},
};

use super::{
    Control, PendingCommit,
    candidate::{decode_request, encode_request},
    order::server_seq,
};
use crate::{
    commands::refusal,
    connection::{Answer, Purpose},
    mls::{self, CheckedKeyPackage},
    state::{State, Wait},
    tx::{Step, Stop},
};

const LOG_ITEMS: u32 = kabar_protocol::limits::LOG_ITEMS_PER_PAGE_MAX;

/// What became of a commit from the queue or the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Merged, ours, or of the past.
    Done,
    /// Of an epoch that we have not reached.
    Ahead,
    /// The device list of this account must be known first.
    Needs(AccountId),
    /// Refused by a rule or by the engine: the group cannot go on here.
    Bad,
}

/// What became of the wish to commit something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Built {
    /// It is pending, and submitted when it is durable.
    Pending,
    /// A rule forbids it.
    Refused(PolicyError),
    /// The engine cannot build it.
    Broken,
}

impl State {
    /// Takes in one commit. Nothing is changed unless the answer is Done.
    pub(super) fn take_commit(&mut self, conversation: ConversationId, item: &wire::Deliver) -> Step<Taken> {
        if self.is_candidates_commit(conversation, &item.payload) {
            self.adopt_candidate(conversation, item.seq);
            return Ok(Taken::Done);
        }
        let Some(epoch) = self.load_group(conversation)?.map(mls::Group::epoch) else {
            return Ok(Taken::Done);
        };
        let Some((group, pending)) = self
            .chats
            .get(&conversation)
            .and_then(|chat| Some((chat.group?, chat.pending_commit.clone())))
        else {
            return Ok(Taken::Done);
        };
        let Ok(header) = mls::header(&item.payload) else {
            return Ok(Taken::Bad);
        };
        let named = (header.conversation, header.generation);
        if named != (conversation, item.generation) {
            return Ok(Taken::Bad);
        }
        match (header.generation, header.epoch).cmp(&(group.generation, epoch)) {
            std::cmp::Ordering::Less => return Ok(Taken::Done),
            std::cmp::Ordering::Greater => return Ok(Taken::Ahead),
            std::cmp::Ordering::Equal => {}
        }
        if pending.is_some_and(|pending| commit_of(&pending.request).is_some_and(|commit| commit == item.payload)) {
            self.merge_commit(conversation, item.seq);
            return Ok(Taken::Done);
        }
        let mut missing = Vec::new();
        let mut by = None;
        let processed = self.on_group(conversation, group.slot, |state, group| {
            group.process_commit(&state.engine, &item.payload, item.time_ms, |before, commit| {
                let (Committer::Member(leaf) | Committer::External(leaf)) = commit.committer;
                by = Some(leaf.account);
                state.check_commit(before, commit, &mut missing)
            })
        });
        match processed {
            Ok(()) => {
                self.entered_epoch(conversation, by, item.seq);
                Ok(Taken::Done)
            }
            Err(_) => Ok(self.ask_device_lists(missing).map_or(Taken::Bad, Taken::Needs)),
        }
    }

    fn is_candidates_commit(&self, conversation: ConversationId, payload: &[u8]) -> bool {
        let candidate = self.chats.get(&conversation).and_then(|chat| chat.candidate.as_ref());
        candidate
            .and_then(|candidate| commit_of(&candidate.request))
            .is_some_and(|commit| commit == payload)
    }

    /// The group is in a new epoch: a commit of ours for the old one is void, and what waited may go on.
    /// `by` has brought it there.
    fn entered_epoch(&mut self, conversation: ConversationId, by: Option<AccountId>, seq: u64) {
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        let lost = chat.pending_commit.take().is_some();
        chat.handshake_seq = seq;
        let slot = chat.group.map(|group| group.slot);
        self.seen_up_to(conversation, seq);
        if lost {
            self.put_off_key_update(conversation);
        }
        self.save_chat(conversation);
        if !self.roster_changed(conversation, by, seq) {
            self.inbox_may_go_on(Wait::Outcome(conversation));
            return;
        }
        if slot.is_some_and(|slot| !self.group_is_active(conversation, slot)) {
            // We were removed: whether that was right, the server's GroupInfo will say.
            self.lose(conversation);
        }
        let live = self.live.entry(conversation).or_default();
        live.behind_until = None;
        live.failures = 0;
        live.drain();
        self.inbox_may_go_on(Wait::Outcome(conversation));
        self.due.insert(conversation);
    }

    pub(super) fn fetch_log(&mut self, conversation: ConversationId) {
        let purpose = Purpose::Log(conversation);
        if self.connection.is_asking(&purpose) {
            return;
        }
        let after_seq = self
            .chats
            .get(&conversation)
            .map(|chat| server_seq(chat.handshake_seq))
            .unwrap_or_default();
        let fetch = wire::FetchLog {
            conversation_id: conversation.to_bytes(),
            after_seq,
            limit: LOG_ITEMS,
        };
        self.request(purpose, Body::FetchLog(fetch));
    }

    /// Commits that we missed. What the log cannot supply is the resync's.
    pub(crate) fn log_answered(&mut self, conversation: ConversationId, answer: &Answer) -> Step {
        let Ok(server_frame::Body::LogPage(page)) = answer else {
            self.lose(conversation);
            self.inbox_may_go_on(Wait::Log(conversation));
            return Ok(());
        };
        let before = self.load_group(conversation)?.map(mls::Group::epoch);
        let (mut lost, mut waits) = (false, false);
        for item in &page.items {
            match item.kind() {
                wire::deliver::Kind::Commit => {}
                // A Welcome or reset of the log is also in the queue.
                _ => continue,
            }
            let item = self.placed(item);
            match self.take_commit(conversation, &item)? {
                Taken::Done => {}
                Taken::Needs(account) => {
                    // The list comes, then the inbox or the next look asks for the log again.
                    self.ask_device_list(account);
                    waits = true;
                    break;
                }
                Taken::Ahead | Taken::Bad => {
                    lost = true;
                    break;
                }
            }
        }
        let after = self.load_group(conversation)?.map(mls::Group::epoch);
        if lost || (before == after && !page.more && !waits) {
            self.lose(conversation);
        } else if page.more && !waits {
            self.fetch_log(conversation);
            return Ok(());
        }
        self.inbox_may_go_on(Wait::Log(conversation));
        self.due.insert(conversation);
        Ok(())
    }

    /// Builds the removal of leaves that may not read on. True if one is needed: nothing is sent before it.
    pub(super) fn remove_revoked(&mut self, conversation: ConversationId) -> Step<bool> {
        // In a group all would do it at once: whoever has something to say does it.
        let idle = !self.is_about_to_write(conversation) && !self.has_wishes(conversation);
        if idle && self.teams.contains_key(&conversation) {
            return Ok(false);
        }
        let Some(facts) = self.load_group(conversation)?.and_then(|group| group.facts().ok()) else {
            return Ok(false);
        };
        let own = self.my_device();
        let named = &self.live.entry(conversation).or_default().to_remove;
        let doubtful: Vec<AccountId> = facts
            .leaves
            .iter()
            .filter(|leaf| named.contains(&leaf.device))
            .map(|leaf| leaf.account)
            .collect();
        let (mut revoked, policy) = self.leavers(&facts);
        let of_devices = facts
            .leaves
            .iter()
            .filter(|leaf| Some(leaf.device) != own && self.is_revoked(leaf))
            .map(|leaf| leaf.device);
        revoked.extend(of_devices);
        revoked.sort_unstable();
        revoked.dedup();
        if !revoked.is_empty() || policy.is_some() {
            if self.commit(conversation, Vec::new(), &revoked, policy.as_ref(), None) != Built::Pending {
                self.lose(conversation);
            }
            return Ok(true);
        }
        if doubtful.is_empty() {
            self.live.entry(conversation).or_default().to_remove.clear();
            return Ok(false);
        }
        // The server says that somebody is revoked whom we know as current: see the lists.
        self.live.entry(conversation).or_default().to_remove.clear();
        self.fetch_lists(conversation, &doubtful);
        Ok(true)
    }

    /// Builds the commit that renews our keys, adds, removes and sets the policy; it is submitted when this batch is
    /// durable. The group is loaded, and no commit of ours is pending. `wish` comes true by it.
    pub(super) fn commit(
        &mut self,
        conversation: ConversationId,
        added: Vec<CheckedKeyPackage>,
        removed: &[DeviceId],
        policy: Option<&GroupPolicy>,
        wish: Option<u64>,
    ) -> Built {
        let Some((group, account)) = self
            .chats
            .get(&conversation)
            .and_then(|chat| chat.group)
            .zip(self.account.as_ref())
        else {
            return Built::Broken;
        };
        let key = account.secret.key();
        let identity = account.identity(&key);
        let credentials = added.iter().map(|package| package.credential);
        let welcomed = credentials.map(|added| wire::DeviceAddress {
            account_id: added.account.to_bytes(),
            device_id: added.device.to_bytes(),
        });
        let welcomed = welcomed.collect();
        let mut broken = None;
        let built = self.on_group(conversation, group.slot, |state, group| {
            let epoch = group.epoch();
            let change = mls::Change { added, removed, policy };
            let bundle = group.commit(&state.engine, &identity, change, |before, commit| {
                let checked = state.check_commit(before, commit, &mut Vec::new());
                broken = checked.as_ref().err().cloned();
                checked
            })?;
            Ok((epoch, bundle))
        });
        let Ok((epoch, bundle)) = built else {
            return broken.map_or(Built::Broken, Built::Refused);
        };
        let submit = wire::SubmitCommit {
            conversation_id: conversation.to_bytes(),
            generation: group.generation,
            epoch,
            bundle: Some(wire::CommitBundle {
                commit: bundle.commit.into(),
                group_info: bundle.group_info.into(),
                welcome: bundle.welcome.into(),
                welcomed,
            }),
            client_seq: self.cursor.client_seq,
        };
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.pending_commit = Some(PendingCommit {
                epoch,
                request: encode_request(Body::SubmitCommit(submit)),
                wish,
            });
        }
        self.save_chat(conversation);
        self.due.insert(conversation);
        Built::Pending
    }

    pub(super) fn submit_commit(&mut self, conversation: ConversationId) {
        let pending = self
            .chats
            .get(&conversation)
            .and_then(|chat| chat.pending_commit.as_ref());
        let Some(body) = pending.and_then(|pending| decode_request(&pending.request)) else {
            return;
        };
        self.live.entry(conversation).or_default().busy = Some(Control::Commit);
        self.request(Purpose::Control(conversation, Control::Commit), body);
    }

    /// The group is loaded.
    pub(super) fn commit_answered(&mut self, conversation: ConversationId, answer: &Answer) {
        if self
            .chats
            .get(&conversation)
            .is_none_or(|chat| chat.pending_commit.is_none())
        {
            // Its echo, or the winner, came first.
            return;
        }
        let outcome = match answer {
            Ok(server_frame::Body::SubmitCommit(outcome)) => outcome.outcome.as_ref(),
            Ok(_) => None,
            Err(failure) => match failure.kind {
                wire::error::Code::Invalid | wire::error::Code::Denied | wire::error::Code::NotFound => {
                    let wish = self.drop_commit(conversation);
                    if let Some(wish) = wish {
                        self.wish_ended(conversation, wish, Err(failure.error.clone()));
                    }
                    return self.lose(conversation);
                }
                _ => return self.pause(conversation, failure.error.retry_after_ms),
            },
        };
        match outcome {
            Some(Outcome::Accepted(accepted)) => self.merge_commit(conversation, self.local_seq(accepted.seq)),
            Some(Outcome::EpochConflict(server)) => {
                self.drop_commit(conversation);
                self.behind(conversation, server);
            }
            Some(Outcome::PolicyDenied(denied)) => match self.drop_commit(conversation) {
                Some(wish) => {
                    let error = refusal(&denied.rule, &denied.message);
                    self.wish_ended(conversation, wish, Err(error));
                }
                None => self.pause(conversation, None),
            },
            None => self.pause(conversation, None),
        }
    }

    fn merge_commit(&mut self, conversation: ConversationId, seq: u64) {
        let Some(group) = self.chats.get(&conversation).and_then(|chat| chat.group) else {
            return;
        };
        let merged = self.on_group(conversation, group.slot, |state, group| {
            group.merge_pending(&state.engine)
        });
        self.live.entry(conversation).or_default().to_remove.clear();
        if merged.is_err() {
            return self.lose(conversation);
        }
        let pending = self
            .chats
            .get_mut(&conversation)
            .and_then(|chat| chat.pending_commit.take());
        self.keys_renewed(conversation);
        self.entered_epoch(conversation, self.my_account(), seq);
        if let Some(wish) = pending.and_then(|pending| pending.wish) {
            self.wish_granted(conversation, wish);
        }
    }

    /// The wish that would have come true by it.
    fn drop_commit(&mut self, conversation: ConversationId) -> Option<u64> {
        let chat = self.chats.get_mut(&conversation)?;
        let wish = chat.pending_commit.take().and_then(|pending| pending.wish);
        let group = chat.group?;
        let dropped = self.on_group(conversation, group.slot, |_, group| group.drop_pending());
        self.put_off_key_update(conversation);
        self.save_chat(conversation);
        if dropped.is_err() {
            self.lose(conversation);
        }
        self.inbox_may_go_on(Wait::Outcome(conversation));
        wish
    }

    /// Stops the inbox until `wait` is over; false if it has waited long enough for this item.
    pub(super) fn inbox_waits_for(&mut self, wait: Wait) -> Step<bool> {
        const WAITS_MAX: u32 = 4;
        if self.inbox_waits >= WAITS_MAX {
            return Ok(false);
        }
        self.inbox_waits += 1;
        Err(Stop::Wait(wait))
    }

    pub(super) fn inbox_may_go_on(&mut self, over: Wait) {
        if self.inbox_wait == Some(over) {
            self.inbox_wait = None;
        }
    }
}

fn commit_of(request: &[u8]) -> Option<Vec<u8>> {
    match decode_request(request)? {
        Body::SubmitCommit(submit) => submit.bundle.map(|bundle| bundle.commit.to_vec()),
        _ => None,
    }
}
