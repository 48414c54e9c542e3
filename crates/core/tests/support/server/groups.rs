//! Conversations of the stand-in: made, changed by commits, reset, read back. It orders commits and does not judge
//! them; whose right a change is, the clients decide.

use std::collections::{BTreeMap, BTreeSet};

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    wire::{
        self, DeviceAddress, create_conversation_outcome, deliver::Kind, group_info_outcome,
        reset_conversation_outcome, send_outcome, server_frame::Body as Say, submit_commit_outcome,
    },
};

use super::{Conversation, Server, error};

impl Server {
    fn welcomed(bundle: &wire::CommitBundle) -> BTreeMap<DeviceId, AccountId> {
        let address = |to: &DeviceAddress| {
            (
                DeviceId::from_slice(&to.device_id).unwrap(),
                AccountId::from_slice(&to.account_id).unwrap(),
            )
        };
        bundle.welcomed.iter().map(address).collect()
    }

    pub(super) fn create(&mut self, from: (AccountId, DeviceId), ask: wire::CreateConversation, now: i64) -> Say {
        use create_conversation_outcome::{AlreadyExists, Created, Outcome};
        let outcome = |outcome| Say::CreateConversation(wire::CreateConversationOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        if self.data.conversations.contains_key(&id) {
            return outcome(Outcome::AlreadyExists(AlreadyExists {
                conversation_id: ask.conversation_id,
            }));
        }
        let bundle = ask.bundle.unwrap();
        let mut members = Self::welcomed(&bundle);
        let stale: Vec<_> = members
            .values()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|account| {
                self.current(*account)
                    .iter()
                    .any(|device| !members.contains_key(device) && *device != from.1)
            })
            .map(|account| account.to_bytes())
            .collect();
        if !stale.is_empty()
            || members
                .iter()
                .any(|(device, account)| !self.current(*account).contains(device))
        {
            return outcome(Outcome::DeviceListStale(wire::DeviceListStale { account_ids: stale }));
        }
        let others: Vec<DeviceId> = members.keys().copied().collect();
        members.insert(from.1, from.0);
        let conversation = Conversation {
            generation: 0,
            epoch: 1,
            group_info: bundle.group_info,
            roster: members.values().copied().collect(),
            members,
            seq: 1,
            log: Vec::new(),
            sends: BTreeMap::new(),
            last_commit: None,
        };
        self.data.conversations.insert(id, conversation);
        let item = self.item(id, Kind::Welcome, from, bundle.welcome, now);
        self.enqueue(&others, &item);
        let first = ask.first.and_then(|send| match self.send(from, send, now) {
            Say::Send(wire::SendOutcome {
                outcome: Some(send_outcome::Outcome::Sent(sent)),
            }) => Some(sent),
            _ => None,
        });
        outcome(Outcome::Created(Created { seq: 1, first }))
    }

