//! What a device has: chats, messages, and the envelopes behind them. Reads only.

use kabar_protocol::ids::{ConversationId, MessageId};

use crate::{
    api::{MessageView, Reply, ServerItem},
    commands::{Outcomes, invalid, now, refusal},
    messaging::{Envelope, Place, Row, class_name},
    state::State,
    store::{self, keys},
    tx::{Range, after},
};

const LIST_LIMIT_MAX: u32 = 200;
const SERVER_VIEW_MAX: u32 = 50;

impl State {
    pub(crate) fn list_chats(&self) -> Reply {
        let mut chats: Vec<_> = self.chats.values().map(|chat| self.chat_view(chat)).collect();
        chats.sort_by_key(|chat| std::cmp::Reverse((chat.pinned, chat.updated_at)));
        Reply::Chats { chats }
    }

    pub(crate) fn get_message(&mut self, message_id: MessageId) -> Outcomes {
        let rule = "message_id must be the id of a message on this device";
        let message = self.message_view(message_id)?.map(Reply::Message);
        now(message.ok_or_else(|| invalid("message_id", rule)))
    }

    pub(crate) fn list_messages(
        &mut self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: u32,
    ) -> Outcomes {
        if limit == 0 || limit > LIST_LIMIT_MAX {
            return Ok(Err(invalid("limit", &format!("limit must be 1 to {LIST_LIMIT_MAX}"))));
        }
        let queued: Vec<MessageView> = self
            .queued_messages(conversation)
            .rev()
            .map(|intent| self.intent_view(intent))
            .collect();
        let mut messages = queued;
        let mut from = after(&keys::messages(conversation));
        if let Some(before) = before {
            match messages.iter().position(|message| message.message_id == before) {
                Some(index) => drop(messages.drain(..=index)),
                None => match self.read::<Place>(keys::index(before))? {
                    Some(place) if place.conversation == conversation => {
                        messages.clear();
                        from = keys::message(conversation, place.seq, place.sub);
                    }
                    _ => {
                        return Ok(Err(invalid(
                            "before",
                            "before must be the id of a message in this conversation",
                        )));
                    }
                },
            }
        }
        let rows = self.range(Range {
            prefix: keys::messages(conversation),
            from,
            limit: limit + 1,
            reverse: true,
        })?;
        let Some(chat) = self.chats.get(&conversation) else {
            return Ok(Err(refusal(
                "conversation_unknown",
                "no such conversation on this device",
            )));
        };
        let rows = rows.iter().filter_map(|(_, value)| store::decode::<Row>(value).ok());
        messages.extend(rows.map(|row| self.row_view(chat, &row)));
        let limit = limit as usize;
        let more = messages.len() > limit;
        messages.truncate(limit);
        now(Ok(Reply::Messages { messages, more }))
    }

    pub(crate) fn server_view(&mut self, conversation: ConversationId, limit: u32) -> Outcomes {
        let limit = limit.clamp(1, SERVER_VIEW_MAX);
        let prefix = keys::envelopes(conversation);
        let envelopes = self.range(Range {
            from: after(&prefix),
            prefix,
            limit,
            reverse: true,
        })?;
        let mut items = Vec::new();
        for (key, value) in envelopes {
            let seq = key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
            let (Some(seq), Ok(envelope)) = (seq, store::decode::<Envelope>(&value)) else {
                continue;
            };
            let Some(row) = self.read::<Row>(keys::message(conversation, seq, 0))? else {
                continue;
            };
            let Some(chat) = self.chats.get(&conversation) else {
                continue;
            };
            items.push(ServerItem {
                message: self.row_view(chat, &row),
                sender_device: envelope.device,
                class: class_name(envelope.class).into(),
                bytes: envelope.payload.len(),
                envelope: hex::encode(&*envelope.payload),
            });
        }
        now(Ok(Reply::ServerView { items }))
    }
}
