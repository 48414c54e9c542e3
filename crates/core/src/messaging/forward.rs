//! Passing a message on. How often that was done before travels inside the encryption, where only clients can count.

use kabar_protocol::{
    ids::{ConversationId, MessageId},
    limits::{FORWARD_CHATS_MAX, FORWARDED_OFTEN},
    wire,
};

use super::{Party, Row, content::About, not_in_group};
use crate::{
    api::{ApiError, Command, Reply, Shown},
    commands::{Outcomes, invalid, now},
    state::State,
};

/// What may be passed on: what a person can write as well. A ticket is its owner's, an offer its business's, and what is to be looked
/// at once its sender's.
fn passed_on(row: Row) -> Result<(Shown, u32), ApiError> {
    let shown = match (row.shown, row.text) {
        (None, Some(text)) if row.kind == crate::api::MessageKind::Text => Shown::Text(text),
        (Some(Shown::File(file)), _) if !file.view_once => Shown::File(wire::File {
            album: Vec::new().into(),
            ..file
        }),
        // Open again: the votes stay behind.
        (Some(Shown::Poll(poll)), _) => Shown::Poll(wire::Poll { closed: false, ..poll }),
        (Some(shown @ (Shown::Event(_) | Shown::Location(_) | Shown::Contacts(_))), _) => shown,
        _ => {
            let rule = "message_id must be the id of a message that a person can write, and look at again";
            return Err(invalid("message_id", rule));
        }
    };
    Ok((shown, row.forwarded.saturating_add(1)))
}

fn check_number(to: &[String], times: u32) -> Result<(), ApiError> {
    let most = if times > FORWARDED_OFTEN { 1 } else { FORWARD_CHATS_MAX };
    if (1..=most).contains(&to.len()) {
        return Ok(());
    }
    let rule = if most == 1 {
        "to must name one chat: this message was passed on often".to_owned()
    } else {
        format!("to must name 1 to {FORWARD_CHATS_MAX} chats")
    };
    Err(invalid("to", &rule))
}

impl State {
    pub(crate) fn forward(
        &mut self,
        command_id: u64,
        command: &Command,
        message_id: MessageId,
        to: &[String],
    ) -> Outcomes {
        let Some((_, row)) = self.row_of(message_id)? else {
            let rule = "message_id must be the id of a message on this device";
            return Ok(Err(invalid("message_id", rule)));
        };
        let checked = passed_on(row).and_then(|(shown, times)| check_number(to, times).map(|()| (shown, times)));
        let (shown, times) = match checked {
            Ok(passed) => passed,
            Err(error) => return Ok(Err(error)),
        };
        let chats = match self.chats_named(command_id, command, to) {
            Ok(Some(chats)) => chats,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let mut messages = Vec::new();
        for (party, conversation) in chats {
            if let Party::Direct(account) = party {
                self.open_chat_with(conversation, account, false);
            }
            match self.queue_message(conversation, &shown, About::Forwards(times), None, &[]) {
                Ok((_, view)) => messages.push(view),
                Err(error) => return Ok(Err(error)),
            }
        }
        now(Ok(Reply::Messages { messages, more: false }))
    }

    /// All of them, before anything is queued. `None`: the server is being asked.
    fn chats_named(
        &mut self,
        command_id: u64,
        command: &Command,
        to: &[String],
    ) -> Result<Option<Vec<(Party, ConversationId)>>, ApiError> {
        let mut chats: Vec<(Party, ConversationId)> = Vec::new();
        for text in to {
            let Some((party, conversation)) = self.resolve(command_id, command, "to", text)? else {
                return Ok(None);
            };
            if party == Party::Group && !self.takes_part(conversation) {
                return Err(not_in_group());
            }
            if chats.iter().all(|(_, known)| *known != conversation) {
                chats.push((party, conversation));
            }
        }
        Ok(Some(chats))
    }
}
