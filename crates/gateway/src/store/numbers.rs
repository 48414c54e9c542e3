//! Numbers that this gateway speaks for.

use std::sync::Arc;

use sqlx::Row as _;

use super::{Store, StoreError, loaded, stored};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    pub phone_number_id: u64,
    pub waba_id: u64,
    /// E.164.
    pub phone: String,
    pub name: String,
    /// What makes the client's account that of the number.
    pub enrolment_code: String,
    /// JSON of the business profile.
    pub profile: String,
}

const NUMBER: &str = "SELECT phone_number_id, waba_id, phone, name, enrolment_code, profile FROM number";

fn number(row: &sqlx::sqlite::SqliteRow) -> Number {
    Number {
        phone_number_id: loaded(row.get(0)),
        waba_id: loaded(row.get(1)),
        phone: row.get(2),
        name: row.get(3),
        enrolment_code: row.get(4),
        profile: row.get(5),
    }
}

impl Store {
    pub async fn add_number(&self, number: &Number) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO number (phone_number_id, waba_id, phone, name, enrolment_code, profile) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(stored(number.phone_number_id))
            .bind(stored(number.waba_id))
            .bind(&number.phone)
            .bind(&number.name)
            .bind(&number.enrolment_code)
            .bind(&number.profile)
            .execute(&self.pool)
            .await?;
        self.memory.numbers.changed();
        Ok(())
    }

    /// All of them: each is a running client, so they are few.
    pub async fn numbers(&self) -> Result<Arc<[Number]>, StoreError> {
        let read = async {
            let sql = format!("{NUMBER} ORDER BY phone_number_id");
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await?;
            Ok::<_, StoreError>(Some(rows.iter().map(number).collect()))
        };
        Ok(self.memory.numbers.get((), read).await?.unwrap_or_default())
    }

    pub async fn set_profile(&self, phone_number_id: u64, profile: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE number SET profile = ? WHERE phone_number_id = ?")
            .bind(profile)
            .bind(stored(phone_number_id))
            .execute(&self.pool)
            .await?;
        self.memory.numbers.changed();
        Ok(())
    }

    /// The newest feed item whose webhooks are queued.
    pub async fn feed_position(&self, phone_number_id: u64) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT feed_position FROM number WHERE phone_number_id = ?")
            .bind(stored(phone_number_id))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map_or(0, |row| loaded(row.get(0))))
    }
}
