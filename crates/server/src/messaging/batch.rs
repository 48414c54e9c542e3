//! The hot path: many sends and acknowledgements, one transaction, then their answers and deliveries.
//!
//! While one batch commits, the next one gathers: load makes batches large, and large batches make messages cheap.
//! Nothing is answered or delivered before its commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire::{
        self, ConversationKind, Delivered, EpochConflict, MessageClass, SendOutcome,
        send_outcome::{self, BusinessRefused, business_refused::Rule},
        server_frame::Body,
    },
};
use tokio::sync::mpsc;

use super::{
    authors::Concerned,
    batch_store::{self, Input, Output, PlannedAck, PlannedSend, Verdict},
    conversation::{self, Cached},
    queue::Delivery,
    receipts::{self, Receipts},
    send::{Acknowledged, Outgoing, Reply},
};
use crate::{
    app::App,
    db::DbError,
    error::{Failure, reason},
    metrics::Metrics,
    socket::{Session, frame},
};

/// Sends and acknowledgements in one transaction.
const BATCH_ITEMS_MAX: usize = 512;

pub(crate) enum Item {
    Send(Outgoing, Reply),
    Ack(Acknowledged, Reply),
}

/// Takes batches until the server stops, then what is left.
pub(super) async fn run(app: App, mut items: mpsc::Receiver<Item>) {
    let mut batch = Vec::with_capacity(BATCH_ITEMS_MAX);
    loop {
        let taken = app
            .stop
            .run_until_cancelled(items.recv_many(&mut batch, BATCH_ITEMS_MAX))
            .await;
        if taken.is_none() {
            items.close();
            while items.recv_many(&mut batch, BATCH_ITEMS_MAX).await > 0 {
                commit(&app, std::mem::take(&mut batch)).await;
            }
            return;
        }
        commit(&app, std::mem::replace(&mut batch, Vec::with_capacity(BATCH_ITEMS_MAX))).await;
    }
}

/// The answers that a batch owes, in the order of its input.
#[derive(Default)]
struct Replies {
    sends: Vec<(Outgoing, Reply)>,
    acks: Vec<(Acknowledged, Reply)>,
}

/// A batch, and once more those of its sends that memory had wrongly refused.
async fn commit(app: &App, items: Vec<Item>) {
    let again = commit_once(app, items).await;
    if !again.is_empty() {
        let refused = commit_once(app, again).await;
        for item in refused {
            if let Item::Send(_, reply) = item {
                refuse(&reply, Failure::overloaded());
            }
        }
    }
}

/// The sends that deserve another try.
async fn commit_once(app: &App, items: Vec<Item>) -> Vec<Item> {
    let mut replies = Replies::default();
    for item in items {
        match item {
            Item::Send(outgoing, reply) => replies.sends.push((outgoing, reply)),
            Item::Ack(acknowledged, reply) => replies.acks.push((acknowledged, reply)),
        }
    }
    let conversations = match conversations_of(app, &replies).await {
        Ok(conversations) => conversations,
        Err(failure) => {
            fail(&replies, &failure, true);
            return Vec::new();
        }
    };
    let checked = receipts::check(app, replies.acks.iter().map(|(ack, _)| ack), &conversations).await;
    let checked = match checked {
        Ok(checked) => checked,
        Err(failure) => {
            fail(&replies, &failure, true);
            return Vec::new();
        }
    };
    match write(app, &replies, &conversations, Some(checked)).await {
        Ok(output) => return finish(app, &replies, &conversations, output).await,
        Err(DbError::DiskFull) => {
            // What deletes goes on: the reserve has just been released.
            let failure = Failure::disk_full();
            fail_sends(&replies, &failure);
            replies.sends.clear();
            // A charge writes: its receipt comes again when there is room.
            let (receipted, plain) = replies.acks.into_iter().partition(|(ack, _)| !ack.receipts.is_empty());
            replies.acks = receipted;
            fail(&replies, &failure, false);
            replies.acks = plain;
            match write(app, &replies, &conversations, None).await {
                Ok(output) => return finish(app, &replies, &conversations, output).await,
                Err(_) => fail(&replies, &failure, false),
            }
        }
        Err(error) => fail(&replies, &error.into(), true),
    }
    Vec::new()
}

