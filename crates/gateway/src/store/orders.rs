//! Orders that were offered to people, how far their payments are followed, and the key that signs tickets.

use kabar_protocol::ids::{ConversationId, MessageId};
use rand::{TryRngCore as _, rngs::OsRng};
use sqlx::Row as _;

use super::{NewDelivery, Store, StoreError, loaded, stored};

/// One unit of an ordered item, as far as a ticket needs it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OfferedItem {
    pub retailer_id: String,
    pub name: String,
    pub quantity: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    pub waba_id: u64,
    pub reference_id: String,
    pub phone_number_id: u64,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    /// Hex.
    pub account_id: String,
    pub items: Vec<OfferedItem>,
}

impl Store {
    pub async fn keep_offered(&self, offered: &Offered, now_ms: i64) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO offered (waba_id, reference_id, phone_number_id, conversation_id, message_id, \
                   account_id, items, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(stored(offered.waba_id))
            .bind(&offered.reference_id)
            .bind(stored(offered.phone_number_id))
            .bind(offered.conversation_id.to_string())
            .bind(offered.message_id.as_slice())
            .bind(&offered.account_id)
            .bind(serde_json::to_string(&offered.items).unwrap_or_default())
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn offered(&self, waba_id: u64, reference_id: &str) -> Result<Option<Offered>, StoreError> {
        let sql = "SELECT phone_number_id, conversation_id, message_id, account_id, items FROM offered \
                   WHERE waba_id = ? AND reference_id = ?";
        let row = sqlx::query(sql)
            .bind(stored(waba_id))
            .bind(reference_id)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let conversation = ConversationId::from_hex(row.get(1)).ok_or(StoreError::Sealed)?;
        let message = MessageId::from_slice(row.get(2)).map_err(|_| StoreError::Sealed)?;
        Ok(Some(Offered {
            waba_id,
            reference_id: reference_id.to_owned(),
            phone_number_id: loaded(row.get(0)),
            conversation_id: conversation,
            message_id: message,
            account_id: row.get(3),
            items: serde_json::from_str(row.get(4)).unwrap_or_default(),
        }))
    }

    pub async fn payment_position(&self, phone_number_id: u64) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT seq FROM payment_position WHERE phone_number_id = ?")
            .bind(stored(phone_number_id))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map_or(0, |row| loaded(row.get(0))))
    }

    /// Queues the webhooks of a payment's change, and moves on, in one transaction.
    pub async fn payment_done(
        &self,
        phone_number_id: u64,
        seq: u64,
        deliveries: &[NewDelivery],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        let sql = "INSERT INTO payment_position (phone_number_id, seq) VALUES (?, ?) \
                   ON CONFLICT (phone_number_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > payment_position.seq";
        let moved = sqlx::query(sql)
            .bind(stored(phone_number_id))
            .bind(stored(seq))
            .execute(&mut *tx)
            .await?;
        if moved.rows_affected() == 1 {
            self.insert_deliveries(&mut tx, deliveries, now_ms).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The secret that signs a business's tickets; made when first needed.
    pub async fn ticket_issuer(&self, waba_id: u64) -> Result<[u8; 32], StoreError> {
        let mut fresh = [0; 32];
        OsRng.try_fill_bytes(&mut fresh).map_err(std::io::Error::other)?;
        sqlx::query("INSERT INTO ticket_issuer (waba_id, secret) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(stored(waba_id))
            .bind(self.key.seal(&fresh)?)
            .execute(&self.pool)
            .await?;
        let row = sqlx::query("SELECT secret FROM ticket_issuer WHERE waba_id = ?")
            .bind(stored(waba_id))
            .fetch_one(&self.pool)
            .await?;
        let secret = self.key.open_sealed(row.get(0))?;
        secret.try_into().map_err(|_| StoreError::Sealed)
    }
}
