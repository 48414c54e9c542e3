//! What the messages of a page of statuses cost, as the server says it, and the business's copies of their receipts.

use std::collections::HashMap;

use kabar_client::api::{BusinessCommand, Category, ChargeView, FeedItem, Reply};
use kabar_protocol::ids::MessageId;

use super::Line;
use crate::{
    Parts,
    clock::now_ms,
    webhooks::body::{Pricing, PricingKind},
};

pub(super) type Charges = HashMap<MessageId, ChargeView>;

/// `None`: the server cannot be asked now; the page is taken up again when there is news of the connection.
pub(super) async fn of_statuses<'a>(
    parts: &Parts,
    line: &Line,
    items: impl Iterator<Item = &'a FeedItem>,
) -> anyhow::Result<Option<Charges>> {
    let mut messages: Vec<MessageId> = items
        .filter(|item| item.state.is_some())
        .map(|item| item.message_id)
        .collect();
    messages.sort_unstable();
    messages.dedup();
    if messages.is_empty() {
        return Ok(Some(Charges::new()));
    }
    let charges = match line.ask_business(BusinessCommand::Charges { messages }).await {
        Ok(Reply::Charges { charges }) => charges,
        Ok(_) => Vec::new(),
        Err(error) => {
            tracing::warn!(
                code = error.code,
                "the server did not say what messages cost; it is asked again"
            );
            return Ok(None);
        }
    };
    for charge in &charges {
        let Some(receipt) = &charge.receipt else { continue };
        if !receipt.verified {
            let (message, card) = (charge.message_id, charge.rate_card_id);
            tracing::error!(%message, card, "a message was charged by a receipt that its recipient did not sign");
        }
        let id = line.number.phone_number_id;
        parts.store.keep_receipt(id, charge, receipt, now_ms()).await?;
    }
    let charges = charges.into_iter().map(|charge| (charge.message_id, charge));
    Ok(Some(charges.collect()))
}

/// What a status says of a message's price. Without a charge it is free: there is no card, or the card says 0.
pub(super) fn pricing(charge: Option<&ChargeView>, category: Category) -> Pricing {
    let billable = charge.is_some_and(|charge| charge.price > 0);
    Pricing {
        billable,
        category: charge.map_or(category, |charge| charge.category),
        kind: match billable {
            true => PricingKind::Regular,
            false => PricingKind::FreeCustomerService,
        },
    }
}