async fn conversations_of(app: &App, replies: &Replies) -> Result<BTreeMap<ConversationId, Cached>, Failure> {
    let of_sends = replies.sends.iter().map(|(outgoing, _)| outgoing.conversation);
    let of_acks = replies
        .acks
        .iter()
        .flat_map(|(ack, _)| &ack.delivered)
        .map(|(id, _)| *id);
    let of_receipts = replies
        .acks
        .iter()
        .flat_map(|(ack, _)| &ack.receipts)
        .map(|receipt| receipt.conversation);
    let ids: BTreeSet<ConversationId> = of_sends.chain(of_acks).chain(of_receipts).collect();
    conversation::conversations(app, &ids).await
}

/// Without `receipts` (the disk is full), only what deletes: neither marks nor charges move.
async fn write(
    app: &App,
    replies: &Replies,
    conversations: &BTreeMap<ConversationId, Cached>,
    receipts: Option<Receipts>,
) -> Result<Output, DbError> {
    let plan_send = |(outgoing, _): &(Outgoing, Reply)| PlannedSend {
        conversation: conversations.get(&outgoing.conversation).cloned(),
        outgoing: outgoing.clone(),
    };
    let plan_ack = |(acknowledged, reply): &(Acknowledged, Reply)| PlannedAck {
        acked_before: reply.session.acked_cursor(),
        delivered: acknowledged
            .delivered
            .iter()
            .filter(|(id, _)| {
                let known = conversations.get(id);
                receipts.is_some() && known.is_some_and(|known| known.is_member(acknowledged.device))
            })
            .copied()
            .collect(),
        device: acknowledged.device,
        cursor: acknowledged.cursor,
        client_seq: acknowledged.client_seq,
    };
    let input = Input {
        sends: replies.sends.iter().map(plan_send).collect(),
        acks: replies.acks.iter().map(plan_ack).collect(),
        receipts: receipts.clone().unwrap_or_default(),
        now_ms: app.now_ms(),
        app: app.clone(),
    };
    Metrics::count(&app.metrics.messaging_batches);
    app.db
        .write(input, |tx, input| Box::pin(batch_store::commit(tx, input)))
        .await
}

/// Answers and delivers; returns the sends that deserve another try.
async fn finish(
    app: &App,
    replies: &Replies,
    conversations: &BTreeMap<ConversationId, Cached>,
    output: Output,
) -> Vec<Item> {
    for (acknowledged, reply) in &replies.acks {
        reply.session.ack_committed(acknowledged.cursor);
        reply
            .session
            .respond_later(frame::response(reply.request_id, Body::Acked(wire::Acked {})));
    }
    let mut stale = Vec::new();
    let mut sent = 0;
    for (item, verdict) in replies.sends.iter().zip(output.verdicts) {
        match verdict {
            Verdict::Sent(outcome) => {
                sent += 1;
                note_author(app, conversations, &item.0, outcome.seq);
                answer_later(&item.1, send_outcome::Outcome::Sent(outcome));
            }
            Verdict::Short(message) => {
                let refused = BusinessRefused {
                    rule: Rule::Balance.into(),
                    message,
                };
                answer_later(&item.1, send_outcome::Outcome::BusinessRefused(refused));
            }
            Verdict::Blocked => stale.push(item),
        }
    }
    app.metrics.messaging_sends.fetch_add(sent, Ordering::Relaxed);
    app.metrics
        .messaging_acks
        .fetch_add(replies.acks.len() as u64, Ordering::Relaxed);
    let mut touched = deliver_later(app, output.deliveries);
    for (id, account, seq) in output.receipts {
        if let Some(conversation) = conversations.get(&id) {
            push_receipt(app, conversation, account, seq, &mut touched);
        }
    }
    // Each session is woken when all its frames are there, and writes them at once.
    replies.acks.iter().for_each(|(_, reply)| reply.session.wake());
    replies.sends.iter().for_each(|(_, reply)| reply.session.wake());
    touched.iter().for_each(|session| session.wake());
    let mut again = Vec::new();
    for (outgoing, reply) in stale {
        again.extend(explain(app, outgoing, reply).await);
    }
    again
}

/// Pushes what is committed to the sessions of this node.
pub(super) fn deliver(app: &App, deliveries: Vec<Delivery>) {
    let touched = deliver_later(app, deliveries);
    touched.iter().for_each(|session| session.wake());
}

