//! The embedded provider: pretends to be a bank, deterministically, without a network.
//!
//! Its books are a table of its own, in this database, so that its answers commit with the payment that they are for; a
//! provider behind a network would need an outbox here instead. Method `sandbox:CARD`:
//!
//! | card | what happens |
//! |---|---|
//! | `4242` | authorised |
//! | `0002` | declined |
//! | `3220` | asks for 3-D Secure: the answer `1234` authorises, every other declines |
//! | `0077` | pending; a callback authorises it after 5 seconds |
//! | `0078` | as `0077`, and the callback comes twice |
//! | `0079` | pending; the callback comes 5 seconds after the order has expired |

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    app::App,
    db::{DbError, Row, Tx, params},
};

pub(super) const CARDS: &str = "4242, 0002, 3220, 0077, 0078, 0079";
pub(super) const CALLBACK_DELAY_MS: i64 = 5_000;
const CHALLENGE_PROMPT: &str = "3-D Secure: type the code from your bank (in the sandbox: 1234)";
const CHALLENGE_ANSWER: &str = "1234";
/// Callbacks handed over in one run of the job.
const CALLBACKS_PER_RUN: i64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Card {
    Succeeds,
    Declined,
    Challenges,
    Pending,
    PendingTwice,
    PendingLate,
}

impl Card {
    pub(super) fn parse(number: &str) -> Option<Self> {
        Some(match number {
            "4242" => Self::Succeeds,
            "0002" => Self::Declined,
            "3220" => Self::Challenges,
            "0077" => Self::Pending,
            "0078" => Self::PendingTwice,
            "0079" => Self::PendingLate,
            _ => return None,
        })
    }

