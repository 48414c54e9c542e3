//! What a message costs is not this slice's business, but it happens in its transactions: the seam between the two.
//!
//! `messaging` knows that some messages are billed and that a receipt is owed for them; `billing` knows prices, implements
//! [`Meter`] and is handed in at the start. A batch without such messages never calls it.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId, Timeline},
    receipt::Receipt,
    wire::{Billable, MessageCategory},
};

use crate::{
    app::App,
    db::{DbError, Tx},
    error::Failure,
};

/// A price in one currency, as a rate card has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tariff {
    pub(crate) currency: String,
    pub(crate) price: i64,
    pub(crate) free_per_month: i64,
}

/// Who pays for a message, and by which card.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    pub(crate) waba_id: u64,
    pub(crate) phone_number_id: u64,
    pub(crate) category: MessageCategory,
    pub(crate) rate_card_id: u64,
    /// The market's, by currency.
    pub(crate) tariffs: Vec<Tariff>,
}

impl Bill {
    pub(super) fn billable(&self) -> Billable {
        Billable {
            category: self.category.into(),
            rate_card_id: self.rate_card_id,
        }
    }
}

/// What a message will cost when it is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) price: i64,
    pub(crate) currency: String,
    /// 0, or the month whose allowance it is taken from.
    pub(crate) allowance_month: i64,
}

/// A billable message that was given its place.
#[derive(Debug, Clone)]
pub(crate) struct Taken<'a> {
    pub(crate) bill: &'a Bill,
    pub(crate) due: &'a Due,
    pub(crate) conversation: ConversationId,
    pub(crate) seq: u64,
    pub(crate) message: MessageId,
    pub(crate) expires_ms: i64,
}

/// A message for which a receipt is expected: what it has to say, and who pays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) waba_id: u64,
    pub(crate) receipt: Receipt,
}

/// A receipt whose signature is the device's.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) waba_id: u64,
    pub(crate) conversation: ConversationId,
    pub(crate) seq: u64,
    pub(crate) timeline: Timeline,
    pub(crate) account: AccountId,
    pub(crate) device_key: [u8; 32],
    pub(crate) signature: Bytes,
}

pub(crate) trait Meter: Send + Sync {
    /// One answer per bill, in order: what it will cost, or why it may not go out. Writes nothing that counts.
    fn admit<'a>(
        &'a self,
        tx: &'a mut Tx,
        bills: &'a [&'a Bill],
        now_ms: i64,
    ) -> BoxFuture<'a, Result<Vec<Result<Due, String>>, DbError>>;

    /// Reserves what was admitted in this transaction.
    fn reserve<'a>(&'a self, tx: &'a mut Tx, taken: &'a [Taken<'a>]) -> BoxFuture<'a, Result<(), DbError>>;

    /// What receipts for these places have to say: (business account, conversation, seq). Unknown places are missing.
    fn expected<'a>(
        &'a self,
        app: &'a App,
        places: &'a [(AccountId, ConversationId, u64)],
    ) -> BoxFuture<'a, Result<Vec<Expected>, Failure>>;

    /// Charges what is charged by these receipts: each message once, whoever signs again.
    fn charge<'a>(&'a self, tx: &'a mut Tx, receipts: &'a [Signed], now_ms: i64) -> BoxFuture<'a, Result<(), DbError>>;
}
