//! Orders that are paid in the thread: what happens around their messages, the lookup, the refund, the tickets' key.

use ed25519_dalek::SigningKey;
use kabar_client::api::{ApiError, BusinessCommand, Command, MessageView, PaymentStatus, PaymentView, Reply, Shown};
use kabar_protocol::{
    ids::{ConversationId, MessageId},
    wire::{OrderDetails, OrderItem, interactive::Action},
};
use serde_json::json;

use super::{Answer, Call, client_refused, messages, store_failed};
use crate::{
    clock::now_ms,
    graph::GraphError,
    messages::order,
    numbers::Line,
    store::{Number, Offered, OfferedItem},
    webhooks::payment::payment_value,
};

/// Stands for the message of an order that is being sent.
const NOT_SENT: MessageId = MessageId([0; 32]);
/// States of an order by which its seller confirms it: the money is taken.
const CONFIRMING: [&str; 4] = ["processing", "partially_shipped", "shipped", "completed"];

fn refused(error: &ApiError) -> GraphError {
    let details = error.message.as_str();
    match error.code.as_str() {
        "order_conflict" => GraphError::parameter_value("interactive.action.parameters.reference_id", details),
        "payment_unknown" => GraphError::invalid_request(format!("reference_id: {details}")),
        "payment_state" => GraphError::invalid_request(details),
        _ => client_refused(error),
    }
}

/// What has to be true before an order's message goes out: it is registered, or its payment settled.
///
/// The order is written down first: whatever dies in between, its payment finds out what was sold.
pub(super) async fn before_sending(call: &Call, line: &Line, to: &str, content: &mut Shown) -> Result<(), GraphError> {
    let Shown::Interactive(message) = content else {
        return Ok(());
    };
    match &mut message.action {
        Some(Action::OrderDetails(details)) => {
            let Reply::Me(me) = line.ask(Command::Whoami).await.map_err(|error| refused(&error))? else {
                return Err(GraphError::internal("the number's client answered something else"));
            };
            order::complete(details, &me.account_id.to_string(), now_ms());
            if details.expires_ms <= now_ms() {
                let rule = "must be in the future";
                let path = "interactive.action.parameters.order.expiration.timestamp";
                return Err(GraphError::parameter_value(path, rule));
            }
            let register = BusinessCommand::RegisterOrder {
                with: to.to_owned(),
                order: details.clone(),
            };
            line.ask_business(register).await.map_err(|error| refused(&error))?;
            let open = Command::OpenChat { who: to.to_owned() };
            let Reply::Chat(chat) = line.ask(open).await.map_err(|error| refused(&error))? else {
                return Err(GraphError::internal("the number's client answered something else"));
            };
            let account_id = chat.peer.account_id.to_string();
            keep(call, line, details, (chat.conversation_id, NOT_SENT), &account_id).await
        }
        Some(Action::OrderStatus(update)) => settle(line, &update.reference_id, &update.status).await,
        _ => Ok(()),
    }
}

/// A seller that goes on with an order takes the money; one that cancels it lets it go.
async fn settle(line: &Line, reference_id: &str, status: &str) -> Result<(), GraphError> {
    let capture = CONFIRMING.contains(&status);
    if !capture && status != "canceled" {
        return Ok(());
    }
    let reference_id = reference_id.to_owned();
    let fetch = BusinessCommand::FetchPayment {
        reference_id: reference_id.clone(),
    };
    match line.ask_business(fetch).await {
        Ok(Reply::Payment(payment)) if payment.status == PaymentStatus::Authorised => {}
        // Paid outside, not paid yet, or settled before: the words go out all the same.
        Ok(_) => return Ok(()),
        Err(error) if error.code == "payment_unknown" => return Ok(()),
        Err(error) => return Err(refused(&error)),
    }
    let settle = BusinessCommand::SettlePayment { reference_id, capture };
    line.ask_business(settle).await.map_err(|error| refused(&error))?;
    Ok(())
}

/// The order is on its way: statuses of its payment name its message.
pub(super) async fn after_sending(
    call: &Call,
    line: &Line,
    details: &OrderDetails,
    sent: &MessageView,
    account_id: &str,
) -> Result<(), GraphError> {
    keep(call, line, details, (sent.conversation_id, sent.message_id), account_id).await
}

async fn keep(
    call: &Call,
    line: &Line,
    details: &OrderDetails,
    (conversation_id, message_id): (ConversationId, MessageId),
    account_id: &str,
) -> Result<(), GraphError> {
    let item = |item: &OrderItem| OfferedItem {
        retailer_id: item.retailer_id.clone(),
        name: item.name.clone(),
        quantity: item.quantity,
    };
    let offered = Offered {
        waba_id: call.app.waba_id,
        reference_id: details.reference_id.clone(),
        phone_number_id: line.number.phone_number_id,
        conversation_id,
        message_id,
        account_id: account_id.to_owned(),
        items: details.items.iter().map(item).collect(),
    };
    let store = &call.parts.store;
    store.keep_offered(&offered, now_ms()).await.map_err(store_failed)
}

async fn fetch(call: &Call, number: &Number, reference_id: &str) -> Result<PaymentView, GraphError> {
    let line = messages::line(call, number)?;
    let fetch = BusinessCommand::FetchPayment {
        reference_id: reference_id.to_owned(),
    };
    match line.ask_business(fetch).await.map_err(|error| refused(&error))? {
        Reply::Payment(payment) => Ok(payment),
        _ => Err(GraphError::internal("the number's client answered something else")),
    }
}

/// `GET /<phone number>/payments/<configuration>/<reference_id>`
pub(super) async fn lookup(call: &Call, number: &Number, reference_id: &str) -> Result<Answer, GraphError> {
    let payment = fetch(call, number, reference_id).await?;
    let mut value = payment_value(&payment);
    value["status"] = value["transaction"]["status"].clone();
    value["transactions"] = json!([value["transaction"]]);
    Ok(json!({ "payments": [value] }).into())
}

/// `POST /<phone number>/payments_refund`: in full; a part is refused by name.
pub(super) async fn refund(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    let reference_id = call.params.required_text("reference_id", 35)?;
    let payment = fetch(call, number, &reference_id).await?;
    if let Some(amount) = call.params.object("amount")? {
        let whole = order::amount_value(payment.amount, &payment.currency);
        let value = amount.u64("value")?.ok_or_else(|| amount.missing("value"))?;
        if Some(value) != whole["value"].as_u64() || amount.u64("offset")? != whole["offset"].as_u64() {
            let rule = format!("must be the whole payment ({whole}): this version gives back in full only");
            return Err(call.params.refused("amount", rule));
        }
    }
    let line = messages::line(call, number)?;
    let refund = BusinessCommand::RefundPayment { reference_id };
    match line.ask_business(refund).await.map_err(|error| refused(&error))? {
        Reply::Payment(payment) => Ok(json!({
            "id": format!("{}-refund", payment.transaction_id),
            "status": "completed",
            "speed_processed": "instant",
        })
        .into()),
        _ => Err(GraphError::internal("the number's client answered something else")),
    }
}

/// `GET /<phone number>/ticket_issuer_key`: what a gate needs to check tickets offline.
pub(super) async fn issuer_key(call: &Call) -> Result<Answer, GraphError> {
    let secret = call
        .parts
        .store
        .ticket_issuer(call.app.waba_id)
        .await
        .map_err(store_failed)?;
    let public = SigningKey::from_bytes(&secret).verifying_key().to_bytes();
    Ok(json!({ "algorithm": "Ed25519", "public_key": hex::encode(public) }).into())
}
