//! The statements of a batch: a fixed number of multi-row statements, however many messages there are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    wire::{ConversationKind, MessageClass, deliver::Kind, send_outcome::Sent},
};

use super::{
    conversation::Cached,
    envelope::{Place, RETENTION_MS, inline},
    meter::{Bill, Due, Taken},
    queue::{self, Counters, Delivery, Entry},
    receipts::Receipts,
    send::Outgoing,
};
use crate::{
    app::App,
    db::{DbError, Engine, Rows, Tx},
    socket::Identity,
};

pub(super) struct Input {
    pub(super) sends: Vec<PlannedSend>,
    pub(super) acks: Vec<PlannedAck>,
    pub(super) receipts: Receipts,
    pub(super) now_ms: i64,
    pub(super) app: App,
}

pub(super) struct PlannedSend {
    pub(super) outgoing: Outgoing,
    /// As memory has it; the UPDATE of the conversation confirms its epoch.
    pub(super) conversation: Option<Cached>,
}

pub(super) struct PlannedAck {
    pub(super) device: Identity,
    pub(super) acked_before: u64,
    pub(super) cursor: u64,
    pub(super) delivered: Vec<(ConversationId, u64)>,
    pub(super) client_seq: u64,
}

/// What became of a send.
#[derive(Clone)]
pub(super) enum Verdict {
    Sent(Sent),
    /// The business's wallet does not cover it, and why.
    Short(String),
    /// No member, another epoch, or a removal is pending.
    Blocked,
}

pub(super) struct Output {
    /// One per send, in order.
    pub(super) verdicts: Vec<Verdict>,
    pub(super) deliveries: Vec<Delivery>,
    /// Receipts that moved: everything up to the sequence is on a device of the account.
    pub(super) receipts: Vec<(ConversationId, AccountId, u64)>,
}

type SendKey = (ConversationId, [u8; 16]);

pub(super) async fn commit(tx: &mut Tx, input: &Input) -> Result<Output, DbError> {
    let mut known = earlier_sends(tx, input).await?;
    let (accepted, short) = accept(tx, input, &known).await?;
    let mut entries = Vec::new();
    let mut bodies = Rows::new(5);
    let mut records = Rows::new(5);
    let mut counters: BTreeMap<DeviceId, Counters> = BTreeMap::new();
    let mut taken = Vec::new();
    for (send, conversation, seq, due) in &accepted {
        let outgoing = &send.outgoing;
        let place = Place {
            conversation: outgoing.conversation,
            generation: outgoing.generation,
            seq: *seq,
            sender: outgoing.sender,
            time_ms: input.now_ms,
        };
        let stamp = place.stamp(&input.app, outgoing.message_id);
        let billable = outgoing.bill.as_ref().map(Bill::billable);
        let envelope = place.message(outgoing.class, &stamp, billable, outgoing.ciphertext.clone());
        let ttl_ms = outgoing.ttl_ms.map_or(RETENTION_MS, |ttl_ms| ttl_ms.min(RETENTION_MS));
        let expires_ms = input.now_ms + ttl_ms;
        taken.extend(billed(outgoing, due.as_ref(), *seq, expires_ms));
        let item = Item {
            place: &place,
            conversation,
            envelope,
            expires_ms,
            receipted: billable.is_some(),
        };
        item.queue(&mut entries, &mut bodies);
        records.push([
            outgoing.conversation.into(),
            outgoing.send_id.into(),
            (*seq).into(),
            input.now_ms.into(),
            stamp.into(),
        ]);
        let sent = Sent {
            seq: *seq,
            time_ms: input.now_ms,
            stamp: Bytes::copy_from_slice(&stamp),
        };
        known.insert((outgoing.conversation, outgoing.send_id), sent);
        let counters = counters.entry(outgoing.sender.device).or_default();
        counters.client_seq = counters.client_seq.max(outgoing.client_seq);
    }
    note_last_content(tx, input, &accepted).await?;
    let sql = "INSERT INTO send (conversation_id, send_id, seq, time_ms, stamp) VALUES {rows} ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &records).await?;
    insert_log(tx, &bodies).await?;
    let acked = acknowledge(input, &mut counters);
    let deliveries = queue::append(tx, &entries, &counters).await?;
    queue::delete_acked(tx, &acked).await?;
    bill(tx, input, &taken).await?;
    let receipts = advance_receipts(tx, input).await?;
    Ok(Output {
        verdicts: input.sends.iter().map(|send| verdict(send, &known, &short)).collect(),
        deliveries,
        receipts,
    })
}

