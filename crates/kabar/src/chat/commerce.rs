//! What a person buys: paying orders, the tickets that come of it, and returning them.

use clap::Args;
use kabar_client::api::{Command, PaymentView, Reply, Shown, TicketView};
use kabar_protocol::{
    ids::MessageId,
    order,
    wire::{ButtonReply, InteractiveReply, OrderDetails, OrderUpdate, Ticket, interactive_reply},
};
use serde_json::{Value, json};

use super::{
    Session,
    messages::{answer_sent, message_id},
    unexpected,
};
use crate::output::Failure;

/// What a return's tap says in the thread. A gateway knows it by its id.
const RETURN_TITLE: &str = "Kembalikan tiket";

#[derive(Debug, Args)]
pub(crate) struct Pay {
    /// Id of the message with the order
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// Means of payment; those of the sandbox are test money
    #[arg(long, default_value = "sandbox:4242")]
    method: String,
    /// What the provider asked for, after `challenge_required`
    #[arg(long)]
    answer: Option<String>,
}

impl Pay {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let pay = Command::Pay {
            message_id: self.message,
            method: self.method,
            challenge_answer: self.answer,
        };
        answer_payment(session, pay).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct Payment {
    /// Id of the message with the order
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

impl Payment {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let message_id = self.message;
        answer_payment(session, Command::Payment { message_id }).await
    }
}

async fn answer_payment(session: &Session, command: Command) -> Result<(), Failure> {
    match session.ask(command).await? {
        Reply::Payment(payment) => session.output.answer(&payment, || payment_line(&payment)),
        Reply::PaymentChallenge { prompt } => Err(challenge(&prompt)),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn challenge(prompt: &str) -> Failure {
    let message = format!("the provider asks: {prompt} Pay again with --answer TEXT");
    Failure::new("challenge_required", message)
}

fn payment_line(payment: &PaymentView) -> String {
    let amount = amount(payment.amount, &payment.currency);
    let status = format!("{:?}", payment.status).to_lowercase();
    format!("{}: {amount} {status}", payment.reference_id)
}

pub(super) async fn own_tickets(session: &Session) -> Result<Vec<TicketView>, Failure> {
    match session.ask(Command::Tickets).await? {
        Reply::Tickets { tickets } => Ok(tickets),
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn tickets(session: &Session) -> Result<(), Failure> {
    let tickets = own_tickets(session).await?;
    tickets.iter().try_for_each(|ticket| {
        session.output.answer(ticket, || {
            let returned = if ticket.returned { " (returned)" } else { "" };
            format!(
                "{}  {}, {}, {}{returned}",
                ticket.ticket_id, ticket.issuer, ticket.title, ticket.place
            )
        })
    })
}

#[derive(Debug, Args)]
pub(crate) struct Return {
    /// Id of the ticket, as `tickets` prints it, or of its message
    #[arg(long)]
    ticket: String,
    /// Sent as a message of its own after it
    #[arg(long)]
    reason: Option<String>,
}

impl Return {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let tickets = own_tickets(session).await?;
        let ticket = pick(&tickets, &self.ticket)?;
        let to = ticket.conversation_id.to_string();
        let tap = interactive_reply::Reply::Button(ButtonReply {
            id: format!("return:{}", ticket.reference_id),
            title: RETURN_TITLE.to_owned(),
        });
        let send = Command::Send {
            to: to.clone(),
            content: Shown::InteractiveReply(InteractiveReply { reply: Some(tap) }),
            reply_to: Some(ticket.message_id),
            wait: true,
            business: None,
            mentions: Vec::new(),
        };
        answer_sent(session, send).await?;
        if let Some(text) = self.reason {
            let reason = Command::SendText {
                to,
                text,
                reply_to: None,
                wait: true,
            };
            session.ask(reason).await?;
        }
        Ok(())
    }
}

/// The ticket to be returned.
pub(super) fn pick<'a>(tickets: &'a [TicketView], id: &str) -> Result<&'a TicketView, Failure> {
    let refused = |message: &str| Failure {
        parameter: Some("ticket".to_owned()),
        ..Failure::new("invalid", message)
    };
    let found = tickets
        .iter()
        .find(|ticket| ticket.ticket_id == id || ticket.message_id.to_string() == id);
    match found {
        None => Err(refused("ticket must be the id of a ticket on this device; see tickets")),
        Some(ticket) if ticket.returned => Err(refused("ticket has been returned already")),
        Some(ticket) => Ok(ticket),
    }
}

/// `order` of a message for scripts.
pub(super) fn order_value(order: &OrderDetails) -> Value {
    let items: Vec<Value> = order
        .items
        .iter()
        .map(|item| {
            json!({
                "retailer_id": item.retailer_id,
                "name": item.name,
                "amount": item.amount,
                "quantity": item.quantity,
            })
        })
        .collect();
    json!({
        "reference_id": order.reference_id,
        "currency": order.currency,
        "items": items,
        "subtotal": order.subtotal,
        "tax": order.tax,
        "shipping": order.shipping,
        "discount": order.discount,
        "total": order.total,
        "expires_at": order.expires_ms,
    })
}

pub(super) fn order_line(order: &OrderDetails) -> String {
    let total = amount(order.total, &order.currency);
    format!("  order {}: {total}", order.reference_id)
}

/// `order_status` of a message for scripts.
pub(super) fn update_value(update: &OrderUpdate) -> Value {
    json!({
        "reference_id": update.reference_id,
        "status": update.status,
        "description": update.description,
    })
}

/// `ticket` of a message for scripts: what its token says, genuine or not.
pub(super) fn ticket_value(ticket: &Ticket) -> Value {
    let body = kabar_protocol::ticket::read(&ticket.token).unwrap_or_default();
    json!({
        "ticket_id": body.ticket_id,
        "issuer": body.issuer,
        "title": body.title,
        "place": body.place,
        "starts_at": body.starts_ms,
        "reference_id": ticket.reference_id,
        "token": ticket.token,
        "issuer_key": ticket.issuer_key,
    })
}

/// Such as `IDR 50000.00`.
pub(super) fn amount(minor: i64, currency: &str) -> String {
    let digits = order::exponent(currency);
    let unit = 10i64.pow(digits);
    let whole = minor / unit;
    match digits {
        0 => format!("{currency} {whole}"),
        _ => format!("{currency} {whole}.{:0width$}", minor % unit, width = digits as usize),
    }
}
