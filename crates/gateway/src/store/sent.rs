//! Messages that went out, for as long as statuses of them may come.

use sqlx::Row as _;
use tokio::sync::futures::Notified;

use super::{Store, StoreError, stored, writer::Write};

/// Statuses of older messages say less: a category is all that is lost.
const RETENTION_MS: i64 = 60 * 86_400_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    pub message_id: [u8; 32],
    pub phone_number_id: u64,
    /// service, utility, authentication or marketing.
    pub category: String,
    /// `biz_opaque_callback_data`.
    pub callback_data: Option<String>,
    /// Until when the customer service window was open.
    pub window_until_ms: Option<i64>,
}

impl Store {
    pub async fn keep_sent(&self, sent: &SentMessage, now_ms: i64) -> Result<(), StoreError> {
        self.writer.write(Write::Sent(sent.clone(), now_ms)).await?;
        self.memory.sent.put(sent.message_id, sent.clone());
        self.sent_kept.notify_waiters();
        Ok(())
    }

    /// Ends at the next [`Self::keep_sent`] after this call.
    pub fn next_sent(&self) -> Notified<'_> {
        self.sent_kept.notified()
    }

    pub async fn sent(&self, phone_number_id: u64, message_id: [u8; 32]) -> Result<Option<SentMessage>, StoreError> {
        if let Some(sent) = self.memory.sent.get(&message_id) {
            return Ok(Some(sent).filter(|sent| sent.phone_number_id == phone_number_id));
        }
        let sql =
            "SELECT category, callback_data, window_until_ms FROM sent WHERE message_id = ? AND phone_number_id = ?";
        let row = sqlx::query(sql)
            .bind(message_id.as_slice())
            .bind(stored(phone_number_id))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| SentMessage {
            message_id,
            phone_number_id,
            category: row.get(0),
            callback_data: row.get(1),
            window_until_ms: row.get(2),
        }))
    }

    pub async fn forget_old_sent(&self, now_ms: i64) -> Result<u64, StoreError> {
        self.forget("DELETE FROM sent WHERE created_ms < ?", now_ms - RETENTION_MS)
            .await
    }
}
