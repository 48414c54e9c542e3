//! The ordered map of [`kabar_core::api`] in one SQLite file: a table of keys and values, one transaction a batch.

use std::path::Path;

use kabar_core::api::{Key, Value, Write};
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

pub(crate) struct Store {
    connection: SqliteConnection,
}

impl Store {
    pub(crate) async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        let mut connection = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // Deleted keys are overwritten: forward secrecy ends at the disk otherwise.
            .pragma("secure_delete", "ON")
            .disable_statement_logging()
            .connect()
            .await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            .execute(&mut connection)
            .await?;
        Ok(Self { connection })
    }

    /// All writes or none, durable when it returns.
    pub(crate) async fn apply(&mut self, writes: &[Write]) -> Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for write in writes {
            let query = match write {
                Write::Put(key, value) => sqlx::query(
                    "INSERT INTO entry (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )
                .bind(key.as_slice())
                .bind(value.as_slice()),
                Write::Delete(key) => sqlx::query("DELETE FROM entry WHERE key = $1").bind(key.as_slice()),
            };
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// Rows that start with `prefix`, from `from` on upwards, or below `from` downwards.
    pub(crate) async fn scan(
        &mut self,
        prefix: &[u8],
        from: &[u8],
        limit: u32,
        reverse: bool,
    ) -> Result<Vec<(Key, Value)>, sqlx::Error> {
        let end = prefix_end(prefix);
        let rows = if reverse {
            let below = match (&end, from.is_empty()) {
                (Some(end), true) => end.as_slice(),
                _ => from,
            };
            sqlx::query("SELECT key, value FROM entry WHERE key >= $1 AND key < $2 ORDER BY key DESC LIMIT $3")
                .bind(prefix.to_vec())
                .bind(below.to_vec())
                .bind(i64::from(limit))
        } else {
            let first = from.max(prefix).to_vec();
            let query = match &end {
                Some(_) => "SELECT key, value FROM entry WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3",
                None => "SELECT key, value FROM entry WHERE key >= $1 AND $2 IS NULL ORDER BY key LIMIT $3",
            };
            sqlx::query(query).bind(first).bind(end).bind(i64::from(limit))
        };
        let rows = rows.fetch_all(&mut self.connection).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the store did not close cleanly");
        }
    }
}

/// The first key behind every key with this prefix; `None` if there is no such key.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &[u8], value: &[u8]) -> Write {
        Write::Put(key.to_vec(), value.to_vec())
    }

    async fn keys(store: &mut Store, prefix: &[u8], from: &[u8], limit: u32, reverse: bool) -> Vec<Vec<u8>> {
        let rows = store.scan(prefix, from, limit, reverse).await.expect("scan");
        rows.into_iter().map(|(key, _)| key).collect()
    }

    #[tokio::test]
    async fn a_batch_is_applied_and_scanned_in_both_directions() {
        let dir = tempfile::tempdir().expect("dir");
        let mut store = Store::open(&dir.path().join("kabar.db")).await.expect("open");
        let writes = [
            put(b"a1", b"x"),
            put(b"a2", b"x"),
            put(b"a3", b"y"),
            put(b"b1", b"x"),
            put(b"a\xff", b"z"),
        ];
        store.apply(&writes).await.expect("apply");
        store
            .apply(&[Write::Delete(b"a2".to_vec()), put(b"a1", b"new")])
            .await
            .expect("apply");

        assert_eq!(
            keys(&mut store, b"a", b"", 10, false).await,
            [b"a1".to_vec(), b"a3".to_vec(), b"a\xff".to_vec()]
        );
        assert_eq!(keys(&mut store, b"a", b"a2", 1, false).await, [b"a3".to_vec()]);
        assert_eq!(keys(&mut store, b"a", b"a3", 10, true).await, [b"a1".to_vec()]);
        assert_eq!(keys(&mut store, b"a", b"", 1, true).await, [b"a\xff".to_vec()]);
        assert_eq!(keys(&mut store, b"", b"", 10, false).await.len(), 4);
    }

    #[tokio::test]
    async fn a_reopened_store_has_what_was_applied() {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("kabar.db");
        let mut store = Store::open(&file).await.expect("open");
        store.apply(&[put(b"k", b"v")]).await.expect("apply");
        drop(store);
        let mut store = Store::open(&file).await.expect("open again");
        assert_eq!(
            store.scan(b"k", b"", 1, false).await.expect("scan"),
            [(b"k".to_vec(), b"v".to_vec())]
        );
    }
}
