//! What a sender takes back leaves the server: the body of a message goes wherever a device has not fetched it yet.
//!
//! The item keeps its place in each queue, so that no device sees a gap; it says `Withdrawn` instead. Must not: touch what was charged or
//! reserved for the message. A device that fetched it just before still signs for it; else the reservation expires, uncharged.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use kabar_protocol::{
    content,
    ids::{AccountId, ConversationId, DeviceId},
    mls_header::private_header,
    policy,
    wire::{self, Deliver, MessageClass, deliver::Kind},
};
use prost::Message as _;

use super::{conversation, send::counter};
use crate::{
    app::App,
    db::{DbError, Engine, Rows, Tx, params},
    error::{Failure, reason},
    limits::RateLimit,
    socket::Identity,
};

struct Taking {
    conversation: ConversationId,
    seq: u64,
    by: AccountId,
    /// It may take back what others wrote.
    moderates: bool,
    /// Of the members, in the order of their ids.
    devices: Vec<DeviceId>,
}

enum Taken {
    /// So many devices would have fetched it.
    Back(u64),
    NotTheirs,
}

pub(crate) async fn withdraw(
    app: &App,
    identity: Identity,
    request: wire::Withdraw,
) -> Result<wire::Withdrawn, Failure> {
    let by = identity.account;
    app.limits.check(RateLimit::Withdrawals, by.as_slice(), app.now_ms())?;
    let id = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("withdraw.conversation_id", rule))?;
    let seq = counter("withdraw.seq", request.seq)?;
    let conversation = conversation::conversation(app, id).await?;
    let Some(conversation) = conversation.filter(|conversation| conversation.is_member(identity)) else {
        let rule = "there is no such conversation, or this device is no member of it";
        return Err(Failure::not_found(reason::NOT_A_MEMBER, rule));
    };
    let policy = conversation.policy.as_ref();
    let taking = Taking {
        conversation: id,
        seq,
        by,
        moderates: policy.is_some_and(|policy| policy::may_moderate(policy, by)),
        devices: conversation.members.iter().map(|member| member.device).collect(),
    };
    match app
        .db
        .write(taking, |tx, taking| Box::pin(take_back(tx, taking)))
        .await?
    {
        Taken::Back(items) => {
            app.metrics.messaging_withdrawn.fetch_add(items, Ordering::Relaxed);
            Ok(wire::Withdrawn {})
        }
        Taken::NotTheirs => {
            let rule = "only who wrote a message may withdraw it, or an admin of the group";
            Err(Failure::denied(reason::POLICY, rule))
        }
    }
}

async fn take_back(tx: &mut Tx, taking: &Taking) -> Result<Taken, DbError> {
    lock(tx, &taking.devices).await?;
    let Some(message) = body(tx, taking).await? else {
        return Ok(Taken::Back(0));
    };
    if !may_withdraw(taking, &message) {
        return Ok(Taken::NotTheirs);
    }
    let left: Bytes = left_behind(message).encode_to_vec().into();
    let mut rows = Rows::new(4);
    for device in &taking.devices {
        rows.push([
            (*device).into(),
            taking.conversation.into(),
            taking.seq.into(),
            (&left).into(),
        ]);
    }
    // 3: a MESSAGE, 19: one for which a receipt is owed, 6: WITHDRAWN, for which none is.
    let sql = "UPDATE queue SET envelope = v.column4, kind = 6 FROM (VALUES {rows}) AS v \
               WHERE device_id = v.column1 AND conversation_id = v.column2 AND seq = v.column3 AND kind IN (3, 19)";
    let items = tx.execute_rows(sql, &rows).await?;
    let sql = "DELETE FROM conversation_log WHERE conversation_id = $1 AND seq = $2 AND kind = 3";
    tx.execute(sql, params![taking.conversation, taking.seq]).await?;
    Ok(Taken::Back(items))
}

/// In the order in which batches lock: neither waits for the other.
async fn lock(tx: &mut Tx, devices: &[DeviceId]) -> Result<(), DbError> {
    if tx.engine() != Engine::Postgres {
        return Ok(());
    }
    let mut rows = Rows::new(1);
    devices.iter().for_each(|device| rows.push([(*device).into()]));
    let sql = "SELECT device_id FROM inbox WHERE device_id IN (VALUES {rows}) ORDER BY device_id FOR UPDATE";
    tx.fetch_rows(sql, &rows).await?;
    Ok(())
}

/// The message as somebody is still to fetch it.
async fn body(tx: &mut Tx, taking: &Taking) -> Result<Option<Deliver>, DbError> {
    let sql = "SELECT envelope FROM conversation_log WHERE conversation_id = $1 AND seq = $2 AND kind = 3";
    let logged = tx.fetch_optional(sql, params![taking.conversation, taking.seq]).await?;
    let mut body: Option<Bytes> = logged.map(|row| row.get(0)).transpose()?;
    if body.is_none() {
        let mut rows = Rows::new(3);
        for device in &taking.devices {
            rows.push([(*device).into(), taking.conversation.into(), taking.seq.into()]);
        }
        let sql = "SELECT envelope FROM (VALUES {rows}) AS v JOIN queue ON queue.device_id = v.column1 \
                   AND queue.conversation_id = v.column2 AND queue.seq = v.column3 AND queue.kind IN (3, 19)";
        for row in tx.fetch_rows(sql, &rows).await? {
            body = body.or(row.get(0)?);
        }
    }
    Ok(body.and_then(|body| Deliver::decode(body).ok()))
}

fn may_withdraw(taking: &Taking, message: &Deliver) -> bool {
    let sender = message.sender.as_ref().map(|sender| &sender.account_id[..]);
    let text = matches!(message.class(), MessageClass::Content | MessageClass::Edit);
    sender == Some(taking.by.as_slice()) || (taking.moderates && text)
}

/// Its place, its sender and its name; nothing of what it said, and no stamp to report it by.
fn left_behind(message: Deliver) -> Deliver {
    let header = private_header(&message.payload).ok();
    let id = header.and_then(|header| content::authenticated_data(header.authenticated_data));
    let payload = id.map(|(id, _)| id.to_bytes()).unwrap_or_default();
    Deliver {
        kind: Kind::Withdrawn.into(),
        payload,
        stamp: Bytes::new(),
        billable: None,
        ..message
    }
}
