//! A group that is ours once the server accepts it: submitted, recognised, adopted or dropped.
//!
//! The request is stored with the candidate, so that it can be repeated byte for byte after a lost answer.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire::{self, client_frame::Body, create_conversation_outcome::Outcome, server_frame},
};
use prost::Message as _;

use super::{Candidate, CandidateKind, Control, GroupRef};
use crate::{
    connection::{Answer, Failure, Purpose},
    state::{State, Wait},
    store::Blob,
    tx::Step,
};

/// How long the Welcome of a conversation that the peer began first may take before we join by ourselves.
const WELCOME_MS: i64 = 3_000;

impl State {
    pub(super) fn propose_candidate(&mut self, conversation: ConversationId, candidate: Candidate) {
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.candidate = Some(candidate);
            self.save_chat(conversation);
            self.due.insert(conversation);
        }
    }

    pub(super) fn submit_candidate(&mut self, conversation: ConversationId) {
        let Some(candidate) = self.chats.get(&conversation).and_then(|chat| chat.candidate.as_ref()) else {
            return;
        };
        match decode_request(&candidate.request) {
            Some(body) => {
                self.live.entry(conversation).or_default().busy = Some(Control::Candidate);
                self.request(Purpose::Control(conversation, Control::Candidate), body);
            }
            None => self.drop_candidate(conversation),
        }
    }

    pub(super) fn candidate_answered(&mut self, conversation: ConversationId, answer: &Answer) {
        let Some(candidate) = self.chats.get(&conversation).and_then(|chat| chat.candidate.clone()) else {
            return;
        };
        match (candidate.kind, answer) {
            (CandidateKind::Create, Ok(server_frame::Body::CreateConversation(outcome))) => {
                self.create_answered(conversation, &candidate, outcome.outcome.as_ref());
            }
            (CandidateKind::Join, Ok(server_frame::Body::SubmitCommit(outcome))) => {
                self.join_answered(conversation, outcome.outcome.as_ref());
            }
            (CandidateKind::Reset, Ok(server_frame::Body::ResetConversation(outcome))) => {
                self.reset_answered(conversation, outcome.outcome.as_ref());
            }
            (_, Ok(_)) => self.pause(conversation, None),
            (CandidateKind::Reset, Err(failure)) if failure.kind == wire::error::Code::RateLimited => {
                self.reset_refused(conversation);
            }
            (_, Err(failure)) => self.control_failed(conversation, failure),
        }
    }

    fn create_answered(&mut self, conversation: ConversationId, candidate: &Candidate, outcome: Option<&Outcome>) {
        match outcome {
            Some(Outcome::Created(created)) => {
                self.adopt_candidate(conversation, self.local_seq(created.seq));
                if let (Some(order), Some(sent)) = (candidate.first, &created.first) {
                    self.sent(conversation, order, sent, first_ciphertext(&candidate.request));
                }
            }
            // Ours of an earlier attempt, or the peer's: the server's GroupInfo tells.
            Some(Outcome::AlreadyExists(_)) => self.fetch_group_info(conversation),
            Some(Outcome::DeviceListStale(stale)) => {
                self.drop_candidate(conversation);
                let accounts = stale.account_ids.iter().filter_map(|id| AccountId::from_slice(id).ok());
                accounts
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|account| self.ask_device_list(account));
                self.pause(conversation, None);
            }
            None => self.pause(conversation, None),
        }
    }

    /// The conversation was there. Says whether it is the very group that we tried to create.
    pub(super) fn recognise_candidate(&mut self, conversation: ConversationId, info: &wire::group_info_outcome::Info) {
        let Some(candidate) = self.chats.get(&conversation).and_then(|chat| chat.candidate.as_ref()) else {
            return;
        };
        let ours = match decode_request(&candidate.request) {
            Some(Body::CreateConversation(create)) => create.bundle.map(|bundle| bundle.group_info),
            _ => None,
        };
        if ours.as_ref() == Some(&info.group_info) {
            self.adopt_candidate(conversation, self.local_seq(0));
            return;
        }
        self.drop_candidate(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.on_server = true;
        }
        self.save_chat(conversation);
        self.await_welcome(conversation);
    }

    pub(super) fn await_welcome(&mut self, conversation: ConversationId) {
        let until = self.now + WELCOME_MS;
        self.live.entry(conversation).or_default().welcome_until = Some(until);
        self.due.insert(conversation);
    }

    /// The server has accepted it: the candidate is our group now.
    pub(super) fn adopt_candidate(&mut self, conversation: ConversationId, seq: u64) {
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        let Some(candidate) = chat.candidate.take() else {
            return;
        };
        let group = GroupRef {
            slot: candidate.slot,
            generation: candidate.generation,
            timeline: self.cursor.timelines,
        };
        if candidate.kind == CandidateKind::Create {
            self.begins(conversation);
        }
        self.adopt(conversation, group, seq);
        let by = match candidate.kind {
            CandidateKind::Join => None,
            CandidateKind::Create | CandidateKind::Reset => self.my_account(),
        };
        self.entered_group(conversation, by, seq);
    }

    pub(super) fn adopt(&mut self, conversation: ConversationId, group: GroupRef, seq: u64) {
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        let old = chat.group.replace(group);
        chat.on_server = true;
        chat.lost = false;
        chat.pending_commit = None;
        chat.resyncs_failed = 0;
        chat.handshake_seq = seq;
        self.seen_up_to(conversation, seq);
        if let Some(old) = old {
            self.drop_slot(conversation, old.slot);
        }
        self.keys_renewed(conversation);
        self.save_chat(conversation);
        let live = self.live.entry(conversation).or_default();
        live.welcome_until = None;
        live.behind_until = None;
        live.failures = 0;
        live.retry_at = None;
        live.drain();
        self.inbox_may_go_on(Wait::Outcome(conversation));
        self.due.insert(conversation);
    }

    pub(super) fn drop_candidate(&mut self, conversation: ConversationId) {
        let candidate = self.chats.get_mut(&conversation).and_then(|chat| chat.candidate.take());
        if let Some(candidate) = candidate {
            self.drop_slot(conversation, candidate.slot);
            self.save_chat(conversation);
        }
        self.inbox_may_go_on(Wait::Outcome(conversation));
        self.due.insert(conversation);
    }

    /// A request about the group was answered by an Error.
    pub(super) fn control_failed(&mut self, conversation: ConversationId, failure: &Failure) {
        use wire::error::Code;
        match failure.kind {
            Code::Invalid | Code::Denied | Code::NotFound => {
                let creating = self.chats.get(&conversation).is_some_and(|chat| !chat.on_server);
                if self.is_making(conversation) {
                    return self.abandon(conversation, &failure.error);
                }
                if self.entrance(conversation).is_some() {
                    self.drop_candidate(conversation);
                    return self.turn_away(conversation, &failure.error);
                }
                self.drop_candidate(conversation);
                if creating {
                    self.fail_intents(conversation, &failure.error);
                } else {
                    self.resync_failed(conversation);
                }
            }
            Code::Unauthenticated => self.drop_connection(),
            _ => self.wait_after(conversation, &failure.error),
        }
    }

    pub(crate) fn control_answered(&mut self, conversation: ConversationId, control: Control, answer: &Answer) -> Step {
        if matches!(control, Control::Commit | Control::Check { .. }) {
            self.load_group(conversation)?;
        }
        let live = self.live.entry(conversation).or_default();
        if live.busy == Some(control) {
            live.busy = None;
        }
        match control {
            Control::Claim(account) => self.claim_answered(conversation, account, answer),
            Control::GroupInfo => self.group_info_answered(conversation, answer),
            Control::Check { slot, epoch } => {
                self.check_answered(conversation, slot, epoch, answer);
                self.check_more();
            }
            Control::Candidate => self.candidate_answered(conversation, answer),
            Control::Commit => self.commit_answered(conversation, answer),
            Control::Lists(account) => self.device_list_answered(account, answer),
            Control::Invite => self.link_answered(conversation, answer),
        }
        self.due.insert(conversation);
        Ok(())
    }
}

pub(super) fn encode_request(body: Body) -> Blob {
    wire::ClientFrame {
        request_id: 0,
        body: Some(body),
    }
    .encode_to_vec()
    .into()
}

pub(super) fn decode_request(bytes: &[u8]) -> Option<Body> {
    wire::ClientFrame::decode(bytes).ok()?.body
}

fn first_ciphertext(request: &[u8]) -> Option<Vec<u8>> {
    match decode_request(request)? {
        Body::CreateConversation(create) => create.first.map(|send| send.ciphertext.to_vec()),
        _ => None,
    }
}
