//! Content as scripts and screens see it, to and from the wire.

use kabar_protocol::{
    contacts, content, event, file, interactive, location, poll, ticket,
    wire::{self, content::Body, interactive_reply},
};

use crate::{
    accounts::category,
    api::{ApiError, BusinessSend, MessageKind, Shown},
    commands::invalid,
};

impl Shown {
    /// Checks what is to be sent; the error names the field.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let field = |error: interactive::FieldError| invalid(error.field, &error);
        match self {
            Self::Text(text) => content::text(text).map_err(|error| invalid("text", &error)),
            Self::Interactive(message) => interactive::interactive(message).map_err(field),
            Self::InteractiveReply(message) => interactive::interactive_reply(message).map_err(field),
            Self::Template(message) => interactive::template(message).map_err(field),
            Self::File(file) => file::file(file).map_err(field),
            Self::Event(event) => event::event(event).map_err(field),
            Self::Poll(poll) => poll::poll(poll).map_err(field),
            Self::Location(location) => location::location(location).map_err(field),
            Self::Contacts(cards) => contacts::contacts(cards).map_err(field),
            Self::Ticket(ticket) => match ticket::read(&ticket.token) {
                Some(_) => Ok(()),
                None => Err(invalid("ticket.token", "must be a ticket, such as KABAR1.x")),
            },
        }
    }

    pub(crate) fn body(&self) -> Body {
        match self.clone() {
            Self::Text(body) => Body::Text(wire::Text { body }),
            Self::Interactive(message) => Body::Interactive(message),
            Self::InteractiveReply(message) => Body::InteractiveReply(message),
            Self::Template(message) => Body::Template(message),
            Self::Ticket(ticket) => Body::Ticket(ticket),
            Self::File(file) => Body::File(file),
            Self::Event(event) => Body::Event(event),
            Self::Poll(poll) => Body::Poll(poll),
            Self::Location(location) => Body::Location(location),
            Self::Contacts(cards) => Body::Contacts(cards),
        }
    }

    /// What a received body shows; `None` if it breaks a rule or is not for the thread.
    pub(crate) fn of(body: &Body) -> Option<Self> {
        let shown = match body {
            Body::Text(text) => Self::Text(text.body.clone()),
            Body::Interactive(message) => Self::Interactive(message.clone()),
            Body::InteractiveReply(message) => Self::InteractiveReply(message.clone()),
            Body::Template(message) => Self::Template(message.clone()),
            Body::Ticket(ticket) => Self::Ticket(ticket.clone()),
            Body::File(file) => Self::File(file.clone()),
            Body::Event(event) => Self::Event(event.clone()),
            Body::Poll(poll) => Self::Poll(poll.clone()),
            Body::Location(location) => Self::Location(location.clone()),
            Body::Contacts(cards) => Self::Contacts(cards.clone()),
            _ => return None,
        };
        shown.check().is_ok().then_some(shown)
    }

    pub(crate) fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Interactive(_) => MessageKind::Interactive,
            Self::InteractiveReply(_) => MessageKind::InteractiveReply,
            Self::Template(_) => MessageKind::Template,
            Self::Ticket(_) => MessageKind::Ticket,
            Self::File(_) => MessageKind::File,
            Self::Event(_) => MessageKind::Event,
            Self::Poll(_) => MessageKind::Poll,
            Self::Location(_) => MessageKind::Location,
            Self::Contacts(_) => MessageKind::Contacts,
        }
    }

    /// The words of it: for the chat list, and for whoever shows nothing else.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Interactive(message) => message.body.clone(),
            Self::InteractiveReply(message) => match &message.reply {
                Some(interactive_reply::Reply::Button(button)) => button.title.clone(),
                Some(interactive_reply::Reply::List(row)) => row.title.clone(),
                Some(interactive_reply::Reply::Flow(flow)) => flow.body.clone(),
                None => String::new(),
            },
            Self::Template(message) => message.body.clone(),
            Self::Ticket(ticket) => ticket::read(&ticket.token)
                .map(|body| format!("{} {}", body.title, body.place))
                .unwrap_or_default(),
            Self::Event(event) => event.title.clone(),
            Self::Poll(poll) => poll.question.clone(),
            Self::Location(location) if location.name.is_empty() => location.address.clone(),
            Self::Location(location) => location.name.clone(),
            Self::Contacts(cards) => {
                let names: Vec<&str> = cards.people.iter().map(|card| card.name.as_str()).collect();
                names.join(", ")
            }
            Self::File(file) if file.caption.is_empty() => file.name.clone(),
            Self::File(file) => file.caption.clone(),
        }
    }

    /// What there is beside the text; nothing of a plain text.
    pub(crate) fn beside_text(self) -> Option<Self> {
        match self {
            Self::Text(_) => None,
            other => Some(other),
        }
    }
}

impl BusinessSend {
    pub(crate) fn wire(self) -> wire::BusinessMessage {
        wire::BusinessMessage {
            category: category(self.category).into(),
            template_id: self.template_id,
        }
    }
}
