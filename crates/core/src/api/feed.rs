//! The feed's items, as scripts get them and as they are kept.

use kabar_protocol::{
    ids::{ConversationId, MessageId},
    wire,
};
use serde::{Deserialize, Serialize};

use super::{FlowAsk, MessageState, Person, RsvpAnswer, RsvpGiven, Shown, TimeMs, view::is_zero};

/// An item of a script's stream: `kabar chat receive` prints each once per home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct FeedItem {
    #[serde(skip)]
    pub position: u64,
    pub message_id: MessageId,
    pub conversation_id: ConversationId,
    /// Who wrote it, or did it: of a `delete`, whoever deleted the message, who need not have written it.
    pub from: Person,
    /// text, receipt, reaction, notice_...
    pub kind: String,
    /// Of a notice about people: whom `from` added, removed or promoted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub about: Vec<Person>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub shown: Option<Shown>,
    /// Written by a program.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub automated: bool,
    /// How often it was passed on.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub forwarded: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_reply_to: Option<MessageId>,
    /// Of a receipt: delivered or read; `sent` too where the account is a business number's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<MessageState>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub request: bool,
    /// Of a `flow_request`: what is asked. `in_reply_to` is the flow's own message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flow: Option<FlowAsk>,
    /// Of an `rsvp`; `in_reply_to` is the event.
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub rsvp: Option<RsvpGiven>,
    /// Of a `vote`: indexes of the options; `in_reply_to` is the poll.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vote: Option<Vec<u32>>,
    /// The text speaks to us.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub mentions_me: bool,
    pub time: TimeMs,
}

/// The same fields without nesting. Read by this, not by `flatten`, which reads every value twice and takes a tenth of the core's size.
#[derive(Deserialize)]
struct Stored {
    message_id: MessageId,
    conversation_id: ConversationId,
    from: Person,
    kind: String,
    #[serde(default)]
    about: Vec<Person>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    interactive: Option<wire::Interactive>,
    #[serde(default)]
    interactive_reply: Option<wire::InteractiveReply>,
    #[serde(default)]
    template: Option<wire::Template>,
    #[serde(default)]
    ticket: Option<wire::Ticket>,
    #[serde(default)]
    file: Option<wire::File>,
    #[serde(default)]
    event: Option<wire::Event>,
    #[serde(default)]
    poll: Option<wire::Poll>,
    #[serde(default)]
    location: Option<wire::Location>,
    #[serde(default)]
    contacts: Option<wire::Contacts>,
    #[serde(default)]
    automated: bool,
    #[serde(default)]
    forwarded: u32,
    #[serde(default)]
    in_reply_to: Option<MessageId>,
    #[serde(default)]
    state: Option<MessageState>,
    #[serde(default)]
    request: bool,
    #[serde(default)]
    flow: Option<FlowAsk>,
    #[serde(default)]
    answer: Option<RsvpAnswer>,
    #[serde(default)]
    guests: Option<u32>,
    #[serde(default)]
    vote: Option<Vec<u32>>,
    #[serde(default)]
    mentions_me: bool,
    time: TimeMs,
}

impl From<Stored> for FeedItem {
    fn from(stored: Stored) -> Self {
        let shown = stored.interactive.map(Shown::Interactive);
        let shown = shown.or(stored.interactive_reply.map(Shown::InteractiveReply));
        let shown = shown.or(stored.template.map(Shown::Template));
        let shown = shown.or(stored.ticket.map(Shown::Ticket));
        let shown = shown.or(stored.file.map(Shown::File));
        let shown = shown.or(stored.event.map(Shown::Event));
        let shown = shown.or(stored.poll.map(Shown::Poll));
        let shown = shown.or(stored.location.map(Shown::Location));
        let shown = shown.or(stored.contacts.map(Shown::Contacts));
        let answer = stored.answer;
        Self {
            position: 0,
            message_id: stored.message_id,
            conversation_id: stored.conversation_id,
            from: stored.from,
            kind: stored.kind,
            about: stored.about,
            text: stored.text,
            shown,
            automated: stored.automated,
            forwarded: stored.forwarded,
            in_reply_to: stored.in_reply_to,
            state: stored.state,
            request: stored.request,
            flow: stored.flow,
            rsvp: stored.guests.map(|guests| RsvpGiven { answer, guests }),
            vote: stored.vote,
            mentions_me: stored.mentions_me,
            time: stored.time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    #[test]
    fn an_item_is_kept_with_all_that_it_shows() {
        let shown = [
            Shown::Interactive(wire::Interactive::default()),
            Shown::InteractiveReply(wire::InteractiveReply::default()),
            Shown::Template(wire::Template::default()),
            Shown::Ticket(wire::Ticket::default()),
            Shown::File(wire::File::default()),
            Shown::Event(wire::Event::default()),
            Shown::Poll(wire::Poll::default()),
            Shown::Location(wire::Location::default()),
            Shown::Contacts(wire::Contacts::default()),
        ];
        for shown in shown.into_iter().map(Some).chain([None]) {
            let item = FeedItem {
                position: 0,
                message_id: MessageId([1; 32]),
                conversation_id: ConversationId([2; 16]),
                from: Person {
                    account_id: kabar_protocol::ids::AccountId([3; 16]),
                    name: "Ani".into(),
                    username: None,
                    phone: None,
                    business: None,
                },
                kind: "x".into(),
                about: Vec::new(),
                text: Some("halo".into()),
                shown,
                automated: true,
                forwarded: 3,
                in_reply_to: Some(MessageId([4; 32])),
                state: Some(MessageState::Read),
                request: true,
                flow: None,
                rsvp: Some(RsvpGiven {
                    answer: Some(RsvpAnswer::Maybe),
                    guests: 2,
                }),
                vote: Some(vec![1, 2]),
                mentions_me: true,
                time: 5,
            };
            let bytes = store::encode(&item).expect("encoded");
            assert_eq!(store::decode::<FeedItem>(&bytes), Ok(item));
        }
    }
}
