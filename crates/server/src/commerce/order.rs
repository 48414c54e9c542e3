//! A business registers what somebody may pay.

use kabar_protocol::{
    ids::AccountId,
    order,
    wire::{
        self,
        register_order_outcome::{Conflict, Outcome, Registered},
    },
};

use super::{own_business, payment::Order, store};
use crate::{
    accounts,
    app::App,
    db::{DbError, Tx},
    error::Failure,
    limits::RateLimit,
    metrics::Metrics,
    socket::Identity,
};

pub(crate) async fn register_order(
    app: &App,
    identity: Identity,
    request: wire::RegisterOrder,
) -> Result<Outcome, Failure> {
    let now_ms = app.now_ms();
    app.limits
        .check(RateLimit::Payments, identity.account.as_slice(), now_ms)?;
    let waba_id = own_business(app, identity.account).await?;
    let order = checked(waba_id, identity.account, request)?;
    if accounts::device_list(app, order.person).await?.is_none() {
        let rule = "there is no such account";
        return Err(Failure::invalid("register_order.person_account_id", rule));
    }
    let registered = app
        .db
        .write((order, now_ms), |tx, (order, now_ms)| {
            Box::pin(register(tx, order, *now_ms))
        })
        .await?;
    match registered {
        Verdict::New => {
            Metrics::count(&app.metrics.commerce_orders);
            Ok(Outcome::Registered(Registered {}))
        }
        Verdict::Before => Ok(Outcome::Registered(Registered {})),
        Verdict::Conflict => Ok(Outcome::Conflict(Conflict {})),
        Verdict::Expired => Err(Failure::invalid(
            "register_order.expires_ms",
            "must be later than now: an order always ends",
        )),
    }
}

fn checked(waba_id: u64, payee: AccountId, request: wire::RegisterOrder) -> Result<Order, Failure> {
    let person = AccountId::from_slice(&request.person_account_id)
        .map_err(|rule| Failure::invalid("register_order.person_account_id", rule))?;
    if person == payee {
        let rule = "must be another account than the business's";
        return Err(Failure::invalid("register_order.person_account_id", rule));
    }
    order::reference(&request.reference_id)
        .map_err(|error| Failure::invalid("register_order.reference_id", error.rule))?;
    order::currency(&request.currency).map_err(|error| Failure::invalid("register_order.currency", error.rule))?;
    if !(1..=order::AMOUNT_MAX).contains(&request.amount) {
        let rule = format!("must be 1 to {} minor units", order::AMOUNT_MAX);
        return Err(Failure::invalid("register_order.amount", rule));
    }
    let order_hash = <[u8; 32]>::try_from(&request.order_hash[..])
        .map_err(|_| Failure::invalid("register_order.order_hash", "must have 32 bytes"))?;
    Ok(Order {
        waba_id,
        reference_id: request.reference_id,
        payee,
        person,
        order_hash,
        amount: request.amount,
        currency: request.currency,
        expires_ms: request.expires_ms,
    })
}

enum Verdict {
    New,
    Before,
    Conflict,
    Expired,
}

async fn register(tx: &mut Tx, order: &Order, now_ms: i64) -> Result<Verdict, DbError> {
    let known = store::read(tx, order.waba_id, &order.reference_id).await?;
    // Said again after its end, it is still what it was.
    if known.is_none() && order.expires_ms <= now_ms {
        return Ok(Verdict::Expired);
    }
    if known.is_none() && store::insert_order(tx, order, now_ms).await? {
        return Ok(Verdict::New);
    }
    let kept = store::read(tx, order.waba_id, &order.reference_id).await?;
    Ok(match kept {
        Some((kept, _)) if kept == *order => Verdict::Before,
        _ => Verdict::Conflict,
    })
}
