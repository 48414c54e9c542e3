//! What a device signs for a business's message that it has received: the basis of every charge.
//!
//! Every field has a fixed length, so no two receipts have the same bytes.

use ed25519_dalek::{Signer as _, SigningKey};

use crate::{
    ids::{ConversationId, MessageId, Timeline},
    signing,
    wire::MessageCategory,
};

/// The facts of one delivery. The server holds all of them; the device has them from the `Deliver`, and the message id
/// from inside the encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub timeline: Timeline,
    pub conversation: ConversationId,
    pub seq: u64,
    pub message: MessageId,
    pub category: MessageCategory,
    pub rate_card_id: u64,
}

impl Receipt {
    /// Label, timeline, conversation, seq, message id, category (4 bytes), rate card; numbers in big-endian.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let body = [
            self.timeline.as_slice(),
            self.conversation.as_slice(),
            &self.seq.to_be_bytes(),
            self.message.as_slice(),
            &(self.category as i32).to_be_bytes(),
            &self.rate_card_id.to_be_bytes(),
        ];
        signing::labelled(signing::DELIVERY_RECEIPT, &body.concat())
    }

    pub fn sign(&self, device_key: &SigningKey) -> [u8; 64] {
        device_key.sign(&self.signed_bytes()).to_bytes()
    }

    /// True if the device with this key signed exactly this.
    pub fn verify(&self, device_key: &[u8], signature: &[u8]) -> bool {
        signing::verify(device_key, &self.signed_bytes(), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIPT: Receipt = Receipt {
        timeline: Timeline([1; 16]),
        conversation: ConversationId([2; 16]),
        seq: 3,
        message: MessageId([4; 32]),
        category: MessageCategory::Utility,
        rate_card_id: 5,
    };

    #[test]
    fn a_receipt_says_one_thing_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let signature = RECEIPT.sign(&key);
        assert!(RECEIPT.verify(&public, &signature));
        let others = [
            Receipt {
                timeline: Timeline([9; 16]),
                ..RECEIPT
            },
            Receipt {
                conversation: ConversationId([9; 16]),
                ..RECEIPT
            },
            Receipt { seq: 4, ..RECEIPT },
            Receipt {
                message: MessageId([9; 32]),
                ..RECEIPT
            },
            Receipt {
                category: MessageCategory::Marketing,
                ..RECEIPT
            },
            Receipt {
                rate_card_id: 6,
                ..RECEIPT
            },
        ];
        for other in others {
            assert!(!other.verify(&public, &signature), "{other:?}");
        }
    }

    #[test]
    fn only_the_whole_signature_of_that_key_counts() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signature = RECEIPT.sign(&key);
        let another = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
        assert!(!RECEIPT.verify(&another, &signature));
        assert!(!RECEIPT.verify(&key.verifying_key().to_bytes(), &signature[..63]));
        assert!(!RECEIPT.verify(&[], &[]));
    }
}
