//! The ordered map of [`kabar_core::api`] in one SQLite file: a table of keys and values, one transaction a batch.

use std::{path::Path, vec};

use kabar_core::api::{Key, Value, Write};
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// A batch is one statement, so one trip to the connection's thread and one commit: rows that go into a view, of which the
/// triggers make writes. No value deletes its key; no key is what fills a statement up to its size.
const CHANGE: &str = "
    CREATE TEMP VIEW change AS SELECT key, value FROM main.entry;
    CREATE TEMP TRIGGER put INSTEAD OF INSERT ON change WHEN NEW.key IS NOT NULL AND NEW.value IS NOT NULL BEGIN
        INSERT INTO entry (key, value) VALUES (NEW.key, NEW.value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
    END;
    CREATE TEMP TRIGGER take INSTEAD OF INSERT ON change WHEN NEW.key IS NOT NULL AND NEW.value IS NULL BEGIN
        DELETE FROM entry WHERE key = NEW.key;
    END;";
/// Rows of a statement are rounded up to one of these, so that few texts exist and each is prepared once.
const ROWS: [usize; 5] = [4, 16, 64, 256, ROWS_MAX];
const ROWS_MAX: usize = 1024;

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
        sqlx::raw_sql(CHANGE).execute(&mut connection).await?;
        Ok(Self { connection })
    }

    /// All writes or none, durable when it returns.
    pub(crate) async fn apply(&mut self, writes: Vec<Write>) -> Result<(), sqlx::Error> {
        let few = writes.len() <= ROWS_MAX;
        let mut writes = writes.into_iter();
        if few {
            return change(&mut self.connection, &mut writes).await;
        }
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        while writes.len() > 0 {
            change(&mut transaction, &mut writes).await?;
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
        // "+ 0": a statement with a bare LIMIT variable is prepared again whenever it is bound, to plan for the number.
        let rows = if reverse {
            let below = match (&end, from.is_empty()) {
                (Some(end), true) => end.as_slice(),
                _ => from,
            };
            sqlx::query("SELECT key, value FROM entry WHERE key >= $1 AND key < $2 ORDER BY key DESC LIMIT $3 + 0")
                .bind(prefix.to_vec())
                .bind(below.to_vec())
                .bind(i64::from(limit))
        } else {
            let first = from.max(prefix).to_vec();
            let query = match &end {
                Some(_) => "SELECT key, value FROM entry WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3 + 0",
                None => "SELECT key, value FROM entry WHERE key >= $1 AND $2 IS NULL ORDER BY key LIMIT $3 + 0",
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

/// The next writes, as many as one statement takes.
async fn change(connection: &mut SqliteConnection, writes: &mut vec::IntoIter<Write>) -> Result<(), sqlx::Error> {
    let rows = ROWS.into_iter().find(|size| *size >= writes.len()).unwrap_or(ROWS_MAX);
    let sql = format!(
        "INSERT INTO change (key, value) VALUES (?,?){}",
        ",(?,?)".repeat(rows - 1)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for _ in 0..rows {
        let (key, value) = match writes.next() {
            Some(Write::Put(key, value)) => (Some(key), Some(value)),
            Some(Write::Delete(key)) => (Some(key), None),
            None => (None, None),
        };
        query = query.bind(key).bind(value);
    }
    query.execute(connection).await.map(drop)
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
        store.apply(writes.to_vec()).await.expect("apply");
        store
            .apply(vec![Write::Delete(b"a2".to_vec()), put(b"a1", b"new")])
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
        store.apply(vec![put(b"k", b"v")]).await.expect("apply");
        drop(store);
        let mut store = Store::open(&file).await.expect("open again");
        assert_eq!(
            store.scan(b"k", b"", 1, false).await.expect("scan"),
            [(b"k".to_vec(), b"v".to_vec())]
        );
    }
    #[tokio::test]
    async fn a_batch_of_any_size_is_all_or_nothing() {
        let dir = tempfile::tempdir().expect("dir");
        let mut store = Store::open(&dir.path().join("kabar.db")).await.expect("open");
        let key = |number: usize| u32::try_from(number).expect("small").to_be_bytes();
        for count in [0, 1, 4, 5, 64, 65, ROWS_MAX, ROWS_MAX + 1, 2 * ROWS_MAX + 7] {
            let writes = (0..count).map(|number| put(&key(number), b""));
            store.apply(writes.collect()).await.expect("put");
            assert_eq!(keys(&mut store, b"", b"", 9_999, false).await.len(), count);
            // One of them replaced, all others deleted, in the same batch.
            let writes = (1..count).map(|number| Write::Delete(key(number).to_vec()));
            let first = (count > 0).then(|| put(&key(0), b"kept"));
            store.apply(writes.chain(first).collect()).await.expect("delete");
            assert_eq!(keys(&mut store, b"", b"", 9_999, false).await.len(), count.min(1));
        }

        // A value that the table refuses: nothing of its batch is there, and the next one is not troubled.
        let sql = "CREATE TRIGGER full BEFORE INSERT ON entry WHEN NEW.key = x'666666' BEGIN SELECT RAISE(ABORT, 'full'); END";
        sqlx::query(sql).execute(&mut store.connection).await.expect("trigger");
        for count in [3, 2 * ROWS_MAX] {
            let writes = (10..count + 10).map(|number| put(&key(number), b"x"));
            let refused = writes.chain([put(b"fff", b"x")]).collect();
            store.apply(refused).await.expect_err("refused");
            assert_eq!(keys(&mut store, b"", b"", 9_999, false).await, [key(0).to_vec()]);
        }
        store.apply(vec![put(b"next", b"x")]).await.expect("applied");
        assert_eq!(keys(&mut store, b"", b"", 9_999, false).await.len(), 2);
    }
}
