//! What a device asks of the server for its conversations.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    mls_header::opaque_private_message,
    wire::{
        self, AuthenticatedData, CommitBundle, ConversationKind, MessageClass, client_frame::Body as Request,
        server_frame::Body as Response,
    },
};
use prost::Message as _;

use super::{Device, random};

impl Device {
    pub(crate) async fn create_direct(&mut self, peer: AccountId) -> ConversationId {
        let claimed = self.claim(peer).await;
        let (id, bundle) = self.direct_group(peer, &claimed.key_packages);
        match self.create(id, bundle, None).await {
            wire::create_conversation_outcome::Outcome::Created(created) => assert_eq!(created.seq, 1),
            other => panic!("not created: {other:?}"),
        }
        id
    }

    pub(crate) async fn create(
        &mut self,
        id: ConversationId,
        bundle: CommitBundle,
        first: Option<wire::Send>,
    ) -> wire::create_conversation_outcome::Outcome {
        let request = wire::CreateConversation {
            conversation_id: id.to_bytes(),
            kind: ConversationKind::Direct.into(),
            bundle: Some(bundle),
            first,
        };
        match self.socket.request(Request::CreateConversation(request)).await {
            Response::CreateConversation(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn submit(
        &mut self,
        id: ConversationId,
        epoch: u64,
        bundle: CommitBundle,
    ) -> wire::submit_commit_outcome::Outcome {
        let request = wire::SubmitCommit {
            conversation_id: id.to_bytes(),
            generation: 0,
            epoch,
            bundle: Some(bundle),
            client_seq: 0,
        };
        match self.socket.request(Request::SubmitCommit(request)).await {
            Response::SubmitCommit(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        }
    }

    /// A message of true shape; the server cannot tell that nothing is encrypted in it.
    pub(crate) fn message(&mut self, id: ConversationId, epoch: u64, bytes: usize) -> wire::Send {
        self.message_in(id, (0, epoch), bytes)
    }

    /// As [`Self::message`], in a generation and epoch.
    pub(crate) fn message_in(&mut self, id: ConversationId, place: (u32, u64), bytes: usize) -> wire::Send {
        self.message_of(id, place, MessageClass::Content, bytes)
    }

    /// As [`Self::message_in`], of a class.
    pub(crate) fn message_of(
        &mut self,
        id: ConversationId,
        (generation, epoch): (u32, u64),
        class: MessageClass,
        bytes: usize,
    ) -> wire::Send {
        self.client_seq += 1;
        let data = AuthenticatedData {
            message_id: [&[1][..], &random::<31>()].concat().into(),
            class: class.into(),
            timeline: vec![0; 16].into(),
            device_list_version: 0,
            device_list_hash: vec![0; 32].into(),
        };
        let group_id = id.group_id(generation);
        wire::Send {
            conversation_id: id.to_bytes(),
            generation,
            epoch,
            client_message_id: random::<16>().to_vec().into(),
            class: class.into(),
            ciphertext: opaque_private_message(&group_id, epoch, &data.encode_to_vec(), &vec![7; bytes]).into(),
            client_seq: self.client_seq,
            ..Default::default()
        }
    }

    pub(crate) async fn send(&mut self, send: wire::Send) -> wire::send_outcome::Outcome {
        match self.socket.request(Request::Send(send)).await {
            Response::Send(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn sent(&mut self, send: wire::Send) -> wire::send_outcome::Sent {
        match self.send(send).await {
            wire::send_outcome::Outcome::Sent(sent) => sent,
            other => panic!("not sent: {other:?}"),
        }
    }

    pub(crate) async fn ack(&mut self, cursor: u64, delivered: &[(ConversationId, u64)]) {
        self.ack_with(cursor, delivered, Vec::new()).await;
    }

    pub(crate) async fn ack_with(
        &mut self,
        cursor: u64,
        delivered: &[(ConversationId, u64)],
        receipts: Vec<wire::DeliveryReceipt>,
    ) {
        let request = wire::Ack {
            cursor,
            delivered: delivered
                .iter()
                .map(|(id, seq)| wire::DeliveredUpTo {
                    conversation_id: id.to_bytes(),
                    seq: *seq,
                })
                .collect(),
            receipts,
            client_seq: self.client_seq,
        };
        match self.socket.request(Request::Ack(request)).await {
            Response::Acked(_) => {}
            other => panic!("not acknowledged: {other:?}"),
        }
    }
}
