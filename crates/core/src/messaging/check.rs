//! After a restore of the server: is its group of a conversation still ours?
//!
//! Of two groups with the same epoch, the server cannot tell which one a message is for, and who is in the other cannot
//! read it. So each group is compared once per timeline with the server's GroupInfo: before anything is sent into it, after
//! something has come from it, and otherwise when its turn comes, because whoever still is in the server's group may write into
//! it, and sees nothing wrong, while we are in another.
//! If the server's group is another, the others may be outside of it as we are, and an external commit would leave them
//! there: the next generation has a Welcome for everybody, so that none misses what follows.
//! Must not: be needed for ever. A server that cannot answer is believed after a few attempts.

use kabar_protocol::{
    ids::ConversationId,
    wire::{self, client_frame::Body, error::Code, group_info_outcome::Outcome, server_frame},
};

use super::{Chat, Control, Live, resync::RESYNCS_MAX};
use crate::{
    api::TimeMs,
    connection::{Answer, Purpose},
    mls,
    state::State,
};

/// Checks in a row that the server let pass or refused, after which messages go out without one. Counted over
/// connections.
const CHECKS_MAX: u32 = 3;
/// Checks under way at once, of conversations in which nobody writes at the moment.
const CHECKS_AT_ONCE: usize = 8;
/// So long without an answer, and it counts.
const SILENCE_MS: TimeMs = 20_000;
/// How long the commits that we lack may take to arrive by themselves.
const BEHIND_MS: TimeMs = 3_000;

impl Live {
    /// The connection is gone. If it went soon, that says nothing of whether the server can answer.
    pub(super) fn check_cut(&mut self, now: TimeMs) {
        if matches!(self.busy, Some(Control::Check { .. })) && now < self.checking_since + SILENCE_MS {
            self.checks = self.checks.saturating_sub(1);
        }
    }
}

impl State {
    /// Something of this conversation is on the server of now. The caller saves the cursor with it.
    pub(super) fn heard_of(&mut self, conversation: ConversationId) {
        let timelines = self.cursor.timelines;
        if self.is_unchecked(conversation)
            && let Some(chat) = self.chats.get_mut(&conversation)
            && chat.heard_in < timelines
        {
            chat.heard_in = timelines;
            self.save_chat(conversation);
            self.due.insert(conversation);
        }
    }

    /// True if the group was the server's in an earlier timeline, and may be another's now.
    pub(super) fn is_unchecked(&self, conversation: ConversationId) -> bool {
        let group = self.chats.get(&conversation).and_then(|chat| chat.group);
        group.is_some_and(|group| group.timeline < self.cursor.timelines)
    }

    /// Looks at conversations that were not compared in this timeline, as many as there is room for.
    pub(crate) fn check_more(&mut self) {
        let room = CHECKS_AT_ONCE.saturating_sub(self.checks_under_way());
        let waiting = self.chats.keys().copied().filter(|id| self.may_check(*id));
        let next: Vec<_> = waiting.take(room).collect();
        self.due.extend(next);
    }

    fn checks_under_way(&self) -> usize {
        let checking = |live: &&Live| matches!(live.busy, Some(Control::Check { .. }));
        self.live.values().filter(checking).count()
    }

    /// Not where something else has to happen first: it would take the room of the others.
    fn may_check(&self, conversation: ConversationId) -> bool {
        let settled = |chat: &Chat| chat.candidate.is_none() && !chat.lost;
        let idle = |live: &Live| {
            live.busy.is_none() && live.checks < CHECKS_MAX && live.retry_at.is_none() && live.behind_until.is_none()
        };
        self.is_unchecked(conversation)
            && self.takes_part(conversation)
            && self.chats.get(&conversation).is_some_and(settled)
            && self.live.get(&conversation).is_none_or(idle)
    }

