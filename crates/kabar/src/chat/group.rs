//! Commands about groups of people.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum};
use kabar_client::api::{Allowed, Command, GroupCommand, GroupRole, GroupView, MessageInfo, Reply};
use kabar_protocol::{
    ids::{ConversationId, MessageId},
    limits::GROUP_PHOTO_BYTES_MAX,
};
use serde_json::json;

use super::{
    Session, invite,
    messages::{message_id, who},
    unexpected,
};
use crate::output::Failure;

#[derive(Debug, Args)]
pub(crate) struct GroupArgs {
    #[command(subcommand)]
    command: GroupCommands,
}

#[derive(Debug, Subcommand)]
enum GroupCommands {
    /// Make a group; exits 0 only after the server has it durably
    Create(Create),
    /// Add people, with all their devices; they see nothing from before
    Add(Add),
    /// Remove a member
    Remove(Member),
    /// Make a member an admin, or an owner
    Promote(Promote),
    /// Make an admin or owner a plain member
    Demote(Member),
    /// Leave, or take back having asked to be let in; the last owner names a successor
    Leave(Leave),
    /// Show name, settings and members
    Show(Show),
    /// Change the name
    Rename(Rename),
    /// Change the settings, the description or the picture
    Set(Set),
    /// Make a link by which people come in; exits 0 only when it works
    Link(invite::Link),
    /// Take a link back; whoever came by it stays
    Unlink(invite::Unlink),
    /// Come in by a link, or ask to be let in
    Join(invite::Join),
    /// Show what a link leads to
    Preview(invite::Preview),
    /// List who asks to be let in; `add` lets them in
    Requests(Show),
    /// Do not let in who asks
    Decline(Member),
}

impl GroupArgs {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self.command {
            GroupCommands::Create(create) => create.run(session).await,
            GroupCommands::Add(add) => change(session, add.group, GroupCommand::Add { who: add.who }).await,
            GroupCommands::Remove(remove) => {
                change(session, remove.group, GroupCommand::Remove { who: remove.who }).await
            }
            GroupCommands::Promote(promote) => promote.run(session).await,
            GroupCommands::Demote(demote) => {
                let role = GroupCommand::SetRole {
                    who: demote.who,
                    role: GroupRole::Member,
                };
                change(session, demote.group, role).await
            }
            GroupCommands::Leave(leave) => {
                let successor = leave.successor;
                change(session, leave.group, GroupCommand::Leave { successor }).await
            }
            GroupCommands::Show(show) => show.run(session).await,
            GroupCommands::Rename(rename) => {
                let edit = GroupCommand::Edit {
                    name: Some(rename.name),
                    description: None,
                    photo: None,
                };
                change(session, rename.group, edit).await
            }
            GroupCommands::Set(set) => set.run(session).await,
            GroupCommands::Link(link) => link.run(session).await,
            GroupCommands::Unlink(unlink) => unlink.run(session).await,
            GroupCommands::Join(join) => join.run(session).await,
            GroupCommands::Preview(preview) => preview.run(session).await,
            GroupCommands::Requests(show) => invite::requests(session, show.group).await,
            GroupCommands::Decline(member) => invite::decline(session, member.group, member.who).await,
        }
    }
}

#[derive(Debug, Args)]
struct Create {
    /// 1 to 100 characters; the server does not learn it
    #[arg(long)]
    name: String,
    /// What the group is about
    #[arg(long, default_value = "")]
    description: String,
    /// +phone, @username or account id; several times or several at once
    #[arg(long, required = true, num_args = 1..)]
    member: Vec<String>,
    /// For up to 256 devices instead of 32, without the post-quantum suite; for good
    #[arg(long)]
    large: bool,
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let create = Command::CreateGroup {
            name: self.name,
            description: self.description,
            members: self.member,
            large: self.large,
        };
        match session.ask(create).await? {
            Reply::Group(group) => {
                let value = json!({ "conversation_id": group.conversation_id, "members": group.members.len() });
                session
                    .output
                    .answer(&value, || format!("made {} ({})", group.name, group.conversation_id))
            }
            other => Err(unexpected(&other)),
        }
    }
}

#[derive(Debug, Args)]
struct Add {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
    /// +phone, @username or account id
    #[arg(required = true)]
    who: Vec<String>,
}

#[derive(Debug, Args)]
struct Member {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
    /// +phone, @username or account id
    who: String,
}

#[derive(Debug, Args)]
struct Promote {
    #[command(flatten)]
    member: Member,
    /// An owner instead of an admin; only an owner can make one
    #[arg(long)]
    owner: bool,
}

impl Promote {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let role = if self.owner { GroupRole::Owner } else { GroupRole::Admin };
        let who = self.member.who;
        change(session, self.member.group, GroupCommand::SetRole { who, role }).await
    }
}

#[derive(Debug, Args)]
struct Leave {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
    /// Whom the group belongs to from now on
    #[arg(long)]
    successor: Option<String>,
}

#[derive(Debug, Args)]
struct Show {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
}

impl Show {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let show = Command::Group {
            conversation_id: self.group,
            request: GroupCommand::Show,
        };
        match session.ask(show).await? {
            Reply::Group(group) => session.output.answer(&group, || for_people(&group)),
            other => Err(unexpected(&other)),
        }
    }
}

#[derive(Debug, Args)]
struct Rename {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
    #[arg(long)]
    name: String,
}

/// Who may.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Permitted {
    All,
    Admins,
}

impl Permitted {
    fn allowed(self) -> Allowed {
        match self {
            Self::All => Allowed::All,
            Self::Admins => Allowed::Admins,
        }
    }
}

