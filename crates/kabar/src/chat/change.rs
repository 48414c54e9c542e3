//! What is done to a message that is there: `react`, `edit`, `delete`, `rsvp`; and the event of `send --event`.

use clap::{Args, ValueEnum};
use kabar_client::api::{Change, Command, MessageState, Reply, RsvpAnswer, Shown};
use kabar_protocol::{ids::MessageId, wire};
use serde::Deserialize;
use serde_json::json;

use super::{
    Session, kinds,
    messages::{came_through, message_id},
    unexpected,
};
use crate::output::Failure;

#[derive(Debug, Args)]
pub(crate) struct React {
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// One emoji; empty takes it back
    #[arg(long)]
    emoji: String,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// A message of one's own, at most 15 minutes old
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    #[arg(long, required_unless_present = "event")]
    text: Option<String>,
    /// Whom @NAME in the text means, as `send` takes it; who is not named any more is not spoken to any more
    #[arg(long, requires = "text", value_parser = kinds::named)]
    mention: Vec<kinds::Named>,
    /// Of an event: all of it anew, as `send --event` takes it; with "canceled":true it is called off
    #[arg(long, conflicts_with = "text", value_parser = event)]
    event: Option<wire::Event>,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// A message of one's own, or anybody's where one is an admin of the group; at most two days old. It goes everywhere
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

#[derive(Debug, Args)]
pub(crate) struct Rsvp {
    /// The event
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    #[arg(long)]
    answer: Answer,
    /// Who comes along
    #[arg(long, default_value_t = 0)]
    guests: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Forward {
    /// Anything that a person can write
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// +phone, @username, account id or conversation id; at most five
    #[arg(long, required = true, num_args = 1..)]
    to: Vec<String>,
}

impl Forward {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let forward = Command::Forward {
            message_id: self.message,
            to: self.to,
        };
        let messages = match session.ask(forward).await? {
            Reply::Messages { messages, .. } => messages,
            other => return Err(unexpected(&other)),
        };
        session.ask(Command::WaitIdle).await?;
        let mut sent = Vec::new();
        let mut failures = Vec::new();
        for message in &messages {
            let state = match came_through(session, message.message_id).await {
                Ok(message) => message.state,
                Err(failure) => {
                    failures.push(failure);
                    MessageState::Failed
                }
            };
            sent.push(json!({
                "message_id": message.message_id,
                "conversation_id": message.conversation_id,
                "forwarded": message.forwarded,
                "state": state,
            }));
        }
        let done = messages.len() - failures.len();
        session
            .output
            .answer(&json!({ "messages": sent }), || format!("passed on to {done} chats"))?;
        // Who it went to is said; that it did not go to all is the command's outcome.
        failures.into_iter().next().map_or(Ok(()), Err)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Answer {
    Going,
    Maybe,
    No,
    /// Takes the answer back
    None,
}

impl React {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        change(session, self.message, Change::React { emoji: self.emoji }).await
    }
}

impl Edit {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let text = self.text.unwrap_or_default();
        let mentions = kinds::mentions(&text, &self.mention)?;
        let content = self.event.map_or(Shown::Text(text), Shown::Event);
        change(session, self.message, Change::Edit { content, mentions }).await
    }
}

impl Delete {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        change(session, self.message, Change::Delete).await
    }
}

impl Rsvp {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let answer = match self.answer {
            Answer::Going => Some(RsvpAnswer::Going),
            Answer::Maybe => Some(RsvpAnswer::Maybe),
            Answer::No => Some(RsvpAnswer::No),
            Answer::None => None,
        };
        let guests = self.guests;
        change(session, self.message, Change::Rsvp { answer, guests }).await
    }
}

/// Says so once the server has it.
pub(super) async fn change(session: &Session, message_id: MessageId, change: Change) -> Result<(), Failure> {
    let wish = Command::ChangeMessage {
        message_id,
        change,
        wait: true,
    };
    session.ask(wish).await?;
    let value = json!({ "message_id": message_id, "state": "sent" });
    session.output.answer(&value, || "done".to_owned())
}

/// An event as people write it. Times are Unix milliseconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventJson {
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    place: String,
    starts_ms: i64,
    #[serde(default)]
    ends_ms: i64,
    #[serde(default = "utc")]
    time_zone: String,
    #[serde(default)]
    guests_max: u32,
    #[serde(default)]
    canceled: bool,
}

fn utc() -> String {
    "UTC".into()
}

/// The value of `--event`.
pub(super) fn event(text: &str) -> Result<wire::Event, String> {
    let event: EventJson = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(wire::Event {
        title: event.title,
        text: event.text,
        place: event.place,
        starts_ms: event.starts_ms,
        ends_ms: event.ends_ms,
        time_zone: event.time_zone,
        guests_max: event.guests_max,
        canceled: event.canceled,
    })
}
