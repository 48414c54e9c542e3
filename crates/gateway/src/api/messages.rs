//! `POST /<phone number>/messages`, and the state of a conversation.

use http::HeaderMap;
use kabar_client::api::{BusinessCommand, BusinessSend, Category, Command, MessageView, Reply, Shown};
use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    order::exponent,
    wire::{Interactive, OrderDetails, interactive::Action},
};
use serde_json::{Value, json};

use super::{
    Answer, Call, client_refused, flows, payments,
    send_file::{self, Outgoing},
    store_failed, success, template_text,
};
use crate::{
    clock::now_ms,
    graph::GraphError,
    messages::{Content, Recipient, Request, Send, wamid},
    numbers::{
        Line,
        sent_before::{self, Before, LookError},
    },
    store::{Begun, Contact, Ended, Number, SentMessage},
};

const IDEMPOTENCY_HEADER: &str = "idempotency-key";
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 256;

pub(super) async fn post(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    let line = line(call, number)?;
    match Request::parse(&call.params)? {
        Request::MarkRead { message_id, typing } => mark_read(&line, &message_id, typing).await,
        Request::Send(request) => match idempotency_key(&call.headers)? {
            Some(key) => send_once(call, &line, &request, &key).await,
            None => {
                let (answer, record) = send(call, &line, &request, false).await?;
                keep(call, &record).await?;
                Ok(answer.into())
            }
        },
    }
}

pub(super) fn line(call: &Call, number: &Number) -> Result<std::sync::Arc<Line>, GraphError> {
    let line = call.parts.lines.get(number.phone_number_id);
    line.ok_or_else(|| GraphError::unavailable("the number is not connected to its server at the moment"))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, GraphError> {
    let Some(key) = headers.get(IDEMPOTENCY_HEADER) else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= IDEMPOTENCY_KEY_CHARS_MAX => Ok(Some(key.to_owned())),
        _ => Err(GraphError::invalid_request(format!(
            "Idempotency-Key must have 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible characters"
        ))),
    }
}

/// Sends once per key; a repetition gets the first answer.
async fn send_once(call: &Call, line: &Line, request: &Send, key: &str) -> Result<Answer, GraphError> {
    let (store, waba_id) = (&call.parts.store, call.app.waba_id);
    // Debug of the checked request: equal for equal requests, however their JSON was written.
    let meaning = format!("{}/{request:?}", line.number.phone_number_id);
    let begun = store.begin_idempotent(waba_id, key, meaning.as_bytes(), now_ms()).await;
    let begun = begun.map_err(store_failed)?;
    match begun {
        Begun::Again { body, .. } => {
            let value: Value = serde_json::from_slice(&body).unwrap_or_default();
            return Ok(value.into());
        }
        Begun::UnderWay => {
            let details = "the first request with this Idempotency-Key is not answered yet";
            return Err(GraphError::unavailable(details).retry_after(std::time::Duration::from_secs(1)));
        }
        Begun::Differs => {
            let details = "this Idempotency-Key was used for another request within the last 24 hours";
            return Err(GraphError::invalid_request(details));
        }
        Begun::First | Begun::BrokenOff => {}
    }
    let outcome = send(call, line, request, begun == Begun::BrokenOff).await;
    let body = outcome.as_ref().map(|(answer, _)| answer.to_string().into_bytes());
    let ended = how_it_ended(&begun, body.as_deref());
    // Before the record: a message without one is what a broken off request is looked for by.
    store.end_idempotent(waba_id, key, ended).await.map_err(store_failed)?;
    let (answer, record) = outcome?;
    keep(call, &record).await?;
    Ok(answer.into())
}

/// A refusal of what may have gone out at an earlier try says nothing of that try: the window may have closed since. The key stays
/// with its request, which is looked for again; a free one would let it go out twice.
fn how_it_ended<'a>(begun: &Begun, body: Result<&'a [u8], &&GraphError>) -> Ended<'a> {
    match body {
        Ok(body) => Ended::Answered { status: 200, body },
        Err(error) if error.is_transient() || *begun == Begun::BrokenOff => Ended::BrokenOff,
        Err(_) => Ended::Refused,
    }
}

async fn keep(call: &Call, record: &SentMessage) -> Result<(), GraphError> {
    let kept = call.parts.store.keep_sent(record, now_ms()).await;
    kept.map_err(store_failed)
}