#[derive(Debug, Args)]
#[group(id = "change", required = true, multiple = true)]
struct Changes {
    /// Who may write
    #[arg(long)]
    post: Option<Permitted>,
    /// Who may add people
    #[arg(long)]
    add: Option<Permitted>,
    /// Who may change name, description and picture
    #[arg(long)]
    edit: Option<Permitted>,
    /// Whoever comes in is shown the last 100 messages, and everybody is told
    #[arg(long, action = ArgAction::Set)]
    history: Option<bool>,
    /// What the group is about
    #[arg(long)]
    description: Option<String>,
    /// A JPEG or WebP of at most 12 KiB; an empty path for none
    #[arg(long)]
    photo: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Set {
    /// Conversation id of the group
    #[arg(value_parser = group_id)]
    group: ConversationId,
    #[command(flatten)]
    changes: Changes,
}

impl Set {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let Changes {
            post,
            add,
            edit,
            history,
            description,
            photo,
        } = self.changes;
        let photo = photo.map(|path| picture(&path)).transpose()?;
        if description.is_some() || photo.is_some() {
            let request = GroupCommand::Edit {
                name: None,
                description,
                photo,
            };
            if post.or(add).or(edit).is_none() && history.is_none() {
                return change(session, self.group, request).await;
            }
            asked(session, self.group, request).await?;
        }
        let settings = GroupCommand::Settings {
            post: post.map(Permitted::allowed),
            add: add.map(Permitted::allowed),
            edit: edit.map(Permitted::allowed),
            history,
        };
        change(session, self.group, settings).await
    }
}

/// Hex of a picture; nothing of an empty path.
fn picture(path: &std::path::Path) -> Result<String, Failure> {
    if path.as_os_str().is_empty() {
        return Ok(String::new());
    }
    let length = std::fs::metadata(path)?.len();
    if length > GROUP_PHOTO_BYTES_MAX as u64 {
        let rule = format!("photo must have at most {GROUP_PHOTO_BYTES_MAX} bytes, has {length}");
        return Err(Failure {
            parameter: Some("photo".to_owned()),
            ..Failure::new("invalid", rule)
        });
    }
    Ok(hex::encode(std::fs::read(path)?))
}

async fn asked(
    session: &Session,
    conversation_id: ConversationId,
    request: GroupCommand,
) -> Result<GroupView, Failure> {
    // Who may do what has perhaps changed while this home was away.
    session.ask(Command::WaitIdle).await?;
    match session
        .ask(Command::Group {
            conversation_id,
            request,
        })
        .await?
    {
        Reply::Group(group) => {
            // What follows from it (a removal, a name for the new ones) leaves with this connection.
            session.ask(Command::WaitIdle).await?;
            Ok(group)
        }
        other => Err(unexpected(&other)),
    }
}

pub(super) async fn change(
    session: &Session,
    conversation_id: ConversationId,
    request: GroupCommand,
) -> Result<(), Failure> {
    let group = asked(session, conversation_id, request).await?;
    session.output.answer(&group, || for_people(&group))
}

fn for_people(group: &GroupView) -> String {
    let mut lines = vec![format!("{} ({})", group.name, group.conversation_id)];
    if !group.description.is_empty() {
        lines.push(format!("  {}", group.description));
    }
    let settings = &group.settings;
    lines.push(format!(
        "  write: {}, add people: {}, change name and picture: {}",
        word(settings.post),
        word(settings.add),
        word(settings.edit)
    ));
    lines.extend(group.invites.iter().map(|link| {
        let by = who(&link.by);
        format!(
            "  link {} by {by}{}",
            link.code,
            if link.approval { ", with approval" } else { "" }
        )
    }));
    lines.extend(group.members.iter().map(|member| {
        let role = match member.role {
            GroupRole::Owner => " (owner)",
            GroupRole::Admin => " (admin)",
            GroupRole::Member => "",
        };
        let me = if member.me { " - you" } else { "" };
        format!("  {}{role}{me}", who(&member.person))
    }));
    lines.join("\n")
}

fn word(allowed: Allowed) -> &'static str {
    match allowed {
        Allowed::All => "all",
        Allowed::Admins => "admins",
    }
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    /// A message of your own
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

impl Info {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        // Marks that moved while this home was away.
        session.ask(Command::WaitIdle).await?;
        let message_id = self.message;
        match session.ask(Command::MessageInfo { message_id }).await? {
            Reply::MessageInfo(info) => session.output.answer(&info, || info_for_people(&info)),
            other => Err(unexpected(&other)),
        }
    }
}

fn info_for_people(info: &MessageInfo) -> String {
    let state = |state: kabar_client::api::MessageState| format!("{state:?}").to_lowercase();
    let members = info.members.iter();
    let mut lines = vec![state(info.state)];
    lines.extend(members.map(|member| format!("  {}: {}", who(&member.person), state(member.state))));
    lines.join("\n")
}

#[derive(Debug, Args)]
pub(crate) struct Mute {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
    /// For so many hours; without it, notifications come again
    #[arg(long)]
    hours: Option<u32>,
}

impl Mute {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = super::messages::conversation(session, "with", self.with).await?;
        let mute = Command::Mute {
            conversation_id,
            hours: self.hours,
        };
        match session.ask(mute).await? {
            Reply::Chat(chat) => {
                let value = json!({ "conversation_id": conversation_id, "muted_until": chat.muted_until });
                session.output.answer(&value, || {
                    let muted = chat.muted_until.is_some();
                    if muted { "muted" } else { "not muted" }.to_owned()
                })
            }
            other => Err(unexpected(&other)),
        }
    }
}

pub(super) fn group_id(text: &str) -> Result<ConversationId, String> {
    ConversationId::from_hex(text).ok_or_else(|| "a group is named by its conversation id: 32 hex digits".to_owned())
}
