//! Orders that people pay in the chat: what is owed, who pays, and what becomes of the payment.
//!
//! Owns the tables payment_order, payment, payment_counter, payment_change, payment_event and sandbox_transaction. Sees
//! amounts and the hash of an order, never what is bought. Money is journalled by `billing`, in the same database
//! transaction as the state that it belongs to.

mod callback;
mod due;
mod fetch;
mod order;
mod pay;
mod payment;
mod provider;
mod push;
mod sandbox;
mod settle;
mod state;
mod store;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    due::run_due,
    fetch::{fetch_own_payment, fetch_payment, fetch_payment_changes},
    order::register_order,
    pay::pay,
    settle::{refund_payment, settle_payment},
    verify::verify_ledger,
};
use kabar_protocol::ids::AccountId;

use crate::{
    app::App,
    business,
    error::{Failure, reason},
};

/// The business whose number this session is.
async fn own_business(app: &App, account: AccountId) -> Result<u64, Failure> {
    let waba_id = business::waba_of(app, account).await?;
    waba_id.ok_or_else(|| Failure::denied(reason::POLICY, "this account is no business number"))
}
