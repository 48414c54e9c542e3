//! Signed receipts for what a business's messages cost: owed since the message opened, paid with an acknowledgement.
//!
//! What is owed is stored in the batch that stores the message, so a crash before the acknowledgement only means to sign
//! again. Nothing is signed for a message that did not open, was not marked as billable, or is our own account's.

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId, Timeline},
    limits::DELIVERY_RECEIPTS_PER_ACK_MAX,
    receipt::Receipt,
    wire::{self, MessageCategory},
};
use serde::{Deserialize, Serialize};

use super::{Place, order::server_seq};
use crate::{state::State, store::keys};

/// A receipt that the server has not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owed {
    pub(crate) conversation: ConversationId,
    pub(crate) seq: u64,
    cursor: u64,
    message_id: MessageId,
    category: i32,
    rate_card_id: u64,
}

impl State {
    /// A message opened: from now on its receipt is owed, if it is a business's and costs something.
    pub(super) fn owe_receipt(
        &mut self,
        conversation: ConversationId,
        account: AccountId,
        item: &wire::Deliver,
        message_id: MessageId,
    ) {
        let Some(billable) = item.billable else { return };
        let of_business = self
            .my_account()
            .is_some_and(|me| ConversationId::business(me, account) == conversation);
        // In a conversation of two, the other side of a business's own client is a person, who is paid by nobody.
        if !of_business
            || self.is_business()
            || item.class() != wire::MessageClass::Content
            || Some(account) == self.my_account()
        {
            return;
        }
        // The place in the thread counts timelines too; the server knows its own number only.
        let seq = server_seq(item.seq);
        let owed = Owed {
            conversation,
            seq,
            cursor: item.cursor,
            message_id,
            category: billable.category,
            rate_card_id: billable.rate_card_id,
        };
        self.put(keys::receipt(conversation, seq), &owed);
        self.owed.insert((conversation, seq), owed);
    }

    /// The server delivers again what we have: it has not seen our receipt, or forgot it in a restore. At another place of the
    /// same timeline it is a copy, which owes none.
    pub(super) fn owe_receipt_again(&mut self, place: &Place, account: AccountId, item: &wire::Deliver, id: MessageId) {
        if place.seq == item.seq || !self.is_of_this_timeline(place.seq) {
            self.owe_receipt(place.conversation, account, item, id);
        }
    }

    /// Signed now, for the timeline that the server has now.
    pub(super) fn signed_receipts(&self) -> Vec<wire::DeliveryReceipt> {
        let (Some(account), Ok(timeline)) = (&self.account, Timeline::from_slice(&self.cursor.timeline)) else {
            return Vec::new();
        };
        let key = account.secret.key();
        let signed = self
            .owed
            .values()
            .take(DELIVERY_RECEIPTS_PER_ACK_MAX)
            .filter_map(|owed| {
                let receipt = Receipt {
                    timeline,
                    conversation: owed.conversation,
                    seq: owed.seq,
                    message: owed.message_id,
                    category: MessageCategory::try_from(owed.category).ok()?,
                    rate_card_id: owed.rate_card_id,
                };
                Some(wire::DeliveryReceipt {
                    conversation_id: owed.conversation.to_bytes(),
                    seq: owed.seq,
                    message_id: owed.message_id.to_bytes(),
                    signature: receipt.sign(&key).to_vec().into(),
                    cursor: owed.cursor,
                })
            });
        signed.collect()
    }

    /// The server has taken these: nothing is owed for them any more.
    pub(super) fn receipts_taken(&mut self, places: &[(ConversationId, u64)]) {
        for (conversation, seq) in places {
            if self.owed.remove(&(*conversation, *seq)).is_some() {
                self.delete(keys::receipt(*conversation, *seq));
            }
        }
    }
}
