//! SQL over orders and payments.

use super::{
    payment::{Order, Payment},
    state::Status,
};
use crate::db::{DbError, Row, Tx, columns, params};

/// Payments that one run of the job ends.
const DUE_PER_RUN: i64 = 100;

fn order(row: &Row) -> Result<Order, DbError> {
    Ok(columns!(row => Order { waba_id, reference_id, payee, person, order_hash, amount, currency, expires_ms }))
}

fn payment(row: &Row) -> Result<Payment, DbError> {
    payment_at(row, 0)
}

/// A payment whose first column is at `index`.
fn payment_at(row: &Row, index: usize) -> Result<Payment, DbError> {
    let status = Status::from_column(row.get(index + 4)?);
    Ok(Payment {
        reference_id: row.get(index)?,
        attempt: row.get(index + 1)?,
        transaction_id: row.get(index + 2)?,
        method: row.get(index + 3)?,
        status: status.ok_or(DbError::Column { index: index + 4 })?,
        refunded: row.get(index + 5)?,
        error: row.get(index + 6)?,
        created_ms: row.get(index + 7)?,
        updated_ms: row.get(index + 8)?,
        seq: row.get(index + 9)?,
    })
}

/// Keeps an order; false if its reference is taken.
pub(super) async fn insert_order(tx: &mut Tx, order: &Order, now_ms: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO payment_order (waba_id, reference_id, payee_id, person_id, order_hash, amount, currency, \
               expires_ms, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let values = params![
        order.waba_id,
        order.reference_id.as_str(),
        order.payee,
        order.person,
        order.order_hash,
        order.amount,
        order.currency.as_str(),
        order.expires_ms,
        now_ms
    ];
    Ok(tx.execute(sql, values).await? == 1)
}

/// An order and its payment, to read.
pub(super) async fn read(
    tx: &mut Tx,
    waba_id: u64,
    reference_id: &str,
) -> Result<Option<(Order, Option<Payment>)>, DbError> {
    let sql = "SELECT waba_id, reference_id, payee_id, person_id, order_hash, amount, currency, expires_ms \
               FROM payment_order WHERE waba_id = $1 AND reference_id = $2";
    with_payment(tx, sql, waba_id, reference_id).await
}

/// As [`read`], and nobody else changes it before this transaction ends.
///
/// The update that changes nothing is a lock on both engines, and on PostgreSQL it returns the newest row.
pub(super) async fn lock(
    tx: &mut Tx,
    waba_id: u64,
    reference_id: &str,
) -> Result<Option<(Order, Option<Payment>)>, DbError> {
    let sql = "UPDATE payment_order SET created_ms = created_ms WHERE waba_id = $1 AND reference_id = $2 \
               RETURNING waba_id, reference_id, payee_id, person_id, order_hash, amount, currency, expires_ms";
    with_payment(tx, sql, waba_id, reference_id).await
}

async fn with_payment(
    tx: &mut Tx,
    sql: &'static str,
    waba_id: u64,
    reference_id: &str,
) -> Result<Option<(Order, Option<Payment>)>, DbError> {
    let Some(row) = tx.fetch_optional(sql, params![waba_id, reference_id]).await? else {
        return Ok(None);
    };
    let order = order(&row)?;
    let sql = "SELECT reference_id, attempt, transaction_id, method, status, refunded, error, created_ms, updated_ms, \
               seq FROM payment WHERE waba_id = $1 AND reference_id = $2";
    let row = tx.fetch_optional(sql, params![waba_id, reference_id]).await?;
    let payment = row.as_ref().map(payment).transpose()?;
    Ok(Some((order, payment)))
}

/// Keeps a payment as it is now, under the business's next number. The counter's lock makes the numbers dense and seen
/// in their order.
pub(super) async fn keep(tx: &mut Tx, order: &Order, mut payment: Payment) -> Result<Payment, DbError> {
    let sql = "INSERT INTO payment_counter (waba_id, last_seq) VALUES ($1, 1) ON CONFLICT (waba_id) \
               DO UPDATE SET last_seq = payment_counter.last_seq + 1 RETURNING last_seq";
    let row = tx.fetch_optional(sql, params![order.waba_id]).await?;
    payment.seq = row.ok_or(DbError::Invariant("a counter returns its number"))?.get(0)?;
    let due_ms = payment.due_ms(order);
    let sql = "INSERT INTO payment (waba_id, reference_id, attempt, transaction_id, method, status, refunded, error, \
               created_ms, updated_ms, seq, due_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
               ON CONFLICT (waba_id, reference_id) DO UPDATE SET attempt = excluded.attempt, \
               transaction_id = excluded.transaction_id, method = excluded.method, status = excluded.status, \
               refunded = excluded.refunded, error = excluded.error, created_ms = excluded.created_ms, \
               updated_ms = excluded.updated_ms, seq = excluded.seq, due_ms = excluded.due_ms";
    tx.execute(sql, &[&columns(order, &payment)[..], params![due_ms]].concat())
        .await?;
    let sql = "INSERT INTO payment_change (waba_id, reference_id, attempt, transaction_id, method, status, refunded, \
               error, created_ms, updated_ms, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    tx.execute(sql, &columns(order, &payment)).await?;
    Ok(payment)
}

fn columns(order: &Order, payment: &Payment) -> Vec<crate::db::Value> {
    params![
        order.waba_id,
        payment.reference_id.as_str(),
        payment.attempt,
        payment.transaction_id.as_str(),
        payment.method.as_str(),
        payment.status as i64,
        payment.refunded,
        payment.error.as_str(),
        payment.created_ms,
        payment.updated_ms,
        payment.seq
    ]
    .to_vec()
}

/// Changes behind `after`, oldest first.
pub(super) async fn changes(
    tx: &mut Tx,
    waba_id: u64,
    after: u64,
    limit: u32,
) -> Result<Vec<(Order, Payment)>, DbError> {
    let sql = "SELECT o.waba_id, o.reference_id, o.payee_id, o.person_id, o.order_hash, o.amount, o.currency, \
               o.expires_ms, c.reference_id, c.attempt, c.transaction_id, c.method, c.status, c.refunded, c.error, \
               c.created_ms, c.updated_ms, c.seq FROM payment_change AS c JOIN payment_order AS o \
               ON o.waba_id = c.waba_id AND o.reference_id = c.reference_id \
               WHERE c.waba_id = $1 AND c.seq > $2 ORDER BY c.seq LIMIT $3 + 0";
    let rows = tx.fetch(sql, params![waba_id, after, limit]).await?;
    rows.iter().map(|row| Ok((order(row)?, payment_at(row, 8)?))).collect()
}

/// Payments whose time is over: (business, reference).
pub(super) async fn due(tx: &mut Tx, now_ms: i64) -> Result<Vec<(u64, String)>, DbError> {
    let sql = "SELECT waba_id, reference_id FROM payment WHERE due_ms <= $1 ORDER BY due_ms LIMIT $2 + 0";
    let rows = tx.fetch(sql, params![now_ms, DUE_PER_RUN]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Takes in an event of a provider; false if it was taken in before.
pub(super) async fn insert_event(tx: &mut Tx, waba_id: u64, event_id: &str, now_ms: i64) -> Result<bool, DbError> {
    let sql = "INSERT INTO payment_event (waba_id, event_id, received_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![waba_id, event_id, now_ms]).await? == 1)
}

/// A page of payments in the order of their keys, behind `after`, each with its amount and currency.
pub(super) async fn payments_after(tx: &mut Tx, after: &(u64, String)) -> Result<Vec<(Order, Payment)>, DbError> {
    let sql = "SELECT o.waba_id, o.reference_id, o.payee_id, o.person_id, o.order_hash, o.amount, o.currency, \
               o.expires_ms, p.reference_id, p.attempt, p.transaction_id, p.method, p.status, p.refunded, p.error, \
               p.created_ms, p.updated_ms, p.seq FROM payment AS p JOIN payment_order AS o \
               ON o.waba_id = p.waba_id AND o.reference_id = p.reference_id \
               WHERE (p.waba_id, p.reference_id) > ($1, $2) ORDER BY p.waba_id, p.reference_id LIMIT 200";
    let rows = tx.fetch(sql, params![after.0, after.1.as_str()]).await?;
    rows.iter().map(|row| Ok((order(row)?, payment_at(row, 8)?))).collect()
}

/// The state of the payment whose newest attempt a provider's transaction is.
pub(super) async fn status_of(tx: &mut Tx, waba_id: u64, transaction_id: &str) -> Result<Option<Status>, DbError> {
    let sql = "SELECT p.status FROM sandbox_transaction AS s JOIN payment AS p ON p.waba_id = s.waba_id \
               AND p.reference_id = s.reference_id AND p.transaction_id = s.transaction_id \
               WHERE s.waba_id = $1 AND s.transaction_id = $2";
    let row = tx.fetch_optional(sql, params![waba_id, transaction_id]).await?;
    let status = row.map(|row| row.get::<i64>(0)).transpose()?;
    Ok(status.and_then(Status::from_column))
}
