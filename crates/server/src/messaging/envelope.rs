//! What a device is delivered: one encoding for the database, the wire and every recipient.
//!
//! An envelope is an encoded `Deliver` without its cursor; see `socket::frame`.

use bytes::Bytes;
use kabar_protocol::{
    ids::{ConversationId, MessageId},
    limits::QUEUE_RETENTION_DAYS,
    wire::{Billable, ConversationKind, Deliver, DeviceAddress, MessageClass, deliver::Kind},
};
use prost::Message as _;
use subtle::ConstantTimeEq as _;

use crate::{app::App, socket::Identity};

pub(super) const DAY_MS: i64 = 86_400_000;
pub(super) const RETENTION_MS: i64 = QUEUE_RETENTION_DAYS as i64 * DAY_MS;
/// Up to here a body is stored in each recipient's queue row; beyond, once in the log.
pub(super) const INLINE_BYTES_MAX: usize = 4 * 1024;
pub(super) const INLINE_RECIPIENTS_MAX: usize = 10;

pub(super) fn address(identity: Identity) -> DeviceAddress {
    DeviceAddress {
        account_id: identity.account.to_bytes(),
        device_id: identity.device.to_bytes(),
    }
}

/// Place and sender of an item.
pub(super) struct Place {
    pub(super) conversation: ConversationId,
    pub(super) generation: u32,
    pub(super) seq: u64,
    pub(super) sender: Identity,
    pub(super) time_ms: i64,
}

impl Place {
    fn deliver(&self, kind: Kind, payload: Bytes) -> Deliver {
        Deliver {
            conversation_id: self.conversation.to_bytes(),
            generation: self.generation,
            seq: self.seq,
            kind: kind.into(),
            sender: Some(address(self.sender)),
            time_ms: self.time_ms,
            payload,
            ..Deliver::default()
        }
    }

    pub(super) fn message(
        &self,
        class: MessageClass,
        stamp: &[u8; 32],
        billable: Option<Billable>,
        payload: Bytes,
    ) -> Bytes {
        let deliver = Deliver {
            billable,
            class: class.into(),
            stamp: Bytes::copy_from_slice(stamp),
            ..self.deliver(Kind::Message, payload)
        };
        deliver.encode_to_vec().into()
    }

    pub(super) fn commit(&self, payload: Bytes) -> Bytes {
        self.deliver(Kind::Commit, payload).encode_to_vec().into()
    }

    /// A Welcome, into a new conversation or the next generation (`Kind::Reset`).
    pub(super) fn welcome(&self, kind: Kind, conversation: ConversationKind, payload: Bytes) -> Bytes {
        let deliver = Deliver {
            conversation_kind: conversation.into(),
            ..self.deliver(kind, payload)
        };
        deliver.encode_to_vec().into()
    }

    /// Franking: what the server vouches for when the message is reported.
    pub(super) fn stamp(&self, app: &App, message: MessageId) -> [u8; 32] {
        app.secrets.stamp(&[
            self.conversation.as_slice(),
            &self.seq.to_be_bytes(),
            self.sender.account.as_slice(),
            self.sender.device.as_slice(),
            &self.time_ms.to_be_bytes(),
            message.as_slice(),
        ])
    }
}

/// Whether the server has put this stamp to this message.
pub(crate) fn stamps(
    app: &App,
    sender: Identity,
    (conversation, seq, time_ms): (ConversationId, u64, i64),
    message: MessageId,
    stamp: &[u8],
) -> bool {
    let place = Place {
        conversation,
        generation: 0,
        seq,
        sender,
        time_ms,
    };
    place.stamp(app, message).ct_eq(stamp).into()
}

/// True if a body goes into each queue row.
pub(super) fn inline(envelope_bytes: usize, recipients: usize) -> bool {
    envelope_bytes <= INLINE_BYTES_MAX && recipients <= INLINE_RECIPIENTS_MAX
}