    pub(super) fn commit(&mut self, from: (AccountId, DeviceId), ask: wire::SubmitCommit, now: i64) -> Say {
        use submit_commit_outcome::{Accepted, Outcome};
        let outcome = |outcome| Say::SubmitCommit(wire::SubmitCommitOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        self.confirm(from.1, ask.client_seq);
        let bundle = ask.bundle.unwrap();
        let added = Self::welcomed(&bundle);
        let Some(account_devices) = self.data.conversations.get(&id).map(|conversation| {
            conversation
                .members
                .iter()
                .map(|(device, account)| (*device, *account))
                .collect::<Vec<_>>()
        }) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        let revoked: Vec<DeviceId> = account_devices
            .iter()
            .filter(|(device, account)| !self.current(*account).contains(device))
            .map(|(device, _)| *device)
            .collect();
        let conversation = self.data.conversations.get_mut(&id).unwrap();
        if let Some((_, seq)) = conversation
            .last_commit
            .as_ref()
            .filter(|(last, _)| *last == bundle.commit)
        {
            return outcome(Outcome::Accepted(Accepted { seq: *seq }));
        }
        if (ask.generation, ask.epoch) != (conversation.generation, conversation.epoch) {
            self.conflicts += 1;
            return outcome(Outcome::EpochConflict(wire::EpochConflict {
                generation: conversation.generation,
                epoch: conversation.epoch,
            }));
        }
        let others: Vec<DeviceId> = conversation
            .members
            .keys()
            .copied()
            .filter(|device| *device != from.1)
            .collect();
        // RFC 9420 framing: sender type 4 is new_member_commit. A member's commit with proposals removes who is
        // revoked, one without is a path update; between them are leaf index, no AAD, and the content type.
        let external = conversation.members.insert(from.1, from.0).is_none() || bundle.commit[4 + 21 + 8] == 4;
        let proposes = bundle.commit[4 + 21 + 8 + 1 + 4 + 1 + 1] != 0;
        if !external && proposes {
            conversation.members.retain(|device, _| !revoked.contains(device));
        }
        conversation.epoch += 1;
        conversation.seq += 1;
        conversation.group_info = bundle.group_info;
        conversation.last_commit = Some((bundle.commit.clone(), conversation.seq));
        let seq = conversation.seq;
        conversation.roster.extend(added.values());
        conversation.members.extend(&added);
        let item = self.item(id, Kind::Commit, from, bundle.commit, now);
        self.data.conversations.get_mut(&id).unwrap().log.push(item.clone());
        self.enqueue(&others, &item);
        if !added.is_empty() {
            let item = self.item(id, Kind::Welcome, from, bundle.welcome, now);
            self.enqueue(&added.into_keys().collect::<Vec<_>>(), &item);
        }
        outcome(Outcome::Accepted(Accepted { seq }))
    }

    pub(super) fn reset(&mut self, from: (AccountId, DeviceId), ask: wire::ResetConversation, now: i64) -> Say {
        use reset_conversation_outcome::{Accepted, Outcome};
        let outcome = |outcome| Say::ResetConversation(wire::ResetConversationOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let bundle = ask.bundle.unwrap();
        let mut members = Self::welcomed(&bundle);
        let others: Vec<DeviceId> = members.keys().copied().collect();
        members.insert(from.1, from.0);
        let Some(conversation) = self.data.conversations.get_mut(&id) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        if ask.generation != conversation.generation {
            return outcome(Outcome::EpochConflict(wire::EpochConflict {
                generation: conversation.generation,
                epoch: conversation.epoch,
            }));
        }
        conversation.generation += 1;
        conversation.epoch = 1;
        conversation.seq += 1;
        conversation.members = members;
        conversation.group_info = bundle.group_info;
        let seq = conversation.seq;
        let item = self.item(id, Kind::Reset, from, bundle.welcome, now);
        self.enqueue(&others, &item);
        outcome(Outcome::Accepted(Accepted { seq }))
    }

    pub(super) fn log(&self, ask: wire::FetchLog) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let Some(conversation) = self.data.conversations.get(&id) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        let items = conversation
            .log
            .iter()
            .filter(|item| item.seq > ask.after_seq)
            .cloned()
            .collect();
        Say::LogPage(wire::LogPage { items, more: false })
    }

    pub(super) fn group_info(&self, from: (AccountId, DeviceId), id: &[u8]) -> Say {
        use group_info_outcome::{Info, NotFound, Outcome};
        let id = ConversationId::from_slice(id).unwrap();
        let conversation = self
            .data
            .conversations
            .get(&id)
            .filter(|conversation| conversation.roster.contains(&from.0));
        let outcome = match conversation {
            Some(conversation) => Outcome::Info(Info {
                generation: conversation.generation,
                epoch: conversation.epoch,
                kind: wire::ConversationKind::Direct.into(),
                group_info: conversation.group_info.clone(),
                seq: conversation.seq,
            }),
            None => Outcome::NotFound(NotFound {}),
        };
        Say::GroupInfo(wire::GroupInfoOutcome { outcome: Some(outcome) })
    }
}
