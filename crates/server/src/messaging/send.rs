//! The edge of the hot path: a Send or an Ack is checked as far as its own bytes go, then queued for a batch.

use std::sync::Arc;

use bytes::Bytes;
use kabar_protocol::{
    content,
    ids::{ClientMessageId, ConversationId, MessageId},
    limits::{CIPHERTEXT_BYTES_MAX, DELIVERY_RECEIPTS_PER_ACK_MAX},
    mls_header::{ContentType, private_header},
    wire::{self, MessageClass, error::Code},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::error::TrySendError;

use super::{batch::Item, meter::Bill};
use crate::{
    app::App,
    error::{Failure, reason},
    socket::{Identity, Session},
};

/// Conversations in the `delivered` list of one Ack.
const DELIVERED_MAX: usize = 1_000;
/// Counters from the wire are stored as signed 64-bit integers.
const COUNTER_MAX: u64 = i64::MAX as u64;

/// A message that is well-formed; whether it may be sent, the batch decides.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(super) sender: Identity,
    pub(super) conversation: ConversationId,
    pub(super) generation: u32,
    pub(super) epoch: u64,
    /// Names the send over its retries: hash of device and client message id.
    pub(super) send_id: [u8; 16],
    pub(super) message_id: MessageId,
    pub(super) class: MessageClass,
    pub(super) by_business: bool,
    pub(super) ciphertext: Bytes,
    pub(super) ttl_ms: Option<i64>,
    pub(super) client_seq: u64,
    /// Of a message that will be charged.
    pub(super) bill: Option<Bill>,
}

/// Everything up to `cursor` is on the device.
#[derive(Debug, Clone)]
pub(crate) struct Acknowledged {
    pub(super) device: Identity,
    pub(super) cursor: u64,
    pub(super) delivered: Vec<(ConversationId, u64)>,
    pub(super) receipts: Vec<Received>,
    pub(super) client_seq: u64,
}

/// A receipt for a billable message, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(super) conversation: ConversationId,
    pub(super) seq: u64,
    pub(super) cursor: u64,
    pub(super) message_id: MessageId,
    pub(super) signature: Bytes,
}

/// Who waits for the answer.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(super) session: Arc<Session>,
    pub(super) request_id: u64,
}

/// Takes a Send in; the answer comes from its batch, through the session. Sends of one device keep their order.
pub(crate) fn send(
    app: &App,
    session: &Arc<Session>,
    request_id: u64,
    sender: Identity,
    request: wire::Send,
    bill: Option<Bill>,
) -> Result<(), Failure> {
    if app.db.reserve().disk_full() {
        return Err(Failure::disk_full());
    }
    session.check_send_rate(&app.limits, app.now_ms())?;
    let outgoing = outgoing(sender, session.is_business(), request, bill)?;
    let reply = Reply {
        session: Arc::clone(session),
        request_id,
    };
    let turn = usize::from(outgoing.conversation.0[0]);
    enqueue(app, turn, Item::Send(outgoing, reply))
}

pub(crate) fn ack(
    app: &App,
    session: &Arc<Session>,
    request_id: u64,
    device: Identity,
    request: wire::Ack,
) -> Result<(), Failure> {
    if request.cursor > session.delivered_cursor() {
        return Err(Failure {
            parameter: Some("ack.cursor"),
            ..Failure::new(
                Code::Invalid,
                reason::ACK_AHEAD,
                "ack.cursor: nothing newer than what was delivered on this socket can be acknowledged",
            )
        });
    }
    if request.delivered.len() > DELIVERED_MAX {
        return Err(Failure::invalid(
            "ack.delivered",
            format!("at most {DELIVERED_MAX} conversations"),
        ));
    }
    if request.receipts.len() > DELIVERY_RECEIPTS_PER_ACK_MAX {
        let rule = format!("at most {DELIVERY_RECEIPTS_PER_ACK_MAX} receipts");
        return Err(Failure::invalid("ack.receipts", rule));
    }
    counter("ack.client_seq", request.client_seq)?;
    let delivered = request.delivered.iter().map(|delivered| {
        let conversation = ConversationId::from_slice(&delivered.conversation_id)
            .map_err(|rule| Failure::invalid("ack.delivered", rule))?;
        counter("ack.delivered", delivered.seq)?;
        Ok((conversation, delivered.seq))
    });
    let acknowledged = Acknowledged {
        device,
        cursor: request.cursor,
        delivered: delivered.collect::<Result<_, Failure>>()?,
        receipts: request.receipts.iter().map(received).collect::<Result<_, Failure>>()?,
        client_seq: request.client_seq,
    };
    let reply = Reply {
        session: Arc::clone(session),
        request_id,
    };
    let turn = usize::from(device.device.0[0]);
    enqueue(app, turn, Item::Ack(acknowledged, reply))
}

