//! Coming into a group by a link: looked at, then by an external commit of our own, or by asking.

use kabar_protocol::{
    group_info,
    ids::{AccountId, ConversationId},
    invite::{InviteCode, InviteSecret},
    limits::XWING_LEAVES_MAX,
    names,
    wire::{
        self, GroupPolicy, client_frame::Body, invite_outcome::Outcome, request_join_outcome::Outcome as Asking,
        server_frame,
    },
};
use serde::{Deserialize, Serialize};

use super::{Chat, Control, Party, Team, not_in_group, sealed};
use crate::{
    api::{ApiError, Command, GroupRole, InvitePreview, Reply, Standing},
    commands::{invalid, refusal},
    connection::{Answer, Purpose},
    state::State,
    store::Blob,
};

/// The link by which we are coming in, or have asked to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entrance {
    secret: Blob,
    /// What we were to the group before, if it is not new to us.
    was: Option<Standing>,
}

/// Code and secret of a link, whole or from its path on.
fn parse(link: &str) -> Result<(InviteCode, InviteSecret), ApiError> {
    let parts = link
        .trim()
        .rsplit_once("/i/")
        .and_then(|(_, tail)| tail.split_once('#'));
    let read = parts.and_then(|(code, secret)| InviteCode::parse(code).zip(InviteSecret::parse(secret)));
    read.ok_or_else(|| {
        invalid(
            "link",
            "link must be a whole link into a group: https://SERVER/i/CODE#SECRET",
        )
    })
}

fn gone() -> ApiError {
    refusal(
        "invite_gone",
        "this link does not work: it was taken back, has expired, or has been used as often as it may be",
    )
}

/// What a link shows of a group, checked like everything that somebody else has written; `None` if it does not open.
pub fn open_preview(link: &str, sealed: &[u8]) -> Option<wire::InvitePreview> {
    let (code, secret) = parse(link).ok()?;
    let preview: wire::InvitePreview = sealed::open(&secret, code, sealed)?;
    Some(wire::InvitePreview {
        name: group_info::name(&preview.name).ok()?,
        description: group_info::description(&preview.description).ok()?,
        inviter: names::display_name(&preview.inviter).unwrap_or_default(),
        photo: if group_info::photo(&preview.photo).is_ok() {
            preview.photo
        } else {
            Vec::new().into()
        },
    })
}

impl State {
    /// Asks what the link leads to; the command goes on with the answer.
    pub(crate) fn fetch_invite(&mut self, command_id: u64, command: &Command, link: &str) -> Result<(), ApiError> {
        let (code, _) = parse(link)?;
        if self.is_business() {
            return Err(refusal(
                "not_allowed",
                "the account of a business number is in no group",
            ));
        }
        let fetch = wire::FetchInvite {
            code: code.to_vec().into(),
        };
        let purpose = Purpose::Command(command_id, Box::new(command.clone()));
        self.request(purpose, Body::FetchInvite(fetch));
        Ok(())
    }

