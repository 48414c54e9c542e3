//! Who moves the money: the methods that a person may choose, and what each provider is told.
//!
//! An enum, because there is one provider; a second one is a second arm of each match.

use super::{
    payment::Payment,
    sandbox::{self, Answer, Books, Card},
};
use crate::db::{DbError, Tx};

/// Bytes of a method on the wire; what is stored of it is a known one's.
pub(super) const METHOD_BYTES_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Sandbox(Card),
}

impl Method {
    pub(super) fn parse(method: &str) -> Option<Self> {
        let (provider, rest) = method.split_once(':')?;
        match provider {
            "sandbox" => Card::parse(rest).map(Self::Sandbox),
            _ => None,
        }
    }

    pub(super) fn authorise(self, challenge_answer: Option<&str>, now_ms: i64, expires_ms: i64) -> Answer {
        match self {
            Self::Sandbox(card) => card.authorise(challenge_answer, now_ms, expires_ms),
        }
    }

    pub(super) fn transaction_id(self, waba_id: u64, reference_id: &str, attempt: i64) -> String {
        match self {
            Self::Sandbox(_) => sandbox::transaction_id(waba_id, reference_id, attempt),
        }
    }
}

/// For people who chose a method that is not there.
pub(super) fn methods() -> String {
    format!(
        "there is no such method here: use sandbox: and one of {}",
        sandbox::CARDS
    )
}

/// A transaction begins at the provider.
pub(super) async fn open(
    tx: &mut Tx,
    method: Method,
    waba_id: u64,
    payment: &Payment,
    answer: Answer,
) -> Result<(), DbError> {
    let Method::Sandbox(_) = method;
    let (books, callback) = match answer {
        Answer::Authorised => (Books::Held, None),
        Answer::Pending { callback_ms, callbacks } => (Books::Pending, Some((callback_ms, callbacks))),
        // Nothing is held, so there is nothing to keep.
        Answer::Challenge(_) | Answer::Declined(_) => return Ok(()),
    };
    let key = (waba_id, payment.transaction_id.as_str(), payment.reference_id.as_str());
    sandbox::open(tx, key, books, callback).await
}

/// The provider is told to take, release or return the money.
pub(super) async fn tell(tx: &mut Tx, waba_id: u64, payment: &Payment, books: Books) -> Result<(), DbError> {
    match Method::parse(&payment.method) {
        Some(Method::Sandbox(_)) => sandbox::enter(tx, waba_id, &payment.transaction_id, books).await,
        None => Err(DbError::Invariant("a payment has a method that does not exist")),
    }
}
