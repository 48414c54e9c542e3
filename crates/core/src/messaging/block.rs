//! People and businesses whom a person does not want to hear from. Known to this device only: neither they nor the server learn it.
//!
//! What they write to us alone is decrypted, so that the keys go on, and dropped: it is never delivered, read or shown, and never
//! comes back. In groups of which both are members they are heard, as everywhere: whoever does not want that leaves.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire::{self, content::Body},
};

use super::{Chat, Wanted};
use crate::{
    api::{ApiError, Command, Reply},
    commands::{Outcomes, now, refusal},
    state::State,
};

impl State {
    pub(crate) fn is_blocked(&self, account: AccountId) -> bool {
        self.peers.get(&account).is_some_and(|peer| peer.blocked)
    }

    pub(crate) fn block(&mut self, command_id: u64, command: &Command, who: &str, blocked: bool) -> Outcomes {
        let (account, conversation) = match self.resolve_person(command_id, command, "who", who) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        self.open_chat_with(conversation, account, false);
        if let Some(peer) = self.peers.get_mut(&account) {
            peer.blocked = blocked;
        }
        self.save_peer(account);
        if blocked {
            self.typing_ended(conversation, account);
            self.went_away(conversation);
        }
        self.say_chat(conversation);
        let view = self.chats.get(&conversation).map(|chat| self.chat_view(chat));
        now(view
            .map(Reply::Chat)
            .ok_or_else(|| refusal("conversation_unknown", "no such conversation")))
    }

    /// True if this is to be dropped unseen. What he takes back is taken back all the same.
    pub(super) fn is_unwanted(&self, conversation: ConversationId, from: AccountId, content: &wire::Content) -> bool {
        let direct = self.chats.get(&conversation).and_then(Chat::peer) == Some(from);
        direct && self.is_blocked(from) && !matches!(content.body, Some(Body::Deleted(_)))
    }

    /// Whom we have blocked has put us into a group: we leave it, as a person would.
    pub(super) fn stay_out(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.arranged.archived = true;
        }
        self.save_chat(conversation);
        // A team that has just come has no other wishes.
        let _ = self.wish(None, conversation, Wanted::Leave(None));
    }

    /// Whoever is blocked is not written to either.
    pub(super) fn check_wanted(&self, conversation: ConversationId) -> Result<(), ApiError> {
        let peer = self.chats.get(&conversation).and_then(Chat::peer);
        match peer.is_some_and(|peer| self.is_blocked(peer)) {
            true => Err(refusal("blocked", "you have blocked whom you write to: unblock first")),
            false => Ok(()),
        }
    }
}
