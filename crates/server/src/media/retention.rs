//! Deletes what has expired: the bytes first, on the disk and in the bucket, then the row that remembers them. So a crash in between, or a
//! bucket that is away, leaves a row that says what remains to be done, and never bytes that nobody knows of.

use std::sync::atomic::Ordering;

use kabar_protocol::ids::AccountId;

use super::{
    bucket::{Bucket, BucketError},
    disk::FileId,
    store::{self, Place, Stored},
};
use crate::{app::App, db::DbError};

const PAGE: u32 = 256;
/// A round is over after so many files that could not be deleted: the next ones would only wait as well.
const FAILURES_MAX: usize = 8;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deleted {
    Gone,
    /// Somebody still writes to it, and does not stop.
    Busy,
    BucketAway,
    Failed,
}

/// The number of files that are gone.
pub(crate) async fn sweep(app: &App) -> Result<u64, DbError> {
    let (mut deleted, mut failures) = (0, 0);
    let mut after = (AccountId([0; 16]), FileId([0; 16]));
    loop {
        let page = store::page(&mut app.db.reader().await?, after, PAGE, app.now_ms()).await?;
        let Some((account, file, _)) = page.last() else {
            return Ok(deleted);
        };
        after = (*account, *file);
        for (account, file, _) in page.iter().filter(|(.., expired)| *expired) {
            match delete(app, *account, *file).await? {
                Deleted::Gone => deleted += 1,
                _ => failures += 1,
            }
            if failures >= FAILURES_MAX {
                return Ok(deleted);
            }
        }
        if app.stop.is_cancelled() {
            return Ok(deleted);
        }
    }
}

/// Deletes a file of an account. If the bytes cannot be deleted now, the row stays, and the next round tries again.
pub(super) async fn delete(app: &App, account: AccountId, file: FileId) -> Result<Deleted, DbError> {
    // Nobody writes to it or carries it away meanwhile: what he brought would be known to nobody.
    let Some(writer) = app.media.disk.writer(file).await else {
        return Ok(Deleted::Busy);
    };
    if let Some(bucket) = &app.media.bucket
        && let Some(stored) = store::row(&mut app.db.reader().await?, account, file).await?
        && let Err(error) = empty_bucket(bucket, &stored).await
    {
        app.media.trouble(app, &error);
        return Ok(Deleted::BucketAway);
    }
    if let Err(error) = app.media.disk.delete(file).await {
        tracing::error!(%error, "a file that is to go could not be deleted");
        return Ok(Deleted::Failed);
    }
    let forget = (account, file);
    let stored_bytes = app
        .db
        .write(forget, |tx, (account, file)| {
            Box::pin(store::delete(tx, *account, *file))
        })
        .await?;
    drop(writer);
    app.metrics
        .media_stored_bytes
        .fetch_sub(stored_bytes, Ordering::Relaxed);
    Ok(Deleted::Gone)
}

/// Whatever the bucket may have of a file, parts included.
async fn empty_bucket(bucket: &Bucket, stored: &Stored) -> Result<(), BucketError> {
    if !stored.upload.is_empty() {
        bucket.abort(stored.file, &stored.upload).await?;
    }
    // One that is to move may have arrived before the row could say so.
    if stored.place == Place::Disk {
        return Ok(());
    }
    bucket.delete(stored.file).await
}
