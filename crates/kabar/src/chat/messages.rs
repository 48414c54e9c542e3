//! Commands about messages and conversations.

use std::path::PathBuf;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use kabar_client::api::{self, ChatView, Command, MessageView, Reply, Shown};
use kabar_protocol::{
    ids::{ConversationId, MessageId},
    wire,
};
use serde_json::json;

use super::{Session, arrange, change, files, kinds, shown, unexpected};
use crate::output::Failure;

/// Most messages that one listing shows.
pub(super) const LIST_MAX: u32 = 200;
/// Of an account id that stands for a name.
const SHORT_ID_DIGITS: usize = 8;

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    to: String,
    /// The message; beside files, the caption of the first
    #[arg(long, required_unless_present_any = ["file", "event", "poll", "location", "contact"])]
    text: Option<String>,
    /// An invitation: {"title","text?","place?","starts_ms","ends_ms?","time_zone?","guests_max?"}
    #[arg(long, conflicts_with_all = ["text", "file"], value_parser = change::event)]
    event: Option<wire::Event>,
    /// A poll: {"question","options":[2 to 12],"several?"}
    #[arg(long, conflicts_with_all = ["text", "file", "event"], value_parser = kinds::poll)]
    poll: Option<wire::Poll>,
    /// A place: {"latitude","longitude","name?","address?"}, in degrees
    #[arg(long, conflicts_with_all = ["text", "file", "event", "poll"], value_parser = kinds::location)]
    location: Option<wire::Location>,
    /// The card of a person: {"name","phones?":[],"emails?":[],"organization?","account_id?"}; several are one message
    #[arg(long, conflicts_with_all = ["text", "file", "event", "poll", "location"], value_parser = kinds::contact)]
    contact: Vec<wire::Contact>,
    /// Whom @NAME in the text means: NAME=ACCOUNT_ID; or all, for @all
    #[arg(long, requires = "text", value_parser = kinds::named)]
    mention: Vec<kinds::Named>,
    /// A file of up to 2 GiB; several are several messages
    #[arg(long)]
    file: Vec<PathBuf>,
    /// With --file: a recording, to be heard at once
    #[arg(long, requires = "file", conflicts_with = "album")]
    voice: bool,
    /// With --file: a picture, film or sound that can be looked at once
    #[arg(long, requires = "file", conflicts_with = "album")]
    view_once: bool,
    /// With several --file: pictures and films that belong together
    #[arg(long, requires = "file")]
    album: bool,
    /// Id of the message that this answers
    #[arg(long, value_parser = message_id)]
    reply_to: Option<MessageId>,
}

impl Send {
    pub(super) async fn run(mut self, session: &Session) -> Result<(), Failure> {
        let mut mentions = kinds::mentions(self.text.as_deref().unwrap_or_default(), &self.mention)?;
        if let Some(content) = self.content() {
            let send = Command::Send {
                to: self.to,
                content,
                reply_to: self.reply_to,
                wait: true,
                business: None,
                mentions,
            };
            return answer_sent(session, send).await;
        }
        let mut caption = self.text.unwrap_or_default();
        let manner = files::Manner {
            voice: self.voice,
            view_once: self.view_once,
            album: if self.album {
                files::album(&self.file)?
            } else {
                Bytes::new()
            },
        };
        // Whoever cannot be written to is known before anything is uploaded.
        conversation(session, "to", self.to.clone()).await?;
        for path in &self.file {
            let send = Command::Send {
                to: self.to.clone(),
                content: files::send(session, path, std::mem::take(&mut caption), manner.clone()).await?,
                reply_to: self.reply_to,
                wait: true,
                business: None,
                mentions: std::mem::take(&mut mentions),
            };
            answer_sent(session, send).await?;
        }
        Ok(())
    }
}

