//! SQL over charges, wallets' totals and allowances.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId, MessageId, Timeline},
    wire::{self, MessageCategory},
};

use super::{card, charge::AllowanceKey};
use crate::{
    db::{DbError, Engine, Row, Rows, Tx, columns, params},
    messaging::{Signed, Taken},
};

/// States of a charge; see 0004_charges.sql.
pub(super) const RESERVED: i64 = 1;
pub(super) const CHARGED: i64 = 2;
const RELEASED: i64 = 3;

/// A wallet as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) currency: String,
    pub(super) balance: i64,
    pub(super) reserved: i64,
}

fn totals(row: &Row) -> Result<(u64, Totals), DbError> {
    let totals = Totals {
        currency: row.get(1)?,
        balance: row.get(2)?,
        reserved: row.get(3)?,
    };
    Ok((row.get(0)?, totals))
}

pub(super) async fn wallet(tx: &mut Tx, waba_id: u64) -> Result<Option<Totals>, DbError> {
    let sql = "SELECT waba_id, currency, balance, reserved FROM wallet WHERE waba_id = $1";
    let row = tx.fetch_optional(sql, params![waba_id]).await?;
    row.map(|row| Ok(totals(&row)?.1)).transpose()
}

/// The wallets of businesses; nobody else moves them until this transaction ends.
pub(super) async fn lock_wallets(tx: &mut Tx, businesses: &BTreeSet<u64>) -> Result<BTreeMap<u64, Totals>, DbError> {
    let mut rows = Rows::new(1);
    businesses.iter().for_each(|waba_id| rows.push([(*waba_id).into()]));
    // SQLite has one writer, which is the lock.
    let sql = match tx.engine() {
        Engine::Sqlite => "SELECT waba_id, currency, balance, reserved FROM wallet WHERE waba_id IN (VALUES {rows})",
        Engine::Postgres => {
            "SELECT waba_id, currency, balance, reserved FROM wallet WHERE waba_id IN (VALUES {rows}) \
             ORDER BY waba_id FOR UPDATE"
        }
    };
    tx.fetch_rows(sql, &rows).await?.iter().map(totals).collect()
}

/// Adds to balance and reserved: (business, balance, reserved).
pub(super) async fn move_wallets(tx: &mut Tx, moves: impl Iterator<Item = (u64, i64, i64)>) -> Result<(), DbError> {
    let mut rows = Rows::new(3);
    moves
        .filter(|(_, balance, reserved)| (*balance, *reserved) != (0, 0))
        .for_each(|(waba_id, balance, reserved)| rows.push([waba_id.into(), balance.into(), reserved.into()]));
    let sql = "UPDATE wallet SET balance = balance + v.column2, reserved = reserved + v.column3 \
               FROM (VALUES {rows}) AS v WHERE waba_id = v.column1";
    tx.execute_rows(sql, &rows).await?;
    Ok(())
}

fn allowance_rows(keys: impl Iterator<Item = AllowanceKey>) -> Rows {
    let mut rows = Rows::new(4);
    keys.for_each(|(waba_id, number, month, category)| {
        rows.push([waba_id.into(), number.into(), month.into(), category.into()]);
    });
    rows
}

/// How much of each allowance is used; nobody else uses them until this transaction ends.
pub(super) async fn lock_allowances(
    tx: &mut Tx,
    keys: &BTreeSet<AllowanceKey>,
) -> Result<BTreeMap<AllowanceKey, i64>, DbError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut fresh = Rows::new(5);
    for (waba_id, number, month, category) in keys {
        fresh.push([
            (*waba_id).into(),
            (*number).into(),
            (*month).into(),
            (*category).into(),
            0_i64.into(),
        ]);
    }
    let sql = "INSERT INTO allowance (waba_id, phone_number_id, month, category, used) VALUES {rows} \
               ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &fresh).await?;
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "SELECT waba_id, phone_number_id, month, category, used FROM allowance \
             WHERE (waba_id, phone_number_id, month, category) IN \
             (SELECT column1, column2, column3, column4 FROM (VALUES {rows}) AS v)"
        }
        Engine::Postgres => {
            "SELECT waba_id, phone_number_id, month, category, used FROM allowance \
             WHERE (waba_id, phone_number_id, month, category) IN \
             (SELECT column1, column2, column3, column4 FROM (VALUES {rows}) AS v) \
             ORDER BY waba_id, phone_number_id, month, category FOR UPDATE"
        }
    };
    let rows = tx.fetch_rows(sql, &allowance_rows(keys.iter().copied())).await?;
    let read = |row: &Row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?), row.get(4)?));
    rows.iter().map(read).collect()
}

