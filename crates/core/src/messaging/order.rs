//! The order of a thread over the lives of a server, and how far messages of ours got in it.
//!
//! A server that was restored from a backup gives numbers out a second time. So a place in a thread is the count of
//! timelines that this device has seen before, and below it the server's number: what comes later always stands later,
//! and nothing takes another row's place. In a device's first timeline a place is the server's number itself.
//! Must not: let a place out to the server or the peer, who know only numbers of the present timeline.

use kabar_protocol::ids::ConversationId;

use super::Chat;
use crate::{api::MessageState, state::State};

/// Of a place, so many bits are the server's number. All of it stays below 2^53, which a browser's numbers hold.
const SEQ_BITS: u32 = 40;
const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;
/// Timelines that are told apart.
pub(crate) const TIMELINES_MAX: u32 = (1 << (53 - SEQ_BITS)) - 1;

fn place(timeline: u32, seq: u64) -> u64 {
    (u64::from(timeline) << SEQ_BITS) | seq.min(SEQ_MAX)
}

/// The server's number of a place; it means something only in the place's timeline.
pub(crate) fn server_seq(place: u64) -> u64 {
    place & SEQ_MAX
}

fn timeline_of(place: u64) -> u64 {
    place >> SEQ_BITS
}

impl State {
    /// Where the server's number stands here.
    pub(super) fn local_seq(&self, seq: u64) -> u64 {
        place(self.cursor.timelines, seq)
    }

    pub(super) fn is_of_this_timeline(&self, place: u64) -> bool {
        timeline_of(place) == u64::from(self.cursor.timelines)
    }

    /// A handshake or message has this place: notices come after it.
    pub(super) fn seen_up_to(&mut self, conversation: ConversationId, place: u64) {
        if let Some(chat) = self.chats.get_mut(&conversation)
            && place > chat.last_seq
        {
            chat.last_seq = place;
            chat.notices = 0;
        }
    }

    /// The conversation begins on this server now: its numbers say nothing of the messages before.
    pub(super) fn begins(&mut self, conversation: ConversationId) {
        let timelines = self.cursor.timelines;
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.enter_timeline(timelines);
            chat.begun_in = timelines;
        }
    }
}

impl Chat {
    /// To be called before anything of a new timeline changes a mark: what the last one said is kept.
    pub(super) fn enter_timeline(&mut self, timelines: u32) {
        if self.marks_of >= timelines {
            return;
        }
        self.marks_of = timelines;
        let newest = u32::try_from(timeline_of(self.own_seq)).unwrap_or(u32::MAX);
        let settle = |settled: &mut u64, now: &mut u64| {
            if *now != 0 {
                *settled = (*settled).max(place(newest, server_seq(*now)));
                *now = 0;
            }
        };
        settle(&mut self.peer_delivered_seq, &mut self.peer_delivered_now);
        settle(&mut self.peer_read_seq, &mut self.peer_read_now);
    }

    /// How far a message of ours at this place has got.
    pub(super) fn state_of(&self, own: u64) -> MessageState {
        if own <= self.peer_read_seq || self.covers(self.peer_read_now, own) {
            MessageState::Read
        } else if own <= self.peer_delivered_seq || self.covers(self.peer_delivered_now, own) {
            MessageState::Delivered
        } else {
            MessageState::Sent
        }
    }

    /// True if a mark of the present timeline speaks of this place: by the number, which the server has kept over a
    /// restore if it has kept the conversation.
    pub(super) fn covers(&self, mark: u64, own: u64) -> bool {
        timeline_of(own) >= u64::from(self.begun_in)
            && timeline_of(own) <= timeline_of(mark)
            && server_seq(own) <= server_seq(mark)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kabar_protocol::ids::AccountId;

    use super::*;

    fn chat() -> Chat {
        Chat::new(ConversationId([1; 16]), AccountId([2; 16]), 0)
    }

    #[test]
    fn the_first_timeline_is_the_servers_numbers_and_later_ones_come_after_it() {
        assert_eq!(place(0, 7), 7);
        assert!(place(1, 1) > place(0, SEQ_MAX));
        assert_eq!(server_seq(place(3, 9)), 9);
        assert!(place(TIMELINES_MAX, u64::MAX) < 1 << 53);
    }

    #[test]
    fn marks_of_a_new_timeline_reach_back_only_as_far_as_the_server_remembers() {
        let mut chat = chat();
        chat.own_seq = 5;
        chat.peer_delivered_now = 3;
        assert_eq!(chat.state_of(3), MessageState::Delivered);
        assert_eq!(chat.state_of(5), MessageState::Sent);
        chat.enter_timeline(1);
        assert_eq!(chat.state_of(3), MessageState::Delivered, "it never goes back");
        // Kept by the server: its old number is delivered now, and nothing else.
        chat.peer_delivered_now = place(1, 4);
        assert_eq!(chat.state_of(4), MessageState::Delivered);
        assert_eq!(chat.state_of(5), MessageState::Sent);
        assert_eq!(chat.state_of(place(1, 9)), MessageState::Sent);
        // Begun anew: the numbers are other messages'.
        chat.enter_timeline(2);
        chat.begun_in = 2;
        chat.peer_delivered_now = place(2, 5);
        assert_eq!(chat.state_of(5), MessageState::Sent);
        assert_eq!(chat.state_of(4), MessageState::Delivered);
        assert_eq!(chat.state_of(place(2, 5)), MessageState::Delivered);
        assert_eq!(chat.state_of(place(2, 6)), MessageState::Sent);
    }

    #[test]
    fn a_chat_of_the_former_version_opens_with_its_marks() {
        let mut chat = chat();
        (chat.own_seq, chat.peer_delivered_seq, chat.peer_read_seq) = (9, 8, 6);
        chat.group = Some(crate::messaging::GroupRef {
            slot: 1,
            generation: 2,
            timeline: 0,
        });
        let mut stored = ciborium::Value::serialized(&chat).unwrap();
        let fields = stored.as_map_mut().unwrap();
        let added = [
            "peer_delivered_now",
            "peer_read_now",
            "marks_of",
            "begun_in",
            "heard_in",
            "welcome",
        ];
        fields.retain(|(name, _)| !added.contains(&name.as_text().unwrap()));
        for (name, value) in fields {
            if name.as_text() == Some("group") {
                let group = value.as_map_mut().unwrap();
                group.retain(|(name, _)| name.as_text() != Some("timeline"));
            }
        }
        let chat: Chat = stored.deserialized().unwrap();
        assert_eq!(chat.group.unwrap().generation, 2);
        assert_eq!(chat.state_of(6), MessageState::Read);
        assert_eq!(chat.state_of(8), MessageState::Delivered);
        assert_eq!(chat.state_of(9), MessageState::Sent);
    }
}
