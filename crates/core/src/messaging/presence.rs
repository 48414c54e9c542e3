//! Who is there, and who types: said between devices that are online, as far as their owners allow, and never stored at the server.
//!
//! Whoever keeps something to himself is not told of it either. Only the last time that somebody let us see him stays, on this device.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire::{self, client_frame::Body, presence::Kind},
};

use super::{Chat, Party};
use crate::{
    api::{ApiError, Audience, Notification, Reply, TimeMs},
    commands::refusal,
    connection::Purpose,
    state::State,
};

/// Somebody who types says so again within this time.
const TYPING_MS: TimeMs = 6_000;
/// Somebody who was there is so until then, unless he says it again.
const HERE_MS: TimeMs = 120_000;
/// Who asked is told of changes for so long; a chat that stays open asks again.
const WATCHED_MS: TimeMs = 120_000;
/// Those who are told; whoever asked first makes room.
const WATCHERS_MAX: usize = 32;

impl State {
    /// True if this conversation is with a person who may see when we are there.
    fn is_seen_in(&self, chat: &Chat) -> bool {
        let Some(peer) = chat.peer() else {
            return false;
        };
        let allowed = match self.privacy().presence {
            Audience::Everyone => true,
            Audience::Contacts => !chat.request,
            Audience::Nobody => false,
        };
        allowed && !self.is_blocked(peer) && !self.is_business_chat(chat.conversation, peer)
    }

    /// Tells the others, if they are there to be told.
    pub(crate) fn set_typing(&mut self, conversation: ConversationId, active: bool) -> Result<Reply, ApiError> {
        let Some(chat) = self.chats.get(&conversation) else {
            return Err(unknown());
        };
        let blocked = chat.peer().is_some_and(|peer| self.is_blocked(peer));
        if self.connection.is_online() && chat.on_server && !chat.request && !blocked && self.privacy().typing {
            let typing = wire::Typing {
                conversation_id: conversation.to_bytes(),
                active,
            };
            self.request(Purpose::Ephemeral, Body::Typing(typing));
        }
        Ok(Reply::Done)
    }

    pub(crate) fn typing(&mut self, notice: &wire::TypingNotice) {
        let (Ok(conversation), Ok(account)) = (
            ConversationId::from_slice(&notice.conversation_id),
            AccountId::from_slice(&notice.account_id),
        ) else {
            return;
        };
        let chat = self.chats.get(&conversation);
        let heard = chat.is_some_and(|chat| self.is_with(chat, account)) && self.privacy().typing;
        if !heard || self.is_blocked(account) {
            return;
        }
        if !notice.active {
            return self.typing_ended(conversation, account);
        }
        let until = self.now + TYPING_MS;
        self.waiting.typing.insert((conversation, account), until);
        self.notify(Notification::Typing {
            conversation_id: conversation,
            account_id: account,
            active: true,
        });
    }

    pub(crate) fn typing_ended(&mut self, conversation: ConversationId, account: AccountId) {
        if self.waiting.typing.remove(&(conversation, account)).is_some() {
            self.notify(Notification::Typing {
                conversation_id: conversation,
                account_id: account,
                active: false,
            });
        }
    }

    /// The screen is looked at, or is not any more: whoever watches is told.
    pub(crate) fn set_here(&mut self, here: bool) {
        if std::mem::replace(&mut self.waiting.presence.here, here) == here {
            return;
        }
        let now = self.now;
        let watchers = &mut self.waiting.presence.watchers;
        watchers.retain(|_, until| *until > now);
        let told: Vec<ConversationId> = watchers.keys().copied().collect();
        for conversation in told {
            self.say_presence(conversation, if here { Kind::Here } else { Kind::Away });
        }
    }

    /// Who may see whom is about to change: nobody is shown any more, here or there, until somebody asks again.
    pub(crate) fn presence_ends(&mut self) {
        let presence = std::mem::take(&mut self.waiting.presence);
        self.waiting.presence.here = presence.here;
        for conversation in presence.watchers.into_keys().filter(|_| presence.here) {
            self.say_presence(conversation, Kind::Away);
        }
        for conversation in presence.seen.into_keys() {
            self.say_chat(conversation);
        }
    }

    /// Asks whether the other side is there; what comes of it shows in the chat.
    pub(crate) fn watch(&mut self, conversation: ConversationId) -> Result<Reply, ApiError> {
        if !self.chats.contains_key(&conversation) {
            return Err(unknown());
        }
        self.say_presence(conversation, Kind::Asked);
        Ok(Reply::Done)
    }

    fn say_presence(&mut self, conversation: ConversationId, kind: Kind) {
        let chat = self.chats.get(&conversation);
        let seen = chat.is_some_and(|chat| chat.on_server && self.is_seen_in(chat));
        if !seen || !self.connection.is_online() {
            return;
        }
        let mut presence = wire::Presence {
            conversation_id: conversation.to_bytes(),
            ..wire::Presence::default()
        };
        presence.set_kind(kind);
        self.request(Purpose::Ephemeral, Body::Presence(presence));
    }

    pub(crate) fn presence(&mut self, notice: &wire::PresenceNotice) {
        let Ok(conversation) = ConversationId::from_slice(&notice.conversation_id) else {
            return;
        };
        let chat = self.chats.get(&conversation).filter(|chat| self.is_seen_in(chat));
        let Some(Party::Direct(peer)) = chat.map(|chat| chat.party) else {
            return;
        };
        if notice.account_id[..] != *peer.as_slice() {
            return;
        }
        match notice.kind() {
            Kind::Asked => self.watched(conversation),
            Kind::Here => {
                let until = self.now + HERE_MS;
                self.waiting.presence.seen.insert(conversation, until);
                self.seen_now(conversation, peer);
            }
            Kind::Away => self.went_away(conversation),
            Kind::Unspecified => {}
        }
    }

    fn watched(&mut self, conversation: ConversationId) {
        let until = self.now + WATCHED_MS;
        let watchers = &mut self.waiting.presence.watchers;
        watchers.insert(conversation, until);
        if watchers.len() > WATCHERS_MAX
            && let Some(first) = watchers.iter().min_by_key(|(_, until)| **until).map(|(id, _)| *id)
        {
            watchers.remove(&first);
        }
        if self.waiting.presence.here {
            self.say_presence(conversation, Kind::Here);
        }
    }

    /// He is not there any more, or has not said so for a while.
    pub(crate) fn went_away(&mut self, conversation: ConversationId) {
        if self.waiting.presence.seen.remove(&conversation).is_some()
            && let Some(peer) = self.chats.get(&conversation).and_then(Chat::peer)
        {
            self.seen_now(conversation, peer);
        }
    }

    fn seen_now(&mut self, conversation: ConversationId, peer: AccountId) {
        let now = self.now;
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.seen_at = Some(now);
        }
        self.save_peer(peer);
        self.say_chat(conversation);
    }

    pub(crate) fn is_here(&self, conversation: ConversationId) -> bool {
        self.waiting.presence.seen.contains_key(&conversation)
    }

    /// When he last let us see him; nothing while he is there, or while we keep it to ourselves.
    pub(crate) fn last_seen(&self, chat: &Chat) -> Option<TimeMs> {
        let peer = self.peers.get(&chat.peer()?)?;
        peer.seen_at
            .filter(|_| self.is_seen_in(chat) && !self.is_here(chat.conversation))
    }
}

fn unknown() -> ApiError {
    refusal("conversation_unknown", "no such conversation on this device")
}
