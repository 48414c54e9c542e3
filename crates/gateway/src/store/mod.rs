//! What the gateway keeps: apps, tokens, numbers, contacts, waiting webhooks, media. One SQLite file, one writer.
//!
//! Owns DATA/gateway and everything in it but the homes of the numbers' clients. App secrets, verify tokens, webhook
//! bodies and media are sealed at rest under a key in a file of its own.

mod apps;
mod cache;
mod contacts;
mod deliveries;
mod flows;
mod idempotency;
mod media;
mod numbers;
mod orders;
mod receipts;
mod sealing;
mod sent;
mod writer;

use std::{os::unix::fs::DirBuilderExt as _, path::Path, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{
    apps::{App, Subscription},
    contacts::Contact,
    deliveries::{Delivery, NewDelivery},
    flows::{Flow, FlowStatus},
    idempotency::{Begun, Ended},
    media::{Media, MediaSource},
    numbers::Number,
    orders::{Offered, OfferedItem},
    sent::SentMessage,
};
use self::{
    cache::{Cached, Recent},
    contacts::Contacts,
    sealing::Key,
    writer::Writer,
};

/// Writers wait so long for each other.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections: statements are short, and SQLite has one writer.
const CONNECTIONS_MAX: u32 = 4;
/// Apps, tokens and businesses that are held in memory.
const APPS_MAX: usize = 1_024;
/// Messages whose first statuses come from memory.
const SENT_MAX: usize = 4_096;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the gateway's directory cannot be used: {0}")]
    Io(#[from] std::io::Error),
    #[error("the gateway's database: {0}")]
    Sql(#[from] sqlx::Error),
    /// The key is another one than when it was written, or the bytes were changed.
    #[error("something that the gateway has sealed does not open")]
    Sealed,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: SqlitePool,
    /// What every message writes goes through here instead.
    writer: Arc<Writer>,
    memory: Arc<Memory>,
    key: Key,
    directory: Arc<Path>,
    /// A message that went out was written down.
    sent_kept: Arc<tokio::sync::Notify>,
}

/// What is known without asking the database.
struct Memory {
    apps: Cached<u64, App>,
    /// By their hashes.
    tokens: Cached<Vec<u8>, App>,
    /// By business.
    subscriptions: Cached<u64, Arc<[Subscription]>>,
    numbers: Cached<(), Arc<[Number]>>,
    contacts: Contacts,
    sent: Recent<[u8; 32], SentMessage>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            apps: Cached::new(APPS_MAX),
            tokens: Cached::new(APPS_MAX),
            subscriptions: Cached::new(APPS_MAX),
            numbers: Cached::new(1),
            contacts: Contacts::default(),
            sent: Recent::new(SENT_MAX),
        }
    }
}

impl Store {
    /// Opens or makes the gateway's directory. The caller sees to it that one process does so at a time.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory.join("media"))?;
        let key = Key::open(&directory.join("key"))?;
        let options = SqliteConnectOptions::new()
            .filename(directory.join("gateway.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A webhook that was queued survives a power cut, as the message did that it is about.
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            // A file does not go away as a server does: a connection that was good is good.
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await?;
        let store = Self {
            pool,
            writer: Arc::new(Writer::start(options.connect().await?)),
            memory: Arc::default(),
            key,
            directory: directory.into(),
            sent_kept: Arc::default(),
        };
        store.break_off_requests().await?;
        Ok(store)
    }

    /// Runs a statement that deletes what is older than its one parameter; the number of rows.
    async fn forget(&self, sql: &'static str, before_ms: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query(sql).bind(before_ms).execute(&self.pool).await?;
        Ok(deleted.rows_affected())
    }

    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
    }
}

/// A number of the Graph API as SQLite keeps it.
fn stored(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn loaded(id: i64) -> u64 {
    u64::try_from(id).unwrap_or_default()
}
