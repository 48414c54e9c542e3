//! What happens to payments by itself: the provider's callbacks arrive, and what nobody settles ends.

use super::{
    callback,
    payment::{self, Changed, Order, Outcome, Payment},
    push::push,
    sandbox::{self, Signed},
    state::{Event, Status},
    store,
};
use crate::{
    app::App,
    db::{DbError, Tx},
};

/// Everything that is due, once; how many payments and callbacks that were.
pub(crate) async fn run_due(app: &App) -> Result<usize, DbError> {
    let callbacks = sandbox::callbacks_due(&mut app.db.reader().await?, app.now_ms()).await?;
    for callback in &callbacks {
        // The way that a provider's callback would come: signed, verified, counted once.
        callback::receive(app, &Signed::new(app, callback)?).await?;
        let input = (callback.waba_id, callback.transaction_id.clone());
        app.db
            .write(input, |tx, (waba_id, transaction_id)| {
                Box::pin(sandbox::called_back(tx, *waba_id, transaction_id))
            })
            .await?;
    }
    let due = store::due(&mut app.db.reader().await?, app.now_ms()).await?;
    let count = callbacks.len() + due.len();
    for (waba_id, reference_id) in due {
        let input = (waba_id, reference_id, app.now_ms());
        let ended = app
            .db
            .write(input, |tx, (waba_id, reference_id, now_ms)| {
                Box::pin(end_one(tx, *waba_id, reference_id, *now_ms))
            })
            .await?;
        if let Some(changed) = ended {
            push(app, &changed).await;
        }
    }
    Ok(count)
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
