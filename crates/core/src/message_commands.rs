//! Wishes about messages: what they name is checked and found, then they are handed to `messaging`.

use kabar_protocol::ids::{ConversationId, MessageId};

use crate::{
    api::{BusinessSend, Command, Mention, Reply, Shown},
    commands::{Outcomes, invalid, now},
    messaging::{Party, Place, not_in_group},
    state::State,
    store::keys,
};

impl State {
    pub(crate) fn look_up(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            Command::GetMessage { message_id } => self.get_message(*message_id),
            Command::ListMessages {
                conversation_id,
                before,
                limit,
            } => self.list_messages(*conversation_id, *before, *limit),
            Command::Search { text, limit, before } => self.search(command_id, text, *limit, *before),
            Command::ListStarred { limit, before } => self.list_starred(*limit, *before),
            Command::ListShelf {
                conversation_id,
                shelf,
                limit,
                before,
            } => self.list_shelf(*conversation_id, *shelf, *before, *limit),
            _ => Ok(Ok(None)),
        }
    }

    /// What is done with a message that is there.
    pub(crate) fn about_message(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            Command::ChangeMessage {
                message_id,
                change,
                wait,
            } => self.change_message(command_id, *message_id, change, *wait),
            Command::Forward { message_id, to } => self.forward(command_id, command, *message_id, to),
            Command::Star { message_id, starred } => self.star(*message_id, *starred),
            Command::Pin { message_id, hours } => self.pin(command_id, *message_id, *hours),
            Command::MessageInfo { message_id } => self.message_info(*message_id),
            Command::ResolveFailed { message_id, retry } => now(self.resolve_failed(*message_id, *retry)),
            Command::MarkRead {
                conversation_id,
                up_to,
                accept,
            } => self.mark_read_up_to(*conversation_id, *up_to, *accept),
            _ => Ok(Ok(None)),
        }
    }

    pub(crate) fn write(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            Command::SendText {
                to,
                text,
                reply_to,
                wait,
            } => {
                let shown = Shown::Text(text.clone());
                self.send(command_id, command, to, (&shown, &[]), *reply_to, *wait, None)
            }
            Command::Send {
                to,
                content,
                reply_to,
                wait,
                business,
                mentions,
            } => {
                let said = (content, mentions.as_slice());
                self.send(command_id, command, to, said, *reply_to, *wait, *business)
            }
            _ => Ok(Ok(None)),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one command")]
    fn send(
        &mut self,
        command_id: u64,
        command: &Command,
        to: &str,
        (shown, mentions): (&Shown, &[Mention]),
        reply_to: Option<MessageId>,
        wait: bool,
        business: Option<BusinessSend>,
    ) -> Outcomes {
        if let Err(error) = shown.check() {
            return Ok(Err(error));
        }
        let (party, conversation) = match self.resolve(command_id, command, "to", to) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        if let Some(reply_to) = reply_to {
            let place: Option<Place> = self.read(keys::index(reply_to))?;
            let queued = self.queued(conversation).any(|intent| intent.message_id == reply_to);
            if !queued && place.is_none_or(|place| place.conversation != conversation) {
                return Ok(Err(invalid(
                    "reply_to",
                    "reply_to must be the id of a message in this conversation",
                )));
            }
        }
        match party {
            Party::Direct(account) => self.open_chat_with(conversation, account, false),
            Party::Group if !self.takes_part(conversation) => return Ok(Err(not_in_group())),
            Party::Group => {}
        }
        if let Err(error) = self.check_mentions(conversation, mentions, shown) {
            return Ok(Err(error));
        }
        match self.queue_message(conversation, shown, reply_to.into(), business, mentions) {
            Ok((order, _)) if wait => {
                self.waiting.sends.insert(order, command_id);
                Ok(Ok(None))
            }
            Ok((_, view)) => now(Ok(Reply::Sent(view))),
            Err(error) => Ok(Err(error)),
        }
    }

    fn mark_read_up_to(&mut self, conversation: Option<ConversationId>, up_to: MessageId, accept: bool) -> Outcomes {
        let place: Option<Place> = self.read(keys::index(up_to))?;
        match place {
            Some(place) if conversation.is_none_or(|named| named == place.conversation) => {
                now(self.mark_read(place, accept)?)
            }
            _ => Ok(Err(invalid(
                "up_to",
                "up_to must be the id of a message in this conversation",
            ))),
        }
    }
}
