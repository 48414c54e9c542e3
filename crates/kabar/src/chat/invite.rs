//! Commands about links into groups, and about people who ask to be let in.

use clap::Args;
use kabar_client::api::{Command, GroupCommand, InvitePreview, Reply};
use kabar_protocol::ids::ConversationId;
use serde_json::json;

use super::{
    Session,
    group::{change, group_id},
    messages::who,
    unexpected,
};
use crate::output::Failure;

#[derive(Debug, Args)]
pub(super) struct Link {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
    /// How long it works: 1 to 8784; a week if not given
    #[arg(long)]
    hours: Option<u32>,
    /// How many accounts may come in by it; no limit if not given
    #[arg(long)]
    uses: Option<u32>,
    /// Whoever follows it asks, and somebody who may add people lets him in
    #[arg(long)]
    approval: bool,
}

impl Link {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        session.ask(Command::WaitIdle).await?;
        let request = GroupCommand::Invite {
            hours: self.hours,
            uses: self.uses,
            approval: self.approval,
        };
        let reply = session.ask(about(self.group, request)).await?;
        let Reply::Invite(link) = reply else {
            return Err(unexpected(&reply));
        };
        let url = format!("{}{}", session.client.server(), link.path.unwrap_or_default());
        let value = json!({
            "url": url,
            "code": link.code,
            "expires_at": link.expires_at,
            "uses_max": link.uses_max,
            "approval": link.approval,
        });
        session.output.answer(&value, || url.clone())
    }
}

#[derive(Debug, Args)]
pub(super) struct Unlink {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
    /// As `group show` lists it: what is between /i/ and # in the link
    code: String,
}

impl Unlink {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        change(session, self.group, GroupCommand::Uninvite { code: self.code }).await
    }
}

/// A link into a group.
#[derive(Debug, Args)]
pub(super) struct Join {
    /// The whole link: https://SERVER/i/CODE#SECRET
    link: String,
}

impl Join {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        of_this_server(session, &self.link)?;
        let join = Command::JoinGroup { link: self.link };
        match session.ask(join).await? {
            Reply::Group(group) => {
                // Our name for the others leaves with this connection.
                session.ask(Command::WaitIdle).await?;
                let value = json!({ "conversation_id": group.conversation_id, "members": group.members.len() });
                session
                    .output
                    .answer(&value, || format!("joined {} ({})", group.name, group.conversation_id))
            }
            Reply::JoinAsked(group) => {
                let value = json!({ "conversation_id": group.conversation_id, "asked": true });
                session.output.answer(&value, || {
                    format!("asked to be let into {}; somebody in it has to say yes", group.name)
                })
            }
            other => Err(unexpected(&other)),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// The whole link: https://SERVER/i/CODE#SECRET
    link: String,
}

impl Preview {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        of_this_server(session, &self.link)?;
        match session.ask(Command::OpenInvite { link: self.link }).await? {
            Reply::InvitePreview(preview) => session.output.answer(&preview, || for_people(&preview)),
            other => Err(unexpected(&other)),
        }
    }
}

/// Another server's groups are not to be found here.
fn of_this_server(session: &Session, link: &str) -> Result<(), Failure> {
    let server = session.client.server();
    if link.starts_with('/') || link.strip_prefix(server).is_some_and(|path| path.starts_with("/i/")) {
        return Ok(());
    }
    let rule = format!("link must be one of this account's server, {server}/i/...");
    Err(Failure {
        parameter: Some("link".to_owned()),
        ..Failure::new("invalid", rule)
    })
}

fn for_people(preview: &InvitePreview) -> String {
    let mut lines = vec![format!("{} ({} members)", preview.name, preview.members)];
    if !preview.description.is_empty() {
        lines.push(format!("  {}", preview.description));
    }
    if !preview.inviter.is_empty() {
        lines.push(format!("  invited by {}", preview.inviter));
    }
    if preview.approval {
        lines.push("  somebody in it lets people in".to_owned());
    }
    lines.join("\n")
}

fn about(conversation_id: ConversationId, request: GroupCommand) -> Command {
    Command::Group {
        conversation_id,
        request,
    }
}

pub(super) async fn requests(session: &Session, group: ConversationId) -> Result<(), Failure> {
    session.ask(Command::WaitIdle).await?;
    match session.ask(about(group, GroupCommand::JoinRequests)).await? {
        Reply::JoinRequests { requests } => {
            let value = json!({ "requests": requests });
            session.output.answer(&value, || {
                let lines = requests.iter();
                lines
                    .map(|asker| format!("{} ({})", who(&asker.person), asker.person.account_id))
                    .collect::<Vec<_>>()
                    .join("\n")
            })
        }
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn decline(session: &Session, group: ConversationId, who: String) -> Result<(), Failure> {
    session.ask(Command::WaitIdle).await?;
    match session.ask(about(group, GroupCommand::Decline { who })).await? {
        Reply::Done => session
            .output
            .answer(&json!({ "declined": true }), || "declined".to_owned()),
        other => Err(unexpected(&other)),
    }
}
