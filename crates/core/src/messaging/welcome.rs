//! The way into a conversation that somebody else has begun: a Welcome, or, if it is of no use, by ourselves.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    policy::{self, GroupFacts},
    wire::{self, deliver::Kind},
};
use sha2::{Digest as _, Sha256};

use super::{Chat, GroupRef, Party};
use crate::{
    api::MessageKind,
    mls::{self, Group, Storage},
    state::{State, Wait},
    store::{Blob, keys},
    tx::Step,
};

impl State {
    /// A Welcome into a new conversation, into the next generation of one, or into one that a restored server begins
    /// anew: then our group is of an earlier timeline, and whatever generation it had does not count.
    pub(super) fn take_welcome(&mut self, conversation: ConversationId, item: &wire::Deliver) -> Step {
        let chat = self.chats.get(&conversation);
        let known = chat.and_then(|chat| chat.group);
        let again = known.is_some_and(|group| group.generation >= item.generation);
        let team = self.teams.contains_key(&conversation);
        // The same Welcome again would bring used keys back.
        let had = chat.is_some_and(|chat| chat.welcome == Some(digest(&item.payload)));
        if had || (again && !self.is_unchecked(conversation)) {
            if known.is_none() {
                self.lose(conversation);
            }
            return Ok(());
        }
        let last = match self.load_group(conversation)? {
            // A group begun anew by a restored server has the roles that it had.
            Some(group) if !again || team => group.facts().ok(),
            _ => None,
        };
        let mut packages = Vec::new();
        for key in mls::welcome_keys(&item.payload).unwrap_or_default() {
            if let Some(value) = self.read_raw(key.clone())? {
                packages.push((key, value));
            }
        }
        let slot = self.chats.get(&conversation).map_or(0, |chat| chat.next_slot) + 1;
        let mut missing = Vec::new();
        let storage = Storage::new(keys::group_slot(conversation, slot), packages);
        let joined = Group::join(&self.engine, storage, &item.payload, |id, generation, facts| {
            if id != conversation || generation != item.generation {
                return Err(policy::PolicyError::GroupPolicy);
            }
            if let Some(last) = &last {
                policy::check_reset(last, facts)?;
            }
            self.check_entered(conversation, generation, facts, &mut missing)
        });
        let unknown = match joined {
            Ok((group, adder)) => {
                self.welcomed(conversation, slot, group, adder.account, item);
                return Ok(());
            }
            Err(_) => self.ask_device_lists(missing),
        };
        match unknown {
            Some(account) => {
                if !self.inbox_waits_for(Wait::DeviceList(account))? {
                    self.not_welcomed(conversation, item);
                }
            }
            // Not for us any more, or an old one: the group that we have will be compared with the server's.
            None if again => {}
            None => self.not_welcomed(conversation, item),
        }
        Ok(())
    }

    /// `adder` has signed the Welcome.
    fn welcomed(
        &mut self,
        conversation: ConversationId,
        slot: u32,
        group: Group,
        adder: AccountId,
        item: &wire::Deliver,
    ) {
        let known = self.chats.get(&conversation).is_some_and(|chat| chat.group.is_some());
        let reset = known && item.kind() == Kind::Reset;
        let Ok(facts) = group.facts() else {
            return self.not_welcomed(conversation, item);
        };
        if facts.policy.kind() == wire::ConversationKind::Group {
            self.know(adder);
            self.open_group_chat(conversation, Some(adder));
        } else {
            let Some(peer) = self.other_account(&facts) else {
                return self.not_welcomed(conversation, item);
            };
            self.open_chat_with(conversation, peer, true);
        }
        self.keep_group(conversation, slot, group);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.next_slot = slot;
            chat.welcome = Some(digest(&item.payload));
        }
        if item.kind() == Kind::Welcome {
            self.begins(conversation);
        }
        // A group of our own making lost against this one.
        self.drop_candidate(conversation);
        let group = GroupRef {
            slot,
            generation: item.generation,
            timeline: self.cursor.timelines,
        };
        self.adopt(conversation, group, item.seq);
        self.entered_group(conversation, Some(adder), item.seq);
        if facts.policy.kind() == wire::ConversationKind::Group && self.is_blocked(adder) {
            self.stay_out(conversation);
        }
        if reset {
            self.add_notice(conversation, MessageKind::NoticeReset);
        }
    }

    /// A Welcome that we cannot use: the server counts us in all the same, so we join by ourselves.
    fn not_welcomed(&mut self, conversation: ConversationId, item: &wire::Deliver) {
        self.quarantine(conversation, item);
        let sender = item
            .sender
            .as_ref()
            .and_then(|sender| AccountId::from_slice(&sender.account_id).ok());
        if item.conversation_kind() == wire::ConversationKind::Group && !self.is_business() {
            self.open_group_chat(conversation, sender);
        } else {
            self.meet(conversation, sender);
        }
        self.lose(conversation);
    }

    fn other_account(&self, facts: &GroupFacts) -> Option<AccountId> {
        let me = self.my_account()?;
        facts.roster().into_iter().find(|account| *account != me)
    }

    /// Makes the chat with `sender` if `conversation` is the direct one with him.
    pub(super) fn meet(&mut self, conversation: ConversationId, sender: Option<AccountId>) {
        if let (Some(me), Some(peer)) = (self.my_account(), sender)
            && me != peer
            && [ConversationId::direct(me, peer), ConversationId::business(me, peer)].contains(&conversation)
        {
            self.open_chat_with(conversation, peer, true);
        }
    }

    /// `by_peer`: he began it, which makes it a request unless we know it already.
    pub(crate) fn open_chat_with(&mut self, conversation: ConversationId, peer: AccountId, by_peer: bool) {
        self.know(peer);
        if !self.chats.contains_key(&conversation) {
            let mut chat = Chat::new(conversation, Party::Direct(peer), self.now);
            chat.request = by_peer;
            self.chats.insert(conversation, chat);
            self.save_chat(conversation);
        }
        if self.conversation_kind(conversation, peer) == wire::ConversationKind::Business {
            self.ask_card(peer);
        }
    }
}

fn digest(welcome: &[u8]) -> Blob {
    Sha256::digest(welcome).to_vec().into()
}
