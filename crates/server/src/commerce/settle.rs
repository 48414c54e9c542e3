//! The seller confirms, lets go, or gives back.

use kabar_protocol::{
    order,
    wire::{
        self,
        payment_outcome::{NotFound, Outcome as Answer, Refused},
    },
};

use super::{
    due, own_business,
    payment::{self, Changed, Outcome, Payment},
    push::push,
    state::{Event, Status},
    store,
};
use crate::{
    app::App,
    db::{DbError, Tx},
    error::Failure,
    limits::RateLimit,
    socket::Identity,
};

pub(super) struct Input {
    pub(super) waba_id: u64,
    pub(super) reference_id: String,
    pub(super) event: Event,
    pub(super) now_ms: i64,
}

#[derive(Debug)]
pub(super) enum Done {
    NotFound,
    Changed(Box<Changed>),
    Same(Box<wire::Payment>),
    Refused(String, Option<Box<Changed>>),
}

pub(crate) async fn settle_payment(
    app: &App,
    identity: Identity,
    request: wire::SettlePayment,
) -> Result<Answer, Failure> {
    let event = if request.capture { Event::Capture } else { Event::Void };
    change(app, identity, request.reference_id, event).await
}

pub(crate) async fn refund_payment(
    app: &App,
    identity: Identity,
    request: wire::RefundPayment,
) -> Result<Answer, Failure> {
    change(app, identity, request.reference_id, Event::Refund).await
}

async fn change(app: &App, identity: Identity, reference_id: String, event: Event) -> Result<Answer, Failure> {
    let now_ms = app.now_ms();
    app.limits
        .check(RateLimit::Payments, identity.account.as_slice(), now_ms)?;
    let waba_id = own_business(app, identity.account).await?;
    if order::reference(&reference_id).is_err() {
        return Ok(Answer::NotFound(NotFound {}));
    }
    let input = Input {
        waba_id,
        reference_id,
        event,
        now_ms,
    };
    let done = app.db.write(input, |tx, input| Box::pin(write(tx, input))).await?;
    Ok(match done {
        Done::NotFound => Answer::NotFound(NotFound {}),
        Done::Same(payment) => Answer::Payment(*payment),
        Done::Changed(changed) => {
            push(app, &changed).await;
            Answer::Payment(changed.payment.wire(&changed.order))
        }
        Done::Refused(message, changed) => {
            if let Some(changed) = changed {
                push(app, &changed).await;
            }
            Answer::Refused(Refused { message })
        }
    })
}

pub(super) async fn write(tx: &mut Tx, input: &Input) -> Result<Done, DbError> {
    let found = store::lock(tx, input.waba_id, &input.reference_id).await?;
    let Some((order, Some(payment))) = found else {
        return Ok(Done::NotFound);
    };
    // The job that ends it may be a moment behind: the seller's time is over all the same.
    if input.event == Event::Capture
        && let Some(changed) = due::end(tx, &order, &payment, input.now_ms).await?
    {
        let message = "settle_payment: it was not captured in time, and the money was let go".into();
        return Ok(Done::Refused(message, Some(changed)));
    }
    let outcome = payment::happen(tx, &order, &payment, input.event, ("", input.now_ms)).await?;
    Ok(match outcome {
        Outcome::Changed(changed) => Done::Changed(changed),
        Outcome::Same => Done::Same(Box::new(payment.wire(&order))),
        Outcome::Refused => Done::Refused(why_not(input.event, &payment), None),
    })
}

fn why_not(event: Event, payment: &Payment) -> String {
    let wish = match event {
        Event::Capture => "captured: that takes an AUTHORISED payment",
        Event::Void => "voided: that takes an AUTHORISED payment",
        _ => "refunded: that takes a CAPTURED payment",
    };
    let is = match payment.status {
        Status::Pending => "PENDING",
        Status::Authorised => "AUTHORISED",
        Status::Captured => "CAPTURED",
        Status::Voided => "VOIDED",
        Status::Failed => "FAILED",
        Status::Refunded => "REFUNDED",
    };
    format!("a payment that is {is} cannot be {wish}")
}
