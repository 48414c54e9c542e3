//! SQL over accounts and their chains.

use bytes::Bytes;
use kabar_protocol::{
    ids::{AccountId, DeviceId},
    wire::DeviceListEntry,
};

use crate::{
    app::App,
    db::{DbError, Tx, Value, params},
    error::Failure,
};

/// `account.kind`; a person's is 0.
pub(super) const KIND_BUSINESS: i64 = 1;

/// What a Session tells a device of its account.
pub(crate) struct SessionFacts {
    pub(crate) list_version: u32,
    pub(crate) is_business: bool,
    pub(crate) username: Option<String>,
    pub(crate) phone_verified: bool,
    pub(crate) key_packages_left: u32,
}

pub(crate) async fn session_facts(app: &App, account: AccountId, device: DeviceId) -> Result<SessionFacts, Failure> {
    let mut tx = app.db.reader().await?;
    let row = account_row(&mut tx, account).await?;
    let row = row.ok_or_else(|| Failure::internal(&"an authenticated account has no row"))?;
    Ok(SessionFacts {
        list_version: row.list_version,
        is_business: row.is_business,
        username: row.username,
        phone_verified: match row.phone_hmac {
            Some(phone) => phone_owner(&mut tx, phone).await? == Some(account),
            None => false,
        },
        key_packages_left: super::single_use_left(&mut tx, account, device, app.now_ms()).await?,
    })
}

pub(super) struct AccountRow {
    pub(super) list_version: u32,
    pub(super) is_business: bool,
    pub(super) username: Option<String>,
    pub(super) phone_hmac: Option<Bytes>,
    pub(super) created_ms: i64,
}

pub(super) async fn account_row(tx: &mut Tx, account: AccountId) -> Result<Option<AccountRow>, DbError> {
    let sql = "SELECT list_version, kind, username, phone_hmac, created_ms FROM account WHERE account_id = $1";
    let Some(row) = tx.fetch_optional(sql, params![account]).await? else {
        return Ok(None);
    };
    Ok(Some(AccountRow {
        list_version: row.get(0)?,
        is_business: row.get::<i64>(1)? == KIND_BUSINESS,
        username: row.get(2)?,
        phone_hmac: row.get(3)?,
        created_ms: row.get(4)?,
    }))
}

/// Who proved the number last.
pub(super) async fn phone_owner(tx: &mut Tx, phone: impl Into<Value>) -> Result<Option<AccountId>, DbError> {
    let sql = "SELECT account_id FROM phone WHERE phone_hmac = $1";
    let row = tx.fetch_optional(sql, &[phone.into()]).await?;
    row.map(|row| row.get(0)).transpose()
}

pub(super) async fn username_owner(tx: &mut Tx, username_hmac: [u8; 32]) -> Result<Option<AccountId>, DbError> {
    let sql = "SELECT account_id FROM username WHERE username_hmac = $1";
    let row = tx.fetch_optional(sql, params![username_hmac]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// False if somebody has the name.
pub(super) async fn take_username(tx: &mut Tx, username_hmac: [u8; 32], account: AccountId) -> Result<bool, DbError> {
    let sql = "INSERT INTO username (username_hmac, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![username_hmac, account]).await? == 1)
}

pub(super) async fn give_up_username(tx: &mut Tx, username_hmac: [u8; 32], account: AccountId) -> Result<(), DbError> {
    let sql = "DELETE FROM username WHERE username_hmac = $1 AND account_id = $2";
    tx.execute(sql, params![username_hmac, account]).await?;
    Ok(())
}

/// False if the account exists.
pub(super) async fn insert_account(
    tx: &mut Tx,
    account: AccountId,
    kind: i64,
    username: Option<String>,
    now_ms: i64,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO account (account_id, created_ms, list_version, kind, username) VALUES ($1, $2, 0, $3, $4) \
               ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![account, now_ms, kind, username]).await? == 1)
}

/// Makes an account the one that a number finds: whoever proves it last has it.
pub(super) async fn take_phone(
    tx: &mut Tx,
    phone_hmac: [u8; 32],
    account: AccountId,
    now_ms: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO phone (phone_hmac, account_id, verified_ms) VALUES ($1, $2, $3) \
               ON CONFLICT (phone_hmac) DO UPDATE SET account_id = excluded.account_id, verified_ms = excluded.verified_ms";
    tx.execute(sql, params![phone_hmac, account, now_ms]).await?;
    let sql = "UPDATE account SET phone_hmac = $2 WHERE account_id = $1";
    tx.execute(sql, params![account, phone_hmac]).await?;
    Ok(())
}

pub(super) async fn insert_entry(
    tx: &mut Tx,
    account: AccountId,
    version: u32,
    entry: &DeviceListEntry,
) -> Result<(), DbError> {
    let sql = "INSERT INTO device_list_entry (account_id, version, body, signature, signer, device_proof) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let params = params![
        account,
        version,
        &entry.body,
        &entry.signature,
        &entry.signer,
        &entry.device_proof
    ];
    tx.execute(sql, params).await?;
    Ok(())
}

/// The chain from `from_version` on, oldest first. Its length is bounded by DEVICE_LIST_ENTRIES_MAX.
pub(super) async fn entries(
    tx: &mut Tx,
    account: AccountId,
    from_version: u32,
) -> Result<Vec<DeviceListEntry>, DbError> {
    let sql = "SELECT body, signature, signer, device_proof FROM device_list_entry \
               WHERE account_id = $1 AND version >= $2 ORDER BY version";
    let rows = tx.fetch(sql, params![account, from_version]).await?;
    rows.iter()
        .map(|row| {
            Ok(DeviceListEntry {
                body: row.get(0)?,
                signature: row.get(1)?,
                signer: row.get(2)?,
                device_proof: row.get(3)?,
            })
        })
        .collect()
}

/// Moves the chain's head from `version - 1` to `version`; false if somebody was first.
pub(super) async fn advance_head(tx: &mut Tx, account: AccountId, version: u32) -> Result<bool, DbError> {
    let sql = "UPDATE account SET list_version = $2 WHERE account_id = $1 AND list_version = $2 - 1";
    Ok(tx.execute(sql, params![account, version]).await? == 1)
}
