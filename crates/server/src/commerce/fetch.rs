//! Reading payments: a business its own, a person what it pays.

use kabar_protocol::{
    ids::AccountId,
    order,
    wire::{
        self,
        payment_outcome::{NotFound, Outcome},
    },
};

use super::{own_business, payment::Order, store};
use crate::{app::App, business, error::Failure, limits::RateLimit, socket::Identity};

const CHANGES_PER_PAGE_MAX: u32 = 100;

fn check_rate(app: &App, identity: Identity) -> Result<(), Failure> {
    app.limits
        .check(RateLimit::Reads, identity.device.as_slice(), app.now_ms())
}

pub(crate) async fn fetch_payment(
    app: &App,
    identity: Identity,
    request: &wire::FetchPayment,
) -> Result<Outcome, Failure> {
    check_rate(app, identity)?;
    let waba_id = own_business(app, identity.account).await?;
    found(app, waba_id, &request.reference_id, |_| true).await
}

pub(crate) async fn fetch_own_payment(
    app: &App,
    identity: Identity,
    request: &wire::FetchOwnPayment,
) -> Result<Outcome, Failure> {
    check_rate(app, identity)?;
    let payee = AccountId::from_slice(&request.business_account_id)
        .map_err(|rule| Failure::invalid("fetch_own_payment.business_account_id", rule))?;
    match business::waba_of(app, payee).await? {
        Some(waba_id) => {
            found(app, waba_id, &request.reference_id, |order| {
                order.person == identity.account && order.payee == payee
            })
            .await
        }
        None => Ok(Outcome::NotFound(NotFound {})),
    }
}

async fn found(
    app: &App,
    waba_id: u64,
    reference_id: &str,
    theirs: impl Fn(&Order) -> bool,
) -> Result<Outcome, Failure> {
    // What no reference can be is nobody's, and not a text for the database.
    if order::reference(reference_id).is_err() {
        return Ok(Outcome::NotFound(NotFound {}));
    }
    let found = store::read(&mut app.db.reader().await?, waba_id, reference_id).await?;
    Ok(match found {
        Some((order, Some(payment))) if theirs(&order) => Outcome::Payment(payment.wire(&order)),
        _ => Outcome::NotFound(NotFound {}),
    })
}

/// What has changed behind a number, oldest first. `limit` 0 asks for as many as a page holds.
pub(crate) async fn fetch_payment_changes(
    app: &App,
    identity: Identity,
    request: wire::FetchPaymentChanges,
) -> Result<wire::PaymentChanges, Failure> {
    check_rate(app, identity)?;
    let limit = match request.limit {
        0 => CHANGES_PER_PAGE_MAX,
        limit if limit <= CHANGES_PER_PAGE_MAX => limit,
        _ => {
            let rule = format!("must be at most {CHANGES_PER_PAGE_MAX}");
            return Err(Failure::invalid("fetch_payment_changes.limit", rule));
        }
    };
    let waba_id = own_business(app, identity.account).await?;
    let mut tx = app.db.reader().await?;
    let changes = store::changes(&mut tx, waba_id, request.after_seq, limit).await?;
    let payments = changes.iter().map(|(order, payment)| payment.wire(order));
    Ok(wire::PaymentChanges {
        payments: payments.collect(),
    })
}
