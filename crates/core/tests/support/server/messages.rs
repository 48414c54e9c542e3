//! Messages of the stand-in: sent once, queued for each device, acknowledged, and what is told of them. It never
//! looks into a ciphertext.

use std::collections::BTreeSet;

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    wire::{self, Deliver, DeviceAddress, deliver::Kind, send_outcome, server_frame::Body as Say},
};

use super::{Server, error, frame};

impl Server {
    pub(in crate::support) fn item(
        &self,
        id: ConversationId,
        kind: Kind,
        from: (AccountId, DeviceId),
        payload: bytes::Bytes,
        now: i64,
    ) -> Deliver {
        let conversation = &self.data.conversations[&id];
        Deliver {
            cursor: 0,
            conversation_id: id.to_bytes(),
            generation: conversation.generation,
            seq: conversation.seq,
            kind: kind.into(),
            class: 0,
            sender: Some(DeviceAddress {
                account_id: from.0.to_bytes(),
                device_id: from.1.to_bytes(),
            }),
            time_ms: now,
            stamp: vec![7; 32].into(),
            payload,
            conversation_kind: wire::ConversationKind::Direct.into(),
            billable: None,
        }
    }

    pub(in crate::support) fn enqueue(&mut self, devices: &[DeviceId], item: &Deliver) {
        for device in devices {
            let queue = self.data.queues.entry(*device).or_default();
            queue.next += 1;
            let mut item = item.clone();
            item.cursor = queue.next;
            if let Some(tamper) = self.tamper {
                tamper(&mut item);
            }
            queue.items.push_back(item);
        }
    }

    pub(super) fn confirm(&mut self, device: DeviceId, client_seq: u64) {
        let queue = self.data.queues.entry(device).or_default();
        queue.client_seq = queue.client_seq.max(client_seq);
    }