    /// An answer to `OpenInvite` or `JoinGroup`.
    pub(crate) fn invite_answered(&mut self, command_id: u64, command: &Command, link: &str, answer: &Answer) {
        let joins = matches!(command, Command::JoinGroup { .. });
        let result = match answer {
            Ok(server_frame::Body::Invite(outcome)) => match &outcome.outcome {
                Some(Outcome::Found(found)) if joins => match self.follow(command_id, link, found) {
                    Ok(None) => return,
                    Ok(Some(reply)) => Ok(reply),
                    Err(error) => Err(error),
                },
                Some(Outcome::Found(found)) => self.preview(link, found).map(Reply::InvitePreview),
                Some(Outcome::Gone(_)) | None => {
                    if let (true, Ok((code, _))) = (joins, parse(link)) {
                        // Whoever has asked by it need not wait any longer.
                        self.turn_away(code.conversation, &gone());
                    }
                    Err(gone())
                }
            },
            Ok(_) => Err(refusal("bad_answer", "the server's answer does not fit the question")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }

    fn preview(&self, link: &str, found: &wire::invite_outcome::Found) -> Result<InvitePreview, ApiError> {
        let (code, _) = parse(link)?;
        let damaged = || refusal("invite_damaged", "what this link says does not open: it is not whole");
        let shown = open_preview(link, &found.preview).ok_or_else(damaged)?;
        Ok(InvitePreview {
            conversation_id: code.conversation,
            name: shown.name,
            description: shown.description,
            photo: hex::encode(&shown.photo),
            inviter: shown.inviter,
            members: found.members,
            expires_at: found.expires_ms,
            approval: found.approval,
            member: self.is_in(code.conversation),
        })
    }

    fn is_in(&self, conversation: ConversationId) -> bool {
        let team = self.teams.get(&conversation);
        team.is_some_and(|team| team.standing == Standing::Member)
    }

    /// Comes in, or asks to be let in. `None`: the answer comes later.
    fn follow(
        &mut self,
        command_id: u64,
        link: &str,
        found: &wire::invite_outcome::Found,
    ) -> Result<Option<Reply>, ApiError> {
        let preview = self.preview(link, found)?;
        let conversation = preview.conversation_id;
        if preview.member {
            return self.show_group(conversation).map(Some);
        }
        let (code, secret) = parse(link)?;
        if preview.approval {
            let (Some(device), Some(account)) = (self.my_device(), &self.account) else {
                return Err(refusal("no_account", "register first"));
            };
            let note = wire::JoinNote {
                name: account.name.clone(),
            };
            let ask = wire::RequestJoin {
                code: code.to_vec().into(),
                signature: secret.open_signature(code, device).to_vec().into(),
                note: sealed::seal(&self.engine, &secret, code, &note).into(),
            };
            let purpose = Purpose::RequestJoin {
                command_id,
                link: link.to_owned(),
                preview: Box::new(preview),
            };
            self.request(purpose, Body::RequestJoin(ask));
            return Ok(None);
        }
        self.stand_before(&preview, &secret, Standing::Joining);
        self.waiting.joins.insert(conversation, command_id);
        self.due.insert(conversation);
        Ok(None)
    }

    /// The group as we know it from outside.
    fn stand_before(&mut self, preview: &InvitePreview, secret: &InviteSecret, standing: Standing) {
        let conversation = preview.conversation_id;
        let now = self.now;
        let chat = self
            .chats
            .entry(conversation)
            .or_insert_with(|| Chat::new(conversation, Party::Group, now));
        chat.on_server = true;
        chat.request = false;
        chat.resyncs_failed = 0;
        let team = self
            .teams
            .entry(conversation)
            .or_insert_with(|| Team::new(conversation, 0, GroupPolicy::default(), standing));
        let was = match (&team.entrance, team.standing) {
            (Some(entrance), _) => entrance.was,
            (None, Standing::Left | Standing::Removed) => Some(team.standing),
            (None, _) => None,
        };
        team.standing = standing;
        team.entrance = Some(Entrance {
            secret: secret.as_slice().to_vec().into(),
            was,
        });
        if team.info.name.is_empty() {
            team.info.name.clone_from(&preview.name);
            team.info.description.clone_from(&preview.description);
        }
        self.save_team(conversation);
        self.save_chat(conversation);
        self.say_chat(conversation);
    }

    /// Only what the server has noted is a request of ours.
    pub(crate) fn join_requested(&mut self, command_id: u64, link: &str, preview: &InvitePreview, answer: &Answer) {
        let result = match answer {
            Ok(server_frame::Body::RequestJoin(outcome)) => self.asked(link, preview, outcome.outcome.as_ref()),
            Ok(_) => Err(refusal("bad_answer", "the server's answer does not fit the question")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }

    fn asked(&mut self, link: &str, preview: &InvitePreview, outcome: Option<&Asking>) -> Result<Reply, ApiError> {
        let conversation = preview.conversation_id;
        let noted = match outcome {
            Some(Asking::Asked(_)) => true,
            // The Welcome is on its way, or another device of ours is in.
            Some(Asking::Member(_)) => false,
            Some(Asking::Gone(_)) | None => {
                self.turn_away(conversation, &gone());
                return Err(gone());
            }
        };
        if !self.is_in(conversation) {
            let (_, secret) = parse(link)?;
            self.stand_before(preview, &secret, Standing::Asked);
            if noted {
                return Ok(Reply::JoinAsked(preview.clone()));
            }
        }
        self.show_group(conversation)
    }

    /// Takes back that we have asked to be let in.
    pub(crate) fn withdraw(&mut self, command_id: u64, conversation: ConversationId) -> Result<(), ApiError> {
        let me = self
            .my_account()
            .ok_or_else(|| refusal("no_account", "register first"))?;
        let decline = wire::DeclineJoinRequest {
            conversation_id: conversation.to_bytes(),
            account_id: me.to_bytes(),
        };
        self.request(
            Purpose::Withdraw(command_id, conversation),
            Body::DeclineJoinRequest(decline),
        );
        Ok(())
    }

    pub(crate) fn withdrawn(&mut self, command_id: u64, conversation: ConversationId, answer: &Answer) {
        if let Err(failure) = answer {
            return self.reply(command_id, Err(failure.error.clone()));
        }
        // Whoever was let in meanwhile sees that he is in.
        let asked = self
            .teams
            .get_mut(&conversation)
            .filter(|team| team.standing == Standing::Asked);
        let withdraws = asked.map(|team| team.standing = Standing::Left).is_some();
        self.reply(command_id, self.show_group(conversation));
        if withdraws {
            self.say_chat(conversation);
            self.turn_away(conversation, &not_in_group());
        }
    }

    /// We do not come in by this link: what we were before is what we are.
    pub(super) fn turn_away(&mut self, conversation: ConversationId, error: &ApiError) {
        // Somebody else has used the link up in the meantime: whoever is not in the group is not told that there is one.
        let error = match error.code.as_str() {
            "conversation_unknown" => &gone(),
            _ => error,
        };
        if let Some(command_id) = self.waiting.joins.remove(&conversation) {
            self.reply(command_id, Err(error.clone()));
        }
        let Some(entrance) = self.teams.get_mut(&conversation).and_then(|team| team.entrance.take()) else {
            return;
        };
        match entrance.was {
            Some(was) => self.depart(conversation, was),
            None => self.abandon(conversation, error),
        }
    }

    /// The secret by which we are about to come in.
    pub(super) fn entrance(&self, conversation: ConversationId) -> Option<InviteSecret> {
        let team = self.teams.get(&conversation)?;
        let entrance = team.entrance.as_ref().filter(|_| team.standing == Standing::Joining)?;
        InviteSecret::from_slice(&entrance.secret)
    }

    /// Asks for what our external commit is built from.
    pub(super) fn fetch_invited_group(&mut self, conversation: ConversationId, secret: &InviteSecret) {
        let Some(device) = self.my_device() else { return };
        let code = secret.code(conversation);
        self.live.entry(conversation).or_default().busy = Some(Control::GroupInfo);
        let fetch = wire::FetchInvitedGroup {
            code: code.to_vec().into(),
            signature: secret.open_signature(code, device).to_vec().into(),
        };
        self.request(
            Purpose::Control(conversation, Control::GroupInfo),
            Body::FetchInvitedGroup(fetch),
        );
    }

    /// We are in the group. True if by a link.
    pub(super) fn came_in(&mut self, conversation: ConversationId) -> bool {
        let entered = self.teams.get_mut(&conversation).and_then(|team| team.entrance.take());
        if entered.is_none() {
            return false;
        }
        self.save_team(conversation);
        let command = self.waiting.joins.remove(&conversation);
        self.answer_with_group(conversation, command);
        self.say_chat(conversation);
        true
    }

    /// The others learn our name by the first thing that we say, so something is said at once: what the group is called, of
    /// which they know more. Not to strangers, and not where hundreds would do it: there it comes with our first message.
    pub(super) fn say_name(&mut self, conversation: ConversationId) {
        let (Some(chat), Some(account)) = (self.chats.get(&conversation), &self.account) else {
            return;
        };
        if chat.request || chat.name_sent >= account.name_version {
            return;
        }
        if self.teams.get(&conversation).map_or(0, |team| team.accounts().count()) <= XWING_LEAVES_MAX {
            self.repeat_info(conversation);
        }
    }

    fn repeat_info(&mut self, conversation: ConversationId) {
        if let Some(info) = self.known_info(conversation).filter(|info| !info.name.is_empty()) {
            // Fails only without an account, and who has none is in no group.
            let _ = self.queue_control(conversation, wire::content::Body::GroupInfo(info), None);
        }
    }

    /// Somebody has come in by himself: he hears what the group is called, and who is who, from who made a link, or from the
    /// owners; and everybody's name with the next thing that everybody says.
    pub(super) fn receive_newcomers(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.name_sent = 0;
        }
        let (Some(me), Some(team)) = (self.my_account(), self.teams.get(&conversation)) else {
            return;
        };
        let hosts = team.policy.invites.iter();
        let hosts = hosts.filter_map(|invite| AccountId::from_slice(&invite.created_by).ok());
        let mut hosts: Vec<AccountId> = hosts.filter(|host| team.has(*host)).collect();
        if hosts.is_empty() {
            hosts = team
                .accounts()
                .filter(|account| team.role(*account) == Some(GroupRole::Owner))
                .collect();
        }
        let first = hosts.first() == Some(&me);
        if hosts.contains(&me) {
            self.repeat_info(conversation);
        }
        // Once is enough.
        if first {
            self.tell_history(conversation);
        }
    }
}