    /// What the bank says to an attempt to pay until `expires_ms`.
    pub(super) fn authorise(self, challenge_answer: Option<&str>, now_ms: i64, expires_ms: i64) -> Answer {
        let later = |from_ms: i64, callbacks| Answer::Pending {
            callback_ms: from_ms + CALLBACK_DELAY_MS,
            callbacks,
        };
        match (self, challenge_answer) {
            (Self::Succeeds, _) | (Self::Challenges, Some(CHALLENGE_ANSWER)) => Answer::Authorised,
            (Self::Declined, _) => Answer::Declined("the bank declined the card"),
            (Self::Challenges, None) => Answer::Challenge(CHALLENGE_PROMPT),
            (Self::Challenges, Some(_)) => Answer::Declined("the 3-D Secure code was wrong"),
            (Self::Pending, _) => later(now_ms, 1),
            (Self::PendingTwice, _) => later(now_ms, 2),
            (Self::PendingLate, _) => later(now_ms.max(expires_ms), 1),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Authorised,
    Pending { callback_ms: i64, callbacks: i64 },
    Challenge(&'static str),
    Declined(&'static str),
}

/// Where a transaction stands in the bank's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Books {
    Pending = 1,
    /// The person's money is held.
    Held = 2,
    Captured = 3,
    Released = 4,
    Refunded = 5,
}

/// The transaction's name, the same at every try to write it.
pub(super) fn transaction_id(waba_id: u64, reference_id: &str, attempt: i64) -> String {
    let mut hasher = Sha256::new();
    hasher.update(waba_id.to_be_bytes());
    hasher.update(attempt.to_be_bytes());
    hasher.update(reference_id.as_bytes());
    format!("sbx_{}", hex::encode(&hasher.finalize()[..12]))
}

/// Opens a transaction in the books; `callback`: when, and how often.
pub(super) async fn open(
    tx: &mut Tx,
    (waba_id, transaction_id, reference_id): (u64, &str, &str),
    books: Books,
    callback: Option<(i64, i64)>,
) -> Result<(), DbError> {
    let sql = "INSERT INTO sandbox_transaction (waba_id, transaction_id, reference_id, state, callback_ms, \
               callbacks_left) VALUES ($1, $2, $3, $4, $5, $6)";
    let values = params![
        waba_id,
        transaction_id,
        reference_id,
        books as i64,
        callback.map(|(at_ms, _)| at_ms),
        callback.map_or(0, |(_, callbacks)| callbacks)
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

pub(super) async fn enter(tx: &mut Tx, waba_id: u64, transaction_id: &str, books: Books) -> Result<(), DbError> {
    let sql = "UPDATE sandbox_transaction SET state = $3 WHERE waba_id = $1 AND transaction_id = $2";
    tx.execute(sql, params![waba_id, transaction_id, books as i64]).await?;
    Ok(())
}

/// What a callback says: the transaction is authorised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Callback {
    /// The same for every delivery of one event.
    pub(super) event_id: String,
    pub(super) waba_id: u64,
    pub(super) reference_id: String,
    pub(super) transaction_id: String,
}

/// A callback as it arrives: HMAC-SHA256 over the very bytes.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) body: Vec<u8>,
    pub(super) mac: Vec<u8>,
}

fn mac(app: &App, body: &[u8]) -> Result<Hmac<Sha256>, DbError> {
    let key = app.secrets.derived_key("sandbox callback");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| DbError::Invariant("a key of 32 bytes"))?;
    mac.update(body);
    Ok(mac)
}

impl Signed {
    pub(super) fn new(app: &App, callback: &Callback) -> Result<Self, DbError> {
        let body = serde_json::to_vec(callback).map_err(|_| DbError::Invariant("a callback encodes"))?;
        let mac = mac(app, &body)?.finalize().into_bytes().to_vec();
        Ok(Self { body, mac })
    }

    /// What it says, if the provider said it.
    pub(super) fn verified(&self, app: &App) -> Result<Option<Callback>, DbError> {
        // Constant time.
        let genuine = mac(app, &self.body)?.verify_slice(&self.mac).is_ok();
        Ok(genuine.then(|| serde_json::from_slice(&self.body).ok()).flatten())
    }
}

/// The callbacks that the provider owes by now.
pub(super) async fn callbacks_due(tx: &mut Tx, now_ms: i64) -> Result<Vec<Callback>, DbError> {
    let sql = "SELECT waba_id, reference_id, transaction_id FROM sandbox_transaction WHERE callback_ms <= $1 \
               ORDER BY callback_ms LIMIT $2 + 0";
    let rows = tx.fetch(sql, params![now_ms, CALLBACKS_PER_RUN]).await?;
    let read = |row: &Row| {
        let transaction_id: String = row.get(2)?;
        Ok(Callback {
            event_id: format!("evt_{transaction_id}_authorised"),
            waba_id: row.get(0)?,
            reference_id: row.get(1)?,
            transaction_id,
        })
    };
    rows.iter().map(read).collect()
}

/// A callback was taken in: one less is owed.
pub(super) async fn called_back(tx: &mut Tx, waba_id: u64, transaction_id: &str) -> Result<(), DbError> {
    let sql = "UPDATE sandbox_transaction SET callbacks_left = callbacks_left - 1, \
               callback_ms = CASE WHEN callbacks_left > 1 THEN callback_ms END \
               WHERE waba_id = $1 AND transaction_id = $2 AND callback_ms IS NOT NULL";
    tx.execute(sql, params![waba_id, transaction_id]).await?;
    Ok(())
}

/// Transactions in which the bank holds money that no authorised payment stands for, as sentences.
pub(super) async fn stranded(tx: &mut Tx) -> Result<Vec<String>, DbError> {
    let sql = "SELECT s.waba_id, s.transaction_id FROM sandbox_transaction AS s LEFT JOIN payment AS p \
               ON p.waba_id = s.waba_id AND p.reference_id = s.reference_id AND p.transaction_id = s.transaction_id \
               AND p.status = 2 WHERE s.state = 2 AND p.waba_id IS NULL LIMIT 20";
    let rows = tx.fetch(sql, params![]).await?;
    let read = |row: &Row| {
        let (waba_id, id): (u64, String) = (row.get(0)?, row.get(1)?);
        Ok(format!(
            "provider transaction {id} of business {waba_id}: it holds money for no authorised payment"
        ))
    };
    rows.iter().map(read).collect()
}
