//! What the gateway keeps: apps, tokens, numbers, contacts, waiting webhooks, media. One SQLite file, one writer.
//!
//! Owns DATA/gateway and everything in it but the homes of the numbers' clients. App secrets, verify tokens, webhook
//! bodies and media are sealed at rest under a key in a file of its own.

mod apps;
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

use std::{os::unix::fs::DirBuilderExt as _, path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use self::sealing::Key;
pub use self::{
    apps::{App, Subscription},
    contacts::Contact,
    deliveries::{Delivery, NewDelivery},
    flows::{Flow, FlowStatus},
    idempotency::Begun,
    media::{Media, MediaSource},
    numbers::Number,
    orders::{Offered, OfferedItem},
    sent::SentMessage,
};

/// Writers wait so long for each other.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections: statements are short, and SQLite has one writer.
const CONNECTIONS_MAX: u32 = 4;

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
    key: Key,
    directory: std::sync::Arc<Path>,
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
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options)
            .await?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await?;
        Ok(Self {
            pool,
            key,
            directory: directory.into(),
        })
    }

    pub async fn close(&self) {
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
