//! Money: a double-entry journal per business, and the wallet from which a business pays the operator.
//!
//! Owns the tables journal_transaction, journal_entry and wallet. Knows no payment and no message: whoever moves money
//! says so with [`post`], in the database transaction that changes its own state. Entries are never changed or deleted.

mod journal;
mod money;
mod verify;
mod wallet;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    journal::{Account, Kind, Posted, Transaction, kinds_after, post, posted},
    verify::{Report, verify},
    wallet::{show, top_up},
};
