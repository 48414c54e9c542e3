//! SQL over files.

use kabar_protocol::ids::AccountId;

use super::disk::FileId;
use crate::db::{DbError, Tx, params};

/// Bytes that an account's files take, those on their way included.
pub(super) async fn used_bytes(tx: &mut Tx, account: AccountId) -> Result<u64, DbError> {
    let sql = "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM media_file WHERE account_id = $1";
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
    expires_ms: i64,
) -> Result<bool, DbError> {
    let sql = "UPDATE media_file SET whole = 1, expires_ms = $3 WHERE account_id = $1 AND file_id = $2 AND whole = 0";
    Ok(tx.execute(sql, params![account, file.0, expires_ms]).await? == 1)
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
