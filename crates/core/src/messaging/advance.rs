//! One look at a conversation: the next thing that it needs, in the order in which things depend on each other.

use kabar_protocol::ids::ConversationId;

use super::{CandidateKind, Chat, FlowCall};
use crate::{
    api::TimeMs,
    state::{State, Work},
    tx::Step,
};

/// How long a fetched log may take before it is asked for again.
const LOG_PAUSE_MS: TimeMs = 10_000;

impl State {
    pub(crate) fn advance(&mut self, conversation: ConversationId) -> Step {
        if self.is_rolling_back() || self.me().is_none() || !self.takes_part(conversation) {
            return Ok(());
        }
        let now = self.now;
        let live = self.live.entry(conversation).or_default();
        if live.busy.is_some() || live.retry_at.is_some_and(|at| at > now) {
            return Ok(());
        }
        live.retry_at = None;
        let waits_for_welcome = live.welcome_until.is_some_and(|until| until > now);
        let Some(chat) = self.chats.get(&conversation) else {
            return Ok(());
        };
        if chat.candidate.is_some() {
            self.submit_candidate(conversation);
            return Ok(());
        }
        if chat.group.is_some() && !chat.lost {
            return self.keep_up(conversation);
        }
        let (on_server, lost) = (chat.on_server, chat.lost);
        if let Some(secret) = self.entrance(conversation) {
            self.fetch_invited_group(conversation, &secret);
            return Ok(());
        }
        let wanted = lost || self.has_queued(conversation) || self.has_wishes(conversation);
        if on_server && wanted && !waits_for_welcome {
            self.fetch_group_info(conversation);
        } else if !on_server && wanted {
            self.begin_group(conversation, CandidateKind::Create, 0, None);
        }
        Ok(())
    }

    /// We are in the group: first it must be the group that it should be, then messages go out.
    fn keep_up(&mut self, conversation: ConversationId) -> Step {
        let Some(active) = self.load_group(conversation)?.map(crate::mls::Group::is_active) else {
            return Ok(());
        };
        if !active {
            self.lose(conversation);
            return Ok(());
        }
        let behind = self.live.entry(conversation).or_default().behind_until.is_some();
        if !behind && self.check_group(conversation) {
            return Ok(());
        }
        if self
            .chats
            .get(&conversation)
            .is_some_and(|chat| chat.pending_commit.is_some())
        {
            self.submit_commit(conversation);
            return Ok(());
        }
        let now = self.now;
        let live = self.live.entry(conversation).or_default();
        if let Some(until) = live.behind_until {
            // The commit that we lack is in the queue, or else in the log.
            if until <= now {
                live.behind_until = Some(now + LOG_PAUSE_MS);
                self.fetch_log(conversation);
            }
            return Ok(());
        }
        if self.remove_revoked(conversation)? {
            return Ok(());
        }
        if self.change_group(conversation) {
            return Ok(());
        }
        if self.update_keys(conversation) {
            return Ok(());
        }
        self.publish(conversation)?;
        self.send_flows(conversation);
        self.send_read_receipt(conversation);
        Ok(())
    }

    pub(crate) fn has_queued(&self, conversation: ConversationId) -> bool {
        self.queued(conversation).any(|intent| intent.failed.is_none())
    }

    /// Times at which a conversation wants another look.
    fn looks(&self, chat: &Chat) -> impl Iterator<Item = TimeMs> {
        let live = self.live.get(&chat.conversation);
        let receipt = self.receipt_due_at(chat, live.map(|live| live.receipt_at).unwrap_or_default());
        let waits = live
            .map(|live| [live.retry_at, live.behind_until, live.welcome_until])
            .unwrap_or_default();
        waits.into_iter().flatten().chain(receipt)
    }

    /// What the clock has made due.
    pub(crate) fn timers(&mut self) {
        let now = self.now;
        self.connection_timers();
        let due: Vec<_> = self
            .chats
            .values()
            .filter(|chat| self.looks(chat).any(|at| at <= now))
            .collect();
        let due: Vec<ConversationId> = due.into_iter().map(|chat| chat.conversation).collect();
        self.due.extend(due);
        let ended: Vec<_> = self
            .waiting
            .typing
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(who, _)| *who)
            .collect();
        for (conversation, account) in ended {
            self.work.push_back(Work::Typing(conversation, account));
        }
        let away = self.waiting.presence.seen.iter().filter(|(_, until)| **until <= now);
        let away: Vec<_> = away.map(|(conversation, _)| Work::Away(*conversation)).collect();
        self.work.extend(away);
        self.registration_timer();
        self.vanish_timer();
        self.withdraw_timer();
        self.flow_timers();
    }

    /// Asks to be woken when the clock matters next.
    pub(crate) fn set_timer(&mut self) {
        let looks = self.chats.values().flat_map(|chat| self.looks(chat));
        let times = looks
            .chain(self.connection.deadlines())
            .chain(self.waiting.typing.values().copied())
            .chain(self.waiting.presence.seen.values().copied())
            .chain(self.waiting.flows.iter().map(FlowCall::until))
            .chain(self.waiting.registering.map(|(_, until)| until))
            .chain(self.withdrawing.retry_at)
            .chain(self.cursor.vanish_at.map(|at| at.max(self.now + 1)));
        // What is due now waits for something else than the clock.
        let next = times.filter(|at| *at > self.now && *at != TimeMs::MAX).min();
        if next != self.wake_at
            && let Some(at) = next
        {
            self.out.push(crate::api::Output::WakeAt(at));
        }
        self.wake_at = next;
    }

    /// Everything may want something from a new connection.
    pub(crate) fn wake_all(&mut self) {
        self.due.extend(self.chats.keys().copied());
    }

    /// True if nothing of a conversation waits to go out.
    pub(crate) fn is_quiet(&self) -> bool {
        let busy = self
            .live
            .values()
            .any(|live| live.busy.is_some() || !live.in_flight.is_empty() || live.receipt_in_flight);
        let owing = self.chats.values().any(|chat| {
            chat.candidate.is_some()
                || chat.pending_commit.is_some()
                || self.owes_read_receipt(chat)
                || chat.lost
                || self.has_wishes(chat.conversation)
        });
        let queued = self.intents.values().any(|intent| intent.failed.is_none());
        !busy && !owing && !queued && self.withdrawing.is_quiet()
    }
}
