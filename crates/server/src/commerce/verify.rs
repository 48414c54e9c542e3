//! Do the payments and the journal tell the same story? For the operator.
//!
//! Read while the server works. A payment and its journal entry commit together, and both only go forward; so whatever
//! is read second is at least as far on, and nothing is reported that is merely new.

use serde_json::{Value, json};

use super::{
    payment::{Order, Payment, journal_key},
    sandbox,
    state::Status,
    store,
};
use crate::{
    app::App,
    billing::{self, Account, Kind, Report},
    db::{DbError, Tx},
    error::Failure,
};

#[derive(Default)]
struct Counts {
    payments: u64,
    captured: u64,
    refunded: u64,
}

pub(crate) async fn verify_ledger(app: &App) -> Result<Value, Failure> {
    let mut tx = app.db.reader().await?;
    let mut report = billing::verify(&mut tx).await?;
    let counts = check_payments(&mut tx, &mut report).await?;
    check_journal(&mut tx, &mut report).await?;
    let messages = billing::verify_charges(&mut tx, &mut report).await?;
    for what in sandbox::stranded(&mut tx).await? {
        report.fault(what);
    }
    Ok(json!({
        "ok": report.wrong.is_empty(),
        "transactions": report.transactions,
        "entries": report.entries,
        "payments": counts.payments,
        "captured": counts.captured,
        "refunded": counts.refunded,
        "messages_charged": messages.charged,
        "messages_reserved": messages.reserved,
        "wrong": report.wrong,
    }))
}

/// Every payment that was captured or refunded is in the journal, with its amount.
async fn check_payments(tx: &mut Tx, report: &mut Report) -> Result<Counts, DbError> {
    let mut counts = Counts::default();
    let mut after = (0, String::new());
    loop {
        let page = store::payments_after(tx, &after).await?;
        let Some((last, _)) = page.last() else { break };
        after = (last.waba_id, last.reference_id.clone());
        let expected: Vec<(&Order, &Payment, Kind)> = page
            .iter()
            .flat_map(|(order, payment)| kinds(payment.status).iter().map(move |kind| (order, payment, *kind)))
            .collect();
        let keys: Vec<(u64, String)> = expected
            .iter()
            .map(|(order, payment, kind)| (order.waba_id, journal_key(*kind, &payment.transaction_id)))
            .collect();
        let posted = billing::posted(tx, Account::Payable, &keys).await?;
        for ((order, _, kind), key) in expected.iter().zip(&keys) {
            let amount = if *kind == Kind::Refund {
                -order.amount
            } else {
                order.amount
            };
            let (waba_id, reference_id) = (order.waba_id, &order.reference_id);
            match posted.get(key) {
                Some((currency, posted)) if *currency == order.currency && *posted == amount => {}
                Some(_) => report.fault(format!(
                    "payment {reference_id} of business {waba_id}: its {kind:?} is journalled with another amount"
                )),
                None => report.fault(format!(
                    "payment {reference_id} of business {waba_id}: its {kind:?} is not in the journal"
                )),
            }
        }
        counts.payments += page.len() as u64;
        let of = |status: &[Status]| {
            page.iter()
                .filter(|(_, payment)| status.contains(&payment.status))
                .count() as u64
        };
        counts.captured += of(&[Status::Captured, Status::Refunded]);
        counts.refunded += of(&[Status::Refunded]);
    }
    Ok(counts)
}

/// What the journal must say of a payment.
fn kinds(status: Status) -> &'static [Kind] {
    match status {
        Status::Captured => &[Kind::Capture],
        Status::Refunded => &[Kind::Capture, Kind::Refund],
        _ => &[],
    }
}

/// Every capture and refund in the journal is that of a payment which says so: none is there twice or for nothing.
async fn check_journal(tx: &mut Tx, report: &mut Report) -> Result<(), DbError> {
    let mut after = (0, String::new());
    loop {
        let page = billing::kinds_after(tx, &after).await?;
        let Some((waba_id, key, _)) = page.last() else { break };
        after = (*waba_id, key.clone());
        for (waba_id, key, kind) in &page {
            let Some(kind @ (Kind::Capture | Kind::Refund)) = kind else {
                continue;
            };
            let transaction_id = key.split_once(':').map_or("", |(_, id)| id);
            let status = store::status_of(tx, *waba_id, transaction_id).await?;
            let fits =
                *key == journal_key(*kind, transaction_id) && status.is_some_and(|status| kinds(status).contains(kind));
            if !fits {
                report.fault(format!(
                    "transaction {key} of business {waba_id}: no payment stands for this {kind:?}"
                ));
            }
        }
    }
    Ok(())
}
