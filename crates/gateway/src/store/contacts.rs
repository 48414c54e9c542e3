//! The people that a business knows, under names of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use sqlx::Row as _;

use super::{Store, StoreError, cache::locked, stored};

/// Contacts that are held in memory; when there are more, it begins anew.
const KNOWN_MAX: usize = 8_192;

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

/// How a contact is asked for.
#[derive(Clone, Copy)]
enum By {
    User,
    Account,
    Phone,
}

impl By {
    fn sql(self) -> String {
        let column = match self {
            Self::User => "user_id",
            Self::Account => "account_id",
            Self::Phone => "wa_id",
        };
        format!("{CONTACT} WHERE waba_id = ? AND {column} = ?")
    }
}

/// Contacts in memory, as they are in the database.
#[derive(Default)]
pub(super) struct Contacts {
    known: Mutex<Known>,
    /// One change at a time: each begins with what the last one has left.
    changing: tokio::sync::Mutex<()>,
}

type Name = (u64, String);

#[derive(Default)]
struct Known {
    /// What was read before a change may be old.
    changes: u64,
    by_user: HashMap<Name, Arc<Contact>>,
    by_account: HashMap<Name, Arc<Contact>>,
    by_phone: HashMap<Name, Arc<Contact>>,
}

impl Known {
    fn get(&self, waba_id: u64, by: By, value: &str) -> Option<Arc<Contact>> {
        let map = match by {
            By::User => &self.by_user,
            By::Account => &self.by_account,
            By::Phone => &self.by_phone,
        };
        map.get(&(waba_id, value.to_owned())).cloned()
    }

    fn forget(&mut self, waba_id: u64, contact: &Contact) {
        self.by_user.remove(&(waba_id, contact.user_id.clone()));
        self.by_account.remove(&(waba_id, contact.account_id.clone()));
        if let Some(wa_id) = &contact.wa_id {
            self.by_phone.remove(&(waba_id, wa_id.clone()));
        }
    }

    /// Every contact is under all its names, or under none.
    fn keep(&mut self, waba_id: u64, contact: &Contact) {
        if self.by_account.len() >= KNOWN_MAX {
            self.by_user.clear();
            self.by_account.clear();
            self.by_phone.clear();
        }
        let contact = Arc::new(contact.clone());
        if let Some(wa_id) = &contact.wa_id {
            self.by_phone.insert((waba_id, wa_id.clone()), Arc::clone(&contact));
        }
        self.by_user
            .insert((waba_id, contact.user_id.clone()), Arc::clone(&contact));
        self.by_account.insert((waba_id, contact.account_id.clone()), contact);
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
        let name = name.filter(|name| !name.is_empty());
        let says_nothing_new = |known: &Contact| {
            wa_id.is_none_or(|wa_id| known.wa_id.as_deref() == Some(wa_id))
                && name.is_none_or(|name| known.name == name)
        };
        let known = self.find_contact(waba_id, By::Account, account_id).await?;
        if let Some(known) = known.filter(|known| says_nothing_new(known)) {
            return Ok(known);
        }
        let _turn = self.memory.contacts.changing.lock().await;
        let known = self.find_contact(waba_id, By::Account, account_id).await?;
        let mut fresh = known.clone().unwrap_or_else(|| Contact {
            user_id: self.user_id(waba_id, account_id),
            account_id: account_id.to_owned(),
            wa_id: None,
            name: String::new(),
        });
        if let Some(wa_id) = wa_id {
            fresh.wa_id = Some(wa_id.to_owned());
        }
        if let Some(name) = name {
            fresh.name = name.to_owned();
        }
        if known.as_ref() != Some(&fresh) {
            let written = self.write_contact(waba_id, &fresh).await;
            let mut contacts = locked(&self.memory.contacts.known);
            contacts.changes += 1;
            if let Some(known) = &known {
                contacts.forget(waba_id, known);
            }
            let loser = fresh
                .wa_id
                .as_deref()
                .and_then(|wa_id| contacts.get(waba_id, By::Phone, wa_id));
            if let Some(loser) = loser {
                contacts.forget(waba_id, &loser);
            }
            written?;
            contacts.keep(waba_id, &fresh);
        }
        Ok(fresh)
    }

