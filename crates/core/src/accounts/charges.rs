//! A business's own side of what its messages cost: prices, charges, and whether the receipts behind them are genuine.

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId, MessageId, Timeline},
    limits::CHARGES_PER_REQUEST_MAX,
    receipt::Receipt,
    wire::{self, client_frame::Body},
};

use super::business::category_view;
use crate::{
    api::{ChargeView, PriceView, ReceiptView, Reply},
    commands::{Outcomes, invalid},
    connection::Purpose,
    messaging::{Place, server_seq},
    state::State,
    store::keys,
};

impl State {
    /// Asks what messages cost. Those that this device does not know are left out.
    pub(crate) fn ask_charges(&mut self, command_id: u64, messages: &[MessageId]) -> Outcomes {
        if messages.len() > CHARGES_PER_REQUEST_MAX {
            let rule = format!("at most {CHARGES_PER_REQUEST_MAX} messages");
            return Ok(Err(invalid("messages", &rule)));
        }
        let mut places = Vec::with_capacity(messages.len());
        for message in messages {
            if let Some(place) = self.read::<Place>(keys::index(*message))? {
                places.push(wire::MessagePlace {
                    conversation_id: place.conversation.to_bytes(),
                    seq: server_seq(place.seq),
                });
            }
        }
        let fetch = wire::FetchCharges { places };
        self.request(Purpose::Business(command_id), Body::FetchCharges(fetch));
        Ok(Ok(None))
    }

    pub(super) fn charge_view(&self, charge: &wire::MessageCharge) -> Option<ChargeView> {
        let conversation_id = ConversationId::from_slice(&charge.conversation_id).ok()?;
        let message_id = MessageId::from_slice(&charge.message_id).ok()?;
        let receipt = charge.receipt.as_ref();
        Some(ChargeView {
            conversation_id,
            message_id,
            seq: charge.seq,
            category: category_view(charge.category()),
            rate_card_id: charge.rate_card_id,
            price: charge.price,
            currency: charge.currency.clone(),
            receipt: receipt.and_then(|receipt| self.receipt_view(conversation_id, message_id, charge, receipt)),
        })
    }

    fn receipt_view(
        &self,
        conversation: ConversationId,
        message: MessageId,
        charge: &wire::MessageCharge,
        receipt: &wire::SignedReceipt,
    ) -> Option<ReceiptView> {
        let device = receipt.device.as_ref()?;
        let account_id = AccountId::from_slice(&device.account_id).ok()?;
        let device_id = DeviceId::from_slice(&device.device_id).ok()?;
        let timeline = Timeline::from_slice(&receipt.timeline).ok()?;
        let signed = Receipt {
            timeline,
            conversation,
            seq: charge.seq,
            message,
            category: charge.category(),
            rate_card_id: charge.rate_card_id,
        };
        // Revoked since or not: it counts that the device was the recipient's.
        let of_recipient = self
            .my_account()
            .is_some_and(|me| ConversationId::business(me, account_id) == conversation);
        let listed = self
            .list_of(account_id)
            .and_then(|list| list.devices.iter().find(|listed| listed.id == device_id));
        let genuine = listed.is_some_and(|listed| signed.verify(&listed.public_key, &receipt.signature));
        Some(ReceiptView {
            timeline,
            account_id,
            device_id,
            signature: hex::encode(&receipt.signature),
            verified: of_recipient && genuine,
        })
    }
}

pub(super) fn prices_view(prices: &wire::Prices) -> Reply {
    let view = |price: &wire::prices::Price| PriceView {
        category: category_view(price.category()),
        price: price.price,
        free_left: price.free_left,
    };
    Reply::Prices {
        rate_card_id: prices.rate_card_id,
        currency: prices.currency.clone(),
        prices: prices.prices.iter().map(view).collect(),
    }
}