    /// Asks for the server's group if it has to be known now. True if so: everything else waits for the answer. The
    /// group is loaded.
    pub(super) fn check_group(&mut self, conversation: ConversationId) -> bool {
        let Some(chat) = self
            .chats
            .get(&conversation)
            .filter(|_| self.is_unchecked(conversation))
        else {
            return false;
        };
        let wanted = chat.heard_in == self.cursor.timelines
            || chat.pending_commit.is_some()
            || self.is_about_to_write(conversation)
            || self.checks_under_way() < CHECKS_AT_ONCE;
        let Some((slot, epoch)) = chat
            .group
            .and_then(|group| Some((group.slot, self.group_epoch(conversation, group.slot)?)))
        else {
            return false;
        };
        let now = self.now;
        let live = self.live.entry(conversation).or_default();
        if !wanted || live.checks >= CHECKS_MAX {
            return false;
        }
        live.checks += 1;
        live.checking_since = now;
        let control = Control::Check { slot, epoch };
        live.busy = Some(control);
        let fetch = wire::FetchGroupInfo {
            conversation_id: conversation.to_bytes(),
        };
        self.request(Purpose::Control(conversation, control), Body::FetchGroupInfo(fetch));
        true
    }

    /// `slot` and `epoch` are those that we asked with. The group is loaded.
    pub(super) fn check_answered(&mut self, conversation: ConversationId, slot: u32, epoch: u64, answer: &Answer) {
        let info = match answer {
            Ok(server_frame::Body::GroupInfo(wire::GroupInfoOutcome {
                outcome: Some(Outcome::Info(info)),
            })) => info,
            Ok(server_frame::Body::GroupInfo(wire::GroupInfoOutcome {
                outcome: Some(Outcome::NotFound(_)),
            })) => return self.forget_conversation(conversation),
            Ok(_) => return self.pause(conversation, None),
            Err(failure) => {
                if matches!(failure.kind, Code::RateLimited | Code::Unavailable) {
                    // It will answer, and takes no message either until then.
                    self.live.entry(conversation).or_default().checks = 0;
                }
                return self.wait_after(conversation, &failure.error);
            }
        };
        let live = self.live.entry(conversation).or_default();
        live.checks = 0;
        let Some(group) = self.chats.get(&conversation).and_then(|chat| chat.group) else {
            return;
        };
        if group.slot != slot || self.group_epoch(conversation, slot) != Some(epoch) {
            // It has gone on in the meantime: asked again at the next look.
            return;
        }
        match (group.generation, epoch).cmp(&(info.generation, info.epoch)) {
            // Whether what we lack belongs to our group, its commits will say.
            std::cmp::Ordering::Less => {
                let until = self.now + BEHIND_MS;
                let live = self.live.entry(conversation).or_default();
                live.behind_until.get_or_insert(until);
            }
            std::cmp::Ordering::Equal if self.is_group_of(conversation, slot, &info.group_info) => {
                self.group_checked(conversation, info.seq);
            }
            std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => self.is_another_group(conversation, info),
        }
    }

    fn group_checked(&mut self, conversation: ConversationId, seq: u64) {
        let (timeline, seq) = (self.cursor.timelines, self.local_seq(seq));
        if let Some(chat) = self.chats.get_mut(&conversation) {
            if let Some(group) = chat.group.as_mut() {
                group.timeline = timeline;
            }
            // The server's log up to here is in the group.
            chat.handshake_seq = seq;
        }
        self.save_chat(conversation);
    }

    fn is_another_group(&mut self, conversation: ConversationId, info: &wire::group_info_outcome::Info) {
        self.lose(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            // Stored first: after a crash it goes on from here.
            chat.resyncs_failed = RESYNCS_MAX;
            // A reset of an earlier timeline is not the server's any more.
            chat.reset_at = None;
            chat.pending_commit = None;
        }
        self.save_chat(conversation);
        self.begin_reset(conversation, info);
    }

    fn is_group_of(&self, conversation: ConversationId, slot: u32, group_info: &[u8]) -> bool {
        let group = self.groups.get(conversation, slot);
        group.is_some_and(|group: &mls::Group| group.is_described_by(group_info))
    }
}
