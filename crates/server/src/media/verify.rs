//! The count that proves retention: every row against what is really stored, on the disk and in the bucket.
//!
//! Reads only. Memory is bounded: ids are random, so a large server is looked at in slices by the first byte of the id.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use kabar_protocol::ids::AccountId;
use serde_json::{Value, json};

use super::{
    bucket::{Bucket, BucketError},
    disk::FileId,
    store::{self, Place, Stored},
};
use crate::{
    app::App,
    db::DbError,
    error::{Failure, reason},
};

/// Files that are held in memory at a time, about 100 bytes each.
const FILES_AT_ONCE: u64 = 250_000;
const PAGE: u32 = 1_000;

/// Bytes of a file that are there.
#[derive(Debug, Default, Clone, Copy)]
struct Found {
    partial: Option<u64>,
    disk: Option<u64>,
    bucket: Option<u64>,
}

#[derive(Debug, Default)]
struct Count {
    files: u64,
    bytes: u64,
    /// On their way, from their sender.
    uploading: u64,
    /// Whole, and not in the bucket yet.
    moving: u64,
    missing: u64,
    orphans: u64,
    orphan_bytes: u64,
}

fn failed(error: &BucketError) -> Failure {
    Failure::unavailable(reason::BUCKET_AWAY, error.to_string())
}

/// `kabar admin media verify`.
pub(crate) async fn verify(app: &App) -> Result<Value, Failure> {
    let rows = store::count(&mut app.db.reader().await?).await?;
    let slices = (rows / FILES_AT_ONCE + 1).next_power_of_two().min(256);
    let width = 256 / slices;
    let mut count = Count::default();
    for slice in 0..slices {
        let range = slice * width..=(slice + 1) * width - 1;
        let bytes: Vec<u8> = range.filter_map(|byte| u8::try_from(byte).ok()).collect();
        verify_slice(app, &bytes, &mut count).await?;
    }
    let place = app.media.bucket.as_ref().map_or("disk", Bucket::name);
    Ok(json!({
        "ok": count.missing == 0 && count.orphans == 0,
        "place": place,
        "files": count.files,
        "bytes": count.bytes,
        "uploading": count.uploading,
        "moving": count.moving,
        "missing": count.missing,
        "orphans": count.orphans,
        "orphan_bytes": count.orphan_bytes,
    }))
}

async fn verify_slice(app: &App, first_bytes: &[u8], count: &mut Count) -> Result<(), Failure> {
    // What is stored first, then the rows: whatever is stored had its row before.
    let (mut found, foreign) = stored(app, first_bytes).await?;
    count.orphans += foreign;
    let (Some(first), Some(last)) = (first_bytes.first(), first_bytes.last()) else {
        return Ok(());
    };
    let mut after = (AccountId([0; 16]), FileId([0; 16]));
    loop {
        let page = store::slice(&mut app.db.reader().await?, after, (*first, *last), PAGE).await?;
        let Some(end) = page.last() else { break };
        after = (end.account, end.file);
        for row in page {
            let there = found.remove(&row.file).unwrap_or_default();
            row_against(app, &row, there, count).await?;
        }
    }
    for (file, there) in found {
        // Deleted between the two looks, most often.
        if still_there(app, file).await? {
            count.orphans += 1;
            count.orphan_bytes += [there.partial, there.disk, there.bucket]
                .into_iter()
                .flatten()
                .sum::<u64>();
        }
    }
    Ok(())
}

/// What the disk and the bucket have, and how many things lie between that are no files of ours.
async fn stored(app: &App, first_bytes: &[u8]) -> Result<(HashMap<FileId, Found>, u64), Failure> {
    let mut found: HashMap<FileId, Found> = HashMap::new();
    let mut foreign = 0;
    let disk = &app.media.disk;
    let internal = |error: std::io::Error| Failure::internal(&error);
    for (file, bytes) in disk.list_partial().await.map_err(internal)? {
        match file {
            Some(file) if first_bytes.contains(&file.0[0]) => found.entry(file).or_default().partial = Some(bytes),
            Some(_) => {}
            // Counted with the first slice.
            None => foreign += u64::from(first_bytes.contains(&0)),
        }
    }
    for first in first_bytes {
        for (file, bytes) in disk.list(*first).await.map_err(internal)? {
            match file {
                Some(file) => found.entry(file).or_default().disk = Some(bytes),
                None => foreign += 1,
            }
        }
        if let Some(bucket) = &app.media.bucket {
            let mut listed = bucket.list(*first);
            while let Some(next) = listed.next().await {
                match next.map_err(|error| failed(&error))? {
                    (Some(file), bytes) => found.entry(file).or_default().bucket = Some(bytes),
                    (None, _) => foreign += 1,
                }
            }
        }
    }
    Ok((found, foreign))
}

async fn row_against(app: &App, row: &Stored, there: Found, count: &mut Count) -> Result<(), Failure> {
    if !row.whole {
        count.uploading += 1;
        return Ok(());
    }
    let is_there = |there: Found| {
        let place = match row.place {
            Place::Disk | Place::ToMove => there.disk.or(there.bucket),
            Place::Both | Place::Bucket => there.bucket,
        };
        place == Some(row.size_bytes)
    };
    // It may have come, moved or gone since.
    if !is_there(there) && !is_there(look(app, row.file).await?) && same_row(app, row).await? {
        count.missing += 1;
        return Ok(());
    }
    count.files += 1;
    count.bytes += row.size_bytes;
    count.moving += u64::from(row.place == Place::ToMove);
    if row.place == Place::Bucket && there.disk.is_some() {
        count.orphans += 1;
        count.orphan_bytes += there.disk.unwrap_or(0);
    }
    Ok(())
}

async fn same_row(app: &App, row: &Stored) -> Result<bool, DbError> {
    let now = store::row(&mut app.db.reader().await?, row.account, row.file).await?;
    Ok(now.is_some_and(|now| now.place == row.place))
}

/// What there is of one file at this moment.
async fn look(app: &App, file: FileId) -> Result<Found, Failure> {
    let (come, whole) = app
        .media
        .disk
        .come(file)
        .await
        .map_err(|error| Failure::internal(&error))?;
    let bucket = match &app.media.bucket {
        None => None,
        Some(bucket) => match bucket.look(file).await {
            Ok(bytes) => Some(bytes),
            Err(BucketError::Missing) => None,
            Err(error) => return Err(failed(&error)),
        },
    };
    Ok(Found {
        partial: (!whole && come > 0).then_some(come),
        disk: whole.then_some(come),
        bucket,
    })
}

async fn still_there(app: &App, file: FileId) -> Result<bool, Failure> {
    let there = look(app, file).await?;
    Ok(there.partial.is_some() || there.disk.is_some() || there.bucket.is_some())
}
