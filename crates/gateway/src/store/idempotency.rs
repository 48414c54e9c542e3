//! Sends that carry an Idempotency-Key: done once, answered the same way again.

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::{Store, StoreError, stored};

/// How long a key is remembered.
const RETENTION_MS: i64 = 86_400_000;
/// A first request that has not been answered by then never will be: the next may take its place.
const UNDER_WAY_MS: i64 = 60_000;
const UNDER_WAY: i64 = 0;
/// It broke off, by the death of its process or by an error that says nothing of what went out.
const BROKEN_OFF: i64 = -1;

/// What a key comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nobody used the key: go on, then [`Store::end_idempotent`].
    First,
    /// As `First`, but an earlier request broke off, after it was sent or before: look first.
    BrokenOff,
    /// Answered before.
    Again { status: u16, body: Vec<u8> },
    /// The first request is not answered yet.
    UnderWay,
    /// The key stands for another request.
    Differs,
}

/// How a request with a key ended.
#[derive(Debug)]
pub enum Ended<'a> {
    Answered {
        status: u16,
        body: &'a [u8],
    },
    /// Nothing went out: the key is free again.
    Refused,
    /// Nobody knows whether it went out.
    BrokenOff,
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
        let sql = "DELETE FROM idempotency WHERE waba_id = ? AND key_hash = ? AND created_ms < ?";
        sqlx::query(sql)
            .bind(stored(waba_id))
            .bind(hash(key.as_bytes()))
            .bind(now_ms - RETENTION_MS)
            .execute(&mut *tx)
            .await?;
        let sql = "UPDATE idempotency SET status = 0, created_ms = ? WHERE waba_id = ? AND key_hash = ? \
                   AND request_hash = ? AND (status = -1 OR (status = 0 AND created_ms < ?))";
        let resumed = sqlx::query(sql)
            .bind(now_ms)
            .bind(stored(waba_id))
            .bind(hash(key.as_bytes()))
            .bind(hash(request))
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
            _ if resumed.rows_affected() == 1 => Begun::BrokenOff,
            UNDER_WAY | BROKEN_OFF => Begun::UnderWay,
            status => Begun::Again {
                status: u16::try_from(status).unwrap_or(500),
                body: self.key.open_sealed(&body)?,
            },
        })
    }

    pub async fn end_idempotent(&self, waba_id: u64, key: &str, ended: Ended<'_>) -> Result<(), StoreError> {
        let (status, body) = match ended {
            Ended::Answered { status, body } => (i64::from(status), self.key.seal(body)?),
            Ended::BrokenOff => (BROKEN_OFF, Vec::new()),
            Ended::Refused => {
                sqlx::query("DELETE FROM idempotency WHERE waba_id = ? AND key_hash = ?")
                    .bind(stored(waba_id))
                    .bind(hash(key.as_bytes()))
                    .execute(&self.pool)
                    .await?;
                return Ok(());
            }
        };
        sqlx::query("UPDATE idempotency SET status = ?, body = ? WHERE waba_id = ? AND key_hash = ?")
            .bind(status)
            .bind(body)
            .bind(stored(waba_id))
            .bind(hash(key.as_bytes()))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// At the start, when nothing can be under way.
    pub(super) async fn break_off_requests(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE idempotency SET status = -1 WHERE status = 0")
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn forget_old_keys(&self, now_ms: i64) -> Result<u64, StoreError> {
        self.forget("DELETE FROM idempotency WHERE created_ms < ?", now_ms - RETENTION_MS)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    async fn begin(store: &Store, request: &str, now_ms: i64) -> Begun {
        let begun = store.begin_idempotent(7, "key", request.as_bytes(), now_ms).await;
        begun.expect("begun")
    }

    async fn end(store: &Store, ended: Ended<'_>) {
        store.end_idempotent(7, "key", ended).await.expect("ended");
    }

    #[tokio::test]
    async fn a_key_stands_for_one_request_and_its_one_answer() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).await.expect("a store");
        assert_eq!(begin(&store, "halo", NOW).await, Begun::First);
        assert_eq!(begin(&store, "halo", NOW).await, Begun::UnderWay);
        assert_eq!(begin(&store, "hai", NOW).await, Begun::Differs);
        end(&store, Ended::Refused).await;
        assert_eq!(begin(&store, "hai", NOW).await, Begun::First, "nothing went out");
        let (status, body) = (200, b"{}".as_slice());
        end(&store, Ended::Answered { status, body }).await;
        let again = Begun::Again {
            status,
            body: body.into(),
        };
        assert_eq!(begin(&store, "hai", NOW + 1).await, again);
        assert_eq!(begin(&store, "hai", NOW + RETENTION_MS + 1).await, Begun::First);
    }

    #[tokio::test]
    async fn what_broke_off_is_looked_for_by_one_at_a_time() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).await.expect("a store");
        assert_eq!(begin(&store, "halo", NOW).await, Begun::First);
        end(&store, Ended::BrokenOff).await;
        assert_eq!(begin(&store, "hai", NOW).await, Begun::Differs, "it may have gone out");
        assert_eq!(begin(&store, "halo", NOW).await, Begun::BrokenOff);
        assert_eq!(begin(&store, "halo", NOW).await, Begun::UnderWay);
        store.close().await;
        // Another process: whoever was at work is dead.
        let store = Store::open(directory.path()).await.expect("a store");
        assert_eq!(begin(&store, "halo", NOW).await, Begun::BrokenOff);
        assert_eq!(begin(&store, "halo", NOW + UNDER_WAY_MS + 1).await, Begun::BrokenOff);
    }
}
