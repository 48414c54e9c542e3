//! The people that a business knows, under names of its own.

use sqlx::Row as _;

use super::{Store, StoreError, stored};

/// A person as one business knows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Business-scoped: another business has another one for the same person.
    pub user_id: String,
    /// Hex.
    pub account_id: String,
    /// Digits of his number, where the business knows it: it wrote to it.
    pub wa_id: Option<String>,
    pub name: String,
}

const CONTACT: &str = "SELECT user_id, account_id, wa_id, name FROM contact";

fn contact(row: &sqlx::sqlite::SqliteRow) -> Contact {
    Contact {
        user_id: row.get(0),
        account_id: row.get(1),
        wa_id: row.get(2),
        name: row.get(3),
    }
}

impl Store {
    /// The contact of an account; made, or brought up to date with what is newly known of him.
    pub async fn learn_contact(
        &self,
        waba_id: u64,
        account_id: &str,
        wa_id: Option<&str>,
        name: Option<&str>,
    ) -> Result<Contact, StoreError> {
        let known = self.contact_of(waba_id, account_id).await?;
        let mut fresh = known.clone().unwrap_or_else(|| Contact {
            user_id: self.user_id(waba_id, account_id),
            account_id: account_id.to_owned(),
            wa_id: None,
            name: String::new(),
        });
        if let Some(wa_id) = wa_id {
            fresh.wa_id = Some(wa_id.to_owned());
        }
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            fresh.name = name.to_owned();
        }
        if known.as_ref() != Some(&fresh) {
            // A number has one owner at a time.
            sqlx::query("UPDATE contact SET wa_id = NULL WHERE waba_id = ? AND wa_id = ? AND account_id <> ?")
                .bind(stored(waba_id))
                .bind(&fresh.wa_id)
                .bind(account_id)
                .execute(&self.pool)
                .await?;
            let sql =
                "INSERT OR REPLACE INTO contact (waba_id, user_id, account_id, wa_id, name) VALUES (?, ?, ?, ?, ?)";
            sqlx::query(sql)
                .bind(stored(waba_id))
                .bind(&fresh.user_id)
                .bind(&fresh.account_id)
                .bind(&fresh.wa_id)
                .bind(&fresh.name)
                .execute(&self.pool)
                .await?;
        }
        Ok(fresh)
    }

    /// `ID.` and digits that lead back to nothing without this gateway's key.
    fn user_id(&self, waba_id: u64, account_id: &str) -> String {
        let name = self.key.name(&[&waba_id.to_be_bytes(), account_id.as_bytes()]);
        format!("ID.{name:020}")
    }

    async fn contact_of(&self, waba_id: u64, account_id: &str) -> Result<Option<Contact>, StoreError> {
        let sql = format!("{CONTACT} WHERE waba_id = ? AND account_id = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(stored(waba_id))
            .bind(account_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(contact))
    }

    /// Whom the business has written to by this number.
    pub async fn contact_by_phone(&self, waba_id: u64, wa_id: &str) -> Result<Option<Contact>, StoreError> {
        let sql = format!("{CONTACT} WHERE waba_id = ? AND wa_id = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(stored(waba_id))
            .bind(wa_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(contact))
    }

    pub async fn contact(&self, waba_id: u64, user_id: &str) -> Result<Option<Contact>, StoreError> {
        let sql = format!("{CONTACT} WHERE waba_id = ? AND user_id = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(stored(waba_id))
            .bind(user_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(contact))
    }
}