fn verdict(send: &PlannedSend, known: &HashMap<SendKey, Sent>, short: &HashMap<SendKey, String>) -> Verdict {
    let key = (send.outgoing.conversation, send.outgoing.send_id);
    match (known.get(&key), short.get(&key)) {
        (Some(sent), _) => Verdict::Sent(sent.clone()),
        (None, Some(why)) => Verdict::Short(why.clone()),
        (None, None) => Verdict::Blocked,
    }
}

/// What the meter has to know of a message that has its place; `None`: it costs nothing.
fn billed<'a>(outgoing: &'a Outgoing, due: Option<&'a Due>, seq: u64, expires_ms: i64) -> Option<Taken<'a>> {
    Some(Taken {
        bill: outgoing.bill.as_ref()?,
        due: due?,
        conversation: outgoing.conversation,
        seq,
        message: outgoing.message_id,
        expires_ms,
    })
}

/// Reserves for what was taken in, charges for what was delivered. Nothing of it in a batch between people.
async fn bill(tx: &mut Tx, input: &Input, taken: &[Taken<'_>]) -> Result<(), DbError> {
    let meter = &input.app.messaging.meter;
    if !taken.is_empty() {
        meter.reserve(tx, taken).await?;
    }
    let Receipts { signed, items } = &input.receipts;
    if !signed.is_empty() {
        meter.charge(tx, signed, input.now_ms).await?;
        queue::delete_receipted(tx, items).await?;
    }
    Ok(())
}

/// When a person last wrote to a business: what the business may send back depends on it.
async fn note_last_content(tx: &mut Tx, input: &Input, accepted: &[Accepted<'_>]) -> Result<(), DbError> {
    let by_person = accepted.iter().filter(|(send, conversation, ..)| {
        conversation.kind == ConversationKind::Business
            && send.outgoing.class == MessageClass::Content
            && !send.outgoing.by_business
    });
    let written: BTreeSet<ConversationId> = by_person.map(|(send, ..)| send.outgoing.conversation).collect();
    if written.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(2);
    written
        .iter()
        .for_each(|id| rows.push([(*id).into(), input.now_ms.into()]));
    let sql = "INSERT INTO last_content (conversation_id, time_ms) VALUES {rows} \
               ON CONFLICT (conversation_id) DO UPDATE SET time_ms = excluded.time_ms RETURNING conversation_id";
    tx.fetch_exact(sql, &rows).await?;
    Ok(())
}

/// Bodies and commits: (conversation, seq, kind, expires, envelope).
pub(super) async fn insert_log(tx: &mut Tx, rows: &Rows) -> Result<(), DbError> {
    let sql = "INSERT INTO conversation_log (conversation_id, seq, kind, expires_ms, envelope) VALUES {rows} \
               ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, rows).await?;
    Ok(())
}

struct Item<'a> {
    place: &'a Place,
    conversation: &'a Cached,
    envelope: Bytes,
    expires_ms: i64,
    receipted: bool,
}

impl Item<'_> {
    /// One entry per recipient; the body inline, or once in the log.
    fn queue(&self, entries: &mut Vec<Entry>, bodies: &mut Rows) {
        let first = entries.len();
        let recipients = self.conversation.recipients(self.place.sender.device);
        entries.extend(recipients.map(|device| Entry {
            device,
            conversation: self.place.conversation,
            seq: self.place.seq,
            kind: Kind::Message,
            // Other devices of the business itself owe nothing.
            receipted: self.receipted && self.conversation.account_of(device) != Some(self.place.sender.account),
            expires_ms: self.expires_ms,
            envelope: self.envelope.clone(),
            inline: true,
        }));
        if !inline(self.envelope.len(), entries.len() - first) {
            entries[first..].iter_mut().for_each(|entry| entry.inline = false);
            bodies.push([
                self.place.conversation.into(),
                self.place.seq.into(),
                i64::from(Kind::Message as i32).into(),
                self.expires_ms.into(),
                (&self.envelope).into(),
            ]);
        }
    }
}

