//! How far one account has our messages of one conversation, over the lives of a server.
//!
//! In a conversation of two there is one such account; in a group a message has got as far as with the slowest of those
//! whom it was for. Must not: know how marks come in, which is `receipts`.

use kabar_protocol::ids::{AccountId, ConversationId};
use serde::{Deserialize, Serialize};

use super::{
    Chat, Party,
    order::{covers, place, server_seq, timeline_of},
};
use crate::{api::MessageState, state::State};

/// Marks of one account. Every number is a place, see `order`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// When it came: messages up to here were not for it.
    pub(crate) since: u64,
    /// What earlier timelines have said.
    pub(crate) delivered_seq: u64,
    pub(crate) read_seq: u64,
    /// The same, as far as the timeline `of` says it.
    pub(crate) delivered_now: u64,
    pub(crate) read_now: u64,
    pub(crate) of: u32,
}

impl Marks {
    pub(super) fn since(since: u64, timelines: u32) -> Self {
        Self {
            since,
            of: timelines,
            ..Self::default()
        }
    }

    /// To be called before anything of a new timeline changes a mark: what the last one said is kept. `own_seq` is our
    /// newest message.
    pub(super) fn enter_timeline(&mut self, timelines: u32, own_seq: u64) {
        if self.of >= timelines {
            return;
        }
        self.of = timelines;
        let newest = u32::try_from(timeline_of(own_seq)).unwrap_or(u32::MAX);
        let settle = |settled: &mut u64, now: &mut u64| {
            if *now != 0 {
                *settled = (*settled).max(place(newest, server_seq(*now)));
                *now = 0;
            }
        };
        settle(&mut self.delivered_seq, &mut self.delivered_now);
        settle(&mut self.read_seq, &mut self.read_now);
    }

    /// How far a message of ours at this place has got; `begun_in` as in the chat.
    pub(super) fn state_of(&self, own: u64, begun_in: u32) -> MessageState {
        if own <= self.read_seq || covers(self.read_now, own, begun_in) {
            MessageState::Read
        } else if own <= self.delivered_seq || covers(self.delivered_now, own, begun_in) {
            MessageState::Delivered
        } else {
            MessageState::Sent
        }
    }

    /// Moves the mark of this state forward to `to`; says from where.
    pub(super) fn advance(&mut self, to: u64, state: MessageState) -> u64 {
        let from = match state {
            MessageState::Read => self.read_now,
            _ => self.delivered_now.max(self.read_now),
        };
        self.delivered_now = self.delivered_now.max(to);
        if state == MessageState::Read {
            self.read_now = self.read_now.max(to);
        }
        from
    }
}

impl Chat {
    /// Of the other side of a conversation of two.
    pub(super) fn marks(&self) -> Marks {
        Marks {
            since: 0,
            delivered_seq: self.peer_delivered_seq,
            read_seq: self.peer_read_seq,
            delivered_now: self.peer_delivered_now,
            read_now: self.peer_read_now,
            of: self.marks_of,
        }
    }

    fn set_marks(&mut self, marks: &Marks) {
        self.peer_delivered_seq = marks.delivered_seq;
        self.peer_read_seq = marks.read_seq;
        self.peer_delivered_now = marks.delivered_now;
        self.peer_read_now = marks.read_now;
        self.marks_of = marks.of;
    }
}

impl State {
    /// Changes the marks of an account that the conversation is with; `None` if it is another's. The caller saves.
    pub(super) fn with_marks<T>(
        &mut self,
        conversation: ConversationId,
        account: AccountId,
        change: impl FnOnce(&mut Marks, u64) -> T,
    ) -> Option<T> {
        let chat = self.chats.get_mut(&conversation)?;
        match chat.party {
            Party::Direct(peer) => (peer == account).then(|| {
                let mut marks = chat.marks();
                let result = change(&mut marks, chat.own_seq);
                chat.set_marks(&marks);
                result
            }),
            Party::Group => {
                let own_seq = chat.own_seq;
                let marks = self.teams.get_mut(&conversation)?.marks.get_mut(&account)?;
                Some(change(marks, own_seq))
            }
        }
    }

    /// Everything of this conversation that is said from now on is of the present timeline.
    pub(super) fn enter_timeline(&mut self, conversation: ConversationId) {
        let timelines = self.cursor.timelines;
        for account in self.accounts_of(conversation) {
            self.with_marks(conversation, account, |marks, own_seq| {
                marks.enter_timeline(timelines, own_seq)
            });
        }
    }

    pub(super) fn save_marks(&mut self, conversation: ConversationId) {
        match self.chats.get(&conversation).map(|chat| chat.party) {
            Some(Party::Group) => self.save_team(conversation),
            _ => self.save_chat(conversation),
        }
    }

    /// How far a message of ours has got: with everybody whom it was for.
    pub(crate) fn state_of(&self, chat: &Chat, own: u64) -> MessageState {
        match chat.party {
            Party::Direct(_) => chat.marks().state_of(own, chat.begun_in),
            Party::Group => {
                let team = self.teams.get(&chat.conversation);
                let marks = team.into_iter().flat_map(|team| team.marks.values());
                let addressed = marks.filter(|marks| marks.since < own);
                let slowest = addressed.map(|marks| marks.state_of(own, chat.begun_in)).min();
                slowest.unwrap_or(MessageState::Sent)
            }
        }
    }

    /// The same, by account: those whom it was for.
    pub(crate) fn states_of(&self, chat: &Chat, own: u64) -> Vec<(AccountId, MessageState)> {
        match chat.party {
            Party::Direct(peer) => vec![(peer, self.state_of(chat, own))],
            Party::Group => {
                let team = self.teams.get(&chat.conversation);
                let marks = team.into_iter().flat_map(|team| &team.marks);
                let addressed = marks.filter(|(_, marks)| marks.since < own);
                addressed
                    .map(|(account, marks)| (*account, marks.state_of(own, chat.begun_in)))
                    .collect()
            }
        }
    }
}