/// Sends and waits for the server's acknowledgement, so that a closed window is refused at once. `again`: unless an earlier try,
/// which broke off, has sent it. The answer, and the record that statuses of the message wait for.
async fn send(call: &Call, line: &Line, request: &Send, again: bool) -> Result<(Value, SentMessage), GraphError> {
    let store = &call.parts.store;
    let waba_id = call.app.waba_id;
    let (to, known) = recipient(call, &request.to).await?;
    let Prepared {
        mut content,
        file,
        business,
    } = prepared(call, line, &to, &request.content).await?;
    if known.is_none() && business.category == Category::Service {
        // A first message would claim the person's key package before the server refuses it.
        open_window(line, &to).await?;
    }
    payments::before_sending(call, line, &to, &mut content).await?;
    let reply_to = request.context.as_deref().map(|id| answered(line, id)).transpose()?;
    let order = order_of(&content);
    let before = if again {
        sent_before(call, line, &to, &content).await?
    } else {
        None
    };
    let sent = match before {
        Some(sent) => sent,
        None => {
            if let Some(file) = file {
                content = file.upload(line).await?;
            }
            let command = Command::Send {
                to,
                content,
                reply_to,
                wait: true,
                business: Some(business),
                mentions: Vec::new(),
            };
            match line.ask(command).await.map_err(|error| client_refused(&error))? {
                Reply::Sent(sent) => sent,
                _ => return Err(GraphError::internal("the number's client answered something else")),
            }
        }
    };
    // Before the record: the first status waits for the record, and names the contact.
    let digits = match &request.to {
        Recipient::Phone(digits) => Some(digits.as_str()),
        Recipient::UserId(_) => None,
    };
    let peer = peer_of(line, &sent, known.as_ref()).await?;
    if let Some(order) = order {
        payments::after_sending(call, line, &order, &sent, &peer).await?;
    }
    let contact = store.learn_contact(waba_id, &peer, digits, None).await;
    let contact = contact.map_err(store_failed)?;
    let record = SentMessage {
        message_id: sent.message_id.0,
        phone_number_id: line.number.phone_number_id,
        category: category_name(business.category).into(),
        callback_data: request.biz_opaque_callback_data.clone(),
        window_until_ms: None,
    };
    Ok((answer(request, &contact, &sent), record))
}

/// What a request that broke off has sent all the same.
async fn sent_before(call: &Call, line: &Line, to: &str, content: &Shown) -> Result<Option<MessageView>, GraphError> {
    let found = sent_before::untold(&call.parts.store, line, to, content).await;
    match found.map_err(|error| match error {
        LookError::Client(error) => client_refused(&error),
        LookError::Store(error) => store_failed(error),
    })? {
        Before::Nothing => Ok(None),
        Before::Sent(message) => Ok(Some(*message)),
        Before::OnItsWay => {
            let details = "the first request with this Idempotency-Key is still on its way to the server";
            Err(GraphError::unavailable(details).retry_after(std::time::Duration::from_secs(1)))
        }
    }
}

fn order_of(content: &Shown) -> Option<OrderDetails> {
    match content {
        Shown::Interactive(Interactive {
            action: Some(Action::OrderDetails(order)),
            ..
        }) => Some(order.clone()),
        _ => None,
    }
}

/// 131047 unless the person has written within the last 24 hours.
async fn open_window(line: &Line, with: &str) -> Result<(), GraphError> {
    let window = BusinessCommand::Window { with: with.to_owned() };
    match line
        .ask_business(window)
        .await
        .map_err(|error| client_refused(&error))?
    {
        Reply::Window { open_until: Some(_) } => Ok(()),
        _ => Err(GraphError::window_closed(
            "the person has not written within the last 24 hours: only an approved template may be sent",
        )),
    }
}

fn answer(request: &Send, contact: &Contact, sent: &MessageView) -> Value {
    let mut person = json!({ "input": request.input, "user_id": contact.user_id });
    // SDKs index wa_id without asking: the id stands in where the number is unknown.
    person["wa_id"] = contact.wa_id.as_deref().unwrap_or(&contact.user_id).into();
    json!({
        "messaging_product": "whatsapp",
        "contacts": [person],
        "messages": [{ "id": wamid::encode(sent.conversation_id, sent.message_id), "message_status": "accepted" }],
    })
}

/// WHO of the client, and the contact where it is known already.
async fn recipient(call: &Call, to: &Recipient) -> Result<(String, Option<Contact>), GraphError> {
    match to {
        // Always looked up: numbers change hands. What is known of the contact only saves questions.
        Recipient::Phone(digits) => {
            let contact = call.parts.store.contact_by_phone(call.app.waba_id, digits).await;
            Ok((format!("+{digits}"), contact.map_err(store_failed)?))
        }
        Recipient::UserId(user_id) => {
            let contact = call.parts.store.contact(call.app.waba_id, user_id).await;
            let contact = contact
                .map_err(store_failed)?
                .ok_or_else(|| GraphError::undeliverable("this business knows nobody by this user id"))?;
            Ok((contact.account_id.clone(), Some(contact)))
        }
    }
}

/// The account behind a conversation. Most often the contact that was known before; the conversation's id says whether.
async fn peer_of(line: &Line, sent: &MessageView, known: Option<&Contact>) -> Result<String, GraphError> {
    if let Some(known) = known
        && let Some(account_id) = AccountId::from_hex(&known.account_id)
        && ConversationId::business(sent.from.account_id, account_id) == sent.conversation_id
    {
        return Ok(known.account_id.clone());
    }
    let who = sent.conversation_id.to_string();
    match line
        .ask(Command::OpenChat { who })
        .await
        .map_err(|error| client_refused(&error))?
    {
        Reply::Chat(chat) => Ok(chat.peer.account_id.to_string()),
        _ => Err(GraphError::internal("the number's client answered something else")),
    }
}

