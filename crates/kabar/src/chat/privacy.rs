//! What others see of this account, and whom it does not want to hear from.

use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use kabar_client::api::{self, Command, Notification, Reply};
use kabar_protocol::ids::MessageId;
use serde_json::json;
use tokio::{sync::broadcast::error::RecvError, time::timeout};

use super::{Session, messages, unexpected};
use crate::output::Failure;

/// For the other side's device to say that it is there.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Privacy {
    /// Others learn what you have read, and you what they have
    #[arg(long, action = ArgAction::Set)]
    read_receipts: Option<bool>,
    /// The same of typing
    #[arg(long, action = ArgAction::Set)]
    typing: Option<bool>,
    /// Who learns when you are there; of them you learn it, too
    #[arg(long)]
    presence: Option<Audience>,
    /// Messages of chats that you begin vanish after so many seconds; 0: they stay
    #[arg(long)]
    timer: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Audience {
    /// Strangers, too
    Everyone,
    Contacts,
    Nobody,
}

impl From<Audience> for api::Audience {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::Everyone => Self::Everyone,
            Audience::Contacts => Self::Contacts,
            Audience::Nobody => Self::Nobody,
        }
    }
}

impl Privacy {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let set = Command::SetPrivacy {
            read_receipts: self.read_receipts,
            typing: self.typing,
            presence: self.presence.map(Into::into),
            timer_s: self.timer,
        };
        match session.ask(set).await? {
            Reply::Privacy(privacy) => session.output.answer(&privacy, || lines(&privacy)),
            other => Err(unexpected(&other)),
        }
    }
}

fn lines(privacy: &api::Privacy) -> String {
    let said = |on| if on { "said" } else { "not said" };
    let presence = format!("{:?}", privacy.presence).to_lowercase();
    format!(
        "what was read: {}\ntyping: {}\nbeing there: said to {presence}\nmessages of new chats vanish after: {} s",
        said(privacy.read_receipts),
        said(privacy.typing),
        privacy.timer_s,
    )
}

#[derive(Debug, Args)]
pub(crate) struct Presence {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
}

impl Presence {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut news = session.client.notifications();
        let conversation_id = messages::conversation(session, "with", self.with.clone()).await?;
        session.ask(Command::WaitIdle).await?;
        session.ask(Command::Watch { conversation_id }).await?;
        let answered = async {
            loop {
                match news.recv().await {
                    Ok(Notification::Chat { chat }) if chat.conversation_id == conversation_id && chat.seen.here => {
                        break;
                    }
                    Err(RecvError::Closed) => break,
                    _ => {}
                }
            }
        };
        // Who is not there, or does not say it, does not answer.
        let _ = timeout(ANSWER_WAIT, answered).await;
        match session.ask(Command::OpenChat { who: self.with }).await? {
            Reply::Chat(chat) => session.output.answer(&chat.seen, || {
                let last = chat.seen.last.map(|time| format!(", last seen at {time} ms"));
                let here = if chat.seen.here { "here" } else { "not seen" };
                format!("{here}{}", last.unwrap_or_default())
            }),
            other => Err(unexpected(&other)),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
    /// What to show; without it, their newest. In a group, by one member
    #[arg(long, value_parser = messages::message_id)]
    message: Vec<MessageId>,
    #[arg(long)]
    reason: Reason,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reason {
    Spam,
    Fraud,
    /// Threats, harassment, hatred
    Abuse,
    Illegal,
    Other,
}

impl Report {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let report = Command::Report {
            conversation_id: messages::conversation(session, "with", self.with).await?,
            messages: self.message,
            reason: match self.reason {
                Reason::Spam => api::ReportReason::Spam,
                Reason::Fraud => api::ReportReason::Fraud,
                Reason::Abuse => api::ReportReason::Abuse,
                Reason::Illegal => api::ReportReason::Illegal,
                Reason::Other => api::ReportReason::Other,
            },
        };
        session.ask(report).await?;
        session
            .output
            .answer(&json!({ "reported": true }), || "reported".to_owned())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Block {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
}

impl Block {
    pub(super) async fn run(self, session: &Session, blocked: bool) -> Result<(), Failure> {
        let who = self.with;
        match session.ask(Command::Block { who, blocked }).await? {
            Reply::Chat(chat) => {
                let account = chat.peer.account_id;
                let value =
                    json!({ "account_id": account, "conversation_id": chat.conversation_id, "blocked": chat.blocked });
                session.output.answer(&value, || "done".to_owned())
            }
            other => Err(unexpected(&other)),
        }
    }
}
