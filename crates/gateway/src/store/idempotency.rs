//! Sends that carry an Idempotency-Key: done once, answered the same way again.

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::{Store, StoreError, stored};

/// How long a key is remembered.
const RETENTION_MS: i64 = 86_400_000;
/// A first request that has not been answered by then died with its process: the next may take its place.
const UNDER_WAY_MS: i64 = 60_000;

/// What a key comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nobody used the key: go on, then [`Store::end_idempotent`].
    First,
    /// Answered before.
    Again { status: u16, body: Vec<u8> },
    /// The first request is not answered yet.
    UnderWay,
    /// The key stands for another request.
    Differs,
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

impl Store {
    pub async fn begin_idempotent(
        &self,
        waba_id: u64,
        key: &str,
        request: &[u8],
        now_ms: i64,
    ) -> Result<Begun, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let sql = "DELETE FROM idempotency WHERE waba_id = ? AND key_hash = ? \
                   AND (created_ms < ? OR (status = 0 AND created_ms < ?))";
        sqlx::query(sql)
            .bind(stored(waba_id))
            .bind(hash(key.as_bytes()))
            .bind(now_ms - RETENTION_MS)
            .bind(now_ms - UNDER_WAY_MS)
            .execute(&mut *tx)
            .await?;
        let sql = "INSERT INTO idempotency (waba_id, key_hash, request_hash, status, body, created_ms) \
                   VALUES (?, ?, ?, 0, x'', ?) ON CONFLICT DO NOTHING";
        let inserted = sqlx::query(sql)
            .bind(stored(waba_id))
            .bind(hash(key.as_bytes()))
            .bind(hash(request))
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query("SELECT request_hash, status, body FROM idempotency WHERE waba_id = ? AND key_hash = ?")
            .bind(stored(waba_id))
            .bind(hash(key.as_bytes()))
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        let (request_hash, status, body): (Vec<u8>, i64, Vec<u8>) = (row.get(0), row.get(1), row.get(2));
        Ok(match status {
            _ if inserted.rows_affected() == 1 => Begun::First,
            _ if request_hash != hash(request) => Begun::Differs,
            0 => Begun::UnderWay,
            status => Begun::Again {
                status: u16::try_from(status).unwrap_or(500),
                body: self.key.open_sealed(&body)?,
            },
        })
    }

    /// Keeps the answer; `None`: nothing was done, so the key is free again.
    pub async fn end_idempotent(
        &self,
        waba_id: u64,
        key: &str,
        answer: Option<(u16, &[u8])>,
    ) -> Result<(), StoreError> {
        let Some((status, body)) = answer else {
            sqlx::query("DELETE FROM idempotency WHERE waba_id = ? AND key_hash = ?")
                .bind(stored(waba_id))
                .bind(hash(key.as_bytes()))
                .execute(&self.pool)
                .await?;
            return Ok(());
        };
        sqlx::query("UPDATE idempotency SET status = ?, body = ? WHERE waba_id = ? AND key_hash = ?")
            .bind(i64::from(status))
            .bind(self.key.seal(body)?)
            .bind(stored(waba_id))
            .bind(hash(key.as_bytes()))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn forget_old_keys(&self, now_ms: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query("DELETE FROM idempotency WHERE created_ms < ?")
            .bind(now_ms - RETENTION_MS)
            .execute(&self.pool)
            .await?;
        Ok(deleted.rows_affected())
    }
}