pub(super) async fn allowance_used(tx: &mut Tx, key: AllowanceKey) -> Result<i64, DbError> {
    let (waba_id, number, month, category) = key;
    let sql = "SELECT used FROM allowance WHERE waba_id = $1 AND phone_number_id = $2 AND month = $3 AND category = $4";
    let row = tx
        .fetch_optional(sql, params![waba_id, number, month, category])
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub(super) async fn use_allowances(tx: &mut Tx, used: BTreeMap<AllowanceKey, i64>) -> Result<(), DbError> {
    let mut rows = Rows::new(5);
    for ((waba_id, number, month, category), used) in used {
        rows.push([
            waba_id.into(),
            number.into(),
            month.into(),
            category.into(),
            used.into(),
        ]);
    }
    let sql = "UPDATE allowance SET used = used + v.column5 FROM (VALUES {rows}) AS v WHERE waba_id = v.column1 \
               AND phone_number_id = v.column2 AND month = v.column3 AND category = v.column4";
    tx.execute_rows(sql, &rows).await?;
    Ok(())
}

pub(super) async fn insert_open(tx: &mut Tx, taken: &[Taken<'_>]) -> Result<(), DbError> {
    let mut rows = Rows::new(12);
    for Taken {
        bill,
        due,
        conversation,
        seq,
        message,
        expires_ms,
    } in taken
    {
        rows.push([
            bill.waba_id.into(),
            (*conversation).into(),
            (*seq).into(),
            bill.phone_number_id.into(),
            message.0.into(),
            i64::from(bill.category as i32).into(),
            bill.rate_card_id.into(),
            due.price.into(),
            due.currency.as_str().into(),
            due.allowance_month.into(),
            RESERVED.into(),
            (*expires_ms).into(),
        ]);
    }
    let sql = "INSERT INTO message_charge (waba_id, conversation_id, seq, phone_number_id, message_id, category, \
               rate_card_id, price, currency, allowance_month, state, expires_ms) VALUES {rows} ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &rows).await?;
    Ok(())
}

/// A charge that has just left its open state.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) waba_id: u64,
    pub(super) conversation: ConversationId,
    pub(super) seq: u64,
    pub(super) price: i64,
    pub(super) currency: String,
    pub(super) phone_number_id: u64,
    pub(super) category: i64,
    pub(super) allowance_month: i64,
}

fn open(row: &Row) -> Result<Open, DbError> {
    Ok(
        columns!(row => Open { waba_id, conversation, seq, price, currency, phone_number_id, category, allowance_month }),
    )
}

/// Puts receipts to what is open and has not expired; what was charged by it.
pub(super) async fn close<'a>(
    tx: &mut Tx,
    receipts: impl Iterator<Item = &'a Signed>,
    now_ms: i64,
) -> Result<Vec<Open>, DbError> {
    let mut rows = Rows::new(8);
    for receipt in receipts {
        rows.push([
            receipt.waba_id.into(),
            receipt.conversation.into(),
            receipt.seq.into(),
            receipt.timeline.into(),
            receipt.account.into(),
            receipt.device_key.into(),
            (&receipt.signature).into(),
            now_ms.into(),
        ]);
    }
    let sql = "UPDATE message_charge SET state = 2, timeline = v.column4, account_id = v.column5, \
               device_key = v.column6, signature = v.column7, charged_ms = v.column8 FROM (VALUES {rows}) AS v \
               WHERE waba_id = v.column1 AND conversation_id = v.column2 AND seq = v.column3 AND +state = 1 \
               AND expires_ms > v.column8 \
               RETURNING waba_id, conversation_id, seq, price, currency, phone_number_id, category, allowance_month";
    tx.fetch_rows(sql, &rows).await?.iter().map(open).collect()
}

