//! Opening the two engines, with the settings that durability and security need.
//!
//! SQLite: write-ahead log, synced at every commit, one writer, few readers, bounded page caches.

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{DbError, Engine, READER_WAIT, Tx, tx::Connection};

/// Connections that read SQLite beside the writer.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL, writers included.
const POSTGRES_CONNECTIONS: u32 = 16;
/// Page cache of the writer and of a reader, in KiB (SQLite takes KiB as negative numbers).
const WRITER_CACHE_KIB: u32 = 16 * 1024;
const READER_CACHE_KIB: u32 = 2 * 1024;
/// The write-ahead log is moved into the database when it has this many 4 KiB pages.
const CHECKPOINT_PAGES: u32 = 4_000;
/// Statements come in few texts, times the sizes of their rows (see `Rows`).
const STATEMENTS_CACHED: usize = 512;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

impl Pools {
    pub(super) async fn sqlite(path: &Path) -> Result<Self, DbError> {
        let options = |cache_kib: u32| {
            SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(false)
                .statement_cache_capacity(STATEMENTS_CACHED)
                .pragma("cache_size", format!("-{cache_kib}"))
                .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
                .pragma("temp_store", "MEMORY")
                .pragma("trusted_schema", "OFF")
                .pragma("cell_size_check", "ON")
                // Deleted queue items are overwritten where that costs no further write.
                .pragma("secure_delete", "FAST")
        };
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options(WRITER_CACHE_KIB))
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .min_connections(1)
            .acquire_timeout(READER_WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options(READER_CACHE_KIB).pragma("query_only", "ON"))
            .await?;
        Ok(Self::Sqlite { writer, readers })
    }

    pub(super) async fn postgres(url: &str) -> Result<Self, DbError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("kabar")
            .statement_cache_capacity(STATEMENTS_CACHED);
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(READER_WAIT)
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Self::Postgres(pool))
    }

    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    pub(super) async fn reader(&self) -> Result<Tx, DbError> {
        let connection = match self {
            Self::Sqlite { readers, .. } => Connection::Sqlite(readers.acquire().await?),
            Self::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
        };
        Ok(Tx { connection })
    }

    pub(super) async fn writer(&self) -> Result<Tx, DbError> {
        let connection = match self {
            Self::Sqlite { writer, .. } => Connection::Sqlite(writer.acquire().await?),
            Self::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
        };
        Ok(Tx { connection })
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