fn received(receipt: &wire::DeliveryReceipt) -> Result<Received, Failure> {
    let invalid = |rule: kabar_protocol::ids::IdLengthError| Failure::invalid("ack.receipts", rule);
    Ok(Received {
        conversation: ConversationId::from_slice(&receipt.conversation_id).map_err(invalid)?,
        seq: counter("ack.receipts", receipt.seq)?,
        cursor: counter("ack.receipts", receipt.cursor)?,
        message_id: MessageId::from_slice(&receipt.message_id).map_err(invalid)?,
        signature: receipt.signature.clone(),
    })
}

fn enqueue(app: &App, turn: usize, item: Item) -> Result<(), Failure> {
    let batchers = &app.messaging.batchers;
    batchers[turn % batchers.len()]
        .try_send(item)
        .map_err(|error| match error {
            TrySendError::Full(_) => Failure::overloaded(),
            TrySendError::Closed(_) => Failure::unavailable(reason::SHUTTING_DOWN, "the server is shutting down"),
        })
}

pub(super) fn counter(parameter: &'static str, value: u64) -> Result<u64, Failure> {
    if value <= COUNTER_MAX {
        Ok(value)
    } else {
        Err(Failure::invalid(parameter, format!("at most {COUNTER_MAX}")))
    }
}

/// Checks a Send against the public header of its message (RFC 9420 section 6.3): group, epoch, type, class, id.
pub(super) fn outgoing(
    sender: Identity,
    by_business: bool,
    request: wire::Send,
    bill: Option<Bill>,
) -> Result<Outgoing, Failure> {
    let conversation = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("send.conversation_id", rule))?;
    let client_message_id = ClientMessageId::from_slice(&request.client_message_id)
        .map_err(|rule| Failure::invalid("send.client_message_id", rule))?;
    let class = request.class();
    if class == MessageClass::Unspecified {
        return Err(Failure::invalid("send.class", "must be one of MessageClass"));
    }
    if request.ciphertext.len() > CIPHERTEXT_BYTES_MAX {
        let rule = format!("at most {CIPHERTEXT_BYTES_MAX} bytes, got {}", request.ciphertext.len());
        return Err(Failure::invalid("send.ciphertext", rule));
    }
    let header = private_header(&request.ciphertext).map_err(|rule| Failure::invalid("send.ciphertext", rule))?;
    if header.content_type != ContentType::Application {
        return Err(Failure::invalid("send.ciphertext", "must be an application message"));
    }
    if header.group_id != conversation.group_id(request.generation) || header.epoch != request.epoch {
        let rule = "names another group or epoch than the frame";
        return Err(Failure::invalid("send.ciphertext", rule));
    }
    let Some((message_id, data)) = content::authenticated_data(header.authenticated_data) else {
        let rule = "its authenticated data is no AuthenticatedData with a message id";
        return Err(Failure::invalid("send.ciphertext", rule));
    };
    if data.class != request.class {
        return Err(Failure::invalid(
            "send.class",
            "is not the class in the authenticated data",
        ));
    }
    Ok(Outgoing {
        by_business,
        sender,
        conversation,
        generation: request.generation,
        epoch: counter("send.epoch", request.epoch)?,
        send_id: send_id(sender, client_message_id),
        message_id,
        class,
        ttl_ms: (request.ttl_s > 0).then(|| i64::from(request.ttl_s) * 1_000),
        client_seq: counter("send.client_seq", request.client_seq)?,
        ciphertext: request.ciphertext,
        bill,
    })
}

fn send_id(sender: Identity, client_message_id: ClientMessageId) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(sender.device.as_slice());
    hasher.update(client_message_id.as_slice());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize()[..16]);
    id
}
