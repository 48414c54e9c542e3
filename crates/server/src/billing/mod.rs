//! Money: a double-entry journal per business, the wallet from which a business pays the operator, and what messages cost.
//!
//! Owns the tables journal_transaction, journal_entry, wallet, rate_card, rate, allowance and message_charge. Knows no
//! payment: whoever moves money says so with [`post`], in the database transaction that changes its own state. Messages are
//! charged in `messaging`'s transactions ([`Charges`]). Entries are never changed or deleted.

mod card;
mod charge;
mod charge_store;
mod charge_verify;
mod date;
mod journal;
mod money;
mod verify;
mod wallet;

#[cfg(test)]
mod charge_tests;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    card::{import, show_card},
    charge::{Charges, fetch_charges, fetch_prices, quote, refused, release_expired},
    charge_verify::verify_charges,
    journal::{Account, Kind, Posted, Transaction, kinds_after, post, posted},
    verify::{Report, verify},
    wallet::{show, top_up},
};

/// What the slice keeps in memory.
#[derive(Default)]
pub(crate) struct Billing {
    cards: card::Cards,
}
