//! What a process that died in the middle, or a call that was given up, may have sent already: found in the conversation, so that
//! it is not said twice. Looks only; what follows from it is the caller's.

use kabar_client::api::{ApiError, Command, MessageKind, MessageState, MessageView, Reply, Shown};
use kabar_protocol::{
    ticket,
    wire::{File, Interactive, interactive::Action},
};

use super::Line;
use crate::store::{Store, StoreError};

/// Messages that are looked through, the newest first: what is looked for was sent a moment ago.
const LOOK_BACK: u32 = 50;

#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    #[error(transparent)]
    Client(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) enum Before {
    Nothing,
    /// The client sends it as soon as it can.
    OnItsWay,
    Sent(Box<MessageView>),
}

/// A message of the same content to `who` of which nobody has been told yet: it has no record.
pub(crate) async fn untold(store: &Store, line: &Line, who: &str, content: &Shown) -> Result<Before, LookError> {
    for message in alike(line, who, content).await? {
        let told = store.sent(line.number.phone_number_id, message.message_id.0).await?;
        if told.is_none() {
            return Ok(before(message));
        }
    }
    Ok(Before::Nothing)
}

/// The ticket, or the word about an order, that bears its own name.
pub(crate) async fn by_name(line: &Line, who: &str, content: &Shown) -> Result<Before, LookError> {
    let mut alike = alike(line, who, content).await?.into_iter();
    Ok(alike.next().map_or(Before::Nothing, before))
}

fn before(message: MessageView) -> Before {
    match message.state {
        MessageState::Queued => Before::OnItsWay,
        _ => Before::Sent(Box::new(message)),
    }
}

/// Our messages that say the same, the newest first; those that were refused were not said.
async fn alike(line: &Line, who: &str, content: &Shown) -> Result<Vec<MessageView>, ApiError> {
    let Reply::Chat(chat) = line.ask(Command::OpenChat { who: who.to_owned() }).await? else {
        return Ok(Vec::new());
    };
    let list = Command::ListMessages {
        conversation_id: chat.conversation_id,
        before: None,
        limit: LOOK_BACK,
    };
    let messages = match line.ask(list).await {
        Ok(Reply::Messages { messages, .. }) => messages,
        Ok(_) => Vec::new(),
        Err(error) if error.code == "conversation_unknown" => Vec::new(),
        Err(error) => return Err(error),
    };
    let ours = messages
        .into_iter()
        .filter(|message| message.mine && message.state != MessageState::Failed);
    Ok(ours.filter(|message| says(message, content)).collect())
}

fn says(message: &MessageView, content: &Shown) -> bool {
    match (content, message.shown.as_ref()) {
        (Shown::Text(text), None) => message.kind == MessageKind::Text && message.text.as_ref() == Some(text),
        // An order is what its reference says, and a ticket what its id says: the rest may name another time.
        (Shown::Interactive(one), Some(Shown::Interactive(other))) => match (order_of(one), order_of(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
        (Shown::Ticket(one), Some(Shown::Ticket(other))) => {
            let id = |token: &str| ticket::read(token).map(|body| body.ticket_id);
            id(&one.token).is_some_and(|ticket_id| Some(ticket_id) == id(&other.token))
        }
        (Shown::File(one), Some(Shown::File(other))) => same_file(one, other),
        (one, Some(other)) => one == other,
        (_, None) => false,
    }
}

fn order_of(message: &Interactive) -> Option<&str> {
    match &message.action {
        Some(Action::OrderDetails(order)) => Some(&order.reference_id),
        _ => None,
    }
}

/// What a person sees and opens; key and place are new at every upload of it.
fn same_file(one: &File, other: &File) -> bool {
    one.sha256 == other.sha256
        && one.name == other.name
        && one.mime_type == other.mime_type
        && one.caption == other.caption
}
