//! Links that we make into a group of ours, and people who ask to be let in.
//!
//! A link without approval is a key in the group's policy, which every member knows; the secret half is on the device that
//! made it, and in the link. Must not: let anybody in, which is the policy's.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    invite::{InviteCode, InviteSecret},
    limits::INVITE_LIFETIME_MS_MAX,
    wire::{
        self, GroupInvite, GroupPolicy, client_frame::Body, publish_invite_outcome::Outcome as Publishing,
        revoke_invite_outcome::Outcome as Revoking, server_frame,
    },
};
use serde::{Deserialize, Serialize};

use super::{Control, Wanted, sealed};
use crate::{
    api::{ApiError, InviteView, JoinRequestView, Person, Reply, TimeMs},
    commands::{invalid, refusal},
    connection::{Answer, Purpose},
    state::State,
    store::Blob,
};

const HOUR_MS: TimeMs = 3_600_000;
const HOURS_DEFAULT: u32 = 7 * 24;
/// Links of one group that a device keeps.
const LINKS_MAX: usize = 16;

/// A link that we have made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Link {
    secret: Blob,
    pub(super) made_at: TimeMs,
    expires_ms: TimeMs,
    uses_max: u32,
    pub(super) approval: bool,
}

impl Link {
    fn secret(&self) -> Option<InviteSecret> {
        InviteSecret::from_slice(&self.secret)
    }

    fn public_key(&self) -> [u8; 32] {
        self.secret().map(|secret| secret.public_key()).unwrap_or_default()
    }
}

/// The policy with this link, and without those that have expired.
pub(super) fn with_invite(policy: &GroupPolicy, me: AccountId, link: &Link) -> GroupPolicy {
    let key = link.public_key();
    let mut policy = policy.clone();
    if policy.invites.iter().any(|invite| invite.public_key[..] == key) {
        return policy;
    }
    policy.invites.retain(|invite| invite.expires_ms > link.made_at);
    policy.invites.push(GroupInvite {
        public_key: key.to_vec().into(),
        expires_ms: link.expires_ms,
        created_by: me.to_bytes(),
    });
    policy.invites.sort_by(|a, b| a.public_key.cmp(&b.public_key));
    policy
}

pub(super) fn without_invite(policy: &GroupPolicy, key: &[u8; 32]) -> GroupPolicy {
    let mut policy = policy.clone();
    policy.invites.retain(|invite| invite.public_key[..] != key[..]);
    policy
}

impl State {
    pub(crate) fn wanted_link(
        &self,
        hours: Option<u32>,
        uses: Option<u32>,
        approval: bool,
    ) -> Result<Wanted, ApiError> {
        let hours = hours.unwrap_or(HOURS_DEFAULT);
        let lifetime = TimeMs::from(hours) * HOUR_MS;
        if hours == 0 || lifetime > INVITE_LIFETIME_MS_MAX {
            let rule = format!("hours must be 1 to {}", INVITE_LIFETIME_MS_MAX / HOUR_MS);
            return Err(invalid("hours", &rule));
        }
        if uses == Some(0) {
            return Err(invalid("uses", "uses must be at least 1"));
        }
        // The server's clock may be a little ahead, and it allows no longer lifetime.
        let lifetime = lifetime.min(INVITE_LIFETIME_MS_MAX - HOUR_MS);
        Ok(Wanted::Invite(Link {
            secret: self.engine.random::<{ InviteSecret::BYTES }>().to_vec().into(),
            made_at: self.now,
            expires_ms: self.now + lifetime,
            uses_max: uses.unwrap_or_default(),
            approval,
        }))
    }

    pub(crate) fn unwanted_link(&self, conversation: ConversationId, code: &str) -> Result<Wanted, ApiError> {
        let code = InviteCode::parse(code);
        let team = self.teams.get(&conversation);
        let ours = team
            .into_iter()
            .flat_map(|team| team.links.iter().map(Link::public_key));
        let known = team.into_iter().flat_map(|team| &team.policy.invites);
        let known = known.filter_map(|invite| <[u8; 32]>::try_from(&invite.public_key[..]).ok());
        let key = ours
            .chain(known)
            .find(|key| code.is_some_and(|code| code.names(conversation, key)));
        key.map(Wanted::Uninvite)
            .ok_or_else(|| invalid("code", "code must be that of a link into this group"))
    }

