//! What a provider tells later. Believed if its HMAC holds, and once per event.

use super::{
    payment::{self, Changed, Outcome},
    provider,
    push::push,
    sandbox::{Books, Callback, Signed},
    state::{Event, Status},
    store,
};
use crate::{
    app::App,
    db::{DbError, Tx},
    metrics::Metrics,
};

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    Forged,
    /// The event was taken in before.
    Replayed,
    Applied,
    /// It is genuine, and too late or about nothing that waits for it.
    NoEffect,
}

pub(super) async fn receive(app: &App, signed: &Signed) -> Result<Received, DbError> {
    let Some(callback) = signed.verified(app)? else {
        Metrics::count(&app.metrics.commerce_callbacks_refused);
        return Ok(Received::Forged);
    };
    let input = (callback, app.now_ms());
    let (received, changed) = app
        .db
        .write(input, |tx, (callback, now_ms)| Box::pin(apply(tx, callback, *now_ms)))
        .await?;
    if received == Received::Replayed {
        Metrics::count(&app.metrics.commerce_callbacks_refused);
    }
    if let Some(changed) = changed {
        push(app, &changed).await;
    }
    Ok(received)
}

async fn apply(tx: &mut Tx, callback: &Callback, now_ms: i64) -> Result<(Received, Option<Box<Changed>>), DbError> {
    // Locked before the event is kept: the order of locks is the same everywhere.
    let found = store::lock(tx, callback.waba_id, &callback.reference_id).await?;
    if !store::insert_event(tx, callback.waba_id, &callback.event_id, now_ms).await? {
        return Ok((Received::Replayed, None));
    }
    let Some((order, Some(payment))) = found else {
        return Ok((Received::NoEffect, None));
    };
    if payment.transaction_id != callback.transaction_id {
        // Of an attempt that another has followed, so it had failed: nobody waits for this money.
        let earlier = payment::Payment {
            transaction_id: callback.transaction_id.clone(),
            ..payment
        };
        provider::tell(tx, order.waba_id, &earlier, Books::Released).await?;
        return Ok((Received::NoEffect, None));
    }
    if payment.status == Status::Pending && order.expires_ms <= now_ms {
        provider::tell(tx, order.waba_id, &payment, Books::Released).await?;
        let error = "the provider answered after the order had expired; the money was let go";
        let outcome = payment::happen(tx, &order, &payment, Event::Fail, (error, now_ms)).await?;
        return Ok(received(outcome));
    }
    if matches!(payment.status, Status::Failed | Status::Voided) {
        provider::tell(tx, order.waba_id, &payment, Books::Released).await?;
        return Ok((Received::NoEffect, None));
    }
    let outcome = payment::happen(tx, &order, &payment, Event::Authorise, ("", now_ms)).await?;
    Ok(received(outcome))
}

fn received(outcome: Outcome) -> (Received, Option<Box<Changed>>) {
    match outcome {
        Outcome::Changed(changed) => (Received::Applied, Some(changed)),
        Outcome::Same | Outcome::Refused => (Received::NoEffect, None),
    }
}
