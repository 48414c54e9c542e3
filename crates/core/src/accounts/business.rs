//! Business numbers: which accounts are companies', and what conversation one has with them.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire::{self, client_frame::Body, find_account_outcome::Outcome, server_frame},
};

use super::Peer;
use crate::{
    api::{ApiError, Business, KeysHeldBy, Reply},
    commands::refusal,
    connection::{Answer, Purpose},
    state::State,
};

impl From<&wire::BusinessCard> for Business {
    fn from(card: &wire::BusinessCard) -> Self {
        Self {
            phone_number_id: card.phone_number_id,
            phone: card.phone.clone(),
            name: card.name.clone(),
            keys_held_by: match card.keys_held_by() {
                wire::KeysHeldBy::Business => KeysHeldBy::Business,
                // What is not said is assumed at its worst.
                wire::KeysHeldBy::Operator | wire::KeysHeldBy::Unspecified => KeysHeldBy::Operator,
            },
        }
    }
}

impl State {
    /// True if this is the account of a business number.
    pub(crate) fn is_business(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.enrolment.is_some())
    }

    /// The one conversation with an account: with a business on either side, a BUSINESS one.
    pub(crate) fn conversation_with(&self, account: AccountId) -> Option<ConversationId> {
        let me = self.my_account()?;
        let business = self.is_business() || self.peers.get(&account).is_some_and(|peer| peer.business.is_some());
        Some(if business {
            ConversationId::business(me, account)
        } else {
            ConversationId::direct(me, account)
        })
    }

    pub(crate) fn conversation_kind(&self, conversation: ConversationId, peer: AccountId) -> wire::ConversationKind {
        match self.my_account() {
            Some(me) if ConversationId::business(me, peer) == conversation => wire::ConversationKind::Business,
            _ => wire::ConversationKind::Direct,
        }
    }

    /// What the server says of an account that was found or asked for.
    pub(crate) fn learn_business(&mut self, account: AccountId, card: Option<&wire::BusinessCard>) {
        let business = card.map(Business::from);
        let peer = self.peers.entry(account).or_insert_with(|| Peer::new(account));
        if peer.business != business {
            peer.business = business;
            self.save_peer(account);
        }
    }

    /// A conversation was begun by a business that we know nothing of.
    pub(crate) fn ask_card(&mut self, account: AccountId) {
        let unknown = self.peers.get(&account).is_none_or(|peer| peer.business.is_none());
        if unknown && !self.is_business() && !self.connection.is_asking(&Purpose::Card(account)) {
            let who = wire::find_account::Who::AccountId(account.to_bytes());
            let find = wire::FindAccount { who: Some(who) };
            self.request(Purpose::Card(account), Body::FindAccount(find));
        }
    }

    /// How long this business number may write freely to a person.
    pub(crate) fn fetch_window(&mut self, command_id: u64, account: AccountId) {
        let fetch = wire::FetchWindow {
            account_id: account.to_bytes(),
        };
        self.request(Purpose::Window(command_id), Body::FetchWindow(fetch));
    }

    pub(crate) fn window_answered(&mut self, command_id: u64, answer: &Answer) {
        let result: Result<Reply, ApiError> = match answer {
            Ok(server_frame::Body::Window(window)) => Ok(Reply::Window {
                open_until: (window.open_until_ms > 0).then_some(window.open_until_ms),
            }),
            Ok(_) => Err(refusal("bad_answer", "the server's answer is no Window")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }

    pub(crate) fn card_answered(&mut self, account: AccountId, answer: &Answer) {
        if let Ok(server_frame::Body::FindAccount(wire::FindAccountOutcome {
            outcome: Some(Outcome::Found(found)),
        })) = answer
        {
            self.learn_business(account, found.business.as_ref());
            if let Some(conversation) = self.conversation_with(account) {
                self.say_chat(conversation);
            }
        }
    }
}
