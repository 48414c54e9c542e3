//! Receipts of people's devices for messages that cost something: the business's own copy of what it is charged by.

use kabar_client::api::{ChargeView, ReceiptView};

use super::{Store, StoreError, stored};

/// Long enough for a year's books and the audit after it.
const RETENTION_MS: i64 = 730 * 86_400_000;

impl Store {
    /// Once per message; the first copy stays.
    pub async fn keep_receipt(
        &self,
        phone_number_id: u64,
        charge: &ChargeView,
        receipt: &ReceiptView,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO receipt (message_id, phone_number_id, conversation_id, seq, timeline, \
                   account_id, device_id, category, rate_card_id, price, currency, signature, verified, created_ms) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(charge.message_id.as_slice())
            .bind(stored(phone_number_id))
            .bind(charge.conversation_id.as_slice())
            .bind(stored(charge.seq))
            .bind(receipt.timeline.as_slice())
            .bind(receipt.account_id.as_slice())
            .bind(receipt.device_id.as_slice())
            .bind(crate::api::category_name(charge.category))
            .bind(stored(charge.rate_card_id))
            .bind(charge.price)
            .bind(&charge.currency)
            .bind(&receipt.signature)
            .bind(receipt.verified)
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn forget_old_receipts(&self, now_ms: i64) -> Result<u64, StoreError> {
        self.forget("DELETE FROM receipt WHERE created_ms < ?", now_ms - RETENTION_MS)
            .await
    }
}

#[cfg(test)]
mod tests {
    use kabar_client::api::Category;
    use kabar_protocol::ids::{AccountId, ConversationId, DeviceId, MessageId, Timeline};
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn the_first_receipt_of_a_message_is_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).await.expect("a store");
        let charge = ChargeView {
            conversation_id: ConversationId([1; 16]),
            message_id: MessageId([2; 32]),
            seq: 3,
            category: Category::Utility,
            rate_card_id: 4,
            price: 5,
            currency: "USD".into(),
            receipt: None,
        };
        let receipt = |signature: &str| ReceiptView {
            timeline: Timeline([6; 16]),
            account_id: AccountId([7; 16]),
            device_id: DeviceId([8; 16]),
            signature: signature.into(),
            verified: true,
        };
        for signature in ["aa", "bb"] {
            store
                .keep_receipt(9, &charge, &receipt(signature), 10)
                .await
                .expect("kept");
        }
        let sql = "SELECT category, price, signature, verified FROM receipt";
        let rows = sqlx::query(sql).fetch_all(&store.pool).await.expect("rows");
        let kept: Vec<(String, i64, String, bool)> = rows
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
            .collect();
        assert_eq!(kept, [("utility".into(), 5, "aa".into(), true)]);
        assert_eq!(store.forget_old_receipts(RETENTION_MS).await.expect("swept"), 0);
        assert_eq!(store.forget_old_receipts(RETENTION_MS + 11).await.expect("swept"), 1);
        store.close().await;
    }
}
