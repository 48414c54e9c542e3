//! Messages whose time is over leave every device: the row, its envelope, and what the chat knew of it.
//!
//! Each says itself when (`expires_at_ms`), by its sender's clock and the timer of the chat as it was. Must not: depend on a server,
//! which only stops to deliver them (`ttl_s`).

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    limits::{TIMER_SECONDS_MAX, TIMER_SECONDS_MIN},
    wire::{self, MessageClass, content::Body},
};

use serde::{Deserialize, Serialize};

use super::{Place, Row, not_in_group, roster::Notice, wishes::not_allowed};
use crate::{
    api::{ApiError, Key, MessageKind, Notification, TimeMs},
    commands::{Outcomes, invalid, refusal},
    state::{State, Work},
    store::{self, keys},
    tx::{Range, Step, after},
};

const LONGEST_MS: TimeMs = TIMER_SECONDS_MAX as TimeMs * 1_000;
/// Messages that vanish in one step.
const VANISH_ROWS: u32 = 100;

/// Where a message is that vanishes. One row, under its time; another for each edit of it that the feed tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Vanishing {
    place: Place,
    /// What the feed says of it, and nobody may have read yet; 0: nothing.
    feed: u64,
}

/// A row of [`Vanishing`] whose time is over, and the message if it is still there.
struct Gone {
    key: Key,
    entry: Vanishing,
    row: Option<Row>,
}

/// When a message that came is to go: not later than the longest timer allows, whatever its sender's clock says.
pub(super) fn expiry(content: &wire::Content, time: TimeMs) -> Option<TimeMs> {
    content.expires_at_ms.map(|at| at.clamp(0, time + LONGEST_MS))
}

impl State {
    /// Answered once the server has it.
    pub(crate) fn set_timer_of(&mut self, command_id: u64, conversation: ConversationId, seconds: u32) -> Outcomes {
        if seconds != 0 && !(TIMER_SECONDS_MIN..=TIMER_SECONDS_MAX).contains(&seconds) {
            let rule = format!("seconds must be 0, or {TIMER_SECONDS_MIN} to {TIMER_SECONDS_MAX}");
            return Ok(Err(invalid("seconds", &rule)));
        }
        if !self.chats.contains_key(&conversation) {
            let message = "no such conversation on this device";
            return Ok(Err(refusal("conversation_unknown", message)));
        }
        if self.is_with_business(conversation) {
            let message = "messages to and from businesses stay: orders, tickets and receipts are among them";
            return Ok(Err(refusal("business_chat", message)));
        }
        if !self.takes_part(conversation) {
            return Ok(Err(not_in_group()));
        }
        if !self.my_account().is_some_and(|me| self.may_arrange(conversation, me)) {
            return Ok(Err(not_allowed("set how long messages of this group stay")));
        }
        let timer = Body::Timer(wire::Timer { seconds });
        Ok(self.queue_control(conversation, timer, Some(command_id)).map(|()| None))
    }

