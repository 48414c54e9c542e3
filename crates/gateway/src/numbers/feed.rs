//! From what a number's client receives to the webhooks that are queued: each item once, in order.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use kabar_client::api::{Category, Command, FeedItem, MessageKind, MessageState, Reply, Shown};
use kabar_protocol::{
    limits::CUSTOMER_SERVICE_WINDOW_MS,
    wire::{self, interactive_reply::Reply as Tapped},
};
use serde_json::Value;
use tokio::{
    sync::broadcast::error::{RecvError, TryRecvError},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{
    Line,
    charges::{self, Charges},
};
use crate::{
    Parts,
    api::media_url,
    clock::now_ms,
    flows::Desk,
    messages::wamid,
    store::{self, Contact, NewDelivery, SentMessage},
    webhooks::body::{self, Context, Conversation, Inbound, InboundContent, Number, State, Status},
};

/// What a person does to a message, and the Cloud API tells of by no webhook.
const NO_WEBHOOK: [&str; 4] = ["edit", "delete", "rsvp", "vote"];
/// Items read at a time.
const PAGE: u32 = 100;
/// The API's handler writes down what it sent right after the client says so; its first status may be faster.
const SENT_RECORD_WAIT: Duration = Duration::from_secs(2);

/// The first news is looked at once; what follows gathers for so long, so that it shares a page.
const GATHER: Duration = Duration::from_millis(20);
/// The client forgets what was taken after so many items, or after such a pause: until then both know how far we are.
const TAKEN_ITEMS: u64 = 256;
const TAKEN_PAUSE: Duration = Duration::from_secs(1);

/// Runs until the client ends.
pub(super) async fn run(parts: &Arc<Parts>, line: &Arc<Line>) -> anyhow::Result<()> {
    let mut news = line.client.notifications();
    let mut position = parts.store.feed_position(line.number.phone_number_id).await?;
    let mut taken = 0;
    loop {
        let more = page(parts, line, &mut position).await?;
        let looked = Instant::now();
        if position.saturating_sub(taken) >= TAKEN_ITEMS {
            line.ask(Command::FeedTaken { up_to: position }).await?;
            taken = position;
        }
        if more {
            continue;
        }
        let pause = (position > taken).then_some(TAKEN_PAUSE);
        match within(pause, news.recv()).await {
            None => {
                line.ask(Command::FeedTaken { up_to: position }).await?;
                taken = position;
            }
            Some(Ok(_) | Err(RecvError::Lagged(_))) => {
                sleep_until(looked + GATHER).await;
                while matches!(news.try_recv(), Ok(_) | Err(TryRecvError::Lagged(_))) {}
            }
            Some(Err(RecvError::Closed)) => return Ok(()),
        }
    }
}

async fn within<T>(pause: Option<Duration>, wait: impl Future<Output = T>) -> Option<T> {
    match pause {
        Some(pause) => timeout(pause, wait).await.ok(),
        None => Some(wait.await),
    }
}

/// Items whose webhooks are queued together.
#[derive(Default)]
struct Group<'a> {
    deliveries: Vec<NewDelivery>,
    questions: Vec<&'a FeedItem>,
    up_to: u64,
}

impl Group<'_> {
    /// What the items come to and the position behind them: both or neither.
    async fn queue(&mut self, parts: &Arc<Parts>, line: &Arc<Line>, position: &mut u64) -> anyhow::Result<()> {
        if self.up_to <= *position {
            return Ok(());
        }
        let id = line.number.phone_number_id;
        let group = std::mem::take(self);
        parts
            .store
            .queue_deliveries(id, group.up_to, &group.deliveries, now_ms())
            .await?;
        *position = group.up_to;
        for item in group.questions {
            Desk::take(parts, line, item);
        }
        if !group.deliveries.is_empty() {
            parts.queued.notify_one();
        }
        Ok(())
    }
}

/// True if there may be more.
async fn page(parts: &Arc<Parts>, line: &Arc<Line>, position: &mut u64) -> anyhow::Result<bool> {
    let after = *position;
    let Reply::Feed { items } = line.ask(Command::Feed { after, limit: PAGE }).await? else {
        return Ok(false);
    };
    let Some(charges) = charges::of_statuses(parts, line, items.iter()).await? else {
        return Ok(false);
    };
    let mut group = Group::default();
    for item in &items {
        if waits_for_record(parts, line, item).await? {
            // The others do not.
            group.queue(parts, line, position).await?;
        }
        if item.flow.is_some() {
            // A question to a flow's endpoint is no news for the business's webhook.
            group.questions.push(item);
        } else {
            group.deliveries.extend(deliveries(parts, line, item, &charges).await?);
        }
        group.up_to = item.position;
    }
    group.queue(parts, line, position).await?;
    Ok(items.len() == PAGE as usize)
}