/// Businesses with open charges that have expired, from a page of these.
pub(super) async fn businesses_of_expired(tx: &mut Tx, now_ms: i64) -> Result<BTreeSet<u64>, DbError> {
    let sql = "SELECT waba_id FROM message_charge WHERE state = 1 AND expires_ms <= $1 ORDER BY expires_ms LIMIT 1000";
    let rows = tx.fetch(sql, params![now_ms]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Releases a page of what has expired of a business, which is locked.
pub(super) async fn release(tx: &mut Tx, waba_id: u64, now_ms: i64) -> Result<Vec<Open>, DbError> {
    // The plus keeps SQLite from reading all charges of the business instead of the index of open ones.
    let sql = "SELECT conversation_id, seq FROM message_charge WHERE state = 1 AND expires_ms <= $1 AND +waba_id = $2 \
               ORDER BY expires_ms LIMIT 1000";
    let mut rows = Rows::new(4);
    for row in tx.fetch(sql, params![now_ms, waba_id]).await? {
        let (conversation, seq): (ConversationId, u64) = (row.get(0)?, row.get(1)?);
        rows.push([waba_id.into(), conversation.into(), seq.into(), RELEASED.into()]);
    }
    let sql = "UPDATE message_charge SET state = v.column4 FROM (VALUES {rows}) AS v \
               WHERE waba_id = v.column1 AND conversation_id = v.column2 AND seq = v.column3 AND +state = 1 \
               RETURNING waba_id, conversation_id, seq, price, currency, phone_number_id, category, allowance_month";
    tx.fetch_rows(sql, &rows).await?.iter().map(open).collect()
}

/// A charge as it stands, with its receipt if it has one.
#[derive(Debug)]
pub(super) struct Charge {
    pub(super) waba_id: u64,
    pub(super) conversation: ConversationId,
    pub(super) seq: u64,
    pub(super) message: MessageId,
    pub(super) category: MessageCategory,
    pub(super) rate_card_id: u64,
    pub(super) price: i64,
    pub(super) currency: String,
    pub(super) state: i64,
    pub(super) proof: Option<Proof>,
}

#[derive(Debug)]
pub(super) struct Proof {
    pub(super) timeline: Timeline,
    pub(super) account: AccountId,
    pub(super) device_key: [u8; 32],
    pub(super) signature: Bytes,
}

fn charge(row: &Row) -> Result<Charge, DbError> {
    let state = row.get(8)?;
    Ok(Charge {
        waba_id: row.get(0)?,
        conversation: row.get(1)?,
        seq: row.get(2)?,
        message: MessageId(row.get(3)?),
        category: card::category(row.get(4)?),
        rate_card_id: row.get(5)?,
        price: row.get(6)?,
        currency: row.get(7)?,
        state,
        proof: match row.get::<Option<Vec<u8>>>(9)? {
            None => None,
            Some(_) => Some(Proof {
                timeline: row.get(9)?,
                account: row.get(10)?,
                device_key: row.get(11)?,
                signature: row.get(12)?,
            }),
        },
    })
}

impl Charge {
    pub(super) fn into_wire(self) -> wire::MessageCharge {
        wire::MessageCharge {
            conversation_id: self.conversation.to_bytes(),
            seq: self.seq,
            category: self.category.into(),
            rate_card_id: self.rate_card_id,
            price: self.price,
            currency: self.currency,
            message_id: self.message.to_bytes(),
            receipt: self.proof.map(|proof| wire::SignedReceipt {
                timeline: proof.timeline.to_bytes(),
                device: Some(wire::DeviceAddress {
                    account_id: proof.account.to_bytes(),
                    device_id: DeviceId::of_key(&proof.device_key).to_bytes(),
                }),
                signature: proof.signature,
            }),
        }
    }
}

/// Charges by their keys: (business, conversation, seq).
pub(super) async fn charges(tx: &mut Tx, keys: &[(u64, ConversationId, u64)]) -> Result<Vec<Charge>, DbError> {
    let mut rows = Rows::new(3);
    for (waba_id, conversation, seq) in keys {
        rows.push([(*waba_id).into(), (*conversation).into(), (*seq).into()]);
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT waba_id, conversation_id, seq, message_id, category, rate_card_id, price, currency, state, \
               timeline, account_id, device_key, signature FROM message_charge \
               WHERE (waba_id, conversation_id, seq) IN (SELECT column1, column2, column3 FROM (VALUES {rows}) AS v)";
    tx.fetch_rows(sql, &rows).await?.iter().map(charge).collect()
}

/// A page of charges in the order of their keys, behind `after`.
pub(super) async fn charges_after(tx: &mut Tx, after: (u64, ConversationId, u64)) -> Result<Vec<Charge>, DbError> {
    let sql = "SELECT waba_id, conversation_id, seq, message_id, category, rate_card_id, price, currency, state, \
               timeline, account_id, device_key, signature FROM message_charge \
               WHERE (waba_id, conversation_id, seq) > ($1, $2, $3) ORDER BY waba_id, conversation_id, seq LIMIT 200";
    let rows = tx.fetch(sql, params![after.0, after.1, after.2]).await?;
    rows.iter().map(charge).collect()
}

/// Businesses whose totals are not what the journal and the open charges add up to.
pub(super) async fn wrong_totals(tx: &mut Tx) -> Result<Vec<u64>, DbError> {
    let sql = "SELECT w.waba_id FROM wallet AS w WHERE w.balance <> (SELECT COALESCE(SUM(e.amount), 0) \
               FROM journal_entry AS e WHERE e.waba_id = w.waba_id AND e.account = 1 AND e.currency = w.currency) \
               OR w.reserved <> (SELECT COALESCE(SUM(c.price), 0) FROM message_charge AS c \
               WHERE c.waba_id = w.waba_id AND c.state = 1) LIMIT 20";
    let rows = tx.fetch(sql, params![]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
