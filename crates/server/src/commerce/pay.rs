//! A person's device pays an order: the rules first, then the provider.

use kabar_protocol::{
    ids::AccountId,
    order, signing,
    wire::{
        self,
        pay_outcome::{ChallengeRequired, Declined, Outcome, Refused, refused::Rule},
    },
};

use super::{
    payment::{Changed, Order, Payment},
    provider::{self, METHOD_BYTES_MAX, Method},
    push::push,
    sandbox::Answer,
    state::Status,
    store,
};
use crate::{
    accounts,
    app::App,
    business,
    db::{DbError, Tx},
    error::Failure,
    limits::RateLimit,
    socket::Identity,
};

/// Failed attempts that an order bears: each is a change that its business hears of.
const ATTEMPTS_MAX: i64 = 20;
const CHALLENGE_ANSWER_BYTES_MAX: usize = 64;

pub(super) struct Input {
    pub(super) waba_id: u64,
    pub(super) payee: AccountId,
    pub(super) person: AccountId,
    pub(super) request: wire::Pay,
    /// The device of this session signed the tuple.
    pub(super) signed: bool,
    pub(super) now_ms: i64,
}

#[derive(Debug)]
pub(super) enum Done {
    Refused(Rule),
    Challenge(&'static str),
    Declined(&'static str, Option<Box<Changed>>),
    Paid(Box<Changed>),
    /// What became of an earlier attempt.
    Before(Box<wire::Payment>),
}

pub(crate) async fn pay(app: &App, identity: Identity, request: wire::Pay) -> Result<Outcome, Failure> {
    let now_ms = app.now_ms();
    app.limits
        .check(RateLimit::Payments, identity.account.as_slice(), now_ms)?;
    let payee = AccountId::from_slice(&request.business_account_id)
        .map_err(|rule| Failure::invalid("pay.business_account_id", rule))?;
    check_form(&request)?;
    let Some(waba_id) = business::waba_of(app, payee).await? else {
        return Ok(refused(Rule::OrderUnknown));
    };
    let input = Input {
        waba_id,
        payee,
        person: identity.account,
        signed: signature_holds(app, identity, &request).await?,
        request,
        now_ms,
    };
    let done = app.db.write(input, |tx, input| Box::pin(attempt(tx, input))).await?;
    Ok(match done {
        Done::Refused(rule) => refused(rule),
        Done::Challenge(prompt) => Outcome::Challenge(ChallengeRequired { prompt: prompt.into() }),
        Done::Before(payment) => Outcome::Payment(*payment),
        Done::Paid(changed) => {
            push(app, &changed).await;
            Outcome::Payment(changed.payment.wire(&changed.order))
        }
        Done::Declined(reason, changed) => {
            if let Some(changed) = changed {
                push(app, &changed).await;
            }
            Outcome::Declined(Declined { reason: reason.into() })
        }
    })
}

/// What cannot be a request at all; what is merely wrong is refused by its rule.
fn check_form(request: &wire::Pay) -> Result<(), Failure> {
    order::reference(&request.reference_id).map_err(|error| Failure::invalid("pay.reference_id", error.rule))?;
    order::currency(&request.currency).map_err(|error| Failure::invalid("pay.currency", error.rule))?;
    if request.order_hash.len() != 32 {
        return Err(Failure::invalid("pay.order_hash", "must have 32 bytes"));
    }
    if request.method.len() > METHOD_BYTES_MAX {
        let rule = format!("must have at most {METHOD_BYTES_MAX} bytes");
        return Err(Failure::invalid("pay.method", rule));
    }
    let answer = request.challenge_answer.as_deref().unwrap_or_default();
    if answer.len() > CHALLENGE_ANSWER_BYTES_MAX {
        let rule = format!("must have at most {CHALLENGE_ANSWER_BYTES_MAX} bytes");
        return Err(Failure::invalid("pay.challenge_answer", rule));
    }
    Ok(())
}

/// By the key of this session's device, and of no other device of the account.
async fn signature_holds(app: &App, identity: Identity, request: &wire::Pay) -> Result<bool, Failure> {
    let list = accounts::device_list(app, identity.account).await?;
    let device = list.as_ref().and_then(|list| list.current_device(identity.device));
    Ok(device.is_some_and(|device| {
        let signed = order::payment_bytes(identity.account, request);
        signing::verify(&device.public_key, &signed, &request.signature)
    }))
}

fn refused(rule: Rule) -> Outcome {
    let message = match rule {
        Rule::OrderUnknown | Rule::Unspecified => "there is no such order for this account".into(),
        Rule::OrderChanged => "the order is not the one that the business registered: ask for a new one".into(),
        Rule::Expired => "the order has expired: ask the business for a new one".into(),
        Rule::Signature => "pay.signature does not fit the order and this device".into(),
        Rule::Method => provider::methods(),
    };
    Outcome::Refused(Refused {
        rule: rule.into(),
        message,
    })
}

/// One order, one payment: whoever comes second, on this device or another, finds what the first has made.
pub(super) async fn attempt(tx: &mut Tx, input: &Input) -> Result<Done, DbError> {
    let request = &input.request;
    let found = store::lock(tx, input.waba_id, &request.reference_id).await?;
    let Some((order, before)) = found.filter(|(order, _)| order.person == input.person) else {
        return Ok(Done::Refused(Rule::OrderUnknown));
    };
    let same = order.payee == input.payee
        && order.order_hash[..] == request.order_hash[..]
        && order.amount == request.amount
        && order.currency == request.currency
        && order.expires_ms == request.expires_ms;
    if !same {
        return Ok(Done::Refused(Rule::OrderChanged));
    }
    if !input.signed {
        return Ok(Done::Refused(Rule::Signature));
    }
    let attempts = match before {
        Some(payment) if payment.status != Status::Failed => {
            return Ok(Done::Before(Box::new(payment.wire(&order))));
        }
        Some(payment) => payment.attempt,
        None => 0,
    };
    if order.expires_ms <= input.now_ms {
        return Ok(Done::Refused(Rule::Expired));
    }
    let Some(method) = Method::parse(&request.method) else {
        return Ok(Done::Refused(Rule::Method));
    };
    if attempts >= ATTEMPTS_MAX {
        let reason = "too many attempts have failed: ask the business for a new order";
        return Ok(Done::Declined(reason, None));
    }
    ask_provider(tx, input, order, (method, attempts + 1)).await
}

async fn ask_provider(
    tx: &mut Tx,
    input: &Input,
    order: Order,
    (method, attempt): (Method, i64),
) -> Result<Done, DbError> {
    let answer = method.authorise(
        input.request.challenge_answer.as_deref(),
        input.now_ms,
        order.expires_ms,
    );
    let (status, error) = match answer {
        Answer::Challenge(prompt) => return Ok(Done::Challenge(prompt)),
        Answer::Authorised => (Status::Authorised, ""),
        Answer::Pending { .. } => (Status::Pending, ""),
        Answer::Declined(reason) => (Status::Failed, reason),
    };
    let payment = Payment {
        transaction_id: method.transaction_id(order.waba_id, &order.reference_id, attempt),
        reference_id: order.reference_id.clone(),
        attempt,
        method: input.request.method.clone(),
        status,
        refunded: 0,
        error: error.into(),
        created_ms: input.now_ms,
        updated_ms: input.now_ms,
        seq: 0,
    };
    provider::open(tx, method, order.waba_id, &payment, answer).await?;
    let payment = store::keep(tx, &order, payment).await?;
    let changed = Box::new(Changed { order, payment });
    Ok(match answer {
        Answer::Declined(reason) => Done::Declined(reason, Some(changed)),
        _ => Done::Paid(changed),
    })
}
