//! How a person keeps his chats: pinned, put away, marked to come back to, with a text begun. Known to this device only.
//!
//! Must not: change who is told what; that a chat was read is said by `receipts`.

use kabar_protocol::{ids::ConversationId, limits::TEXT_CHARS_MAX};
use serde::{Deserialize, Serialize};

use super::{Chat, Place};
use crate::{
    api::{Command, Reply},
    commands::{Outcomes, invalid, now, refusal},
    state::State,
};

/// Of one chat.
const LISTS_MAX: usize = 10;
const LIST_NAME_CHARS_MAX: usize = 30;

/// Part of a chat's row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Arranged {
    /// Above all that are not.
    pub(crate) pinned: bool,
    /// Out of sight, whatever comes.
    pub(crate) archived: bool,
    /// To be looked at again, although everything in it may have been read.
    pub(crate) unread: bool,
    /// A text that is being written.
    pub(crate) draft: String,
    /// Names of a person's own, in their order.
    pub(crate) lists: Vec<String>,
}

impl State {
    pub(crate) fn organise(&mut self, command: &Command) -> Outcomes {
        match command {
            Command::Mute { conversation_id, hours } => now(self.mute(*conversation_id, *hours)),
            Command::Arrange {
                conversation_id,
                pinned,
                archived,
                unread,
            } => self.arrange(*conversation_id, *pinned, *archived, *unread),
            Command::SetLists { conversation_id, lists } => self.set_lists(*conversation_id, lists),
            Command::SetDraft { conversation_id, text } => self.set_draft(*conversation_id, text),
            _ => Ok(Ok(None)),
        }
    }

    fn arrange(
        &mut self,
        conversation: ConversationId,
        pinned: Option<bool>,
        archived: Option<bool>,
        unread: Option<bool>,
    ) -> Outcomes {
        if unread == Some(false)
            && let Some(chat) = self.chats.get(&conversation)
        {
            let (seq, sub) = (chat.last_seq, 0);
            let newest = Place { conversation, seq, sub };
            if let Err(error) = self.mark_read(newest, false)? {
                return Ok(Err(error));
            }
        }
        self.rearrange(conversation, |chat| {
            let arranged = &mut chat.arranged;
            arranged.unread = unread.unwrap_or(arranged.unread);
            // What is put away is not on top, and what is put on top is not away.
            let (pin, archive) = (pinned.unwrap_or(arranged.pinned), archived.unwrap_or(arranged.archived));
            arranged.pinned = pin && archived != Some(true);
            arranged.archived = archive && !arranged.pinned;
        })
    }

    fn set_lists(&mut self, conversation: ConversationId, lists: &[String]) -> Outcomes {
        let mut names: Vec<String> = lists.iter().map(|name| name.trim().to_owned()).collect();
        names.sort();
        names.dedup();
        let is_name = |name: &String| (1..=LIST_NAME_CHARS_MAX).contains(&name.chars().count());
        if names.len() > LISTS_MAX || !names.iter().all(is_name) {
            let rule = format!("lists must be at most {LISTS_MAX} names of 1 to {LIST_NAME_CHARS_MAX} characters");
            return Ok(Err(invalid("lists", &rule)));
        }
        self.rearrange(conversation, |chat| chat.arranged.lists = names)
    }

    fn set_draft(&mut self, conversation: ConversationId, text: &str) -> Outcomes {
        if text.chars().count() > TEXT_CHARS_MAX {
            let rule = format!("text must have at most {TEXT_CHARS_MAX} characters");
            return Ok(Err(invalid("text", &rule)));
        }
        self.rearrange(conversation, |chat| text.clone_into(&mut chat.arranged.draft))
    }

    fn rearrange(&mut self, conversation: ConversationId, change: impl FnOnce(&mut Chat)) -> Outcomes {
        let Some(chat) = self.chats.get_mut(&conversation) else {
            let message = "no such conversation on this device";
            return Ok(Err(refusal("conversation_unknown", message)));
        };
        let before = chat.arranged.clone();
        change(chat);
        let changed = chat.arranged != before;
        let view = self.chats.get(&conversation).map(|chat| self.chat_view(chat));
        if changed {
            self.save_chat(conversation);
            self.say_chat(conversation);
        }
        Ok(Ok(view.map(Reply::Chat)))
    }
}
