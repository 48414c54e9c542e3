//! Answers by a tap: to the buttons and lists that businesses send.

use clap::Args;
use kabar_client::api::{Command, MessageView, Reply, Shown};
use kabar_protocol::{
    ids::MessageId,
    wire::{ButtonReply, InteractiveReply, ListReply, interactive_reply},
};

use super::{
    Session,
    messages::{answer_sent, message_id},
    shown::{self, Pick},
    unexpected,
};
use crate::output::Failure;

#[derive(Debug, Args)]
pub(crate) struct Tap {
    /// Id of the message that has the button
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// Id of the button, as `receive` prints it
    #[arg(long)]
    button: String,
}

impl Tap {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let message = message(session, self.message).await?;
        let reply = button_reply(&message, &self.button)?;
        answer(session, &message, reply).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListSelect {
    /// Id of the list message
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// Id of the row, as `receive` prints it
    #[arg(long)]
    row: String,
}

impl ListSelect {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let message = message(session, self.message).await?;
        let reply = list_reply(&message, &self.row)?;
        answer(session, &message, reply).await
    }
}

pub(super) async fn message(session: &Session, message_id: MessageId) -> Result<MessageView, Failure> {
    match session.ask(Command::GetMessage { message_id }).await {
        Ok(Reply::Message(message)) => Ok(message),
        Ok(other) => Err(unexpected(&other)),
        // Core's name of the parameter is not the one that was typed.
        Err(failure) if failure.parameter.as_deref() == Some("message_id") => {
            Err(refused("message", "message must be the id of a message on this device"))
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn answer(
    session: &Session,
    message: &MessageView,
    reply: interactive_reply::Reply,
) -> Result<(), Failure> {
    let send = Command::Send {
        to: message.conversation_id.to_string(),
        content: Shown::InteractiveReply(InteractiveReply { reply: Some(reply) }),
        reply_to: Some(message.message_id),
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    answer_sent(session, send).await
}

pub(super) fn button_reply(message: &MessageView, id: &str) -> Result<interactive_reply::Reply, Failure> {
    let other_way = "its rows are picked with list-select";
    let picked = pick(message, "button", id, shown::buttons, shown::rows, other_way)?;
    Ok(interactive_reply::Reply::Button(ButtonReply {
        id: picked.id,
        title: picked.title,
    }))
}

pub(super) fn list_reply(message: &MessageView, id: &str) -> Result<interactive_reply::Reply, Failure> {
    let other_way = "its buttons are pressed with tap";
    let picked = pick(message, "row", id, shown::rows, shown::buttons, other_way)?;
    Ok(interactive_reply::Reply::List(ListReply {
        id: picked.id,
        title: picked.title,
        description: picked.description,
    }))
}

type Picks = fn(Option<&Shown>) -> Vec<Pick>;

/// The button or row (`parameter`) with this id; `others` are what the message may have instead.
fn pick(
    message: &MessageView,
    parameter: &str,
    id: &str,
    these: Picks,
    others: Picks,
    other_way: &str,
) -> Result<Pick, Failure> {
    if message.mine {
        return Err(refused("message", "message is your own; only others' can be answered"));
    }
    let shown = message.shown.as_ref();
    let picks = these(shown);
    if picks.is_empty() {
        let hint = if others(shown).is_empty() {
            String::new()
        } else {
            format!("; {other_way}")
        };
        return Err(refused("message", &format!("message has no {parameter}s{hint}")));
    }
    let ids: Vec<&str> = picks.iter().map(|pick| pick.id.as_str()).collect();
    let known = format!("{parameter} must be one of: {}", ids.join(", "));
    picks
        .into_iter()
        .find(|pick| pick.id == id)
        .ok_or_else(|| refused(parameter, &known))
}

pub(super) fn refused(parameter: &str, message: &str) -> Failure {
    Failure {
        parameter: Some(parameter.to_owned()),
        ..Failure::new("invalid", message)
    }
}
