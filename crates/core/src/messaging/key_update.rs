//! Renewing this device's keys in a group, so that a conversation heals from stolen state.
//!
//! A commit with a path and nothing else gives this device a new leaf key and the group a new epoch, from secrets that
//! no copy of its state holds. It goes out before a message, when the keys have lived long enough in days or messages.
//! It is a commit like any other: pending, submitted and merged by `commits`.
//! Must not: be needed. Whatever becomes of an update, messages go on, and another chance comes.

use kabar_protocol::ids::ConversationId;
use serde::{Deserialize, Serialize};

use super::commits::Built;
use crate::{api::TimeMs, mls::Engine, state::State};

/// Age at which keys are renewed, at the next message.
const AGE_MAX_DAYS: TimeMs = 7;
/// A random part of age and count, up to so much, is left off: two who began at once do not commit at once.
const EARLIER_MAX_PERCENT: u64 = 25;
/// After a commit of ours that was not accepted, the next update is at least so far away in minutes and messages; a
/// random part, up to half of it, is left off.
const PUT_OFF_MINUTES: TimeMs = 20;
const PUT_OFF_MESSAGES: u32 = 10;

const AGE_MAX_MS: TimeMs = AGE_MAX_DAYS * 86_400_000;
const PUT_OFF_MS: TimeMs = PUT_OFF_MINUTES * 60_000;

/// When the keys of one group are due. Part of the chat's row; the default is due, as keys of unknown age are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct KeyUpdate {
    at: TimeMs,
    messages_left: u32,
}

impl KeyUpdate {
    /// Application messages of this device, read receipts among them, after which keys are renewed.
    pub(crate) const MESSAGES_MAX: u32 = 100;

    fn after_renewal(engine: &Engine, now: TimeMs, messages: u32) -> Self {
        Self {
            at: now.saturating_add(shortened(engine, AGE_MAX_MS.unsigned_abs(), EARLIER_MAX_PERCENT).cast_signed()),
            messages_left: shortened_count(engine, messages, EARLIER_MAX_PERCENT),
        }
    }

    fn put_off(&mut self, engine: &Engine, now: TimeMs, messages: u32) {
        let pause = shortened(engine, PUT_OFF_MS.unsigned_abs(), 50).cast_signed();
        self.at = self.at.max(now.saturating_add(pause));
        let messages = shortened_count(engine, messages.min(PUT_OFF_MESSAGES), 50);
        self.messages_left = self.messages_left.max(messages);
    }

    /// A message of ours was encrypted.
    pub(super) fn count_message(&mut self) {
        self.messages_left = self.messages_left.saturating_sub(1);
    }

    fn is_due(self, now: TimeMs) -> bool {
        // Later than ever set: the clock has been put back since.
        let unreachable = self.at > now.saturating_add(AGE_MAX_MS);
        self.messages_left == 0 || self.at <= now || unreachable
    }
}

/// `full`, less a random part of up to so many percent of it.
fn shortened(engine: &Engine, full: u64, percent_max: u64) -> u64 {
    let part = full / 100 * percent_max;
    full - u64::from_be_bytes(engine.random()) % (part + 1)
}

fn shortened_count(engine: &Engine, full: u32, percent_max: u64) -> u32 {
    // A hundredth of a message: small counts vary too.
    let hundredths = shortened(engine, u64::from(full) * 100, percent_max);
    u32::try_from(hundredths.div_ceil(100)).unwrap_or(full)
}

impl State {
    /// Our leaf is new: created, joined with, or renewed by a commit of ours. The caller saves the chat.
    ///
    /// A leaf that came by a KeyPackage is counted from the joining: otherwise every new conversation would begin
    /// with a commit.
    pub(super) fn keys_renewed(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.key_update = KeyUpdate::after_renewal(&self.engine, self.now, self.key_update_messages);
        }
    }

    /// A commit of ours was not accepted. Trying again at once would only be the next race. The caller saves the chat.
    pub(super) fn put_off_key_update(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.key_update
                .put_off(&self.engine, self.now, self.key_update_messages);
        }
    }

    /// Builds an update if one is due and something is about to go out. True if so: what waits goes out after it, as
    /// after any commit. The group is loaded, is as it should be, and no commit of ours is pending.
    pub(super) fn update_keys(&mut self, conversation: ConversationId) -> bool {
        let due = self
            .chats
            .get(&conversation)
            .is_some_and(|chat| chat.key_update.is_due(self.now));
        if !due || !self.is_about_to_write(conversation) {
            return false;
        }
        if self.commit(conversation, Vec::new(), &[], None, None) == Built::Pending {
            return true;
        }
        self.put_off_key_update(conversation);
        self.save_chat(conversation);
        false
    }

    pub(super) fn is_about_to_write(&self, conversation: ConversationId) -> bool {
        let Some((chat, live)) = self.chats.get(&conversation).zip(self.live.get(&conversation)) else {
            return false;
        };
        let waits = self
            .queued(conversation)
            .any(|intent| intent.failed.is_none() && !live.in_flight.contains_key(&intent.order));
        !live.draining && (waits || self.has_queued_flow(conversation) || self.may_send_read_receipt(chat))
    }
}