impl Send {
    /// What is one message, and needs no upload.
    fn content(&mut self) -> Option<Shown> {
        let event = self.event.take().map(Shown::Event);
        let other = event
            .or(self.poll.take().map(Shown::Poll))
            .or(self.location.take().map(Shown::Location));
        if other.is_some() {
            return other;
        }
        if !self.contact.is_empty() {
            let people = std::mem::take(&mut self.contact);
            return Some(Shown::Contacts(wire::Contacts { people }));
        }
        let text = self.text.take_if(|_| self.file.is_empty());
        text.map(Shown::Text)
    }
}

/// Sends a message that waits for the server's acknowledgement, and says so.
pub(super) async fn answer_sent(session: &Session, send: Command) -> Result<(), Failure> {
    match session.ask(send).await? {
        Reply::Sent(message) => {
            let value = json!({
                "message_id": message.message_id,
                "conversation_id": message.conversation_id,
                "state": message.state,
            });
            session.output.answer(&value, || format!("sent {}", message.message_id))
        }
        other => Err(unexpected(&other)),
    }
}

/// A message of ours that nothing is on its way of any more, or why it did not go.
pub(super) async fn came_through(session: &Session, message_id: MessageId) -> Result<MessageView, Failure> {
    match session.ask(Command::GetMessage { message_id }).await? {
        Reply::Message(message) => match message.error {
            Some(error) => Err(error.into()),
            None => Ok(message),
        },
        other => Err(unexpected(&other)),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Read {
    /// Everything up to this message has been seen
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

impl Read {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        session
            .ask(Command::MarkRead {
                conversation_id: None,
                up_to: self.message,
                accept: true,
            })
            .await?;
        // The receipt leaves with this connection, or with the next command's.
        session.ask(Command::WaitIdle).await?;
        session
            .output
            .answer(&json!({"message_id": self.message, "state": "read"}), || {
                "read".to_owned()
            })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// Send it again; without this it is forgotten
    #[arg(long)]
    retry: bool,
}

impl Resolve {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        session
            .ask(Command::ResolveFailed {
                message_id: self.message,
                retry: self.retry,
            })
            .await?;
        if self.retry {
            session.ask(Command::WaitIdle).await?;
            came_through(session, self.message).await?;
        }
        session
            .output
            .answer(&json!({"message_id": self.message, "retried": self.retry}), || {
                "done".to_owned()
            })
    }
}

pub(super) async fn chats(session: &Session) -> Result<(), Failure> {
    match session.ask(Command::ListChats).await? {
        Reply::Chats { chats } => chats
            .iter()
            .try_for_each(|chat| session.output.answer(chat, || chat_line(chat))),
        other => Err(unexpected(&other)),
    }
}

fn chat_line(chat: &ChatView) -> String {
    let unread = if chat.unread > 0 {
        format!(" ({} unread)", chat.unread)
    } else {
        String::new()
    };
    let last = chat
        .last
        .as_ref()
        .and_then(|message| message.text.clone())
        .unwrap_or_default();
    let members = chat.group.as_ref().map(|group| format!(" [{}]", group.members));
    let members = members.unwrap_or_default();
    let last = if chat.draft.is_empty() {
        last
    } else {
        format!("Draft: {}", chat.draft)
    };
    let marks = arrange::marks(chat);
    format!(
        "{}  {}{members}{marks}{unread}  {last}",
        chat.conversation_id,
        who(&chat.peer)
    )
}

#[derive(Debug, Args)]
pub(crate) struct Messages {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MAX)))]
    limit: u32,
    /// Only messages older than this one
    #[arg(long, value_parser = message_id)]
    before: Option<MessageId>,
}

impl Messages {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = conversation(session, "with", self.with).await?;
        let list = Command::ListMessages {
            conversation_id,
            before: self.before,
            limit: self.limit,
        };
        print_messages(session, list).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct Shelf {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
    #[arg(long)]
    kind: Kind,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MAX)))]
    limit: u32,
    /// Only messages older than this one
    #[arg(long, value_parser = message_id)]
    before: Option<MessageId>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Pictures and films
    Media,
    /// Other files
    Documents,
    /// Texts with a link
    Links,
}

