//! Messages that a person keeps to find again. Known to this device only.

use kabar_protocol::ids::MessageId;

use super::{Place, Row};
use crate::{
    api::{FoundMessage, MessageKind, Reply},
    commands::{Outcomes, invalid, now},
    state::State,
    store::{self, keys},
    tx::{Range, after},
};

const LIMIT_MAX: u32 = 200;

impl State {
    pub(crate) fn star(&mut self, message_id: MessageId, starred: bool) -> Outcomes {
        let Some((place, mut row)) = self.row_of(message_id)? else {
            let rule = "message_id must be the id of a message that the server has and that is on this device";
            return Ok(Err(invalid("message_id", rule)));
        };
        if row.sub != 0 || row.kind == MessageKind::Deleted {
            return Ok(Err(invalid("message_id", "this message cannot be starred")));
        }
        if row.starred != starred {
            row.starred = starred;
            let key = keys::star(row.time, message_id);
            if starred {
                self.put(key, &place);
            } else {
                self.delete(key);
            }
            self.put_changed(&place, row);
        }
        now(Ok(Reply::Done))
    }

    pub(crate) fn list_starred(&mut self, limit: u32, before: Option<MessageId>) -> Outcomes {
        if limit == 0 || limit > LIMIT_MAX {
            return Ok(Err(invalid("limit", &format!("limit must be 1 to {LIMIT_MAX}"))));
        }
        let from = match before {
            Some(id) => match self.row_of(id)? {
                Some((_, row)) => keys::star(row.time, id),
                None => {
                    return Ok(Err(invalid(
                        "before",
                        "before must be the id of a message on this device",
                    )));
                }
            },
            None => after(keys::STAR),
        };
        let entries = self.range(Range {
            prefix: keys::STAR.to_vec(),
            from,
            limit: limit + 1,
            reverse: true,
        })?;
        let more = entries.len() > limit as usize;
        let mut found: Vec<(Place, Row)> = Vec::new();
        for (_, value) in entries.iter().take(limit as usize) {
            let Ok(place) = store::decode::<Place>(value) else {
                continue;
            };
            let row = self.read::<Row>(keys::message(place.conversation, place.seq, place.sub))?;
            found.extend(row.map(|row| (place, row)));
        }
        let messages = found.iter().filter_map(|(place, row)| {
            let chat = self.chats.get(&place.conversation)?;
            Some(FoundMessage {
                message: self.row_view(chat, row),
                chat: self.other_side(chat),
            })
        });
        now(Ok(Reply::Found {
            messages: messages.collect(),
            more,
        }))
    }
}
