//! From the changes of payments to what follows: a webhook each, tickets once the money is taken, a word when it goes back.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use kabar_client::api::{
    BusinessCommand, BusinessSend, Category, Command, Notification, PaymentStatus, PaymentView, Reply, Shown,
};
use kabar_protocol::{
    ticket,
    wire::{Interactive, OrderUpdate, Ticket, TicketBody, interactive::Action},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast::error::RecvError;

use super::{
    Line, feed,
    sent_before::{self, Before},
};
use crate::{
    Parts,
    clock::now_ms,
    messages::wamid,
    store::{Offered, OfferedItem, SentMessage},
    webhooks::payment,
};

const PAGE: u32 = 100;
/// An item whose retailer_id begins so becomes a ticket: `ticket:<place>`, or `ticket:<place>@<Unix time of its start>`.
const TICKET_PREFIX: &str = "ticket:";
/// Free-form, in the window that the buyer's own messages opened.
const SERVICE: BusinessSend = BusinessSend {
    category: Category::Service,
    template_id: 0,
};

/// Runs until the client ends.
pub(super) async fn run(parts: &Arc<Parts>, line: &Line) -> anyhow::Result<()> {
    let mut news = line.client.notifications();
    // Its tickets may be sent already: whoever came before us may have died in the middle of it.
    let mut first = true;
    loop {
        while page(parts, line, &mut first).await? {}
        loop {
            match news.recv().await {
                Ok(Notification::Payment { .. } | Notification::Connection { .. }) | Err(RecvError::Lagged(_)) => break,
                Ok(_) => {}
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }
}

/// True if there may be more. What the server cannot say now is asked again at the next connection.
async fn page(parts: &Arc<Parts>, line: &Line, first: &mut bool) -> anyhow::Result<bool> {
    let id = line.number.phone_number_id;
    let after_seq = parts.store.payment_position(id).await?;
    let changes = BusinessCommand::PaymentChanges { after_seq, limit: PAGE };
    let payments = match line.ask_business(changes).await {
        Ok(Reply::Payments { payments }) => payments,
        Ok(_) => return Ok(false),
        Err(error) => {
            tracing::info!(
                phone_number_id = id,
                code = error.code,
                "payments could not be followed"
            );
            return Ok(false);
        }
    };
    for payment in &payments {
        let offered = parts.store.offered(line.number.waba_id, &payment.reference_id).await?;
        // Another number's order: that number's client follows it.
        let offered = offered.filter(|offered| offered.phone_number_id == id);
        let deliveries = match &offered {
            Some(offered) => {
                follow(parts, line, offered, payment, *first).await?;
                webhooks(parts, line, offered, payment).await?
            }
            None => Vec::new(),
        };
        parts.store.payment_done(id, payment.seq, &deliveries, now_ms()).await?;
        *first = false;
        parts.queued.notify_one();
    }
    Ok(payments.len() == PAGE as usize)
}

/// Tickets for what is paid; the thread's own word for what is given back.
async fn follow(
    parts: &Arc<Parts>,
    line: &Line,
    offered: &Offered,
    payment: &PaymentView,
    again: bool,
) -> anyhow::Result<()> {
    match payment.status {
        PaymentStatus::Captured => issue(parts, line, offered, again).await,
        PaymentStatus::Refunded => {
            let message = Interactive {
                body: offered.reference_id.clone(),
                action: Some(Action::OrderStatus(OrderUpdate {
                    reference_id: offered.reference_id.clone(),
                    status: "refunded".into(),
                    description: String::new(),
                })),
                ..Interactive::default()
            };
            send(parts, line, offered, Shown::Interactive(message), again).await
        }
        _ => Ok(()),
    }
}

async fn issue(parts: &Arc<Parts>, line: &Line, offered: &Offered, again: bool) -> anyhow::Result<()> {
    let key = SigningKey::from_bytes(&parts.store.ticket_issuer(offered.waba_id).await?);
    let issuer_key = hex::encode(key.verifying_key().to_bytes());
    for (index, item) in offered.items.iter().enumerate() {
        for unit in 0..item.quantity {
            let Some(body) = ticket_body(line, offered, item, (index, unit)) else {
                continue;
            };
            let sent = Ticket {
                token: ticket::issue(&key, &body),
                reference_id: offered.reference_id.clone(),
                issuer_key: issuer_key.clone(),
            };
            send(parts, line, offered, Shown::Ticket(sent), again).await?;
        }
    }
    Ok(())
}

/// `None` for an item that is no ticket. The same unit of the same order has the same id, however often it is issued.
fn ticket_body(line: &Line, offered: &Offered, item: &OfferedItem, unit: (usize, u32)) -> Option<TicketBody> {
    let described = item.retailer_id.strip_prefix(TICKET_PREFIX)?;
    let (place, starts) = described.split_once('@').unwrap_or((described, ""));
    let name = format!("{}/{}/{}/{}", offered.waba_id, offered.reference_id, unit.0, unit.1);
    let digest = Sha256::digest(format!("kabar/v1/ticket-id/{name}"));
    Some(TicketBody {
        ticket_id: hex::encode(&digest[..16]),
        issuer: line.number.name.clone(),
        phone_number_id: line.number.phone_number_id,
        title: item.name.clone(),
        place: place.to_owned(),
        starts_ms: starts.parse::<i64>().map_or(0, |seconds| seconds.saturating_mul(1_000)),
        issued_ms: now_ms(),
        reference_id: offered.reference_id.clone(),
    })
}

/// A message that must arrive, unless it was sent before; a refusal is logged, because no program waits for it.
async fn send(parts: &Parts, line: &Line, offered: &Offered, content: Shown, again: bool) -> anyhow::Result<()> {
    if again
        && !matches!(
            Box::pin(sent_before::by_name(line, &offered.account_id, &content)).await?,
            Before::Nothing
        )
    {
        return Ok(());
    }
    let command = Command::Send {
        to: offered.account_id.clone(),
        content,
        reply_to: None,
        wait: true,
        business: Some(SERVICE),
        mentions: Vec::new(),
    };
    match line.ask(command).await {
        Ok(Reply::Sent(sent)) => {
            // The statuses of this message wait for its record as those of any other.
            let record = SentMessage {
                message_id: sent.message_id.0,
                phone_number_id: line.number.phone_number_id,
                category: "service".into(),
                callback_data: None,
                window_until_ms: None,
            };
            Ok(parts.store.keep_sent(&record, now_ms()).await?)
        }
        Ok(_) => Ok(()),
        Err(error) if ["window_closed", "not_found", "account_unknown"].contains(&error.code.as_str()) => {
            tracing::warn!(
                code = error.code,
                reference_id = offered.reference_id,
                "the buyer could not be told"
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn webhooks(
    parts: &Arc<Parts>,
    line: &Line,
    offered: &Offered,
    payment: &PaymentView,
) -> anyhow::Result<Vec<crate::store::NewDelivery>> {
    let number = &line.number;
    let contact = parts
        .store
        .learn_contact(number.waba_id, &offered.account_id, None, None)
        .await?;
    let change = payment::PaymentChange {
        id: wamid::encode(offered.conversation_id, offered.message_id),
        payment: payment.clone(),
    };
    let addressee = feed::addressee(&contact, None);
    let value = payment::payment(&feed::sender(number), &addressee, &change, now_ms());
    feed::to_all(parts, number, &offered.conversation_id.to_string(), &value).await
}
