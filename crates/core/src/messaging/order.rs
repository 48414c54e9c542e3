//! The order of a thread over the lives of a server, and how far messages of ours got in it.
//!
//! A server that was restored from a backup gives numbers out a second time. So a place in a thread is the count of
//! timelines that this device has seen before, and below it the server's number: what comes later always stands later,
//! and nothing takes another row's place. In a device's first timeline a place is the server's number itself.
//! Must not: let a place out to the server or the peer, who know only numbers of the present timeline.

use kabar_protocol::ids::ConversationId;

use crate::state::State;

/// Of a place, so many bits are the server's number. All of it stays below 2^53, which a browser's numbers hold.
const SEQ_BITS: u32 = 40;
const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;
/// Timelines that are told apart.
pub(crate) const TIMELINES_MAX: u32 = (1 << (53 - SEQ_BITS)) - 1;

pub(super) fn place(timeline: u32, seq: u64) -> u64 {
    (u64::from(timeline) << SEQ_BITS) | seq.min(SEQ_MAX)
}

/// The server's number of a place; it means something only in the place's timeline.
pub(crate) fn server_seq(place: u64) -> u64 {
    place & SEQ_MAX
}

pub(super) fn timeline_of(place: u64) -> u64 {
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
        self.enter_timeline(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.begun_in = self.cursor.timelines;
        }
    }
}

/// True if a mark of the present timeline speaks of this place: by the number, which the server has kept over a restore if
/// it has kept the conversation, which it began in the timeline `begun_in`.
pub(super) fn covers(mark: u64, own: u64, begun_in: u32) -> bool {
    timeline_of(own) >= u64::from(begun_in)
        && timeline_of(own) <= timeline_of(mark)
        && server_seq(own) <= server_seq(mark)
}

/// How many rows have to be read, most often, to find those that are newer than `from` and not newer than `to`: two for
/// each number, as notices have one too, and what shows the end. `None` where older timelines count: the numbers do not say.
pub(super) fn rows_between(begun_in: u32, from: u64, to: u64) -> Option<u32> {
    if [from, to].map(timeline_of) != [u64::from(begun_in); 2] {
        return None;
    }
    let rows = to.saturating_sub(from).saturating_mul(2).saturating_add(2);
    u32::try_from(rows).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kabar_protocol::ids::AccountId;

    use super::*;
    use crate::{
        api::MessageState,
        messaging::{Chat, Marks, Party},
    };

    fn chat() -> Chat {
        Chat::new(ConversationId([1; 16]), Party::Direct(AccountId([2; 16])), 0)
    }

    #[test]
    fn the_first_timeline_is_the_servers_numbers_and_later_ones_come_after_it() {
        assert_eq!(place(0, 7), 7);
        assert!(place(1, 1) > place(0, SEQ_MAX));
        assert_eq!(server_seq(place(3, 9)), 9);
        assert!(place(TIMELINES_MAX, u64::MAX) < 1 << 53);
    }

    #[test]
    fn a_small_step_of_a_mark_reads_few_rows_where_numbers_tell() {
        assert_eq!(rows_between(0, 6, 7), Some(4));
        assert_eq!(rows_between(2, place(2, 6), place(2, 9)), Some(8));
        assert_eq!(
            rows_between(0, place(2, 6), place(2, 9)),
            None,
            "older places count too"
        );
        assert_eq!(rows_between(0, 6, place(1, 7)), None);
        assert_eq!(rows_between(0, 7, 6), Some(2));
        assert_eq!(rows_between(0, 0, SEQ_MAX), None);
    }

    #[test]
    fn marks_of_a_new_timeline_reach_back_only_as_far_as_the_server_remembers() {
        let mut marks = Marks {
            delivered_now: 3,
            ..Marks::default()
        };
        assert_eq!(marks.state_of(3, 0), MessageState::Delivered);
        assert_eq!(marks.state_of(5, 0), MessageState::Sent);
        marks.enter_timeline(1, 5);
        assert_eq!(marks.state_of(3, 0), MessageState::Delivered, "it never goes back");
        // Kept by the server: its old number is delivered now, and nothing else.
        marks.delivered_now = place(1, 4);
        assert_eq!(marks.state_of(4, 0), MessageState::Delivered);
        assert_eq!(marks.state_of(5, 0), MessageState::Sent);
        assert_eq!(marks.state_of(place(1, 9), 0), MessageState::Sent);
        // Begun anew: the numbers are other messages'.
        marks.enter_timeline(2, 5);
        marks.delivered_now = place(2, 5);
        assert_eq!(marks.state_of(5, 2), MessageState::Sent);
        assert_eq!(marks.state_of(4, 2), MessageState::Delivered);
        assert_eq!(marks.state_of(place(2, 5), 2), MessageState::Delivered);
        assert_eq!(marks.state_of(place(2, 6), 2), MessageState::Sent);
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
            "muted_until",
            "arranged",
        ];
        fields.retain(|(name, _)| !added.contains(&name.as_text().unwrap()));
        for (name, value) in fields {
            if name.as_text() == Some("group") {
                let group = value.as_map_mut().unwrap();
                group.retain(|(name, _)| name.as_text() != Some("timeline"));
            }
        }
        let chat: Chat = stored.deserialized().unwrap();
        assert_eq!(
            chat.peer(),
            Some(AccountId([2; 16])),
            "an account alone stood for whom it is with"
        );
        assert_eq!(chat.group.unwrap().generation, 2);
        assert_eq!(chat.marks().state_of(6, 0), MessageState::Read);
        assert_eq!(chat.marks().state_of(8, 0), MessageState::Delivered);
        assert_eq!(chat.marks().state_of(9, 0), MessageState::Sent);
    }
}
