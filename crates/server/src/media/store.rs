//! SQL over files.

use kabar_protocol::ids::AccountId;

use super::disk::FileId;
use crate::db::{DbError, Row, Tx, params};

/// Where the bytes of a whole file are, and what is still to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On the disk, where they stay.
    Disk = 0,
    /// On the disk; they are to go into the bucket, which may have them already.
    ToMove = 1,
    /// The bucket has them; the disk may, and is not to keep them.
    Both = 2,
    Bucket = 3,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) account: AccountId,
    pub(super) file: FileId,
    pub(super) size_bytes: u64,
    pub(super) whole: bool,
    pub(super) place: Place,
    /// An upload in parts that the bucket knows, or has known, by this name.
    pub(super) upload: String,
}

fn stored(row: &Row) -> Result<Stored, DbError> {
    let place: i64 = row.get(4)?;
    Ok(Stored {
        account: row.get(0)?,
        file: FileId(row.get(1)?),
        size_bytes: row.get(2)?,
        whole: row.get::<i64>(3)? == 1,
        place: match place {
            0 => Place::Disk,
            1 => Place::ToMove,
            2 => Place::Both,
            _ => Place::Bucket,
        },
        upload: row.get(5)?,
    })
}

/// Bytes that an account's files take, those on their way included, and without what it has deleted.
pub(super) async fn used_bytes(tx: &mut Tx, account: AccountId) -> Result<u64, DbError> {
    let sql = "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM media_file \
               WHERE account_id = $1 AND expires_ms > 0";
    let row = tx.fetch_optional(sql, params![account]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub(super) async fn insert(
    tx: &mut Tx,
    account: AccountId,
    file: FileId,
    size_bytes: u64,
    expires_ms: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO media_file (account_id, file_id, size_bytes, whole, expires_ms) VALUES ($1, $2, $3, 0, $4)";
    tx.execute(sql, params![account, file.0, size_bytes, expires_ms])
        .await?;
    Ok(())
}

/// Bytes of all whole files. Reads the table from end to end.
pub(super) async fn stored_bytes(tx: &mut Tx) -> Result<i64, DbError> {
    let sql = "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM media_file WHERE whole = 1";
    let row = tx.fetch_optional(sql, params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// False if it was whole before, or is gone: nothing changes.
pub(super) async fn mark_whole(
    tx: &mut Tx,
    account: AccountId,
    file: FileId,
    place: Place,
    expires_ms: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE media_file SET whole = 1, place = $3, expires_ms = $4 \
               WHERE account_id = $1 AND file_id = $2 AND whole = 0";
    let values = params![account, file.0, place as i64, expires_ms];
    Ok(tx.execute(sql, values).await? == 1)
}

pub(super) async fn row(tx: &mut Tx, account: AccountId, file: FileId) -> Result<Option<Stored>, DbError> {
    let sql = "SELECT account_id, file_id, size_bytes, whole, place, bucket_upload FROM media_file \
               WHERE account_id = $1 AND file_id = $2";
    let row = tx.fetch_optional(sql, params![account, file.0]).await?;
    row.as_ref().map(stored).transpose()
}

/// A page of files that are to go into the bucket, or have gone and left a copy behind. `media_file_moving` finds them.
pub(super) async fn to_move(tx: &mut Tx, after: (AccountId, FileId), limit: u32) -> Result<Vec<Stored>, DbError> {
    let sql = "SELECT account_id, file_id, size_bytes, whole, place, bucket_upload FROM media_file \
               WHERE place > 0 AND place < 3 AND (account_id, file_id) > ($1, $2) \
               ORDER BY account_id, file_id LIMIT $3 + 0";
    let (account, file) = after;
    let rows = tx.fetch(sql, params![account, file.0, limit]).await?;
    rows.iter().map(stored).collect()
}

pub(super) async fn count_to_move(tx: &mut Tx) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM media_file WHERE place > 0 AND place < 3";
    let row = tx.fetch_optional(sql, params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub(super) async fn set_upload(tx: &mut Tx, account: AccountId, file: FileId, upload: &str) -> Result<(), DbError> {
    let sql = "UPDATE media_file SET bucket_upload = $3 WHERE account_id = $1 AND file_id = $2";
    tx.execute(sql, params![account, file.0, upload]).await?;
    Ok(())
}

/// No upload in parts is open any more.
pub(super) async fn set_place(tx: &mut Tx, account: AccountId, file: FileId, place: Place) -> Result<(), DbError> {
    let sql = "UPDATE media_file SET place = $3, bucket_upload = '' WHERE account_id = $1 AND file_id = $2";
    tx.execute(sql, params![account, file.0, place as i64]).await?;
    Ok(())
}

/// From now on there is a bucket: what is on the disk is to go there.
pub(super) async fn move_all(tx: &mut Tx) -> Result<u64, DbError> {
    let sql = "UPDATE media_file SET place = 1 WHERE whole = 1 AND place = 0";
    tx.execute(sql, params![]).await
}

/// Files that only a bucket has.
pub(super) async fn count_in_bucket(tx: &mut Tx) -> Result<u64, DbError> {
    let sql = "SELECT COUNT(*) FROM media_file WHERE place > 1";
    let row = tx.fetch_optional(sql, params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub(super) async fn count(tx: &mut Tx) -> Result<u64, DbError> {
    let row = tx.fetch_optional("SELECT COUNT(*) FROM media_file", params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// A page of files whose ids begin with a byte between these two.
pub(super) async fn slice(
    tx: &mut Tx,
    after: (AccountId, FileId),
    (first, last): (u8, u8),
    limit: u32,
) -> Result<Vec<Stored>, DbError> {
    let sql = "SELECT account_id, file_id, size_bytes, whole, place, bucket_upload FROM media_file \
               WHERE (account_id, file_id) > ($1, $2) AND file_id >= $3 AND file_id <= $4 \
               ORDER BY account_id, file_id LIMIT $5 + 0";
    let (mut least, mut most) = ([0; 16], [0xff; 16]);
    (least[0], most[0]) = (first, last);
    let (account, file) = after;
    let rows = tx.fetch(sql, params![account, file.0, least, most, limit]).await?;
    rows.iter().map(stored).collect()
}

/// It is to be deleted, now: false if the account has no such file.
pub(super) async fn expire(tx: &mut Tx, account: AccountId, file: FileId) -> Result<bool, DbError> {
    let sql = "UPDATE media_file SET expires_ms = 0 WHERE account_id = $1 AND file_id = $2";
    Ok(tx.execute(sql, params![account, file.0]).await? == 1)
}

pub(super) async fn is_known(tx: &mut Tx, account: AccountId, file: FileId) -> Result<bool, DbError> {
    let sql = "SELECT size_bytes FROM media_file WHERE account_id = $1 AND file_id = $2";
    Ok(tx.fetch_optional(sql, params![account, file.0]).await?.is_some())
}

/// The bytes that were stored: none of a file that was not whole, or is gone already.
pub(super) async fn delete(tx: &mut Tx, account: AccountId, file: FileId) -> Result<i64, DbError> {
    let sql = "DELETE FROM media_file WHERE account_id = $1 AND file_id = $2 RETURNING size_bytes * whole";
    let row = tx.fetch_optional(sql, params![account, file.0]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// A page of files behind a key, and whether each has expired. The key goes on over all of them, so no index on time is kept.
pub(super) async fn page(
    tx: &mut Tx,
    after: (AccountId, FileId),
    limit: u32,
    now_ms: i64,
) -> Result<Vec<(AccountId, FileId, bool)>, DbError> {
    let sql = "SELECT account_id, file_id, expires_ms FROM media_file WHERE (account_id, file_id) > ($1, $2) \
               ORDER BY account_id, file_id LIMIT $3 + 0";
    let (account, file) = after;
    let rows = tx.fetch(sql, params![account, file.0, limit]).await?;
    let read = |row: &crate::db::Row| {
        let expires_ms: i64 = row.get(2)?;
        Ok((row.get(0)?, FileId(row.get(1)?), expires_ms <= now_ms))
    };
    rows.iter().map(read).collect()
}
