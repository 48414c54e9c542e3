//! What of a chat can be found without its thread: pictures and films, other files, texts with links. One row points to each.

use kabar_protocol::{
    file::is_shown,
    ids::{ConversationId, MessageId},
};

use super::{Place, Row};
use crate::{
    api::{MessageKind, Reply, Shelf, Shown},
    commands::{Outcomes, invalid, now, refusal},
    state::State,
    store::{self, keys},
    tx::{Range, after},
};

const LIMIT_MAX: u32 = 200;
const SHELVES: [Shelf; 3] = [Shelf::Media, Shelf::Documents, Shelf::Links];

impl Shelf {
    fn number(self) -> u8 {
        match self {
            Self::Media => 1,
            Self::Documents => 2,
            Self::Links => 3,
        }
    }

    /// Where a message belongs. What was recorded to be heard, or may be looked at once, is of its moment.
    fn of(row: &Row) -> Option<Self> {
        match (&row.shown, &row.text) {
            _ if row.sub != 0 => None,
            (Some(Shown::File(file)), _) if file.voice || file.view_once => None,
            (Some(Shown::File(file)), _) if is_shown(&file.mime_type) && !file.mime_type.starts_with("audio/") => {
                Some(Self::Media)
            }
            (Some(Shown::File(_)), _) => Some(Self::Documents),
            (None, Some(text)) if row.kind == MessageKind::Text && has_link(text) => Some(Self::Links),
            _ => None,
        }
    }
}

fn has_link(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.any(|word| ["https://", "http://"].iter().any(|scheme| word.contains(scheme)))
}

impl State {
    /// A message has come into its thread, or has changed there.
    pub(super) fn put_on_shelf(&mut self, place: &Place, row: &Row) {
        let belongs = Shelf::of(row);
        let key = |shelf: Shelf| keys::shelved(place.conversation, shelf.number(), place.seq);
        if let Some(shelf) = belongs {
            self.put(key(shelf), &row.message_id);
        }
        // Only a text that is edited, and what is deleted, leaves its place.
        if row.kind == MessageKind::Deleted || row.changes.is_edited() {
            for shelf in SHELVES.into_iter().filter(|shelf| Some(*shelf) != belongs) {
                self.delete(key(shelf));
            }
        }
    }

    /// A message is no more.
    pub(super) fn take_off_shelf(&mut self, place: &Place, row: &Row) {
        if let Some(shelf) = Shelf::of(row) {
            self.delete(keys::shelved(place.conversation, shelf.number(), place.seq));
        }
    }

    pub(crate) fn list_shelf(
        &mut self,
        conversation: ConversationId,
        shelf: Shelf,
        before: Option<MessageId>,
        limit: u32,
    ) -> Outcomes {
        if limit == 0 || limit > LIMIT_MAX {
            return Ok(Err(invalid("limit", &format!("limit must be 1 to {LIMIT_MAX}"))));
        }
        let prefix = keys::shelf(conversation, shelf.number());
        let from = match before {
            None => after(&prefix),
            Some(before) => match self.read::<Place>(keys::index(before))? {
                Some(place) if place.conversation == conversation => {
                    keys::shelved(conversation, shelf.number(), place.seq)
                }
                _ => {
                    let rule = "before must be the id of a message in this conversation";
                    return Ok(Err(invalid("before", rule)));
                }
            },
        };
        let entries = self.range(Range {
            prefix,
            from,
            limit: limit + 1,
            reverse: true,
        })?;
        let more = entries.len() > limit as usize;
        let mut rows = Vec::new();
        for (_, value) in entries.iter().take(limit as usize) {
            if let Ok(id) = store::decode::<MessageId>(value) {
                rows.extend(self.row_of(id)?.map(|(_, row)| row));
            }
        }
        let Some(chat) = self.chats.get(&conversation) else {
            let message = "no such conversation on this device";
            return Ok(Err(refusal("conversation_unknown", message)));
        };
        let messages = rows.iter().map(|row| self.row_view(chat, row)).collect();
        now(Ok(Reply::Messages { messages, more }))
    }
}
