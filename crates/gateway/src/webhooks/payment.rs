//! A payment as webhooks and the lookup tell it, in the Cloud API's three words and with the whole state beside them.

use kabar_client::api::{PaymentStatus, PaymentView, TimeMs};
use serde_json::{Value, json};

use super::body::{Contact, Number, frame, timestamp};
use crate::messages::order::amount_value;

/// A payment that has changed; `id` is that of the order's message.
pub struct PaymentChange {
    pub id: String,
    pub payment: PaymentView,
}

/// The delivery of a payment's change, a status of type `payment`.
pub fn payment(number: &Number, contact: &Contact, change: &PaymentChange, now: TimeMs) -> Value {
    let status = match change.payment.status {
        PaymentStatus::Pending | PaymentStatus::Authorised => "pending",
        PaymentStatus::Captured | PaymentStatus::Refunded => "captured",
        PaymentStatus::Voided | PaymentStatus::Failed => "failed",
    };
    let mut body = json!({
        "id": change.id,
        "type": "payment",
        "status": status,
        "timestamp": timestamp(change.payment.updated_at),
        "recipient_user_id": contact.user_id,
        "payment": payment_value(&change.payment),
    });
    if let Some(phone) = contact.phone_digits() {
        body["recipient_id"] = phone.into();
    }
    frame(number, contact, "statuses", body, now)
}

/// A payment as webhooks and the lookup show it.
pub fn payment_value(payment: &PaymentView) -> Value {
    let transaction_status = match payment.status {
        PaymentStatus::Pending | PaymentStatus::Authorised => "pending",
        PaymentStatus::Captured | PaymentStatus::Refunded => "success",
        PaymentStatus::Voided | PaymentStatus::Failed => "failed",
    };
    let amount = amount_value(payment.amount, &payment.currency);
    let mut transaction = json!({
        "id": payment.transaction_id,
        "type": "sandbox",
        "status": transaction_status,
        "created_timestamp": payment.created_at.div_euclid(1000),
        "updated_timestamp": payment.updated_at.div_euclid(1000),
        "amount": amount,
        "currency": payment.currency,
        // What the state machine says, for whoever needs more than the API's three words.
        "kabar_status": payment.status,
    });
    if !payment.error.is_empty() {
        transaction["error"] = json!({ "code": "payment_failed", "reason": payment.error });
    }
    if payment.refunded > 0 {
        transaction["refunds"] = json!([{
            "id": format!("{}-refund", payment.transaction_id),
            "amount": amount_value(payment.refunded, &payment.currency),
            "currency": payment.currency,
            "status": "success",
            "speed_processed": "instant",
            "created_timestamp": payment.updated_at.div_euclid(1000),
            "updated_timestamp": payment.updated_at.div_euclid(1000),
        }]);
    }
    json!({
        "reference_id": payment.reference_id,
        "amount": amount_value(payment.amount, &payment.currency),
        "currency": payment.currency,
        "transaction": transaction,
    })
}
