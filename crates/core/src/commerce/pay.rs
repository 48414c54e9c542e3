//! Paying an order, and what became of a payment; for both sides of it.

use ed25519_dalek::Signer as _;
use kabar_protocol::{
    ids::{AccountId, MessageId},
    order,
    wire::{
        self, OrderDetails, client_frame::Body, interactive::Action, pay_outcome, payment_outcome,
        register_order_outcome, server_frame,
    },
};

use crate::{
    accounts::Peer,
    api::{ApiError, Notification, PaymentStatus, PaymentView, Reply, Shown},
    commands::{invalid, refusal},
    connection::{Answer, Purpose},
    messaging::{Place, Row},
    state::State,
    store::keys,
    tx::Step,
};

/// An order that was offered to us, and by whom.
struct Offered {
    order: OrderDetails,
    business: AccountId,
}

impl State {
    /// Pays the order in a message. `challenge_answer` is what the person typed after a challenge.
    pub(crate) fn pay(
        &mut self,
        command_id: u64,
        message: MessageId,
        method: &str,
        challenge_answer: Option<&String>,
    ) -> Step<Result<(), ApiError>> {
        let offered = match self.offered(message)? {
            Ok(offered) => offered,
            Err(error) => return Ok(Err(error)),
        };
        let Some(account) = &self.account else {
            return Ok(Err(refusal("no_account", "register first")));
        };
        let order = &offered.order;
        if order.expires_ms <= self.now {
            return Ok(Err(refusal(
                "order_expired",
                "this order has expired; ask for a new one",
            )));
        }
        let mut pay = wire::Pay {
            business_account_id: offered.business.to_bytes(),
            reference_id: order.reference_id.clone(),
            order_hash: order::order_hash(order).to_vec().into(),
            amount: order.total,
            currency: order.currency.clone(),
            expires_ms: order.expires_ms,
            signature: Vec::new().into(),
            method: method.to_owned(),
            challenge_answer: challenge_answer.cloned(),
        };
        let signed = order::payment_bytes(account.account, &pay);
        pay.signature = account.secret.key().sign(&signed).to_vec().into();
        self.request(Purpose::Payment(command_id), Body::Pay(pay));
        Ok(Ok(()))
    }

    /// Asks what became of the payment of the order in a message.
    pub(crate) fn own_payment(&mut self, command_id: u64, message: MessageId) -> Step<Result<(), ApiError>> {
        let offered = match self.offered(message)? {
            Ok(offered) => offered,
            Err(error) => return Ok(Err(error)),
        };
        let fetch = wire::FetchOwnPayment {
            business_account_id: offered.business.to_bytes(),
            reference_id: offered.order.reference_id,
        };
        self.request(Purpose::Payment(command_id), Body::FetchOwnPayment(fetch));
        Ok(Ok(()))
    }

    /// The order in a message of a business's, with the payee that it must name.
    fn offered(&mut self, message: MessageId) -> Step<Result<Offered, ApiError>> {
        let none = || {
            Err(invalid(
                "message_id",
                "message_id must be the id of a message with an order",
            ))
        };
        let Some(place) = self.read::<Place>(keys::index(message))? else {
            return Ok(none());
        };
        let row = self.read::<Row>(keys::message(place.conversation, place.seq, place.sub))?;
        let Some(row) = row.filter(|row| Some(row.from) != self.my_account()) else {
            return Ok(none());
        };
        let business = row.from;
        let Some(Shown::Interactive(wire::Interactive {
            action: Some(Action::OrderDetails(order)),
            ..
        })) = row.shown
        else {
            return Ok(none());
        };
        let is_business = self
            .peers
            .get(&business)
            .is_some_and(|peer: &Peer| peer.business.is_some());
        if !is_business || order.payee != business.to_string() {
            let rule = "the order names another payee than the business that sent it";
            return Ok(Err(refusal("order_payee", rule)));
        }
        Ok(Ok(Offered { order, business }))
    }

    pub(crate) fn payment_answered(&mut self, command_id: u64, answer: &Answer) {
        let result = match answer {
            Ok(server_frame::Body::Pay(wire::PayOutcome { outcome: Some(outcome) })) => paid(outcome),
            Ok(server_frame::Body::Payment(wire::PaymentOutcome { outcome: Some(outcome) })) => looked_up(outcome),
            Ok(server_frame::Body::PaymentChanges(changes)) => Ok(Reply::Payments {
                payments: changes.payments.iter().map(view).collect(),
            }),
            Ok(server_frame::Body::RegisterOrder(wire::RegisterOrderOutcome { outcome: Some(outcome) })) => {
                match outcome {
                    register_order_outcome::Outcome::Registered(_) => Ok(Reply::Done),
                    register_order_outcome::Outcome::Conflict(_) => Err(refusal(
                        "order_conflict",
                        "this reference_id stands for another order; a reference is used once",
                    )),
                }
            }
            Ok(_) => Err(refusal("bad_answer", "the server's answer is not about a payment")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }

    /// Pushed by the server: a hint for screens, and for a gateway to fetch what has changed.
    pub(crate) fn payment_changed(&mut self, changed: &wire::PaymentChanged) {
        if let Some(payment) = &changed.payment {
            self.notify(Notification::Payment { payment: view(payment) });
        }
    }
}

fn paid(outcome: &pay_outcome::Outcome) -> Result<Reply, ApiError> {
    use pay_outcome::refused::Rule;
    match outcome {
        pay_outcome::Outcome::Payment(payment) => Ok(Reply::Payment(view(payment))),
        pay_outcome::Outcome::Challenge(challenge) => Ok(Reply::PaymentChallenge {
            prompt: challenge.prompt.clone(),
        }),
        pay_outcome::Outcome::Declined(declined) => Err(refusal("payment_declined", &declined.reason)),
        pay_outcome::Outcome::Refused(refused) => {
            let code = match refused.rule() {
                Rule::OrderUnknown => "order_unknown",
                Rule::OrderChanged => "order_changed",
                Rule::Expired => "order_expired",
                Rule::Signature => "payment_signature",
                Rule::Method => "payment_method",
                Rule::Unspecified => "payment_refused",
            };
            Err(refusal(code, &refused.message))
        }
    }
}

fn looked_up(outcome: &payment_outcome::Outcome) -> Result<Reply, ApiError> {
    match outcome {
        payment_outcome::Outcome::Payment(payment) => Ok(Reply::Payment(view(payment))),
        payment_outcome::Outcome::NotFound(_) => Err(refusal("payment_unknown", "nobody has paid this order")),
        payment_outcome::Outcome::Refused(refused) => Err(refusal("payment_state", &refused.message)),
    }
}

fn view(payment: &wire::Payment) -> PaymentView {
    use wire::PaymentStatus as Status;
    PaymentView {
        reference_id: payment.reference_id.clone(),
        transaction_id: payment.transaction_id.clone(),
        status: match payment.status() {
            Status::Authorised => PaymentStatus::Authorised,
            Status::Captured => PaymentStatus::Captured,
            Status::Voided => PaymentStatus::Voided,
            Status::Failed => PaymentStatus::Failed,
            Status::Refunded => PaymentStatus::Refunded,
            Status::Pending | Status::Unspecified => PaymentStatus::Pending,
        },
        amount: payment.amount,
        currency: payment.currency.clone(),
        refunded: payment.refunded,
        method: payment.method.clone(),
        error: payment.error.clone(),
        person: AccountId::from_slice(&payment.person_account_id).unwrap_or(AccountId([0; 16])),
        created_at: payment.created_ms,
        updated_at: payment.updated_ms,
        seq: payment.seq,
    }
}
