//! Commands that keep the list of chats in order; known to this home only.

use clap::Args;
use kabar_client::api::{ChatView, Command, Reply};
use serde_json::json;

use super::{Session, messages, unexpected};
use crate::output::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Pin,
    Unpin,
    Archive,
    Unarchive,
    MarkUnread,
    MarkRead,
}

#[derive(Debug, Args)]
pub(crate) struct Arrange {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
}

impl Arrange {
    pub(super) async fn run(self, session: &Session, how: How) -> Result<(), Failure> {
        let conversation_id = messages::conversation(session, "with", self.with).await?;
        let yes = matches!(how, How::Pin | How::Archive | How::MarkUnread);
        let arrange = Command::Arrange {
            conversation_id,
            pinned: matches!(how, How::Pin | How::Unpin).then_some(yes),
            archived: matches!(how, How::Archive | How::Unarchive).then_some(yes),
            unread: matches!(how, How::MarkUnread | How::MarkRead).then_some(yes),
        };
        let chat = ask(session, arrange).await?;
        if how == How::MarkRead {
            // The receipt leaves with this connection, or with the next command's.
            session.ask(Command::WaitIdle).await?;
        }
        let value = json!({
            "conversation_id": conversation_id,
            "pinned": chat.pinned,
            "archived": chat.archived,
            "marked_unread": chat.marked_unread,
        });
        session.output.answer(&value, || "done".to_owned())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Draft {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
    /// What is being written; empty forgets it
    #[arg(long)]
    text: String,
}

impl Draft {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = messages::conversation(session, "with", self.with).await?;
        let text = self.text;
        let chat = ask(session, Command::SetDraft { conversation_id, text }).await?;
        let value = json!({ "conversation_id": conversation_id, "draft": chat.draft });
        session.output.answer(&value, || "kept".to_owned())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Lists {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
    /// What the conversation is sorted under from now on; without one, nothing
    #[arg(long)]
    list: Vec<String>,
}

impl Lists {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = messages::conversation(session, "with", self.with).await?;
        let lists = self.list;
        let chat = ask(session, Command::SetLists { conversation_id, lists }).await?;
        let value = json!({ "conversation_id": conversation_id, "lists": chat.lists });
        session.output.answer(&value, || chat.lists.join(", "))
    }
}

async fn ask(session: &Session, command: Command) -> Result<ChatView, Failure> {
    match session.ask(command).await? {
        Reply::Chat(chat) => Ok(chat),
        other => Err(unexpected(&other)),
    }
}

/// What a line of the list says of it before the name.
pub(super) fn marks(chat: &ChatView) -> String {
    let said = [
        (chat.pinned, "pinned"),
        (chat.archived, "archived"),
        (chat.marked_unread, "marked unread"),
    ];
    let said: Vec<_> = said.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word).collect();
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({})", said.join(", "))
    }
}
