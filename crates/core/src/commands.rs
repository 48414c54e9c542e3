//! Wishes of a person or a script: checked, carried out or queued, and answered.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    names::{self, Who},
    wire::{self, client_frame::Body, find_account_outcome::Outcome, server_frame},
};

use crate::{
    accounts::{Peer, safety_number},
    api::{ApiError, BusinessCommand, Command, GroupCommand, Reply},
    connection::{Answer, Purpose},
    messaging::Party,
    state::State,
    tx::Step,
};

/// What a command comes to: an answer now, or one that comes later.
pub(crate) type Outcomes = Step<Result<Option<Reply>, ApiError>>;

/// A parameter that breaks a rule; the rule's text names what it should be.
pub(crate) fn invalid(parameter: &str, rule: &(impl ToString + ?Sized)) -> ApiError {
    ApiError {
        code: "invalid".into(),
        message: rule.to_string(),
        parameter: Some(parameter.into()),
        retry_after_ms: None,
    }
}

pub(crate) fn refusal(code: &str, message: &str) -> ApiError {
    ApiError {
        code: code.into(),
        message: message.into(),
        parameter: None,
        retry_after_ms: None,
    }
}

pub(crate) fn now(result: Result<Reply, ApiError>) -> Outcomes {
    Ok(result.map(Some))
}

fn later(result: Result<(), ApiError>) -> Outcomes {
    Ok(result.map(|()| None))
}

impl State {
    pub(crate) fn command(&mut self, command_id: u64, command: &Command) -> Step {
        match self.carry_out(command_id, command)? {
            Ok(Some(reply)) => self.reply(command_id, Ok(reply)),
            Ok(None) => {}
            Err(error) => self.reply(command_id, Err(error)),
        }
        Ok(())
    }

    fn carry_out(&mut self, command_id: u64, command: &Command) -> Outcomes {
        if let Command::Register {
            name,
            username,
            invite,
            enrolment,
        } = command
        {
            let (invite, enrolment) = (invite.as_ref(), enrolment.as_ref());
            return later(self.register(command_id, name, username.as_deref(), invite, enrolment));
        }
        let Some(me) = self.me() else {
            return Ok(Err(refusal(
                "no_account",
                "this device has no account yet; register first",
            )));
        };
        match command {
            // Carried out above: it needs no account.
            Command::Register { .. } => Ok(Ok(None)),
            Command::RequestPhoneCode { .. }
            | Command::VerifyPhone { .. }
            | Command::SetName { .. }
            | Command::SetUsername { .. } => self.about_account(command_id, command),
            Command::Whoami => now(Ok(Reply::Me(me))),
            Command::OpenChat { who } => self.open_chat(command_id, command, who),
            Command::ListChats => now(Ok(self.list_chats())),
            Command::GetMessage { .. }
            | Command::ListMessages { .. }
            | Command::Search { .. }
            | Command::ListStarred { .. }
            | Command::ListShelf { .. } => self.look_up(command_id, command),
            Command::SendText { .. } | Command::Send { .. } => self.write(command_id, command),
            Command::Business { .. } | Command::Feed { .. } | Command::FeedTaken { .. } => {
                self.for_programs(command_id, command)
            }
            Command::Pay { .. } | Command::Payment { .. } | Command::Tickets | Command::FlowExchange { .. } => {
                self.buy(command_id, command)
            }
            Command::Forward { .. }
            | Command::Star { .. }
            | Command::Pin { .. }
            | Command::ChangeMessage { .. }
            | Command::MessageInfo { .. }
            | Command::ResolveFailed { .. }
            | Command::MarkRead { .. } => self.about_message(command_id, command),
            Command::CreateGroup { .. } | Command::Group { .. } => self.about_groups(command_id, command),
            Command::OpenInvite { link } | Command::JoinGroup { link } => {
                later(self.fetch_invite(command_id, command, link))
            }
            Command::Mute { .. } | Command::Arrange { .. } | Command::SetLists { .. } | Command::SetDraft { .. } => {
                self.organise(command)
            }
            Command::SetTimer {
                conversation_id,
                seconds,
            } => self.set_timer_of(command_id, *conversation_id, *seconds),
            Command::BeginUpload { size_bytes } => later(self.begin_upload(command_id, *size_bytes)),
            Command::SetTyping { .. }
            | Command::SetHere { .. }
            | Command::Watch { .. }
            | Command::SetPrivacy { .. }
            | Command::Block { .. }
            | Command::Report { .. }
            | Command::SafetyNumber { .. } => self.about_people(command_id, command),
            Command::ServerView { conversation_id, limit } => self.server_view(*conversation_id, *limit),
            Command::WaitIdle => self.wait_idle(command_id),
        }
    }