fn answered(line: &Line, id: &str) -> Result<MessageId, GraphError> {
    let known = wamid::decode(id).map(|(_, message_id)| message_id);
    known.ok_or_else(|| {
        let number = line.number.phone_number_id;
        GraphError::parameter_value("context.message_id", format!("is no message of number {number}"))
    })
}

/// A message as it is looked for; a `file` of it has yet to be uploaded.
struct Prepared {
    content: Shown,
    file: Option<Outgoing>,
    business: BusinessSend,
}

async fn prepared(call: &Call, line: &Line, to: &str, content: &Content) -> Result<Prepared, GraphError> {
    let service = BusinessSend {
        category: Category::Service,
        template_id: 0,
    };
    let (content, file, business) = match content {
        Content::Shown(shown) => (shown.clone(), None, service),
        Content::Flow(flow) => (Shown::Interactive(flows::offered(call, flow).await?), None, service),
        Content::Template(template) => {
            let (content, business) = template_text::filled(line, template).await?;
            (content, None, business)
        }
        Content::Media(media) => {
            // Nothing is fetched and uploaded for a message that cannot go out.
            open_window(line, to).await?;
            let file = send_file::outgoing(call, media).await?;
            (file.described(), Some(file), service)
        }
    };
    Ok(Prepared {
        content,
        file,
        business,
    })
}

pub(crate) fn category_name(category: Category) -> &'static str {
    match category {
        Category::Service => "service",
        Category::Utility => "utility",
        Category::Authentication => "authentication",
        Category::Marketing => "marketing",
    }
}

/// Success whatever the id: programs mark read what they have long forgotten.
async fn mark_read(line: &Line, message_id: &str, typing: bool) -> Result<Answer, GraphError> {
    if let Some((conversation_id, up_to)) = wamid::decode(message_id) {
        let read = Command::MarkRead {
            conversation_id: Some(conversation_id),
            up_to,
            accept: true,
        };
        match line.ask(read).await {
            Ok(_) => {}
            Err(error) if ["invalid", "conversation_unknown"].contains(&error.code.as_str()) => {}
            Err(error) => return Err(client_refused(&error)),
        }
        if typing {
            let active = Command::SetTyping {
                conversation_id,
                active: true,
            };
            // A hint that nobody saw is no failure.
            let _ = line.ask(active).await;
        }
    }
    Ok(success())
}

/// `GET /<phone number>/conversations/<user>`: how long free-form messages may be sent, known before one is sent.
pub(super) async fn conversation(call: &Call, number: &Number, user: &str) -> Result<Answer, GraphError> {
    let line = line(call, number)?;
    let to = Recipient::parse(user).ok_or_else(|| GraphError::unknown_node(user))?;
    let (with, _) = recipient(call, &to).await?;
    let open_until = match line.ask_business(BusinessCommand::Window { with }).await {
        Ok(Reply::Window { open_until }) => open_until,
        Ok(_) => None,
        Err(error) => return Err(client_refused(&error)),
    };
    let prices = line.ask_business(BusinessCommand::Prices).await;
    let prices = prices_value(&prices.map_err(|error| client_refused(&error))?);
    Ok(json!({
        "id": user,
        "customer_service_window": {
            "open": open_until.is_some(),
            "expiration_timestamp": open_until.map(|until| (until / 1000).to_string()),
        },
        "prices": prices,
    })
    .into())
}

/// What the next delivered message costs, by category, in amounts as orders have them; 0 where it is free.
fn prices_value(reply: &Reply) -> Value {
    let (currency, prices) = match reply {
        Reply::Prices { currency, prices, .. } => (currency.as_str(), prices.as_slice()),
        _ => ("", &[][..]),
    };
    let offset = 10_i64.pow(exponent(currency));
    let mut value = json!({ "currency": (!currency.is_empty()).then_some(currency) });
    for category in [
        Category::Service,
        Category::Utility,
        Category::Marketing,
        Category::Authentication,
    ] {
        let price = prices.iter().find(|price| price.category == category);
        value[category_name(category)] = json!({
            "value": price.map_or(0, |price| price.price),
            "offset": offset,
            "free_left": price.map_or(0, |price| price.free_left),
        });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_free_again_only_if_nothing_can_have_gone_out_under_it() {
        let (closed, away) = (GraphError::window_closed("closed"), GraphError::unavailable("away"));
        let ended = |begun, error| how_it_ended(&begun, Err(&error));
        assert!(matches!(ended(Begun::First, &closed), Ended::Refused));
        assert!(matches!(ended(Begun::First, &away), Ended::BrokenOff));
        assert!(matches!(ended(Begun::BrokenOff, &closed), Ended::BrokenOff));
        assert!(matches!(ended(Begun::BrokenOff, &away), Ended::BrokenOff));
        let answered = how_it_ended(&Begun::BrokenOff, Ok(b"{}"));
        assert!(matches!(
            answered,
            Ended::Answered {
                status: 200,
                body: b"{}"
            }
        ));
    }
}
