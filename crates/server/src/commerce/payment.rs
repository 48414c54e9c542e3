//! An order with its payment, and the one door through which a payment changes.
//!
//! A change is four things in one database transaction: the state, the word to the provider, the journal's entry, and
//! the numbered record that the business's gateway reads.

use kabar_protocol::{ids::AccountId, wire};

use super::{
    provider,
    sandbox::Books,
    state::{self, Event, Status, Step},
    store,
};
use crate::{
    billing::{self, Account, Kind, Posted, Transaction},
    db::{DbError, Tx},
};

/// How long a seller may take to confirm: then the person's money is let go.
pub(super) const SETTLE_WITHIN_MS: i64 = 15 * 60 * 1_000;

/// What a business has registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) waba_id: u64,
    pub(super) reference_id: String,
    pub(super) payee: AccountId,
    pub(super) person: AccountId,
    pub(super) order_hash: [u8; 32],
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) expires_ms: i64,
}

/// The newest attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) reference_id: String,
    /// From 1.
    pub(super) attempt: i64,
    pub(super) transaction_id: String,
    pub(super) method: String,
    pub(super) status: Status,
    pub(super) refunded: i64,
    pub(super) error: String,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) seq: u64,
}

impl Payment {
    /// When a job ends it, if nobody else does.
    pub(super) fn due_ms(&self, order: &Order) -> Option<i64> {
        match self.status {
            Status::Pending => Some(order.expires_ms),
            Status::Authorised => Some(order.expires_ms.min(self.updated_ms + SETTLE_WITHIN_MS)),
            _ => None,
        }
    }

    pub(super) fn wire(&self, order: &Order) -> wire::Payment {
        wire::Payment {
            reference_id: self.reference_id.clone(),
            transaction_id: self.transaction_id.clone(),
            status: self.status.wire().into(),
            amount: order.amount,
            currency: order.currency.clone(),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            refunded: self.refunded,
            error: self.error.clone(),
            person_account_id: order.person.to_bytes(),
            method: self.method.clone(),
            seq: self.seq,
        }
    }
}

/// A payment that has just changed: both sides are told once it is committed.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) order: Order,
    pub(super) payment: Payment,
}

/// What an event did.
#[derive(Debug)]
pub(super) enum Outcome {
    Changed(Box<Changed>),
    /// It had happened before.
    Same,
    Refused,
}

/// Lets an event happen to a payment of a locked order. `error` is kept with FAILED and VOIDED.
pub(super) async fn happen(
    tx: &mut Tx,
    order: &Order,
    payment: &Payment,
    event: Event,
    (error, now_ms): (&str, i64),
) -> Result<Outcome, DbError> {
    let status = match state::step(payment.status, event) {
        Step::To(status) => status,
        Step::Done => return Ok(Outcome::Same),
        Step::Refused => return Ok(Outcome::Refused),
    };
    let mut next = Payment {
        status,
        error: error.to_owned(),
        updated_ms: now_ms,
        ..payment.clone()
    };
    match status {
        Status::Authorised => provider::tell(tx, order.waba_id, &next, Books::Held).await?,
        Status::Captured => {
            provider::tell(tx, order.waba_id, &next, Books::Captured).await?;
            journal(tx, order, &next, Kind::Capture).await?;
        }
        Status::Refunded => {
            next.refunded = order.amount;
            provider::tell(tx, order.waba_id, &next, Books::Refunded).await?;
            journal(tx, order, &next, Kind::Refund).await?;
        }
        Status::Voided => provider::tell(tx, order.waba_id, &next, Books::Released).await?,
        // What is held is let go; what is pending, the provider must answer first (see callback.rs).
        Status::Failed if payment.status == Status::Authorised => {
            provider::tell(tx, order.waba_id, &next, Books::Released).await?;
        }
        Status::Failed | Status::Pending => {}
    }
    let payment = store::keep(tx, order, next).await?;
    let order = order.clone();
    Ok(Outcome::Changed(Box::new(Changed { order, payment })))
}

/// The journal's key of a payment's capture or refund.
pub(super) fn journal_key(kind: Kind, transaction_id: &str) -> String {
    let word = match kind {
        Kind::Capture => "capture",
        Kind::Refund => "refund",
        Kind::TopUp => "topup",
        Kind::Charge => "charge",
    };
    format!("{word}:{transaction_id}")
}

async fn journal(tx: &mut Tx, order: &Order, payment: &Payment, kind: Kind) -> Result<(), DbError> {
    let way = match kind {
        Kind::Refund => (Account::Payable, Account::Clearing),
        _ => (Account::Clearing, Account::Payable),
    };
    let key = journal_key(kind, &payment.transaction_id);
    let transaction = Transaction::transfer(
        (order.waba_id, kind, key),
        way,
        (order.amount, &order.currency),
        payment.updated_ms,
    );
    match billing::post(tx, &transaction).await? {
        Posted::New => Ok(()),
        // The state says that it has not happened, the journal that it has: rolled back, for an operator to look at.
        Posted::Before | Posted::Conflict => Err(DbError::Invariant("a payment is in the journal before its state")),
    }
}
