//! SQL over businesses and numbers.

use kabar_protocol::{ids::AccountId, wire};

use crate::db::{DbError, Row, Tx, columns, params};

/// A number of a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) waba_id: u64,
    pub(super) phone_number_id: u64,
    pub(super) phone: String,
    pub(super) name: String,
    pub(super) keys_held_by: i64,
    pub(super) account: Option<AccountId>,
}

impl Number {
    pub(super) fn card(&self) -> wire::BusinessCard {
        wire::BusinessCard {
            phone_number_id: self.phone_number_id,
            phone: self.phone.clone(),
            name: self.name.clone(),
            keys_held_by: i32::try_from(self.keys_held_by).unwrap_or_default(),
        }
    }
}

const NUMBER: &str = "waba_id, phone_number_id, phone, name, keys_held_by, account_id";

fn number(row: &Row) -> Result<Number, DbError> {
    Ok(columns!(row => Number { waba_id, phone_number_id, phone, name, keys_held_by, account }))
}

pub(super) async fn business_name(tx: &mut Tx, waba_id: u64) -> Result<Option<String>, DbError> {
    let sql = "SELECT name FROM business WHERE waba_id = $1";
    let row = tx.fetch_optional(sql, params![waba_id]).await?;
    row.map(|row| row.get(0)).transpose()
}

pub(super) async fn insert_business(tx: &mut Tx, waba_id: u64, name: &str, now_ms: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO business (waba_id, name, created_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![waba_id, name, now_ms]).await?;
    Ok(())
}

pub(super) async fn insert_number(
    tx: &mut Tx,
    number: &Number,
    code_hash: [u8; 32],
    now_ms: i64,
) -> Result<(), DbError> {
    let sql = "INSERT INTO business_number (waba_id, phone_number_id, phone, name, keys_held_by, created_ms) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let values = params![
        number.waba_id,
        number.phone_number_id,
        number.phone.as_str(),
        number.name.as_str(),
        number.keys_held_by,
        now_ms
    ];
    tx.execute(sql, values).await?;
    let sql = "INSERT INTO business_enrolment (code_hash, waba_id, phone_number_id) VALUES ($1, $2, $3) \
               ON CONFLICT DO NOTHING";
    tx.execute(sql, params![code_hash, number.waba_id, number.phone_number_id])
        .await?;
    Ok(())
}

pub(super) async fn numbers(tx: &mut Tx, waba_id: u64) -> Result<Vec<Number>, DbError> {
    let sql = format!("SELECT {NUMBER} FROM business_number WHERE waba_id = $1 ORDER BY phone_number_id");
    let rows = tx.fetch(sqlx::AssertSqlSafe(sql), params![waba_id]).await?;
    rows.iter().map(number).collect()
}

async fn number_at(tx: &mut Tx, waba_id: u64, phone_number_id: u64) -> Result<Option<Number>, DbError> {
    let sql = format!("SELECT {NUMBER} FROM business_number WHERE waba_id = $1 AND phone_number_id = $2");
    let row = tx
        .fetch_optional(sqlx::AssertSqlSafe(sql), params![waba_id, phone_number_id])
        .await?;
    row.as_ref().map(number).transpose()
}

/// The number that a code enrols; used codes too.
pub(super) async fn number_of_code(tx: &mut Tx, code_hash: [u8; 32]) -> Result<Option<Number>, DbError> {
    let sql = "SELECT waba_id, phone_number_id FROM business_enrolment WHERE code_hash = $1";
    match tx.fetch_optional(sql, params![code_hash]).await? {
        Some(row) => number_at(tx, row.get(0)?, row.get(1)?).await,
        None => Ok(None),
    }
}

/// The number that an account is.
pub(super) async fn number_of_account(tx: &mut Tx, account: AccountId) -> Result<Option<Number>, DbError> {
    let sql = "SELECT waba_id, phone_number_id FROM business_account WHERE account_id = $1";
    match tx.fetch_optional(sql, params![account]).await? {
        Some(row) => number_at(tx, row.get(0)?, row.get(1)?).await,
        None => Ok(None),
    }
}

/// Gives a number its account; false if it has another one.
pub(super) async fn bind(tx: &mut Tx, number: &Number, account: AccountId) -> Result<bool, DbError> {
    let sql = "UPDATE business_number SET account_id = $3 WHERE waba_id = $1 AND phone_number_id = $2 \
               AND (account_id IS NULL OR account_id = $3)";
    let bound = tx
        .execute(sql, params![number.waba_id, number.phone_number_id, account])
        .await?
        == 1;
    if bound {
        let sql = "INSERT INTO business_account (account_id, waba_id, phone_number_id) VALUES ($1, $2, $3) \
                   ON CONFLICT DO NOTHING";
        tx.execute(sql, params![account, number.waba_id, number.phone_number_id])
            .await?;
    }
    Ok(bound)
}
