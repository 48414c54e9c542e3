//! What happens to payments by itself: the provider's callbacks arrive, and what nobody settles ends.

use super::{
    callback,
    payment::{self, Changed, Order, Outcome, Payment},
    push::push,
    sandbox::{self, Callback, Signed},
    state::{Event, Status},
    store,
};
use crate::{
    app::App,
    db::{DbError, Tx},
};

/// A page of what is due; how many payments and callbacks were dealt with. One that fails does not hold up the others:
/// it is due again in the next round.
pub(crate) async fn run_due(app: &App) -> Result<usize, DbError> {
    let mut done = 0;
    for callback in sandbox::callbacks_due(&mut app.db.reader().await?, app.now_ms()).await? {
        match deliver(app, &callback).await {
            Ok(()) => done += 1,
            Err(error) => tracing::error!(%error, event_id = callback.event_id, "a callback was not taken in"),
        }
    }
    for (waba_id, reference_id) in store::due(&mut app.db.reader().await?, app.now_ms()).await? {
        let input = (waba_id, reference_id, app.now_ms());
        let ended = app.db.write(input, |tx, (waba_id, reference_id, now_ms)| {
            Box::pin(end_one(tx, *waba_id, reference_id, *now_ms))
        });
        match ended.await {
            Ok(changed) => {
                done += 1;
                if let Some(changed) = changed {
                    push(app, &changed).await;
                }
            }
            Err(error) => tracing::error!(%error, waba_id, "a payment that is due was not ended"),
        }
    }
    Ok(done)
}

/// The way that a provider's callback would come: signed, verified, counted once.
async fn deliver(app: &App, callback: &Callback) -> Result<(), DbError> {
    callback::receive(app, &Signed::new(app, callback)?).await?;
    let input = (callback.waba_id, callback.transaction_id.clone());
    app.db
        .write(input, |tx, (waba_id, transaction_id)| {
            Box::pin(sandbox::called_back(tx, *waba_id, transaction_id))
        })
        .await
}

async fn end_one(tx: &mut Tx, waba_id: u64, reference_id: &str, now_ms: i64) -> Result<Option<Box<Changed>>, DbError> {
    match store::lock(tx, waba_id, reference_id).await? {
        Some((order, Some(payment))) => end(tx, &order, &payment, now_ms).await,
        _ => Ok(None),
    }
}

/// Ends a payment of a locked order if its time is over.
pub(super) async fn end(
    tx: &mut Tx,
    order: &Order,
    payment: &Payment,
    now_ms: i64,
) -> Result<Option<Box<Changed>>, DbError> {
    if payment.due_ms(order).is_none_or(|due_ms| due_ms > now_ms) {
        return Ok(None);
    }
    let (event, error) = match payment.status {
        Status::Authorised => (Event::Void, "the seller did not confirm in time"),
        _ => (Event::Fail, "the provider did not answer before the order expired"),
    };
    match payment::happen(tx, order, payment, event, (error, now_ms)).await? {
        Outcome::Changed(changed) => Ok(Some(changed)),
        Outcome::Same | Outcome::Refused => Ok(None),
    }
}
