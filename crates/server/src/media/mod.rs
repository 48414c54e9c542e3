//! Files as ciphertext: room for them, their bytes on disk or in a bucket, and their end.
//!
//! Owns the table media_file, DATA/media and the bucket. Sees lengths and times, never a name, a type or a key. Which message a file belongs to
//! is known to clients only; whoever has its location may read it.

mod address;
mod begin_upload;
mod bucket;
mod delete_file;
mod disk;
mod give;
mod http;
mod moving;
mod range;
mod retention;
mod store;
mod verify;

#[cfg(test)]
mod bucket_tests;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Notify, Semaphore};

use self::{
    address::Addresses,
    bucket::{Bucket, BucketError},
    disk::Disk,
    store::Place,
};
pub(crate) use self::{
    begin_upload::begin_upload, delete_file::delete_file, http::router, moving::keep_moving, retention::sweep,
    verify::verify,
};
use crate::{
    app::App,
    config::Config,
    db::{Db, DbError},
    error::StartError,
    metrics::Metrics,
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
    bucket: Option<Bucket>,
    /// A file has come that is to go into the bucket.
    to_move: Notify,
    /// The bucket did not answer the last time: said once, not at every request.
    troubled: AtomicBool,
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
            bucket: Bucket::open(&config.media)?,
            to_move: Notify::new(),
            troubled: AtomicBool::new(false),
            transfers: Arc::new(Semaphore::new(TRANSFERS_MAX)),
            quota_bytes: config.media.quota_mib_per_account * MIB,
            retention_ms: i64::from(config.media.retention_days) * DAY_MS,
        })
    }
    /// Where a file is that has just become whole.
    fn first_place(&self) -> Place {
        match self.bucket {
            Some(_) => Place::ToMove,
            None => Place::Disk,
        }
    }

    /// The bucket did not do it. The operator is told when that begins, not at every request; the metric counts them all.
    fn trouble(&self, app: &App, error: &BucketError) {
        Metrics::count(&app.metrics.media_bucket_errors);
        if !self.troubled.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the bucket of files fails; what has come stays on the disk until it answers again");
        }
    }

    fn answers_again(&self) {
        if self.troubled.swap(false, Ordering::Relaxed) {
            tracing::info!("the bucket of files answers again");
        }
    }
}

/// Before the server listens: keys that the bucket does not accept stop the start, with a sentence that says so. A bucket that cannot be
/// reached does not: messages go on without it.
pub(crate) async fn check_bucket(app: &App) -> Result<(), StartError> {
    let Some(bucket) = &app.media.bucket else {
        let lost = store::count_in_bucket(&mut app.db.reader().await?).await?;
        return if lost == 0 {
            Ok(())
        } else {
            let rule = format!("media.bucket: {lost} files of this server are in a bucket: name it");
            Err(StartError::Config(rule))
        };
    };
    match bucket.try_out().await {
        Ok(()) => {}
        Err(error @ (BucketError::Refused(_) | BucketError::Missing)) => {
            let name = bucket.name();
            return Err(StartError::Config(format!("media.bucket: {name}: {error}")));
        }
        Err(error) => app.media.trouble(app, &error),
    }
    let moving = app.db.write((), |tx, ()| Box::pin(store::move_all(tx))).await?;
    if moving > 0 {
        tracing::info!(files = moving, "files on the disk begin to move into the bucket");
    }
    Ok(())
}