/// Sends of this batch that were acknowledged before: they get the same answer again.
async fn earlier_sends(tx: &mut Tx, input: &Input) -> Result<HashMap<SendKey, Sent>, DbError> {
    let mut keys = Rows::new(2);
    for send in &input.sends {
        keys.push([send.outgoing.conversation.into(), send.outgoing.send_id.into()]);
    }
    let sql = "SELECT conversation_id, send_id, seq, time_ms, stamp FROM send \
               WHERE (conversation_id, send_id) IN (SELECT column1, column2 FROM (VALUES {rows}) AS v)";
    let mut earlier = HashMap::with_capacity(input.sends.len());
    for row in tx.fetch_rows(sql, &keys).await? {
        let sent = Sent {
            seq: row.get(2)?,
            time_ms: row.get(3)?,
            stamp: row.get(4)?,
        };
        earlier.insert((row.get(0)?, row.get(1)?), sent);
    }
    Ok(earlier)
}

/// A send that has its place, and what it will cost.
type Accepted<'a> = (&'a PlannedSend, &'a Cached, u64, Option<Due>);

/// What each of these sends will cost, and why some may not go out. Asks nobody about messages between people.
async fn admit(
    tx: &mut Tx,
    input: &Input,
    candidates: &[(usize, &PlannedSend, &Cached)],
) -> Result<(HashMap<usize, Due>, HashMap<SendKey, String>), DbError> {
    let (mut dues, mut short) = (HashMap::new(), HashMap::new());
    let billed: Vec<(usize, &PlannedSend, &Bill)> = candidates
        .iter()
        .filter_map(|(place, send, _)| Some((*place, *send, send.outgoing.bill.as_ref()?)))
        .collect();
    if billed.is_empty() {
        return Ok((dues, short));
    }
    let bills: Vec<&Bill> = billed.iter().map(|(.., bill)| *bill).collect();
    let admitted = input.app.messaging.meter.admit(tx, &bills, input.now_ms).await?;
    for ((place, send, _), admitted) in billed.into_iter().zip(admitted) {
        match admitted {
            Ok(due) => {
                dues.insert(place, due);
            }
            Err(why) => {
                short.insert((send.outgoing.conversation, send.outgoing.send_id), why);
            }
        }
    }
    Ok((dues, short))
}

/// The sends that memory allows, each once.
fn allowed<'a>(input: &'a Input, known: &HashMap<SendKey, Sent>) -> Vec<(usize, &'a PlannedSend, &'a Cached)> {
    let mut allowed_sends = Vec::with_capacity(input.sends.len());
    let mut seen = HashSet::new();
    for (place, send) in input.sends.iter().enumerate() {
        let outgoing = &send.outgoing;
        let key = (outgoing.conversation, outgoing.send_id);
        let Some(conversation) = &send.conversation else {
            continue;
        };
        let current = (conversation.generation, conversation.epoch) == (outgoing.generation, outgoing.epoch);
        let allowed = current
            && conversation.to_remove.is_empty()
            && conversation.is_member(outgoing.sender)
            && conversation.check_post(outgoing.sender.account, outgoing.class).is_ok();
        // The same send twice in one batch is one send.
        if allowed && !known.contains_key(&key) && seen.insert(key) {
            allowed_sends.push((place, send, conversation));
        }
    }
    allowed_sends
}