    /// Tells the server of a link that the group has agreed to. True: everything else waits for the answer.
    pub(super) fn publish_link(&mut self, conversation: ConversationId, link: &Link) -> bool {
        let (Some(secret), Some(team)) = (link.secret(), self.teams.get(&conversation)) else {
            return false;
        };
        let preview = wire::InvitePreview {
            name: team.info.name.clone(),
            description: team.info.description.clone(),
            photo: team.info.photo.to_vec().into(),
            inviter: self
                .account
                .as_ref()
                .map(|account| account.name.clone())
                .unwrap_or_default(),
        };
        let publish = wire::PublishInvite {
            conversation_id: conversation.to_bytes(),
            public_key: secret.public_key().to_vec().into(),
            expires_ms: link.expires_ms,
            uses_max: link.uses_max,
            approval: link.approval,
            preview: sealed::seal(&self.engine, &secret, secret.code(conversation), &preview).into(),
        };
        self.ask_about_link(conversation, Body::PublishInvite(publish))
    }

    pub(super) fn unpublish_link(&mut self, conversation: ConversationId, key: &[u8; 32]) -> bool {
        let revoke = wire::RevokeInvite {
            conversation_id: conversation.to_bytes(),
            public_key: key.to_vec().into(),
        };
        self.ask_about_link(conversation, Body::RevokeInvite(revoke))
    }

    fn ask_about_link(&mut self, conversation: ConversationId, body: Body) -> bool {
        self.live.entry(conversation).or_default().busy = Some(Control::Invite);
        self.request(Purpose::Control(conversation, Control::Invite), body);
        true
    }

    /// The wish for it is the first.
    pub(super) fn link_answered(&mut self, conversation: ConversationId, answer: &Answer) {
        let denied = |denied: &wire::PolicyDenied| Err(refusal(&denied.rule, &denied.message));
        let result = match answer {
            Ok(server_frame::Body::PublishInvite(outcome)) => match &outcome.outcome {
                Some(Publishing::Published(_)) => Ok(()),
                Some(Publishing::PolicyDenied(rule)) => denied(rule),
                None => return self.pause(conversation, None),
            },
            Ok(server_frame::Body::RevokeInvite(outcome)) => match &outcome.outcome {
                Some(Revoking::Revoked(_)) => Ok(()),
                Some(Revoking::PolicyDenied(rule)) => denied(rule),
                None => return self.pause(conversation, None),
            },
            Ok(_) => return self.pause(conversation, None),
            Err(failure) => match failure.kind {
                wire::error::Code::Unauthenticated => return self.drop_connection(),
                wire::error::Code::Unavailable => return self.pause(conversation, failure.error.retry_after_ms),
                _ => Err(failure.error.clone()),
            },
        };
        let Some(team) = self.teams.get_mut(&conversation) else {
            return;
        };
        let Some(wish) = team.wishes.front_mut() else {
            return;
        };
        let id = wish.id;
        match (&result, wish.change.clone()) {
            (Ok(()), Wanted::Invite(link)) => {
                team.links.push(link);
                let surplus = team.links.len().saturating_sub(LINKS_MAX);
                team.links.drain(..surplus);
            }
            (Ok(()), Wanted::Uninvite(key)) => team.links.retain(|link| link.public_key() != key),
            (Err(error), Wanted::Invite(link)) if !link.approval => {
                // The group has agreed to a link that leads nowhere: its key goes again.
                wish.change = Wanted::Uninvite(link.public_key());
                self.save_team(conversation);
                self.due.insert(conversation);
                if let Some(command_id) = self.waiting.wishes.remove(&(conversation, id)) {
                    self.reply(command_id, Err(error.clone()));
                }
                return;
            }
            _ => {}
        }
        self.wish_ended(conversation, id, result);
    }