    async fn write_contact(&self, waba_id: u64, fresh: &Contact) -> Result<(), StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        // A number has one owner at a time.
        sqlx::query("UPDATE contact SET wa_id = NULL WHERE waba_id = ? AND wa_id = ? AND account_id <> ?")
            .bind(stored(waba_id))
            .bind(&fresh.wa_id)
            .bind(&fresh.account_id)
            .execute(&mut *tx)
            .await?;
        let sql = "INSERT OR REPLACE INTO contact (waba_id, user_id, account_id, wa_id, name) VALUES (?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(stored(waba_id))
            .bind(&fresh.user_id)
            .bind(&fresh.account_id)
            .bind(&fresh.wa_id)
            .bind(&fresh.name)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// `ID.` and digits that lead back to nothing without this gateway's key.
    fn user_id(&self, waba_id: u64, account_id: &str) -> String {
        let name = self.key.name(&[&waba_id.to_be_bytes(), account_id.as_bytes()]);
        format!("ID.{name:020}")
    }

    async fn find_contact(&self, waba_id: u64, by: By, value: &str) -> Result<Option<Contact>, StoreError> {
        let changes = {
            let known = locked(&self.memory.contacts.known);
            if let Some(contact) = known.get(waba_id, by, value) {
                return Ok(Some(Contact::clone(&contact)));
            }
            known.changes
        };
        let row = sqlx::query(sqlx::AssertSqlSafe(by.sql()))
            .bind(stored(waba_id))
            .bind(value)
            .fetch_optional(&self.pool)
            .await?;
        let Some(found) = row.as_ref().map(contact) else {
            return Ok(None);
        };
        let mut known = locked(&self.memory.contacts.known);
        if known.changes == changes {
            known.keep(waba_id, &found);
        }
        Ok(Some(found))
    }

    /// Whom the business has written to by this number.
    pub async fn contact_by_phone(&self, waba_id: u64, wa_id: &str) -> Result<Option<Contact>, StoreError> {
        self.find_contact(waba_id, By::Phone, wa_id).await
    }

    pub async fn contact(&self, waba_id: u64, user_id: &str) -> Result<Option<Contact>, StoreError> {
        self.find_contact(waba_id, By::User, user_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_known_in_memory_is_what_is_stored() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).await.expect("a store");
        let learn = async |account: &str, wa_id: Option<&str>, name: Option<&str>| {
            store.learn_contact(1, account, wa_id, name).await.expect("learnt")
        };
        let ani = learn("a1", Some("62811"), Some("Ani")).await;
        assert_eq!(learn("a1", None, None).await, ani);
        assert_eq!(learn("a1", None, Some("")).await, ani);
        let budi = learn("b1", Some("62812"), Some("Budi")).await;

        // The number changes hands: the one who had it has it no more, under any of his names.
        let budi = Contact {
            wa_id: Some("62811".into()),
            ..budi
        };
        assert_eq!(learn("b1", Some("62811"), None).await, budi);
        let ani = Contact { wa_id: None, ..ani };
        let reopened = Store::open(directory.path()).await.expect("again");
        for store in [&store, &reopened] {
            assert_eq!(store.contact(1, &ani.user_id).await.expect("read"), Some(ani.clone()));
            assert_eq!(store.learn_contact(1, "a1", None, None).await.expect("read"), ani);
            assert_eq!(
                store.contact_by_phone(1, "62811").await.expect("read"),
                Some(budi.clone())
            );
            assert_eq!(store.contact_by_phone(1, "62812").await.expect("read"), None);
            // Another business knows nobody by these names.
            assert_eq!(store.contact(2, &ani.user_id).await.expect("read"), None);
        }
        store.close().await;
        reopened.close().await;
    }
}
