//! Tickets of ours: kept apart from their threads, so that they are found when it matters, offline too.

use kabar_protocol::{
    ids::ConversationId,
    ticket,
    wire::{self, interactive::Action},
};
use serde::{Deserialize, Serialize};

use crate::{
    api::{ApiError, Reply, Shown, TicketView},
    messaging::Row,
    state::State,
    store::{self, keys},
    tx::{Range, Step},
};

const TICKETS_MAX: u32 = 500;
/// The seller's word that ends a ticket.
const RETURNED: [&str; 2] = ["refunded", "canceled"];

/// What a seller last said of an order.
#[derive(Serialize, Deserialize)]
struct OrderState {
    status: String,
}

impl State {
    /// Keeps what a received message means for tickets: a new one, or the end of an order.
    pub(crate) fn note_ticket(&mut self, conversation: ConversationId, row: &Row) {
        match &row.shown {
            Some(Shown::Ticket(sent)) => {
                let Some(view) = ticket_view(conversation, row, sent) else {
                    return;
                };
                self.put(keys::ticket(row.message_id), &view);
            }
            Some(Shown::Interactive(wire::Interactive {
                action: Some(Action::OrderStatus(update)),
                ..
            })) => {
                let state = OrderState {
                    status: update.status.clone(),
                };
                self.put(keys::order(conversation, &update.reference_id), &state);
            }
            _ => {}
        }
    }

    /// In the order in which they are used; those whose order was refunded say so.
    pub(crate) fn tickets(&mut self) -> Step<Result<Reply, ApiError>> {
        let rows = self.range(Range {
            prefix: keys::TICKET.to_vec(),
            from: keys::TICKET.to_vec(),
            limit: TICKETS_MAX,
            reverse: false,
        })?;
        let mut tickets: Vec<TicketView> = rows.iter().filter_map(|(_, value)| store::decode(value).ok()).collect();
        for view in &mut tickets {
            let state: Option<OrderState> = self.read(keys::order(view.conversation_id, &view.reference_id))?;
            view.returned = state.is_some_and(|state| RETURNED.contains(&state.status.as_str()));
        }
        let place = |view: &TicketView| (view.starts_at, view.place.clone(), view.ticket_id.clone());
        tickets.sort_by_key(place);
        // A gateway that died between sending and writing it down sends the same ticket again.
        tickets.dedup_by(|a, b| a.ticket_id == b.ticket_id);
        Ok(Ok(Reply::Tickets { tickets }))
    }
}

fn ticket_view(conversation: ConversationId, row: &Row, sent: &wire::Ticket) -> Option<TicketView> {
    let body = ticket::read(&sent.token)?;
    let key = hex::decode(&sent.issuer_key).ok();
    let key: Option<[u8; 32]> = key.and_then(|key| key.try_into().ok());
    let genuine = key.is_some_and(|key| ticket::verify(&sent.token, &key).is_some());
    Some(TicketView {
        ticket_id: body.ticket_id,
        conversation_id: conversation,
        message_id: row.message_id,
        issuer: body.issuer,
        title: body.title,
        place: body.place,
        starts_at: body.starts_ms,
        reference_id: sent.reference_id.clone(),
        token: sent.token.clone(),
        issuer_key: genuine.then(|| sent.issuer_key.clone()),
        returned: false,
    })
}