    /// What people learn of each other.
    fn about_people(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            Command::SetTyping {
                conversation_id,
                active,
            } => now(self.set_typing(*conversation_id, *active)),
            Command::SetHere { here } => {
                self.set_here(*here);
                now(Ok(Reply::Done))
            }
            Command::Watch { conversation_id } => now(self.watch(*conversation_id)),
            Command::SetPrivacy {
                read_receipts,
                typing,
                presence,
                timer_s,
            } => now(self.set_privacy(*read_receipts, *typing, *presence, *timer_s)),
            Command::Report {
                conversation_id,
                messages,
                reason,
            } => self.report(command_id, *conversation_id, messages, *reason),
            Command::Block { who, blocked } => self.block(command_id, command, who, *blocked),
            Command::SafetyNumber { with } => self.show_safety_number(command_id, command, with),
            _ => Ok(Ok(None)),
        }
    }

    fn wait_idle(&mut self, command_id: u64) -> Outcomes {
        self.waiting.idle.push(command_id);
        Ok(Ok(None))
    }

    /// How this account is called and found.
    fn about_account(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            Command::RequestPhoneCode { phone } => later(self.request_phone_code(command_id, phone)),
            Command::VerifyPhone { code } => later(self.verify_phone(command_id, code)),
            Command::SetName { name } => now(self.set_name(name)),
            Command::SetUsername { username } => later(self.set_username(command_id, username.as_deref())),
            _ => Ok(Ok(None)),
        }
    }

    /// What a person does in a business's thread.
    fn buy(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            Command::Pay {
                message_id,
                method,
                challenge_answer,
            } => later(self.pay(command_id, *message_id, method, challenge_answer.as_ref())?),
            Command::Payment { message_id } => later(self.own_payment(command_id, *message_id)?),
            Command::Tickets => now(self.tickets()?),
            Command::FlowExchange { .. } => self.flow_exchange(command_id, command),
            _ => Ok(Ok(None)),
        }
    }

    /// Answers those who wait until nothing is left to do. Called when there is nothing to run.
    pub(crate) fn answer_idle(&mut self) {
        if self.waiting.idle.is_empty() {
            return;
        }
        let connection = &self.connection;
        let done = connection.is_online() && !connection.ack_due && !connection.has_ack_in_flight();
        if done && self.inbox.is_empty() && self.is_quiet() {
            for command_id in std::mem::take(&mut self.waiting.idle) {
                self.reply(command_id, Ok(Reply::Done));
            }
        }
    }

    /// Whom `text` means. `None`: the server is being asked, and the command runs again with its answer.
    pub(crate) fn resolve(
        &mut self,
        command_id: u64,
        command: &Command,
        parameter: &str,
        text: &str,
    ) -> Result<Option<(Party, ConversationId)>, ApiError> {
        let me = self
            .my_account()
            .ok_or_else(|| refusal("no_account", "register first"))?;
        let who = names::who(text).map_err(|error| invalid(parameter, &error))?;
        let known = match &who {
            Who::Id(account, conversation) => match self.chats.get(conversation).map(|chat| chat.party) {
                Some(Party::Direct(peer)) => Some(peer),
                Some(Party::Group) => return Ok(Some((Party::Group, *conversation))),
                None => (self.peers.contains_key(account) || *account == me).then_some(*account),
            },
            Who::Phone(phone) => self.peer_by(|peer| peer.phone.as_ref() == Some(phone)),
            // A username may have changed hands: what we remember only counts while nobody can be asked.
            Who::Username(name) if !self.connection.has_session() => {
                self.peer_by(|peer| peer.username.as_ref() == Some(name))
            }
            Who::Username(_) => None,
        };
        let Some(account) = known else {
            let who = match who {
                Who::Phone(phone) => wire::find_account::Who::Phone(phone),
                Who::Username(name) => wire::find_account::Who::Username(name),
                Who::Id(account, _) => wire::find_account::Who::AccountId(account.to_bytes()),
            };
            let find = Body::FindAccount(wire::FindAccount { who: Some(who) });
            self.request(
                Purpose::Find(command_id, Box::new(command.clone()), text.to_owned()),
                find,
            );
            return Ok(None);
        };
        if account == me {
            return Err(invalid(parameter, "this is yourself; a chat needs somebody else"));
        }
        Ok(self
            .conversation_with(account)
            .map(|conversation| (Party::Direct(account), conversation)))
    }

    /// As [`Self::resolve`], where a group is of no use.
    pub(crate) fn resolve_person(
        &mut self,
        command_id: u64,
        command: &Command,
        parameter: &str,
        text: &str,
    ) -> Result<Option<(AccountId, ConversationId)>, ApiError> {
        match self.resolve(command_id, command, parameter, text)? {
            Some((Party::Direct(account), conversation)) => Ok(Some((account, conversation))),
            Some((Party::Group, _)) => {
                let rule = format!("{parameter} must be a person, not a group");
                Err(invalid(parameter, &rule))
            }
            None => Ok(None),
        }
    }

    fn peer_by(&self, fits: impl Fn(&Peer) -> bool) -> Option<AccountId> {
        self.peers.values().find(|peer| fits(peer)).map(|peer| peer.account)
    }

    pub(crate) fn found(&mut self, command_id: u64, command: &Command, text: &str, answer: &Answer) -> Step {
        let found = match answer {
            Ok(server_frame::Body::FindAccount(wire::FindAccountOutcome {
                outcome: Some(Outcome::Found(found)),
            })) => found,
            Ok(_) => {
                let message =
                    format!("nobody is found as {text}; check it, or ask for another way to reach this person");
                self.reply(command_id, Err(refusal("not_found", &message)));
                return Ok(());
            }
            Err(failure) => {
                self.reply(command_id, Err(failure.error.clone()));
                return Ok(());
            }
        };
        let Ok(account) = AccountId::from_slice(&found.account_id) else {
            self.reply(
                command_id,
                Err(refusal("bad_answer", "the server's answer names no account")),
            );
            return Ok(());
        };
        if self.my_account() != Some(account) {
            self.learn_names(account, text, found.username.as_ref());
            self.learn_business(account, found.business.as_ref());
        }
        self.command(command_id, &with_account(command, text, account))
    }

    /// A person is remembered by what he was found by.
    fn learn_names(&mut self, account: AccountId, text: &str, username: Option<&String>) {
        let phone = names::phone(text).ok();
        for peer in self.peers.values_mut() {
            // Numbers and names move from one person to another.
            if peer.account != account {
                peer.phone.take_if(|known| phone.as_ref() == Some(known));
                peer.username.take_if(|known| username == Some(known));
            }
        }
        let peer = self.peers.entry(account).or_insert_with(|| Peer::new(account));
        peer.username = username.cloned();
        if phone.is_some() {
            peer.phone = phone;
        }
        self.save_peer(account);
    }

    fn open_chat(&mut self, command_id: u64, command: &Command, who: &str) -> Outcomes {
        let (party, conversation) = match self.resolve(command_id, command, "who", who) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        if let Party::Direct(account) = party {
            self.open_chat_with(conversation, account, false);
        }
        let view = self.chats.get(&conversation).map(|chat| self.chat_view(chat));
        now(view
            .map(Reply::Chat)
            .ok_or_else(|| refusal("conversation_unknown", "no such conversation")))
    }

    fn show_safety_number(&mut self, command_id: u64, command: &Command, with: &str) -> Outcomes {
        let (account, conversation) = match self.resolve_person(command_id, command, "with", with) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let genesis = |chain: &crate::accounts::Chain| chain.entries().into_iter().next().map(|entry| entry.body);
        let mine = self
            .account
            .as_ref()
            .and_then(|me| Some((me.account, genesis(&me.chain)?)));
        let theirs = self.peers.get(&account).and_then(|peer| genesis(&peer.chain));
        let (Some((me, mine)), Some(theirs)) = (mine, theirs) else {
            let fetch = wire::FetchDeviceList {
                account_id: account.to_bytes(),
                from_version: 0,
            };
            let again = Box::new(with_account(command, with, account));
            self.request(Purpose::Command(command_id, again), Body::FetchDeviceList(fetch));
            return Ok(Ok(None));
        };
        if let Some(chat) = self.chats.get_mut(&conversation)
            && std::mem::take(&mut chat.safety_changed)
        {
            self.save_chat(conversation);
            self.say_chat(conversation);
        }
        now(Ok(Reply::SafetyNumber {
            safety_number: safety_number((me, &mine), (account, &theirs)),
            with: self.person(account),
        }))
    }

    /// The answer to a command's own request.
    pub(crate) fn command_answered(&mut self, command_id: u64, command: &Command, answer: &Answer) -> Step {
        if let Command::OpenInvite { link } | Command::JoinGroup { link } = command {
            self.invite_answered(command_id, command, link, answer);
            return Ok(());
        }
        let Command::SafetyNumber { with } = command else {
            let result = self.profile_answered(command, answer);
            self.reply(command_id, result);
            return Ok(());
        };
        let account = AccountId::from_hex(with);
        let learned = match (account, answer) {
            (Some(account), Ok(server_frame::Body::DeviceList(wire::DeviceListOutcome { outcome: Some(outcome) }))) => {
                match outcome {
                    wire::device_list_outcome::Outcome::List(list) => self.learn_list(account, list),
                    wire::device_list_outcome::Outcome::NotFound(_) => false,
                }
            }
            _ => false,
        };
        if learned {
            return self.command(command_id, command);
        }
        let error = match answer {
            Err(failure) => failure.error.clone(),
            Ok(_) => refusal(
                "device_list_invalid",
                "the server has no valid device list of this account",
            ),
        };
        self.reply(command_id, Err(error));
        Ok(())
    }
}

/// The command with the person whom it calls `text` given by account id.
fn with_account(command: &Command, text: &str, account: AccountId) -> Command {
    let mut command = command.clone();
    let id = account.to_string();
    let named = |who: &mut String| {
        if who == text {
            who.clone_from(&id);
        }
    };
    match &mut command {
        Command::OpenChat { who } | Command::Block { who, .. } => named(who),
        Command::SendText { to, .. } | Command::Send { to, .. } => named(to),
        Command::Business {
            request: BusinessCommand::Window { with } | BusinessCommand::RegisterOrder { with, .. },
        } => named(with),
        Command::SafetyNumber { with } => named(with),
        Command::Forward { to, .. } => to.iter_mut().for_each(named),
        Command::CreateGroup { members, .. } => members.iter_mut().for_each(named),
        Command::Group { request, .. } => match request {
            GroupCommand::Add { who } => who.iter_mut().for_each(named),
            GroupCommand::Remove { who } | GroupCommand::SetRole { who, .. } | GroupCommand::Decline { who } => {
                named(who)
            }
            GroupCommand::Leave { successor } => successor.iter_mut().for_each(named),
            _ => {}
        },
        _ => {}
    }
    command
}