    /// The first message of a chat that we begin says before it how long messages stay, if we have wished so for all of them.
    pub(super) fn begin_with_timer(&mut self, conversation: ConversationId) -> Result<(), ApiError> {
        let seconds = self.privacy().timer_s;
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return Ok(());
        };
        let new = !chat.on_server && chat.last.is_none() && chat.candidate.is_none() && chat.peer().is_some();
        if seconds == 0 || !new || chat.timer_s == seconds || self.is_with_business(conversation) {
            return Ok(());
        }
        let timer = wire::Timer { seconds };
        if let Some(me) = self.my_account() {
            // What is written next has to know of it; the others hear it first.
            self.take_timer(conversation, me, &timer);
        }
        self.queue_control(conversation, Body::Timer(timer), None)
    }

    /// Somebody, perhaps we, has set how long messages stay from now on.
    pub(super) fn take_timer(&mut self, conversation: ConversationId, from: AccountId, timer: &wire::Timer) {
        let allowed = self.may_arrange(conversation, from) && !self.is_with_business(conversation);
        if timer.seconds > TIMER_SECONDS_MAX || !allowed {
            return;
        }
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        if std::mem::replace(&mut chat.timer_s, timer.seconds) == timer.seconds {
            return;
        }
        let notice = Notice {
            kind: MessageKind::NoticeTimer,
            from,
            about: Vec::new(),
            text: Some(timer.seconds.to_string()),
            target: None,
        };
        self.add_notice_about(conversation, notice);
    }

    /// Of a message of ours that is written now.
    pub(super) fn expiry_of(&self, conversation: ConversationId, class: MessageClass) -> Option<TimeMs> {
        let timer = self.chats.get(&conversation)?.timer_s;
        (class == MessageClass::Content && timer > 0).then(|| self.now + TimeMs::from(timer) * 1_000)
    }

    /// A message is in its thread, as `said_by` or changed by it, and before that in the feed: it goes when its time is over.
    pub(super) fn note_expiry(&mut self, place: Place, row: &Row, said_by: MessageId) {
        let Some(at) = row.expires_at.filter(|_| row.sub == 0) else {
            return;
        };
        let in_feed = self.feeds() && self.my_account() != Some(row.from);
        let feed = if in_feed { self.cursor.next_feed } else { 0 };
        self.put(keys::expiry(at, said_by), &Vanishing { place, feed });
        if self.cursor.vanish_at.is_none_or(|next| at < next) {
            self.cursor.vanish_at = Some(at);
            self.save_cursor();
        }
    }

    pub(crate) fn vanish_timer(&mut self) {
        let due = self.cursor.vanish_at.is_some_and(|at| at <= self.now);
        if due && !self.work.iter().any(|work| matches!(work, Work::Vanish)) {
            self.work.push_back(Work::Vanish);
        }
    }

    pub(crate) fn vanish(&mut self) -> Step {
        let entries = self.range(Range {
            prefix: keys::EXPIRY.to_vec(),
            from: keys::EXPIRY.to_vec(),
            limit: VANISH_ROWS,
            reverse: false,
        })?;
        let now = self.now;
        let mut next = None;
        let (mut gone, mut unreadable) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            if keys::expires_at(&key).is_none_or(|at| at > now) {
                next = keys::expires_at(&key);
                break;
            }
            let Ok(entry) = store::decode::<Vanishing>(&value) else {
                unreadable.push(key);
                continue;
            };
            let Place { conversation, seq, sub } = entry.place;
            let row = self.read::<Row>(keys::message(conversation, seq, sub))?;
            gone.push(Gone { key, entry, row });
        }
        let last = match gone.first().map(|gone| gone.entry.place.conversation) {
            // One chat at a time: the newest message that it keeps has to be read.
            Some(conversation) => {
                gone.retain(|gone| gone.entry.place.conversation == conversation);
                self.newest_but(conversation, &gone)?.map(|row| (conversation, row))
            }
            None => None,
        };
        // Nothing changes before the rows are here: until then this runs again.
        if gone.is_empty() && unreadable.is_empty() {
            self.cursor.vanish_at = next;
        } else {
            self.work.push_back(Work::Vanish);
        }
        self.save_cursor();
        unreadable.into_iter().for_each(|key| self.delete(key));
        self.forget_rows(gone, last);
        Ok(())
    }

    /// The newest row of a conversation that stays; `None` inside if none does.
    fn newest_but(&mut self, conversation: ConversationId, gone: &[Gone]) -> Step<Option<Option<Row>>> {
        let last = self.chats.get(&conversation).and_then(|chat| chat.last.as_ref());
        let is_gone = |row: &Row| gone.iter().any(|gone| gone.entry.place.seq == row.seq && row.sub == 0);
        if !last.is_some_and(is_gone) {
            return Ok(None);
        }
        let rows = self.range(Range {
            prefix: keys::messages(conversation),
            from: after(&keys::messages(conversation)),
            limit: VANISH_ROWS + 1,
            reverse: true,
        })?;
        let mut rows = rows.iter().filter_map(|(_, value)| store::decode::<Row>(value).ok());
        Ok(Some(rows.find(|row| !is_gone(row))))
    }

    fn forget_rows(&mut self, gone: Vec<Gone>, last: Option<(ConversationId, Option<Row>)>) {
        let me = self.my_account();
        let Some(conversation) = gone.first().map(|gone| gone.entry.place.conversation) else {
            return;
        };
        for Gone { key, entry, row } in gone {
            let seq = entry.place.seq;
            self.delete(key);
            self.delete(keys::message(conversation, seq, 0));
            self.delete(keys::envelope(conversation, seq));
            if entry.feed > 0 {
                self.delete(keys::feed(entry.feed));
            }
            // Where it was stays known, so that it does not come again.
            let (Some(row), Some(chat)) = (row, self.chats.get_mut(&conversation)) else {
                continue;
            };
            if Some(row.from) != me && row.seq > chat.read_seq && row.kind != MessageKind::Deleted {
                chat.unread = chat.unread.saturating_sub(1);
            }
            chat.forget(row.message_id);
            if Some(row.from) == me {
                self.leave_server(entry.place, &row);
            }
            self.delete(keys::star(row.time, row.message_id));
            self.take_off_shelf(&entry.place, &row);
            self.notify(Notification::Vanished {
                conversation_id: conversation,
                message_id: row.message_id,
            });
        }
        if let Some((_, last)) = last
            && let Some(chat) = self.chats.get_mut(&conversation)
        {
            chat.last = last;
        }
        self.save_chat(conversation);
        self.say_chat(conversation);
    }
}
