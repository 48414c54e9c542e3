//! What is said about a conversation as a whole: messages of class CONTROL that every member takes in by the same rules.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    policy,
    wire::{self, content::Body},
};

use super::Chat;
use crate::{api::Reply, state::State};

pub(super) fn is_setting(content: &wire::Content) -> bool {
    matches!(
        content.body,
        Some(Body::GroupInfo(_) | Body::History(_) | Body::Pin(_) | Body::Timer(_))
    )
}

impl State {
    /// In a group, whoever may edit what it is called; in a chat of two, both.
    pub(super) fn may_arrange(&self, conversation: ConversationId, account: AccountId) -> bool {
        let team = self.teams.get(&conversation);
        team.is_none_or(|team| policy::may_edit(&team.policy, account))
    }

    pub(super) fn is_with_business(&self, conversation: ConversationId) -> bool {
        let peer = self.chats.get(&conversation).and_then(Chat::peer);
        peer.is_some_and(|peer| self.is_business_chat(conversation, peer))
    }

    /// Somebody, perhaps we, has said it; `seq` is the place of the message.
    pub(super) fn take_setting(
        &mut self,
        conversation: ConversationId,
        from: AccountId,
        content: &wire::Content,
        seq: u64,
    ) {
        match &content.body {
            Some(Body::GroupInfo(info)) => self.take_group_info(conversation, from, info, seq),
            Some(Body::History(history)) => self.take_history(conversation, from, content, history),
            Some(Body::Pin(pin)) => self.take_pin(conversation, from, pin),
            Some(Body::Timer(timer)) => self.take_timer(conversation, from, timer),
            _ => {}
        }
    }

    /// The server has what a command of ours says.
    pub(super) fn answer_setting(
        &mut self,
        conversation: ConversationId,
        content: &wire::Content,
        command: Option<u64>,
    ) {
        match (&content.body, command) {
            (Some(Body::GroupInfo(_)), command) => self.answer_with_group(conversation, command),
            (_, Some(command_id)) => self.reply(command_id, Ok(Reply::Done)),
            (_, None) => {}
        }
    }
}
