//! Wishes about groups of people: whom they name is found, then they are handed to `messaging`.

use kabar_protocol::{
    group_info,
    ids::{AccountId, ConversationId},
    limits::MEMBERS_MAX,
    policy::NONCE_BYTES,
    suite,
    wire::{self, ConversationKind, GroupPolicy, GroupSettings, Permission, Role, content::Body},
};

use crate::{
    api::{ApiError, Command, GroupCommand, Standing},
    commands::{Outcomes, invalid, now, refusal},
    messaging::{Chat, InfoChange, Party, Team, Wanted, field, not_in_group, with_role},
    state::State,
};

impl State {
    /// Whom all of these mean. `None`: the server is being asked, and the command runs again with its answer.
    fn people(
        &mut self,
        command_id: u64,
        command: &Command,
        parameter: &str,
        texts: &[String],
    ) -> Result<Option<Vec<AccountId>>, ApiError> {
        if texts.is_empty() || texts.len() > MEMBERS_MAX {
            let rule = format!("{parameter} must name 1 to {MEMBERS_MAX} people");
            return Err(invalid(parameter, &rule));
        }
        let mut accounts = Vec::new();
        for text in texts {
            let Some((account, _)) = self.resolve_person(command_id, command, parameter, text)? else {
                return Ok(None);
            };
            if self.peers.get(&account).is_some_and(|peer| peer.business.is_some()) {
                let rule = format!("{parameter} must name people: a company is in no group");
                return Err(invalid(parameter, &rule));
            }
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        Ok(Some(accounts))
    }

    fn person_named(
        &mut self,
        command_id: u64,
        command: &Command,
        parameter: &str,
        text: &str,
    ) -> Result<Option<AccountId>, ApiError> {
        let found = self.people(command_id, command, parameter, &[text.to_owned()])?;
        Ok(found.and_then(|accounts| accounts.first().copied()))
    }

    pub(crate) fn about_groups(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            Command::Group {
                conversation_id,
                request,
            } => self.group(command_id, command, *conversation_id, request),
            _ => self.create_people_group(command_id, command),
        }
    }

    fn create_people_group(&mut self, command_id: u64, command: &Command) -> Outcomes {
        let Command::CreateGroup {
            name,
            description,
            members,
            large,
        } = command
        else {
            return Ok(Ok(None));
        };
        if self.is_business() {
            return Ok(Err(refusal(
                "not_allowed",
                "the account of a business number is in no group",
            )));
        }
        let texts = group_info::name(name).and_then(|name| Ok((name, group_info::description(description)?)));
        let (name, description) = match texts {
            Ok(texts) => texts,
            Err(error) => return Ok(Err(field(error))),
        };
        let accounts = match self.people(command_id, command, "members", members) {
            Ok(Some(accounts)) => accounts,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let Some(me) = self.my_account() else {
            return Ok(Err(refusal("no_account", "register first")));
        };
        let team = self.plan_group(me, &accounts, *large);
        let conversation = team.conversation;
        let chat = Chat::new(conversation, Party::Group, self.now);
        accounts.iter().for_each(|account| self.know(*account));
        self.chats.insert(conversation, chat);
        self.teams.insert(conversation, team);
        self.save_chat(conversation);
        self.save_team(conversation);
        let info = wire::GroupInfo {
            version: 1,
            name,
            description,
            ..self.known_info(conversation).unwrap_or_default()
        };
        // It travels in the request that makes the group, and its arrival is the answer.
        Ok(self
            .queue_control(conversation, Body::GroupInfo(info), Some(command_id))
            .map(|()| None))
    }

    /// A group of us, the owner, and these people, as plain members.
    fn plan_group(&self, me: AccountId, accounts: &[AccountId], large: bool) -> Team {
        let nonce: [u8; NONCE_BYTES] = self.engine.random();
        let conversation = ConversationId::group(me, &nonce);
        let mut policy = GroupPolicy {
            version: 1,
            kind: ConversationKind::Group.into(),
            conversation_id: conversation.to_bytes(),
            settings: Some(GroupSettings {
                post: Permission::All.into(),
                add: Permission::Admins.into(),
                edit: Permission::Admins.into(),
                history: false,
            }),
            founder: me.to_bytes(),
            nonce: nonce.to_vec().into(),
            ..GroupPolicy::default()
        };
        policy = with_role(&policy, me, Some(Role::Owner));
        for account in accounts {
            policy = with_role(&policy, *account, Some(Role::Member));
        }
        let suite = if large { suite::X25519 } else { suite::XWING };
        Team::new(conversation, suite, policy, Standing::Making)
    }

    fn group(
        &mut self,
        command_id: u64,
        command: &Command,
        conversation: ConversationId,
        request: &GroupCommand,
    ) -> Outcomes {
        if let GroupCommand::Show = request {
            return now(self.show_group(conversation));
        }
        let Some(team) = self.teams.get(&conversation) else {
            return now(self.show_group(conversation));
        };
        match request {
            GroupCommand::Leave { .. } if team.standing == Standing::Asked => {
                return Ok(self.withdraw(command_id, conversation).map(|()| None));
            }
            _ if team.standing != Standing::Member => return Ok(Err(not_in_group())),
            GroupCommand::JoinRequests => {
                self.fetch_join_requests(command_id, conversation);
                return Ok(Ok(None));
            }
            GroupCommand::Decline { who } => {
                let account = self.person_named(command_id, command, "who", who);
                let declined = |account| self.decline_join_request(command_id, conversation, account);
                return Ok(account.map(|account| account.map(declined)).map(|_| None));
            }
            _ => {}
        }
        let wanted = match self.wanted(command_id, command, conversation, request) {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        // Whether we may is decided when everything that waits for us is known.
        Ok(self.wish(Some(command_id), conversation, wanted).map(|()| None))
    }

    fn wanted(
        &mut self,
        command_id: u64,
        command: &Command,
        conversation: ConversationId,
        request: &GroupCommand,
    ) -> Result<Option<Wanted>, ApiError> {
        let me = self.my_account();
        Ok(match request {
            GroupCommand::Add { who } => self.people(command_id, command, "who", who)?.map(Wanted::Add),
            GroupCommand::Remove { who } => self.person_named(command_id, command, "who", who)?.map(Wanted::Remove),
            GroupCommand::SetRole { who, role } => {
                // One's own role may be laid down.
                let own = AccountId::from_hex(who).filter(|account| Some(*account) == me);
                let account = match own {
                    Some(own) => Some(own),
                    None => self.person_named(command_id, command, "who", who)?,
                };
                account.map(|account| Wanted::Role(account, *role))
            }
            GroupCommand::Leave { successor: None } => Some(Wanted::Leave(None)),
            GroupCommand::Leave { successor: Some(who) } => self
                .person_named(command_id, command, "successor", who)?
                .map(|account| Wanted::Leave(Some(account))),
            GroupCommand::Settings {
                post,
                add,
                edit,
                history,
            } => Some(Wanted::Settings {
                post: *post,
                add: *add,
                edit: *edit,
                history: *history,
            }),
            GroupCommand::Edit {
                name,
                description,
                photo,
            } => {
                let change = InfoChange::of(name.as_deref(), description.as_deref(), photo.as_deref())?;
                Some(Wanted::Info(change))
            }
            GroupCommand::Invite { hours, uses, approval } => Some(self.wanted_link(*hours, *uses, *approval)?),
            GroupCommand::Uninvite { code } => Some(self.unwanted_link(conversation, code)?),
            GroupCommand::Show | GroupCommand::JoinRequests | GroupCommand::Decline { .. } => None,
        })
    }
}
