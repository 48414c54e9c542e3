//! Messages that stand at the top of a thread for everybody, until their time is over.

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    limits::{PIN_MS_MAX, PINS_MAX},
    wire::{self, content::Body},
};
use serde::{Deserialize, Serialize};

use super::{Chat, not_in_group, roster::Notice, wishes::not_allowed};
use crate::{
    api::{MessageKind, PinView, TimeMs},
    commands::{Outcomes, invalid},
    state::State,
};

const HOUR_MS: TimeMs = 3_600_000;
/// What clocks may differ by.
const SLACK_MS: TimeMs = HOUR_MS;

/// Part of a chat's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pinned {
    pub(crate) message_id: MessageId,
    pub(crate) until: TimeMs,
}

impl State {
    /// Answered once the server has it.
    pub(crate) fn pin(&mut self, command_id: u64, message_id: MessageId, hours: Option<u32>) -> Outcomes {
        let longest = PIN_MS_MAX / HOUR_MS;
        let until = match hours.map(TimeMs::from) {
            Some(hours) if !(1..=longest).contains(&hours) => {
                return Ok(Err(invalid("hours", &format!("hours must be 1 to {longest}"))));
            }
            Some(hours) => self.now + hours * HOUR_MS,
            None => 0,
        };
        let rule = "message_id must be the id of a message that the server has and that is on this device";
        let place = match self.row_of(message_id)? {
            Some((place, row)) if row.sub == 0 && row.kind != MessageKind::Deleted => place,
            _ => return Ok(Err(invalid("message_id", rule))),
        };
        if !self.takes_part(place.conversation) {
            return Ok(Err(not_in_group()));
        }
        let me = self.my_account();
        if !me.is_some_and(|me| self.may_arrange(place.conversation, me)) {
            return Ok(Err(not_allowed("pin messages in this group")));
        }
        let pin = wire::Pin {
            message_id: message_id.to_bytes(),
            until_ms: until,
        };
        Ok(self
            .queue_control(place.conversation, Body::Pin(pin), Some(command_id))
            .map(|()| None))
    }

    /// Somebody, perhaps we, has put a message up or taken it down.
    pub(super) fn take_pin(&mut self, conversation: ConversationId, from: AccountId, pin: &wire::Pin) {
        let Ok(message_id) = MessageId::from_slice(&pin.message_id) else {
            return;
        };
        let (now, until) = (self.now, pin.until_ms);
        if until > now + PIN_MS_MAX + SLACK_MS || !self.may_arrange(conversation, from) {
            return;
        }
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        let before = chat.pins.len();
        chat.pins.retain(|pinned| pinned.message_id != message_id);
        let stood = chat.pins.len() < before;
        if until > now {
            chat.pins.retain(|pinned| pinned.until > now);
            if chat.pins.len() >= PINS_MAX {
                chat.pins.remove(0);
            }
            chat.pins.push(Pinned { message_id, until });
        }
        let kind = match (until > now, stood) {
            (true, false) => MessageKind::NoticePinned,
            (false, true) => MessageKind::NoticeUnpinned,
            _ => return self.save_chat(conversation),
        };
        let notice = Notice {
            kind,
            from,
            about: Vec::new(),
            text: None,
            target: Some(message_id),
        };
        self.add_notice_about(conversation, notice);
    }

    pub(super) fn pins_view(&self, chat: &Chat) -> Vec<PinView> {
        let standing = chat.pins.iter().filter(|pinned| pinned.until > self.now);
        let view = |pinned: &Pinned| PinView {
            message_id: pinned.message_id,
            until: pinned.until,
        };
        standing.map(view).collect()
    }
}
