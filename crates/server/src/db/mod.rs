//! The database: one set of statements for SQLite (embedded) and PostgreSQL, and group commit.
//!
//! Slices write through [`Db::write`] and read through [`Db::reader`]; no slice opens a connection of its own.
//! Nothing here knows a slice's tables, except the migrations, which create them.

mod engine;
mod migrate;
mod reserve;
mod tx;
mod value;
mod writer;

#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use self::{engine::Pools, writer::Writers};
pub(crate) use self::{
    reserve::Reserve,
    tx::{Rows, Tx},
    value::{Row, Value, columns, params},
    writer::WriterStats,
};

/// How long a reader waits for a connection before it answers `unavailable`.
const READER_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Why the database did not do it. Business conflicts are results, never errors.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("the disk is full")]
    DiskFull,
    #[error("the database is busy or away")]
    Unavailable,
    #[error("column {index} does not hold what the statement expects")]
    Column { index: usize },
    #[error(
        "the database was written by a newer version of this program: its schema is {found}, this one knows {known}"
    )]
    Newer { found: i64, known: i64 },
    /// A rule that a write must keep would be broken; nothing of it is written.
    #[error("an invariant does not hold: {0}")]
    Invariant(&'static str),
    #[error("{0}")]
    Engine(sqlx::Error),
}

/// Result codes that mean a full disk: SQLITE_FULL, and SQLSTATE class 53.
const DISK_FULL_CODES: [&str; 2] = ["13", "53100"];

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.code().is_some_and(|c| DISK_FULL_CODES.contains(&c.as_ref())) => {
                Self::DiskFull
            }
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Unavailable,
            _ => Self::Engine(error),
        }
    }
}

/// Handle to the database; cheap to clone.
#[derive(Clone)]
pub(crate) struct Db {
    pools: Pools,
    writers: Arc<Writers>,
    reserve: Arc<Reserve>,
}

impl Db {
    /// Opens `data/kabar.db`, or PostgreSQL if `url` names one, and brings its schema up to date.
    pub(crate) async fn open(data: &Path, url: Option<&str>) -> Result<Self, DbError> {
        let pools = match url {
            None => Pools::sqlite(&data.join("kabar.db")).await?,
            Some(url) => Pools::postgres(url).await?,
        };
        migrate::run(&mut pools.writer().await?).await?;
        let reserve = Arc::new(Reserve::new(data));
        let writers = Writers::start(&pools, Arc::clone(&reserve)).await?;
        Ok(Self {
            pools,
            writers: Arc::new(writers),
            reserve,
        })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.pools.engine()
    }

    /// A connection to read from; every statement sees what was committed before it.
    pub(crate) async fn reader(&self) -> Result<Tx, DbError> {
        tokio::time::timeout(READER_WAIT, self.pools.reader())
            .await
            .map_err(|_| DbError::Unavailable)?
    }

    /// Runs `op` in a transaction that it may share with others, and answers after the commit.
    ///
    /// `op` may run twice, so it changes nothing but the transaction. It must decide before it writes:
    /// what it wrote is committed even if its result says no. An `Err` rolls everything of `op` back.
    pub(crate) async fn write<I, T, F>(&self, input: I, op: F) -> Result<T, DbError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx, &'a I) -> BoxFuture<'a, Result<T, DbError>> + Send + Sync + 'static,
    {
        self.writers.write(input, op).await
    }

    pub(crate) fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    pub(crate) fn stats(&self) -> &WriterStats {
        self.writers.stats()
    }

    /// Waits for the writers to finish what they took in, then closes the connections.
    pub(crate) async fn close(&self) {
        self.writers.close().await;
        self.pools.close().await;
    }
}
