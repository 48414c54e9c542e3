//! Who is spoken to in a text, and which unread messages speak to us.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    limits::MENTION_ALL_MEMBERS_MAX,
    mention, policy,
    wire::{self, content::Body},
};

use super::Row;
use crate::{
    api::{ApiError, Mention, MessageKind, Shown},
    commands::{invalid, refusal},
    state::State,
};

/// Unread messages that are remembered in a chat for speaking to us.
const MENTIONED_KEPT: usize = 100;

/// What mentions of a content are in.
fn text_of(body: &Body) -> Option<&str> {
    match body {
        Body::Text(text) => Some(&text.body),
        Body::File(file) => Some(&file.caption),
        _ => None,
    }
}

/// The mentions of a content that came; none if they break a rule.
pub(super) fn of(content: &wire::Content) -> Vec<Mention> {
    let text = content.body.as_ref().and_then(text_of);
    let sound = text.filter(|text| mention::mentions(&content.mentions, text).is_ok());
    sound.map_or_else(Vec::new, |_| content.mentions.iter().map(Mention::of).collect())
}

/// Of what is to be sent.
fn check(mentions: &[Mention], content: &Shown) -> Result<(), ApiError> {
    let wire: Vec<wire::Mention> = mentions.iter().map(Mention::wire).collect();
    let body = content.body();
    mention::mentions(&wire, text_of(&body).unwrap_or_default()).map_err(|error| invalid(error.field, &error))
}

fn speaks_to_all(mentions: &[Mention]) -> bool {
    mentions.iter().any(|mention| mention.account_id.is_none())
}

impl State {
    /// Speaking to everybody in a large group is for admins.
    pub(crate) fn check_mentions(
        &self,
        conversation: ConversationId,
        mentions: &[Mention],
        content: &Shown,
    ) -> Result<(), ApiError> {
        check(mentions, content)?;
        let me = self.my_account();
        if speaks_to_all(mentions) && !me.is_some_and(|me| self.may_speak_to_all(conversation, me)) {
            let rule = format!(
                "everybody is spoken to in groups only, and in those of more than {MENTION_ALL_MEMBERS_MAX} members by admins"
            );
            return Err(refusal("not_allowed", &rule));
        }
        Ok(())
    }

    fn may_speak_to_all(&self, conversation: ConversationId, account: AccountId) -> bool {
        let team = self.teams.get(&conversation);
        team.is_some_and(|team| {
            team.accounts().count() <= MENTION_ALL_MEMBERS_MAX || policy::may_moderate(&team.policy, account)
        })
    }

    /// A message that came, or was changed: mentions that do not count are gone from it, and the chat knows whether it speaks to us.
    pub(super) fn hear_mentions(&mut self, conversation: ConversationId, row: &mut Row) {
        if speaks_to_all(&row.mentions) && !self.may_speak_to_all(conversation, row.from) {
            row.mentions.retain(|mention| mention.account_id.is_some());
        }
        let speaks = self.is_spoken_to(row);
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        chat.mentioned.retain(|(_, message)| *message != row.message_id);
        if speaks && row.seq > chat.read_seq && chat.mentioned.len() < MENTIONED_KEPT {
            chat.mentioned.push((row.seq, row.message_id));
            chat.mentioned.sort_unstable();
        }
    }

    pub(super) fn is_spoken_to(&self, row: &Row) -> bool {
        let me = self.my_account();
        let named = |mention: &Mention| mention.account_id.is_none() || mention.account_id == me;
        Some(row.from) != me && row.kind != MessageKind::Deleted && row.mentions.iter().any(named)
    }
}