/// Allocates sequences to the sends that memory allows, the wallet covers, and whose epoch the database confirms.
async fn accept<'a>(
    tx: &mut Tx,
    input: &'a Input,
    known: &HashMap<SendKey, Sent>,
) -> Result<(Vec<Accepted<'a>>, HashMap<SendKey, String>), DbError> {
    let allowed = allowed(input, known);
    let (mut dues, short) = admit(tx, input, &allowed).await?;
    let mut candidates: BTreeMap<ConversationId, Vec<(usize, &PlannedSend, &Cached)>> = BTreeMap::new();
    for (place, send, conversation) in allowed {
        let outgoing = &send.outgoing;
        if !short.contains_key(&(outgoing.conversation, outgoing.send_id)) {
            let same = candidates.entry(outgoing.conversation).or_default();
            same.push((place, send, conversation));
        }
    }
    let mut rows = Rows::new(4);
    for (id, sends) in &candidates {
        let first = &sends[0].1.outgoing;
        rows.push([
            (*id).into(),
            first.generation.into(),
            first.epoch.into(),
            (sends.len() as u64).into(),
        ]);
    }
    let sql = "UPDATE conversation SET last_seq = last_seq + v.column4 FROM (VALUES {rows}) AS v \
               WHERE conversation_id = v.column1 AND generation = v.column2 AND epoch = v.column3 \
               RETURNING conversation_id, last_seq";
    let mut accepted = Vec::with_capacity(input.sends.len());
    for row in tx.fetch_rows(sql, &rows).await? {
        let last_seq: u64 = row.get(1)?;
        let Some(sends) = candidates.remove(&row.get(0)?) else {
            continue;
        };
        let before = last_seq.saturating_sub(sends.len() as u64);
        let numbered = sends.into_iter().zip(before + 1..);
        accepted.extend(numbered.map(|((place, send, conversation), seq)| (place, send, conversation, seq)));
    }
    // As they came: a device's messages keep their order over its conversations.
    accepted.sort_unstable_by_key(|(place, ..)| *place);
    let accepted = accepted
        .into_iter()
        .map(|(place, send, conversation, seq)| (send, conversation, seq, dues.remove(&place)));
    Ok((accepted.collect(), short))
}

/// Folds acknowledgements into the devices' counters; what to delete: (device, after, up to).
fn acknowledge(input: &Input, counters: &mut BTreeMap<DeviceId, Counters>) -> Vec<(DeviceId, u64, u64)> {
    let mut ranges: BTreeMap<DeviceId, (u64, u64)> = BTreeMap::new();
    for ack in &input.acks {
        let device = ack.device.device;
        let counters = counters.entry(device).or_default();
        counters.acked_cursor = counters.acked_cursor.max(ack.cursor);
        counters.client_seq = counters.client_seq.max(ack.client_seq);
        let range = ranges.entry(device).or_insert((ack.acked_before, ack.cursor));
        range.1 = range.1.max(ack.cursor);
    }
    let ranges = ranges
        .into_iter()
        .map(|(device, (after, up_to))| (device, after, up_to));
    ranges.filter(|(_, after, up_to)| up_to > after).collect()
}

/// Moves receipts forward, never back.
async fn advance_receipts(tx: &mut Tx, input: &Input) -> Result<Vec<(ConversationId, AccountId, u64)>, DbError> {
    let mut highest: BTreeMap<(ConversationId, AccountId), u64> = BTreeMap::new();
    for ack in &input.acks {
        for (conversation, seq) in &ack.delivered {
            let known = highest.entry((*conversation, ack.device.account)).or_default();
            *known = (*known).max(*seq);
        }
    }
    let mut rows = Rows::new(3);
    for ((conversation, account), seq) in highest {
        rows.push([conversation.into(), account.into(), seq.into()]);
    }
    let sql = "INSERT INTO receipt (conversation_id, account_id, seq) VALUES {rows} \
               ON CONFLICT (conversation_id, account_id) DO UPDATE SET seq = excluded.seq \
               WHERE excluded.seq > receipt.seq RETURNING conversation_id, account_id, seq";
    // SQLite takes the rows one by one; PostgreSQL refuses to touch a row twice in one statement.
    let moved = match tx.engine() {
        Engine::Sqlite => tx.fetch_rows(sql, &rows).await?,
        Engine::Postgres => tx.fetch_exact(sql, &rows).await?,
    };
    moved
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .collect()
}