impl Shelf {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let list = Command::ListShelf {
            conversation_id: conversation(session, "with", self.with).await?,
            shelf: match self.kind {
                Kind::Media => api::Shelf::Media,
                Kind::Documents => api::Shelf::Documents,
                Kind::Links => api::Shelf::Links,
            },
            limit: self.limit,
            before: self.before,
        };
        print_messages(session, list).await
    }
}

async fn print_messages(session: &Session, list: Command) -> Result<(), Failure> {
    match session.ask(list).await? {
        Reply::Messages { messages, .. } => messages.iter().try_for_each(|message| {
            let value = shown::flat(message, message.shown.as_ref())?;
            session.output.answer(&value, || message_line(message))
        }),
        other => Err(unexpected(&other)),
    }
}

fn message_line(message: &MessageView) -> String {
    if let Some(line) = shown::notice(
        message.kind,
        &who(&message.from),
        &message.about,
        message.text.as_deref(),
    ) {
        return line;
    }
    let from = if message.mine {
        "me".to_owned()
    } else {
        who(&message.from)
    };
    let text = message.text.as_deref().unwrap_or("(not shown by this version)");
    shown::for_people(&from, message.automated, text, message.shown.as_ref())
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Each of its words begins a word of the message; neither case nor accents count
    text: String,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MAX)))]
    limit: u32,
    /// Only messages older than this one
    #[arg(long, value_parser = message_id)]
    before: Option<MessageId>,
}

impl Search {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let search = Command::Search {
            text: self.text,
            limit: self.limit,
            before: self.before,
        };
        print_found(session, search).await
    }
}

/// Messages of several conversations, each with its own.
pub(super) async fn print_found(session: &Session, wish: Command) -> Result<(), Failure> {
    match session.ask(wish).await? {
        Reply::Found { messages, .. } => messages.iter().try_for_each(|found| {
            let mut value = shown::flat(&found.message, found.message.shown.as_ref())?;
            value["chat"] = json!(found.chat);
            let line = || format!("[{}] {}", who(&found.chat), message_line(&found.message));
            session.output.answer(&value, line)
        }),
        other => Err(unexpected(&other)),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServerView {
    #[arg(long)]
    with: String,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MAX)))]
    limit: u32,
}

impl ServerView {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = conversation(session, "with", self.with).await?;
        match session
            .ask(Command::ServerView {
                conversation_id,
                limit: self.limit,
            })
            .await?
        {
            Reply::ServerView { items } => items.iter().try_for_each(|item| {
                session.output.answer(item, || {
                    format!(
                        "{}\n  {} bytes of {}: {}",
                        message_line(&item.message),
                        item.bytes,
                        item.class,
                        item.envelope
                    )
                })
            }),
            other => Err(unexpected(&other)),
        }
    }
}

/// The chat with whom `typed` means; a refusal names the option that it was typed behind.
pub(super) async fn conversation(session: &Session, option: &str, typed: String) -> Result<ConversationId, Failure> {
    match session.ask(Command::OpenChat { who: typed }).await {
        Ok(Reply::Chat(chat)) => Ok(chat.conversation_id),
        Ok(other) => Err(unexpected(&other)),
        Err(failure) => Err(Failure {
            parameter: failure.parameter.map(|_| option.to_owned()),
            ..failure
        }),
    }
}

pub(super) fn who(person: &kabar_client::api::Person) -> String {
    if let Some(business) = &person.business {
        return format!("{} (business {})", business.name, business.phone);
    }
    let username = person.username.as_ref().map(|name| format!("@{name}"));
    let names = [Some(person.name.clone()), username, person.phone.clone()];
    names
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| {
            // Nobody has said a name yet: the beginning of the id, as `--json` has all of it.
            let id = person.account_id.to_string();
            format!("{}...", &id[..SHORT_ID_DIGITS])
        })
}

pub(super) fn message_id(text: &str) -> Result<MessageId, String> {
    MessageId::from_hex(text).ok_or_else(|| "a message id is 64 hex digits".to_owned())
}
