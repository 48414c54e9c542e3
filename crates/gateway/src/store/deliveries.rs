//! Webhooks that wait for their receiver: durable, in order within a conversation, given up after seven days.

use sqlx::{Row as _, SqliteConnection};

use super::{Store, StoreError, loaded, stored};

/// How long a receiver may be away, as with the Cloud API.
const RETENTION_MS: i64 = 7 * 86_400_000;
/// First pause after a failed attempt; doubles up to an hour.
const PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 3_600_000;

/// A webhook to be queued.
pub struct NewDelivery {
    pub app_id: u64,
    /// Conversation within a number: the deliveries of a lane keep their order.
    pub lane: String,
    /// The exact bytes that are signed and sent.
    pub body: Vec<u8>,
}

/// A webhook that is due.
pub struct Delivery {
    pub id: i64,
    pub app_id: u64,
    pub body: Vec<u8>,
    pub created_ms: i64,
    pub attempts: u32,
}

impl Store {
    /// Queues webhooks together with the feed position that they come from: each item once, whatever fails between.
    pub async fn queue_deliveries(
        &self,
        phone_number_id: u64,
        feed_position: u64,
        deliveries: &[NewDelivery],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        let moved = sqlx::query("UPDATE number SET feed_position = ? WHERE phone_number_id = ? AND feed_position < ?")
            .bind(stored(feed_position))
            .bind(stored(phone_number_id))
            .bind(stored(feed_position))
            .execute(&mut *tx)
            .await?;
        if moved.rows_affected() == 1 {
            self.insert_deliveries(&mut tx, deliveries, now_ms).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn insert_deliveries(
        &self,
        tx: &mut SqliteConnection,
        deliveries: &[NewDelivery],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        for delivery in deliveries {
            let sql = "INSERT INTO delivery (app_id, lane, body, created_ms, next_ms) VALUES (?, ?, ?, ?, ?)";
            sqlx::query(sql)
                .bind(stored(delivery.app_id))
                .bind(&delivery.lane)
                .bind(self.key.seal(&delivery.body)?)
                .bind(now_ms)
                .bind(now_ms)
                .execute(&mut *tx)
                .await?;
        }
        Ok(())
    }

    /// The first of each lane that is due, oldest first.
    pub async fn due_deliveries(&self, now_ms: i64, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let sql = "SELECT id, app_id, body, created_ms, attempts FROM delivery AS d \
                   WHERE dead = 0 AND next_ms <= ? AND id = (SELECT MIN(id) FROM delivery AS first \
                   WHERE first.app_id = d.app_id AND first.dead = 0 AND first.lane = d.lane) ORDER BY id LIMIT ?";
        let rows = sqlx::query(sql).bind(now_ms).bind(limit).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                Ok(Delivery {
                    id: row.get(0),
                    app_id: loaded(row.get(1)),
                    body: self.key.open_sealed(row.get(2))?,
                    created_ms: row.get(3),
                    attempts: row.get(4),
                })
            })
            .collect()
    }

    /// When the next one is due, if one waits.
    pub async fn next_delivery_ms(&self) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query("SELECT MIN(next_ms) FROM delivery WHERE dead = 0")
            .fetch_one(&self.pool)
            .await?;
        Ok(row.get(0))
    }

    pub async fn delivered(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM delivery WHERE id = ?")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Not taken: again later, or given up. True if it is given up.
    pub async fn not_delivered(&self, delivery: &Delivery, now_ms: i64) -> Result<bool, StoreError> {
        let pause = PAUSE_MS
            .saturating_mul(1 << delivery.attempts.min(20))
            .min(PAUSE_MAX_MS);
        let dead = now_ms - delivery.created_ms >= RETENTION_MS;
        sqlx::query("UPDATE delivery SET attempts = attempts + 1, next_ms = ?, dead = ? WHERE id = ?")
            .bind(now_ms + pause)
            .bind(i64::from(dead))
            .bind(delivery.id)
            .execute(&self.pool)
            .await?;
        Ok(dead)
    }

    /// Webhooks that wait, and those that were given up, of one app.
    pub async fn delivery_counts(&self, app_id: u64) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COALESCE(SUM(dead = 0), 0), COALESCE(SUM(dead), 0) FROM delivery WHERE app_id = ?";
        let row = sqlx::query(sql).bind(stored(app_id)).fetch_one(&self.pool).await?;
        Ok((loaded(row.get(0)), loaded(row.get(1))))
    }

    /// Forgets what was given up as long ago again.
    pub async fn forget_dead_deliveries(&self, now_ms: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query("DELETE FROM delivery WHERE dead = 1 AND created_ms < ?")
            .bind(now_ms - 2 * RETENTION_MS)
            .execute(&self.pool)
            .await?;
        Ok(deleted.rows_affected())
    }
}
