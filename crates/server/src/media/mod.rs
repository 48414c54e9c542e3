//! Files as ciphertext: room for them, their bytes on disk, and their end.
//!
//! Owns the table media_file and DATA/media. Sees lengths and times, never a name, a type or a key. Which message a file belongs to
//! is known to clients only; whoever has its location may read it.

mod address;
mod begin_upload;
mod disk;
mod http;
mod retention;
mod store;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::Semaphore;

use self::{address::Addresses, disk::Disk};
pub(crate) use self::{begin_upload::begin_upload, http::router, retention::sweep};
use crate::{
    config::Config,
    db::{Db, DbError},
    error::StartError,
    secrets::Secrets,
};

/// Files that are sent or fetched at a time; more are asked to come back.
const TRANSFERS_MAX: usize = 512;
const MIB: u64 = 1024 * 1024;
const DAY_MS: i64 = 86_400_000;

/// What the slice keeps in memory.
pub(crate) struct Media {
    addresses: Addresses,
    disk: Disk,
    transfers: Arc<Semaphore>,
    quota_bytes: u64,
    retention_ms: i64,
}

/// Bytes of all whole files: asked once, at the start, and counted from there.
pub(crate) async fn stored_bytes(db: &Db) -> Result<i64, DbError> {
    store::stored_bytes(&mut db.reader().await?).await
}

impl Media {
    pub(crate) fn open(config: &Config, secrets: &Secrets) -> Result<Self, StartError> {
        Ok(Self {
            addresses: Addresses::new(secrets),
            disk: Disk::open(&config.server.data)?,
            transfers: Arc::new(Semaphore::new(TRANSFERS_MAX)),
            quota_bytes: config.media.quota_mib_per_account * MIB,
            retention_ms: i64::from(config.media.retention_days) * DAY_MS,
        })
    }
}