    pub(super) fn send(&mut self, from: (AccountId, DeviceId), ask: wire::Send, now: i64) -> Say {
        let outcome = |outcome| Say::Send(wire::SendOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let name = (from.1, ask.client_message_id.to_vec());
        self.confirm(from.1, ask.client_seq);
        let current: BTreeSet<DeviceId> = self
            .data
            .conversations
            .get(&id)
            .into_iter()
            .flat_map(|conversation| conversation.members.values().copied().collect::<BTreeSet<_>>())
            .flat_map(|account| self.current(account))
            .collect();
        let Some(conversation) = self.data.conversations.get_mut(&id) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        if let Some(sent) = conversation.sends.get(&name) {
            return outcome(send_outcome::Outcome::Sent(sent.clone()));
        }
        if !conversation.members.contains_key(&from.1) {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        }
        if (ask.generation, ask.epoch) != (conversation.generation, conversation.epoch) {
            self.conflicts += 1;
            return outcome(send_outcome::Outcome::StaleEpoch(wire::EpochConflict {
                generation: conversation.generation,
                epoch: conversation.epoch,
            }));
        }
        let revoked: Vec<_> = conversation
            .members
            .iter()
            .filter(|(device, _)| !current.contains(device))
            .collect();
        if !revoked.is_empty() {
            let devices = revoked.into_iter().map(|(device, account)| DeviceAddress {
                account_id: account.to_bytes(),
                device_id: device.to_bytes(),
            });
            return outcome(send_outcome::Outcome::PendingRemoval(send_outcome::PendingRemoval {
                devices: devices.collect(),
            }));
        }
        conversation.seq += 1;
        let sent = send_outcome::Sent {
            seq: conversation.seq,
            time_ms: now,
            stamp: vec![7; 32].into(),
        };
        conversation.sends.insert(name, sent.clone());
        let others: Vec<DeviceId> = conversation
            .members
            .keys()
            .copied()
            .filter(|device| *device != from.1)
            .collect();
        let mut item = self.item(id, Kind::Message, from, ask.ciphertext, now);
        item.class = ask.class;
        self.enqueue(&others, &item);
        outcome(send_outcome::Outcome::Sent(sent))
    }

    pub(super) fn ack(&mut self, from: (AccountId, DeviceId), ask: wire::Ack) -> Say {
        self.signed.extend(ask.receipts);
        if self.refuse_acks {
            return error(wire::error::Code::Unavailable, "overloaded");
        }
        self.confirm(from.1, ask.client_seq);
        let queue = self.data.queues.entry(from.1).or_default();
        queue.items.retain(|item| item.cursor > ask.cursor);
        for delivered in ask.delivered {
            let id = ConversationId::from_slice(&delivered.conversation_id).unwrap();
            let seq = self.data.delivered.entry((id, from.0)).or_default();
            *seq = delivered.seq.max(*seq);
            let say = Say::Delivered(wire::Delivered {
                conversation_id: delivered.conversation_id,
                account_id: from.0.to_bytes(),
                seq: delivered.seq,
            });
            self.push_to_others(id, from.0, say);
        }
        Say::Acked(wire::Acked {})
    }

    /// Whoever sent it, or an admin: the stand-in knows no roles, and asks nobody.
    pub(super) fn withdraw(&mut self, from: (AccountId, DeviceId), ask: &wire::Withdraw) -> Say {
        let of_members = self.data.conversations.values();
        assert!(of_members.into_iter().any(|known| known.members.contains_key(&from.1)));
        for queue in self.data.queues.values_mut() {
            for item in &mut queue.items {
                let is_it = item.conversation_id == ask.conversation_id && item.seq == ask.seq;
                if is_it && item.kind() == Kind::Message {
                    let header = kabar_protocol::mls_header::private_header(&item.payload).unwrap();
                    let (id, _) = kabar_protocol::content::authenticated_data(header.authenticated_data).unwrap();
                    item.payload = id.to_bytes();
                    item.kind = Kind::Withdrawn.into();
                }
            }
        }
        Say::Withdrawn(wire::Withdrawn {})
    }

    pub(super) fn receipts(&self, from: (AccountId, DeviceId), ask: wire::FetchReceipts) -> Say {
        let ids: BTreeSet<_> = ask
            .conversation_ids
            .iter()
            .filter_map(|id| ConversationId::from_slice(id).ok())
            .collect();
        let rows = self
            .data
            .delivered
            .iter()
            .filter(|((id, owner), _)| ids.contains(id) && *owner != from.0);
        let receipts = rows.map(|((id, owner), seq)| wire::Delivered {
            conversation_id: id.to_bytes(),
            account_id: owner.to_bytes(),
            seq: *seq,
        });
        Say::Receipts(wire::ReceiptsPage {
            receipts: receipts.collect(),
        })
    }

    pub(super) fn typing(&mut self, from: (AccountId, DeviceId), ask: wire::Typing) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let notice = wire::TypingNotice {
            conversation_id: ask.conversation_id,
            account_id: from.0.to_bytes(),
            active: ask.active,
        };
        self.push_to_others(id, from.0, Say::Typing(notice));
        Say::EphemeralAccepted(wire::EphemeralAccepted {})
    }

    pub(super) fn presence(&mut self, from: (AccountId, DeviceId), ask: wire::Presence) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let notice = wire::PresenceNotice {
            conversation_id: ask.conversation_id,
            account_id: from.0.to_bytes(),
            kind: ask.kind,
        };
        self.push_to_others(id, from.0, Say::Presence(notice));
        Say::EphemeralAccepted(wire::EphemeralAccepted {})
    }

    fn push_to_others(&mut self, id: ConversationId, from: AccountId, say: Say) {
        let Some(conversation) = self.data.conversations.get(&id) else {
            return;
        };
        for socket in self.sockets.values_mut() {
            let member = socket
                .device
                .is_some_and(|(owner, device)| owner != from && conversation.members.contains_key(&device));
            if member {
                socket.out.push_back(frame(0, say.clone()));
            }
        }
    }
}
