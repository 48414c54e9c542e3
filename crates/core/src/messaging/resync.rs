//! Coming back into a group: by an external commit, and after two failures by a new generation.

use kabar_protocol::{
    ids::ConversationId,
    wire::{self, client_frame::Body, group_info_outcome::Outcome, server_frame},
};

use super::{Candidate, CandidateKind, Control, candidate::encode_request};
use crate::{
    accounts::Verdict,
    api::{MessageKind, TimeMs},
    commands::refusal,
    connection::{Answer, Purpose},
    mls::{self, Group, Storage},
    state::State,
    store::keys,
};

/// Resyncs that fail before the group is given up for a new generation.
pub(super) const RESYNCS_MAX: u32 = 2;
/// A conversation is reset at most this often.
const RESET_PAUSE_MS: TimeMs = 3_600_000;

impl State {
    /// The group is of no use any more. It stays readable until another takes its place.
    pub(crate) fn lose(&mut self, conversation: ConversationId) {
        if !self.takes_part(conversation) {
            return;
        }
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.on_server = true;
            if !chat.lost {
                chat.lost = true;
                self.save_chat(conversation);
            }
            self.due.insert(conversation);
        }
    }

    pub(super) fn resync_failed(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.resyncs_failed = chat.resyncs_failed.saturating_add(1);
            self.save_chat(conversation);
        }
        self.pause(conversation, None);
    }

    pub(super) fn fetch_group_info(&mut self, conversation: ConversationId) {
        let live = self.live.entry(conversation).or_default();
        live.welcome_until = None;
        live.busy = Some(Control::GroupInfo);
        let fetch = wire::FetchGroupInfo {
            conversation_id: conversation.to_bytes(),
        };
        self.request(
            Purpose::Control(conversation, Control::GroupInfo),
            Body::FetchGroupInfo(fetch),
        );
    }

    pub(super) fn group_info_answered(&mut self, conversation: ConversationId, answer: &Answer) {
        let outcome = match answer {
            Ok(server_frame::Body::GroupInfo(outcome)) => outcome.outcome.as_ref(),
            Ok(_) => None,
            Err(failure) => return self.control_failed(conversation, failure),
        };
        let Some(chat) = self.chats.get(&conversation) else {
            return;
        };
        let creating = chat
            .candidate
            .as_ref()
            .is_some_and(|candidate| candidate.kind == CandidateKind::Create);
        match outcome {
            Some(Outcome::Info(info)) if creating => self.recognise_candidate(conversation, info),
            Some(Outcome::Info(_)) if chat.group.is_some() && !chat.lost => {}
            Some(Outcome::Info(info)) if chat.resyncs_failed < RESYNCS_MAX => self.join_externally(conversation, info),
            // A group that has never been ours is not begun anew.
            Some(Outcome::Info(_) | Outcome::NotFound(_)) if self.entrance(conversation).is_some() => {
                let error = refusal(
                    "invite_gone",
                    "this link does not work any more, or the group cannot be entered",
                );
                self.turn_away(conversation, &error);
            }
            Some(Outcome::Info(info)) => self.begin_reset(conversation, info),
            Some(Outcome::NotFound(_)) => self.forget_conversation(conversation),
            None => self.pause(conversation, None),
        }
    }

    /// The server does not have it: whatever we hold is of no use, and a first message begins it anew.
    pub(super) fn forget_conversation(&mut self, conversation: ConversationId) {
        if self.teams.contains_key(&conversation) {
            return self.group_is_gone(conversation);
        }
        self.drop_candidate(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.on_server = false;
            chat.lost = false;
            chat.pending_commit = None;
            if let Some(old) = chat.group.take() {
                self.drop_slot(conversation, old.slot);
            }
        }
        self.save_chat(conversation);
        self.pause(conversation, None);
    }

    fn join_externally(&mut self, conversation: ConversationId, info: &wire::group_info_outcome::Info) {
        let Some(slot) = self.next_slot(conversation) else {
            return;
        };
        let Some(account) = &self.account else {
            return;
        };
        let key = account.secret.key();
        let invite = self.entrance(conversation);
        let mut missing = Vec::new();
        let storage = Storage::new(keys::group_slot(conversation, slot), []);
        let joined = Group::join_externally(
            &self.engine,
            &account.identity(&key),
            storage,
            &info.group_info,
            invite.as_ref(),
            |id, generation, facts| {
                if id != conversation || generation != info.generation {
                    return Err(kabar_protocol::policy::PolicyError::GroupPolicy);
                }
                self.check_entered(conversation, generation, facts, &mut missing)
            },
        );
        let (group, bundle) = match joined {
            Ok(joined) => joined,
            Err(_) if !missing.is_empty() => return self.fetch_lists(conversation, &missing),
            Err(_) => return self.resync_failed(conversation),
        };
        let epoch = group.epoch();
        self.keep_group(conversation, slot, group);
        let submit = wire::SubmitCommit {
            conversation_id: conversation.to_bytes(),
            generation: info.generation,
            epoch: info.epoch,
            bundle: Some(wire::CommitBundle {
                commit: bundle.commit.into(),
                group_info: bundle.group_info.into(),
                welcome: Vec::new().into(),
                welcomed: Vec::new(),
            }),
            client_seq: self.cursor.client_seq,
        };
        self.propose_candidate(
            conversation,
            Candidate {
                kind: CandidateKind::Join,
                slot,
                generation: info.generation,
                epoch,
                request: encode_request(Body::SubmitCommit(submit)),
                first: None,
            },
        );
    }

    /// Device lists that have to be known before the group can be judged: one after the other.
    pub(super) fn fetch_lists(&mut self, conversation: ConversationId, accounts: &[kabar_protocol::ids::AccountId]) {
        let Some((account, more)) = accounts.split_first() else {
            return;
        };
        // Those of a group come together: this one's answer calls for the next look.
        more.iter().for_each(|account| self.ask_device_list(*account));
        let account = *account;
        let live = self.live.entry(conversation).or_default();
        live.failures = live.failures.saturating_add(1);
        if live.failures > 8 {
            // The list does not become what the group says: do not ask for ever.
            self.resync_failed(conversation);
            return;
        }
        live.busy = Some(Control::Lists(account));
        let fetch = wire::FetchDeviceList {
            account_id: account.to_bytes(),
            from_version: 0,
        };
        self.request(
            Purpose::Control(conversation, Control::Lists(account)),
            Body::FetchDeviceList(fetch),
        );
    }

    pub(super) fn join_answered(
        &mut self,
        conversation: ConversationId,
        outcome: Option<&wire::submit_commit_outcome::Outcome>,
    ) {
        use wire::submit_commit_outcome::Outcome;
        match outcome {
            Some(Outcome::Accepted(accepted)) => self.adopt_candidate(conversation, self.local_seq(accepted.seq)),
            // Somebody committed in between: the same again on the new GroupInfo.
            Some(Outcome::EpochConflict(_)) => self.drop_candidate(conversation),
            Some(Outcome::PolicyDenied(denied)) => {
                self.drop_candidate(conversation);
                if self.entrance(conversation).is_some() {
                    return self.turn_away(conversation, &refusal(&denied.rule, &denied.message));
                }
                self.resync_failed(conversation);
            }
            None => self.pause(conversation, None),
        }
    }

    /// Nobody can come into the group any more: the next generation, with the same people.
    pub(super) fn begin_reset(&mut self, conversation: ConversationId, info: &wire::group_info_outcome::Info) {
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        let too_soon = chat.reset_at.is_some_and(|at| at + RESET_PAUSE_MS > self.now);
        let last = mls::group_info_facts(&info.group_info);
        match last {
            Ok(mut last) if !too_soon && last.conversation == conversation && last.generation == info.generation => {
                // Stored with the candidate: a crash before that has asked for nothing.
                chat.reset_at = Some(self.now);
                last.facts.leaves = self.unlisted(conversation, &last.facts);
                self.begin_group(
                    conversation,
                    CandidateKind::Reset,
                    info.generation + 1,
                    Some(last.facts),
                );
            }
            _ => {
                // Try the external commit once more, later.
                chat.resyncs_failed = RESYNCS_MAX - 1;
                self.save_chat(conversation);
                self.pause(conversation, Some(60_000));
            }
        }
    }

    pub(super) fn reset_answered(
        &mut self,
        conversation: ConversationId,
        outcome: Option<&wire::reset_conversation_outcome::Outcome>,
    ) {
        use wire::reset_conversation_outcome::Outcome;
        match outcome {
            Some(Outcome::Accepted(accepted)) => {
                self.adopt_candidate(conversation, self.local_seq(accepted.seq));
                self.add_notice(conversation, MessageKind::NoticeReset);
            }
            Some(Outcome::EpochConflict(_)) => {
                if let Some(chat) = self.chats.get_mut(&conversation) {
                    chat.resyncs_failed = 0;
                }
                self.drop_candidate(conversation);
                // Whoever was first has welcomed us.
                self.await_welcome(conversation);
            }
            Some(Outcome::PolicyDenied(_)) => {
                self.drop_candidate(conversation);
                self.pause(conversation, Some(60_000));
            }
            None => self.pause(conversation, None),
        }
    }

    /// The server allows no reset now: by an external commit we are in all the same.
    pub(super) fn reset_refused(&mut self, conversation: ConversationId) {
        self.drop_candidate(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.resyncs_failed = RESYNCS_MAX - 1;
        }
        self.save_chat(conversation);
    }

    /// Leaves that must not read what we write.
    pub(super) fn is_revoked(&self, leaf: &kabar_protocol::credential::Credential) -> bool {
        self.judge(leaf) == Verdict::Revoked
    }
}
