//! Beginning a group: KeyPackages claimed, the group built, and the server's word on it.
//!
//! A new group is a candidate in a slot of its own until the server accepts it. The request is stored with it, so
//! that it can be repeated byte for byte after a lost answer.

use kabar_protocol::{
    ids::{AccountId, ClientMessageId, ConversationId, DeviceId},
    policy::{self, GroupFacts},
    wire::{
        self, ConversationKind, GroupPolicy, MemberRole, Role, claim_key_packages_outcome, client_frame::Body,
        create_conversation_outcome::Outcome, server_frame,
    },
};
use prost::Message as _;

use super::{Building, Candidate, CandidateKind, Control, GroupRef};
use crate::{
    accounts::Verdict,
    api::BusinessSend,
    commands::refusal,
    connection::{Answer, Failure, Purpose},
    mls::{self, CheckedKeyPackage, Group, MlsError, Storage},
    state::{State, Wait},
    store::{Blob, keys},
    tx::Step,
};

/// How long the Welcome of a conversation that the peer began first may take before we join by ourselves.
const WELCOME_MS: i64 = 3_000;

impl State {
    /// Starts to build a group: the first generation, or the next one after a reset.
    pub(super) fn begin_group(
        &mut self,
        conversation: ConversationId,
        kind: CandidateKind,
        generation: u32,
        last: Option<GroupFacts>,
    ) {
        let (Some(me), Some(chat)) = (self.my_account(), self.chats.get(&conversation)) else {
            return;
        };
        let mut to_claim = vec![chat.peer];
        if self.current_devices(me).len() > 1 {
            to_claim.push(me);
        }
        self.live.entry(conversation).or_default().building = Some(Building {
            kind,
            generation,
            last,
            to_claim,
            claimed: Vec::new(),
        });
        self.claim_next(conversation);
    }

    fn claim_next(&mut self, conversation: ConversationId) {
        let live = self.live.entry(conversation).or_default();
        live.busy = None;
        let next = live.building.as_mut().and_then(|building| building.to_claim.pop());
        let Some(account) = next else {
            self.build_group(conversation);
            return;
        };
        live.busy = Some(Control::Claim(account));
        let claim = wire::ClaimKeyPackages {
            account_id: account.to_bytes(),
            suite: kabar_protocol::suite::XWING.into(),
            from_version: 0,
        };
        self.request(
            Purpose::Control(conversation, Control::Claim(account)),
            Body::ClaimKeyPackages(claim),
        );
    }

    pub(super) fn claim_answered(&mut self, conversation: ConversationId, account: AccountId, answer: &Answer) {
        use claim_key_packages_outcome::Outcome as Claim;
        match answer {
            Ok(server_frame::Body::ClaimKeyPackages(wire::ClaimKeyPackagesOutcome {
                outcome: Some(Claim::Claimed(claimed)),
            })) => {
                let known = claimed
                    .device_list
                    .as_ref()
                    .is_some_and(|list| self.learn_list(account, list));
                let building = self.live.entry(conversation).or_default().building.as_mut();
                match building {
                    Some(building) if known => {
                        building.claimed.extend(claimed.key_packages.iter().cloned());
                        self.claim_next(conversation);
                    }
                    _ => self.give_up_building(conversation),
                }
            }
            Ok(server_frame::Body::ClaimKeyPackages(_)) => {
                self.give_up_building(conversation);
                self.fail_intents(
                    conversation,
                    &refusal("account_unknown", "this account does not exist on the server any more"),
                );
            }
            Ok(_) => self.give_up_building(conversation),
            Err(failure) => {
                self.live.entry(conversation).or_default().building = None;
                self.control_failed(conversation, failure);
            }
        }
    }

    fn give_up_building(&mut self, conversation: ConversationId) {
        self.live.entry(conversation).or_default().building = None;
        self.pause(conversation, None);
    }