    pub(super) fn answer_with_link(&mut self, conversation: ConversationId, link: &Link, command: Option<u64>) {
        if let Some(command_id) = command
            && let Some(view) = self.link_view(conversation, link)
        {
            self.reply(command_id, Ok(Reply::Invite(view)));
        }
    }

    fn link_view(&self, conversation: ConversationId, link: &Link) -> Option<InviteView> {
        let secret = link.secret()?;
        let code = secret.code(conversation);
        Some(InviteView {
            code: code.to_string(),
            path: Some(format!("/i/{code}#{}", secret.text())),
            by: self.person(self.my_account()?),
            expires_at: link.expires_ms,
            uses_max: link.uses_max,
            approval: link.approval,
        })
    }

    /// Those that have not expired: our own, then what others have made.
    pub(super) fn invite_views(&self, team: &super::Team) -> Vec<InviteView> {
        let in_force = |link: &&Link| {
            let key = link.public_key();
            let agreed = team.policy.invites.iter().any(|invite| invite.public_key[..] == key);
            link.expires_ms > self.now && (link.approval || agreed)
        };
        let own = team.links.iter().filter(in_force);
        let mut views: Vec<InviteView> = own.filter_map(|link| self.link_view(team.conversation, link)).collect();
        for invite in team.policy.invites.iter().filter(|invite| invite.expires_ms > self.now) {
            let code = InviteCode::new(team.conversation, &invite.public_key).to_string();
            let Ok(by) = AccountId::from_slice(&invite.created_by) else {
                continue;
            };
            if views.iter().all(|known| known.code != code) {
                views.push(InviteView {
                    code,
                    path: None,
                    by: self.person(by),
                    expires_at: invite.expires_ms,
                    uses_max: 0,
                    approval: false,
                });
            }
        }
        views
    }

    pub(crate) fn fetch_join_requests(&mut self, command_id: u64, conversation: ConversationId) {
        let fetch = wire::FetchJoinRequests {
            conversation_id: conversation.to_bytes(),
        };
        self.request(
            Purpose::JoinRequests(command_id, conversation),
            Body::FetchJoinRequests(fetch),
        );
    }

    pub(crate) fn decline_join_request(&mut self, command_id: u64, conversation: ConversationId, account: AccountId) {
        let decline = wire::DeclineJoinRequest {
            conversation_id: conversation.to_bytes(),
            account_id: account.to_bytes(),
        };
        self.request(
            Purpose::JoinRequests(command_id, conversation),
            Body::DeclineJoinRequest(decline),
        );
    }

    pub(crate) fn join_requests_answered(&mut self, command_id: u64, conversation: ConversationId, answer: &Answer) {
        let result = match answer {
            Ok(server_frame::Body::JoinRequests(waiting)) => {
                let requests = waiting.requests.iter();
                Ok(Reply::JoinRequests {
                    requests: requests.filter_map(|asker| self.asker(conversation, asker)).collect(),
                })
            }
            Ok(server_frame::Body::JoinRequestDeclined(_)) => Ok(Reply::Done),
            Ok(_) => Err(refusal("bad_answer", "the server's answer does not fit the question")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }

    /// The name in the note is for whoever has the link's secret; others see whom they know, or the account.
    fn asker(&self, conversation: ConversationId, request: &wire::JoinRequest) -> Option<JoinRequestView> {
        let account = AccountId::from_slice(&request.account_id).ok()?;
        let code = InviteCode::from_slice(&request.code)?;
        let links = self.teams.get(&conversation).into_iter().flat_map(|team| &team.links);
        let secret = links
            .filter_map(Link::secret)
            .find(|secret| secret.code(conversation) == code);
        let note: Option<wire::JoinNote> = secret.and_then(|secret| sealed::open(&secret, code, &request.note));
        let given = note.and_then(|note| kabar_protocol::names::display_name(&note.name).ok());
        let known = self.person(account);
        let name = if known.name.is_empty() {
            given.unwrap_or_default()
        } else {
            known.name.clone()
        };
        Some(JoinRequestView {
            person: Person { name, ..known },
            asked_at: request.time_ms,
        })
    }
}
