//! Whole files go from the disk into the bucket, in the background.
//!
//! The last PATCH is answered once the bytes are durable on this disk, and readers are given them from there. So a bucket that is slow
//! or away is felt by nobody who sends or reads what is new, and costs disk, which the operator sees (`kabar_media_moving_files`). The
//! alternative, to answer once the bucket has it, would make every sender wait for two uploads, and fail him when only the second does.
//!
//! The row says at every moment what there is to do, so a crash anywhere is continued from: `place`, and the name of an upload in parts,
//! whose parts would otherwise lie in the bucket for ever.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use kabar_protocol::ids::AccountId;
use tokio::{fs::File, io::AsyncReadExt as _};

use super::{
    bucket::{Bucket, BucketError, PART_BYTES},
    disk::{FileId, Writer},
    store::{self, Place, Stored},
};
use crate::{app::App, db::DbError};

/// Files that go up at a time; each has a part in memory.
const MOVED_AT_ONCE: usize = 4;
const PAGE: u32 = 64;
/// Looked at again even if nobody says that there is something new.
const ROUND_WAIT: Duration = Duration::from_secs(60);
/// After a round that failed, growing.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A round is over after so many failures: the bucket is away, and the next file would only wait as well.
const FAILURES_MAX: usize = MOVED_AT_ONCE;

/// Why a file has not moved.
#[derive(Debug)]
enum Trouble {
    Bucket(BucketError),
    Disk(std::io::Error),
    Db(DbError),
    /// Somebody else has to do with it now.
    Busy,
}

impl From<BucketError> for Trouble {
    fn from(error: BucketError) -> Self {
        Self::Bucket(error)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// What one round came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) moved: usize,
    pub(super) failed: usize,
}

/// Until the server stops.
pub(crate) async fn keep_moving(app: App) {
    let Some(bucket) = &app.media.bucket else { return };
    let mut pause = Duration::ZERO;
    loop {
        let next = async {
            if pause.is_zero() {
                let _ = tokio::time::timeout(ROUND_WAIT, app.media.to_move.notified()).await;
            } else {
                tokio::time::sleep(pause).await;
            }
        };
        if app.stop.run_until_cancelled(next).await.is_none() {
            return;
        }
        let round = app.stop.run_until_cancelled(round(&app, bucket)).await;
        pause = match round {
            None => return,
            Some(Ok(Round { failed: 0, .. })) => Duration::ZERO,
            Some(Ok(_)) => (pause * 2).clamp(PAUSE_MIN, PAUSE_MAX),
            Some(Err(error)) => {
                tracing::error!(%error, "files that are to go into the bucket could not be read; the next round tries again");
                PAUSE_MAX
            }
        };
    }
}

/// Everything that is to move, once.
pub(super) async fn round(app: &App, bucket: &Bucket) -> Result<Round, DbError> {
    let mut done = Round::default();
    let mut after = (AccountId([0; 16]), FileId([0; 16]));
    app.metrics.media_moving_files.store(
        store::count_to_move(&mut app.db.reader().await?).await?,
        Ordering::Relaxed,
    );
    loop {
        let page = store::to_move(&mut app.db.reader().await?, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(done);
        };
        after = (last.account, last.file);
        let away = AtomicBool::new(false);
        let mut moves = futures_util::stream::iter(page)
            .map(|stored| async {
                // What has begun comes to its end; nothing more begins.
                if away.load(Ordering::Relaxed) {
                    Err(Trouble::Busy)
                } else {
                    move_up(app, bucket, stored).await
                }
            })
            .buffer_unordered(MOVED_AT_ONCE);
        while let Some(moved) = moves.next().await {
            match moved {
                Ok(()) => {
                    done.moved += 1;
                    app.media.answers_again();
                    app.metrics.media_moving_files.fetch_sub(1, Ordering::Relaxed);
                }
                Err(trouble) => {
                    done.failed += 1;
                    tell(app, trouble);
                    away.store(done.failed >= FAILURES_MAX, Ordering::Relaxed);
                }
            }
        }
        drop(moves);
        if away.into_inner() {
            return Ok(done);
        }
    }
}

fn tell(app: &App, trouble: Trouble) {
    match trouble {
        Trouble::Bucket(error) => app.media.trouble(app, &error),
        Trouble::Disk(error) => tracing::error!(%error, "a file that is to go into the bucket could not be read"),
        Trouble::Db(error) => tracing::error!(%error, "a file's row could not be read or written"),
        Trouble::Busy => {}
    }
}

async fn move_up(app: &App, bucket: &Bucket, stored: Stored) -> Result<(), Trouble> {
    let Stored { account, file, .. } = stored;
    let writer = app.media.disk.writer(file).await.ok_or(Trouble::Busy)?;
    // Now that nobody else touches it: what was read with the page may be over.
    let Some(stored) = store::row(&mut app.db.reader().await?, account, file).await? else {
        return Ok(());
    };
    if stored.place == Place::ToMove {
        upload(app, bucket, &writer, &stored).await?;
        mark(app, account, file, Place::Both).await?;
    }
    app.media.disk.delete(file).await?;
    mark(app, account, file, Place::Bucket).await
}

async fn mark(app: &App, account: AccountId, file: FileId, place: Place) -> Result<(), Trouble> {
    let input = (account, file, place);
    let op = app.db.write(input, |tx, (account, file, place)| {
        Box::pin(store::set_place(tx, *account, *file, *place))
    });
    Ok(op.await?)
}

/// The bucket has all bytes when this returns.
async fn upload(app: &App, bucket: &Bucket, writer: &Writer, stored: &Stored) -> Result<(), Trouble> {
    let Stored { account, file, .. } = *stored;
    if !stored.upload.is_empty() {
        // Of an attempt that broke off.
        bucket.abort(file, &stored.upload).await?;
    }
    let Some((mut open, size_bytes)) = app.media.disk.open_whole(file).await? else {
        return match bucket.look(file).await {
            // It went up in a life of the server that ended before the row could say so.
            Ok(size_bytes) if size_bytes == stored.size_bytes => Ok(()),
            _ => Err(Trouble::Disk(std::io::ErrorKind::NotFound.into())),
        };
    };
    if size_bytes <= PART_BYTES as u64 {
        let bytes = part(&mut open, size_bytes).await?;
        return Ok(bucket.put(file, bytes).await?);
    }
    let upload = bucket.begin(file).await?;
    let input = (account, file, upload.clone());
    app.db
        .write(input, |tx, (account, file, upload)| {
            Box::pin(store::set_upload(tx, *account, *file, upload))
        })
        .await?;
    let (mut parts, mut left) = (Vec::new(), size_bytes);
    while left > 0 {
        let bytes = part(&mut open, left).await?;
        left -= bytes.len() as u64;
        let put = bucket.put_part(file, &upload, parts.len(), bytes);
        // Who deletes the file does not wait for a slow bucket.
        parts.push(writer.stop.run_until_cancelled(put).await.ok_or(Trouble::Busy)??);
    }
    Ok(bucket.finish(file, &upload, parts).await?)
}

/// The next part of a file of which `left` bytes are left.
async fn part(open: &mut File, left: u64) -> Result<Bytes, Trouble> {
    let length = usize::try_from(left).unwrap_or(PART_BYTES).min(PART_BYTES);
    let mut bytes = vec![0; length];
    open.read_exact(&mut bytes).await?;
    Ok(bytes.into())
}