    /// All KeyPackages are here: builds the group, and the request that gives it to the server.
    fn build_group(&mut self, conversation: ConversationId) {
        let Some(building) = self.live.entry(conversation).or_default().building.take() else {
            return;
        };
        let Some(slot) = self.next_slot(conversation) else {
            return;
        };
        let Ok((group, bundle)) = self.create_group(conversation, slot, &building) else {
            self.pause(conversation, None);
            return;
        };
        let epoch = group.epoch();
        let welcomed = self.others(&group);
        self.keep_group(conversation, slot, group);
        let bundle = wire::CommitBundle {
            commit: bundle.commit.into(),
            group_info: bundle.group_info.into(),
            welcome: bundle.welcome.into(),
            welcomed,
        };
        let mut first_order = None;
        let kind = self.kind_of_group(conversation);
        let body = if building.kind == CandidateKind::Reset {
            Body::ResetConversation(wire::ResetConversation {
                conversation_id: conversation.to_bytes(),
                generation: building.generation.saturating_sub(1),
                bundle: Some(bundle),
            })
        } else {
            let intent = self
                .queued(conversation)
                .find(|intent| intent.failed.is_none())
                .cloned();
            let first = intent.and_then(|intent| {
                first_order = Some(intent.order);
                let content = &intent.content;
                let (message, client): (_, ClientMessageId) = (intent.message_id, intent.client_message_id);
                let class = intent.class();
                let business = intent.business;
                let mut send = self.seal(conversation, slot, message, client, class, content)?;
                send.business = business.map(BusinessSend::wire);
                Some(send)
            });
            Body::CreateConversation(wire::CreateConversation {
                conversation_id: conversation.to_bytes(),
                kind: kind.into(),
                bundle: Some(bundle),
                first,
            })
        };
        self.propose_candidate(
            conversation,
            Candidate {
                kind: building.kind,
                slot,
                generation: building.generation,
                epoch,
                request: encode_request(body),
                first: first_order,
            },
        );
    }

    fn create_group(
        &self,
        conversation: ConversationId,
        slot: u32,
        building: &Building,
    ) -> Result<(Group, mls::Bundle), MlsError> {
        let (Some(account), Some(chat)) = (&self.account, self.chats.get(&conversation)) else {
            return Err(MlsError::Malformed("account"));
        };
        let packages = self.judged_key_packages(account.device, &building.claimed)?;
        // A device that has published no package joins by itself later; but somebody must be there to read.
        if !packages.iter().any(|package| package.credential.account == chat.peer) {
            return Err(MlsError::Refused("key_package_missing".into()));
        }
        let mut members = [account.account, chat.peer].map(|account| MemberRole {
            account_id: account.to_bytes(),
            role: Role::Member.into(),
        });
        members.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        let policy = GroupPolicy {
            version: 1,
            kind: self.kind_of_group(conversation).into(),
            conversation_id: conversation.to_bytes(),
            generation: building.generation,
            members: building
                .last
                .as_ref()
                .map_or(members.to_vec(), |last| last.policy.members.clone()),
        };
        let key = account.secret.key();
        let storage = Storage::new(keys::group_slot(conversation, slot), []);
        Group::create(
            &self.engine,
            &account.identity(&key),
            storage,
            &policy,
            packages,
            |facts| {
                if let Some(last) = &building.last {
                    policy::check_reset(last, facts)?;
                }
                policy::check_group(conversation, building.generation, facts, |leaf| {
                    self.judge(leaf) == Verdict::Current
                })
            },
        )
    }

    fn kind_of_group(&self, conversation: ConversationId) -> ConversationKind {
        let peer = self.chats.get(&conversation).map(|chat| chat.peer);
        peer.map_or(ConversationKind::Direct, |peer| {
            self.conversation_kind(conversation, peer)
        })
    }

    /// One valid package of each current device but ours.
    fn judged_key_packages(
        &self,
        own: DeviceId,
        claimed: &[wire::DeviceKeyPackage],
    ) -> Result<Vec<CheckedKeyPackage>, MlsError> {
        let mut packages: Vec<CheckedKeyPackage> = Vec::new();
        for claim in claimed {
            let package = mls::read_key_package(&self.engine, &claim.key_package)?;
            let device = package.credential.device;
            if device == own || packages.iter().any(|known| known.credential.device == device) {
                continue;
            }
            if self.judge(&package.credential) != Verdict::Current {
                return Err(MlsError::Refused("credential".into()));
            }
            packages.push(package);
        }
        Ok(packages)
    }

    fn others(&self, group: &Group) -> Vec<wire::DeviceAddress> {
        let leaves = group.facts().map(|facts| facts.leaves).unwrap_or_default();
        let own = self.my_device();
        let others = leaves.into_iter().filter(|leaf| Some(leaf.device) != own);
        others
            .map(|leaf| wire::DeviceAddress {
                account_id: leaf.account.to_bytes(),
                device_id: leaf.device.to_bytes(),
            })
            .collect()
    }

    pub(super) fn next_slot(&mut self, conversation: ConversationId) -> Option<u32> {
        let chat = self.chats.get_mut(&conversation)?;
        chat.next_slot += 1;
        Some(chat.next_slot)
    }

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
            Control::Check { slot, epoch } => self.check_answered(conversation, slot, epoch, answer),
            Control::Candidate => self.candidate_answered(conversation, answer),
            Control::Commit => self.commit_answered(conversation, answer),
            Control::Lists(account) => self.device_list_answered(account, answer),
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