/// One webhook for each app of the business that listens.
async fn deliveries(
    parts: &Arc<Parts>,
    line: &Line,
    item: &FeedItem,
    charges: &Charges,
) -> anyhow::Result<Vec<NewDelivery>> {
    let number = &line.number;
    // First: by the time that there is a record of what was sent, its recipient is known too.
    let status = match item.state {
        Some(state) => match status(parts, line, item, state, charges).await? {
            Some(status) => Some(status),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let account_id = item.from.account_id.to_string();
    let contact = parts
        .store
        .learn_contact(number.waba_id, &account_id, None, Some(&item.from.name))
        .await?;
    let addressee = addressee(&contact, item.from.username.clone());
    let now = now_ms();
    let value = match status {
        Some(status) => body::status(&sender(number), &addressee, &status, now),
        None => match inbound(parts, line, item, &contact).await? {
            Some(inbound) => body::message(&sender(number), &addressee, &inbound, now),
            None => return Ok(Vec::new()),
        },
    };
    to_all(parts, number, &item.conversation_id.to_string(), &value).await
}

pub(super) fn addressee(contact: &Contact, username: Option<String>) -> body::Contact {
    body::Contact {
        name: contact.name.clone(),
        username,
        phone: contact.wa_id.clone(),
        user_id: contact.user_id.clone(),
    }
}

pub(super) fn sender(number: &store::Number) -> Number {
    Number {
        waba_id: number.waba_id.to_string(),
        phone_number_id: number.phone_number_id.to_string(),
        display_phone_number: number.phone.clone(),
    }
}

/// The same bytes to each app that listens to messages.
pub(super) async fn to_all(
    parts: &Parts,
    number: &store::Number,
    conversation: &str,
    value: &Value,
) -> anyhow::Result<Vec<NewDelivery>> {
    let bytes = body::to_bytes(value);
    let listening = parts.store.subscriptions(number.waba_id).await?;
    let listening = listening
        .iter()
        .filter(|subscription| subscription.fields.iter().any(|field| field == "messages"));
    let to = |app_id| NewDelivery {
        app_id,
        lane: format!("{}/{conversation}", number.phone_number_id),
        body: bytes.to_vec(),
    };
    Ok(listening.map(|subscription| to(subscription.app_id)).collect())
}

/// What a person wrote; `None` for what is only the client's own note.
async fn inbound(parts: &Parts, line: &Line, item: &FeedItem, contact: &Contact) -> anyhow::Result<Option<Inbound>> {
    if item.kind.starts_with("notice_") {
        return Ok(None);
    }
    let content = match (&item.shown, &item.text) {
        _ if NO_WEBHOOK.contains(&item.kind.as_str()) => return Ok(None),
        (_, emoji) if item.kind == "reaction" => InboundContent::Reaction {
            message_id: item
                .in_reply_to
                .map(|message_id| wamid::encode(item.conversation_id, message_id))
                .unwrap_or_default(),
            emoji: emoji.clone().unwrap_or_default(),
        },
        (Some(Shown::InteractiveReply(reply)), _) => match &reply.reply {
            Some(Tapped::Button(button)) if answers_template(line, item).await? => InboundContent::TemplateButton {
                payload: button.id.clone(),
                text: button.title.clone(),
            },
            Some(Tapped::Button(button)) => InboundContent::ButtonReply {
                id: button.id.clone(),
                title: button.title.clone(),
            },
            Some(Tapped::List(row)) => InboundContent::ListReply {
                id: row.id.clone(),
                title: row.title.clone(),
                description: row.description.clone(),
            },
            Some(Tapped::Flow(flow)) => InboundContent::FlowReply {
                name: flow.name.clone(),
                body: flow.body.clone(),
                response_json: flow.response_json.clone(),
            },
            None => InboundContent::Unsupported,
        },
        (Some(Shown::File(file)), _) => received(parts, line, item, file).await?,
        (None, Some(text)) => InboundContent::Text(text.clone()),
        _ => InboundContent::Unsupported,
    };
    let context = match item.in_reply_to {
        // Named in the reaction itself.
        Some(_) if item.kind == "reaction" => None,
        Some(answered) => Some(Context {
            from: writer(line, item, contact).await?,
            id: wamid::encode(item.conversation_id, answered),
        }),
        None => None,
    };
    Ok(Some(Inbound {
        id: wamid::encode(item.conversation_id, item.message_id),
        time: item.time,
        context,
        forwarded: item.forwarded,
        content,
    }))
}

/// A person's file, under an id by which the business may fetch it.
async fn received(parts: &Parts, line: &Line, item: &FeedItem, file: &wire::File) -> anyhow::Result<InboundContent> {
    let store::Number {
        waba_id,
        phone_number_id,
        ..
    } = line.number;
    let kept = parts
        .store
        .keep_persons_file(waba_id, phone_number_id, item.message_id, file, now_ms());
    let media_id = kept.await?;
    let kind = match file.mime_type.as_str() {
        "image/jpeg" | "image/png" | "image/webp" => "image",
        "video/mp4" | "video/3gpp" => "video",
        mime if mime.starts_with("audio/") => "audio",
        _ => "document",
    };
    Ok(InboundContent::Media {
        kind,
        id: media_id.to_string(),
        mime_type: file.mime_type.clone(),
        sha256: BASE64.encode(&file.sha256),
        caption: Some(file.caption.clone()).filter(|caption| !caption.is_empty()),
        filename: file.name.clone(),
        url: media_url(parts, media_id),
    })
}

/// The message that an item answers, if the client has it.
async fn answered(line: &Line, item: &FeedItem) -> anyhow::Result<Option<kabar_client::api::MessageView>> {
    let Some(message_id) = item.in_reply_to else {
        return Ok(None);
    };
    match line.ask(Command::GetMessage { message_id }).await {
        Ok(Reply::Message(message)) => Ok(Some(message)),
        Ok(_) => Ok(None),
        // Trouble of the client itself is met again at the next command; an unknown id is the person's own business.
        Err(error) if error.code == "timeout" => Err(error.into()),
        Err(_) => Ok(None),
    }
}

async fn answers_template(line: &Line, item: &FeedItem) -> anyhow::Result<bool> {
    let message = answered(line, item).await?;
    Ok(message.is_some_and(|message| message.kind == MessageKind::Template))
}

/// Who wrote the message that is answered: most often the number itself.
async fn writer(line: &Line, item: &FeedItem, contact: &Contact) -> anyhow::Result<String> {
    let mine = answered(line, item).await?.is_none_or(|message| message.mine);
    let person = || contact.wa_id.clone().unwrap_or_else(|| contact.user_id.clone());
    Ok(if mine { line.number.phone.clone() } else { person() })
}

async fn status(
    parts: &Arc<Parts>,
    line: &Line,
    item: &FeedItem,
    state: MessageState,
    charges: &Charges,
) -> anyhow::Result<Option<Status>> {
    let state = match state {
        MessageState::Sent => State::Sent,
        MessageState::Delivered => State::Delivered,
        MessageState::Read => State::Read,
        MessageState::Queued | MessageState::Failed | MessageState::Received => return Ok(None),
    };
    let sent = sent_record(parts, line, item).await?;
    let category = sent.as_ref().map_or(Category::Service, |sent| category(&sent.category));
    Ok(Some(Status {
        id: wamid::encode(item.conversation_id, item.message_id),
        state,
        time: item.time,
        conversation: Some(Conversation {
            id: item.conversation_id.to_string(),
            origin: category,
            expiration: Some(
                sent.as_ref()
                    .and_then(|sent| sent.window_until_ms)
                    .unwrap_or(item.time + CUSTOMER_SERVICE_WINDOW_MS),
            ),
        }),
        pricing: Some(charges::pricing(charges.get(&item.message_id), category)),
        biz_opaque_callback_data: sent.and_then(|sent| sent.callback_data),
    }))
}

async fn waits_for_record(parts: &Parts, line: &Line, item: &FeedItem) -> anyhow::Result<bool> {
    let id = line.number.phone_number_id;
    let waits = item.state == Some(MessageState::Sent);
    Ok(waits && parts.store.sent(id, item.message_id.0).await?.is_none())
}

async fn sent_record(parts: &Arc<Parts>, line: &Line, item: &FeedItem) -> anyhow::Result<Option<SentMessage>> {
    let deadline = Instant::now() + SENT_RECORD_WAIT;
    loop {
        let next = parts.store.next_sent();
        let sent = parts.store.sent(line.number.phone_number_id, item.message_id.0).await?;
        // Later statuses of a message without a record: its process died between the two.
        if sent.is_some() || item.state != Some(MessageState::Sent) {
            return Ok(sent);
        }
        if timeout_at(deadline, next).await.is_err() {
            return Ok(None);
        }
    }
}

pub(crate) fn category(name: &str) -> Category {
    match name {
        "utility" => Category::Utility,
        "authentication" => Category::Authentication,
        "marketing" => Category::Marketing,
        _ => Category::Service,
    }
}