/// As [`deliver`]; the caller wakes the sessions that are returned.
fn deliver_later(app: &App, deliveries: Vec<Delivery>) -> Vec<Arc<Session>> {
    app.metrics
        .messaging_queue_items
        .fetch_add(deliveries.len() as u64, Ordering::Relaxed);
    let mut touched = Vec::with_capacity(deliveries.len());
    for (device, cursor, envelope) in deliveries {
        if let Some(session) = app.bus.session(device) {
            session.deliver_later(cursor, || frame::deliver(cursor, &envelope));
            touched.push(session);
        }
    }
    touched
}

fn note_author(app: &App, conversations: &BTreeMap<ConversationId, Cached>, sent: &Outgoing, seq: u64) {
    let conversation = conversations.get(&sent.conversation);
    let in_group = conversation.is_some_and(|known| known.kind == ConversationKind::Group);
    if in_group && sent.class == MessageClass::Content {
        app.messaging.authors.wrote(sent.conversation, sent.sender.account, seq);
    }
}

fn push_receipt(app: &App, conversation: &Cached, account: AccountId, seq: u64, touched: &mut Vec<Arc<Session>>) {
    let concerned = match conversation.kind {
        ConversationKind::Group => app.messaging.authors.concerned(conversation.id, account, seq),
        _ => Concerned::Everybody,
    };
    let others = conversation.members.iter().filter(|member| member.account != account);
    let mut encoded = None;
    for member in others.filter(|member| concerned.includes(member.account)) {
        let Some(session) = app.bus.session(member.device) else {
            continue;
        };
        let encoded = encoded.get_or_insert_with(|| {
            frame::push(Body::Delivered(Delivered {
                conversation_id: conversation.id.to_bytes(),
                account_id: account.to_bytes(),
                seq,
            }))
        });
        session.push_later(encoded.clone());
        touched.push(session);
    }
}

/// Why a send was not taken: read afresh, because memory may lag behind. If it only lagged, the send is returned.
async fn explain(app: &App, outgoing: &Outgoing, reply: &Reply) -> Option<Item> {
    let conversation = match conversation::reload(app, outgoing.conversation).await {
        Ok(conversation) => conversation,
        Err(failure) => {
            refuse(reply, failure);
            return None;
        }
    };
    let Some(conversation) = conversation.filter(|conversation| conversation.is_member(outgoing.sender)) else {
        // Not `denied`: the device shall look for its place in the conversation, or begin it anew. What it sent is
        // not at fault.
        let rule = "there is no such conversation, or this device is no member of it";
        refuse(reply, Failure::not_found(reason::NOT_A_MEMBER, rule));
        return None;
    };
    if let Err(rule) = conversation.check_post(outgoing.sender.account, outgoing.class) {
        refuse(
            reply,
            Failure::denied(reason::POLICY, format!("{}: {rule}", rule.rule())),
        );
        return None;
    }
    if !conversation.to_remove.is_empty() {
        let devices = conversation.pending_removal();
        let pending = send_outcome::PendingRemoval { devices };
        answer(reply, send_outcome::Outcome::PendingRemoval(pending));
        return None;
    }
    let (generation, epoch) = (conversation.generation, conversation.epoch);
    if (generation, epoch) == (outgoing.generation, outgoing.epoch) {
        return Some(Item::Send(outgoing.clone(), reply.clone()));
    }
    answer(
        reply,
        send_outcome::Outcome::StaleEpoch(EpochConflict { generation, epoch }),
    );
    None
}

fn answer(reply: &Reply, outcome: send_outcome::Outcome) {
    answer_later(reply, outcome);
    reply.session.wake();
}

fn answer_later(reply: &Reply, outcome: send_outcome::Outcome) {
    let outcome = SendOutcome { outcome: Some(outcome) };
    let frame = frame::response(reply.request_id, Body::Send(outcome));
    reply.session.respond_later(frame);
}

fn refuse(reply: &Reply, failure: Failure) {
    reply.session.respond(frame::failure(reply.request_id, failure));
}

fn fail_sends(replies: &Replies, failure: &Failure) {
    replies
        .sends
        .iter()
        .for_each(|(_, reply)| refuse(reply, failure.clone()));
}

fn fail(replies: &Replies, failure: &Failure, sends: bool) {
    if sends {
        fail_sends(replies, failure);
    }
    replies
        .acks
        .iter()
        .for_each(|(_, reply)| refuse(reply, failure.clone()));
}
