//! Apps of a business, their tokens, and where their webhooks go.

use std::sync::Arc;

use rand::{Rng as _, RngCore as _};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::{Store, StoreError, loaded, stored};

/// Graph node ids are decimal; these have 15 digits.
const NODE_ID_MIN: u64 = 100_000_000_000_000;
/// As the Graph API's tokens begin.
const TOKEN_PREFIX: &str = "EAA";
const SECRET_BYTES: usize = 16;
const TOKEN_BYTES: usize = 32;

/// A node id that nobody guesses from another.
pub(crate) fn node_id() -> u64 {
    rand::rng().random_range(NODE_ID_MIN..10 * NODE_ID_MIN)
}

/// The same, of a number that is unguessable already.
pub(super) fn node_id_of(name: u64) -> u64 {
    NODE_ID_MIN + name % (9 * NODE_ID_MIN)
}

#[derive(Clone)]
pub struct App {
    pub app_id: u64,
    pub waba_id: u64,
    /// Signs webhooks, and proves tokens.
    pub secret: String,
}

/// Where an app's webhooks go.
#[derive(Clone)]
pub struct Subscription {
    pub app_id: u64,
    pub callback_url: String,
    pub verify_token: String,
    /// Names of webhook fields, such as `messages`.
    pub fields: Vec<String>,
}

fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

impl Store {
    pub async fn create_app(&self, waba_id: u64, now_ms: i64) -> Result<App, StoreError> {
        let app = App {
            app_id: node_id(),
            waba_id,
            secret: random_hex::<SECRET_BYTES>(),
        };
        sqlx::query("INSERT INTO app (app_id, waba_id, secret, created_ms) VALUES (?, ?, ?, ?)")
            .bind(stored(app.app_id))
            .bind(stored(waba_id))
            .bind(self.key.seal(app.secret.as_bytes())?)
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        Ok(app)
    }

    pub async fn app(&self, app_id: u64) -> Result<Option<App>, StoreError> {
        let read = async {
            let row = sqlx::query("SELECT app_id, waba_id, secret FROM app WHERE app_id = ?")
                .bind(stored(app_id))
                .fetch_optional(&self.pool)
                .await?;
            row.map(|row| self.app_of(&row)).transpose()
        };
        self.memory.apps.get(app_id, read).await
    }

    /// The app that a token belongs to.
    pub async fn app_of_token(&self, token: &str) -> Result<Option<App>, StoreError> {
        let hash = hash(token);
        let read = async {
            let sql = "SELECT a.app_id, a.waba_id, a.secret FROM token t JOIN app a ON a.app_id = t.app_id \
                       WHERE t.token_hash = ?";
            let row = sqlx::query(sql)
                .bind(hash.as_slice())
                .fetch_optional(&self.pool)
                .await?;
            row.map(|row| self.app_of(&row)).transpose()
        };
        // Apps and tokens are made, and neither changed nor withdrawn so far: then the cache has to be told.
        self.memory.tokens.get(hash.clone(), read).await
    }

    fn app_of(&self, row: &sqlx::sqlite::SqliteRow) -> Result<App, StoreError> {
        Ok(App {
            app_id: loaded(row.get(0)),
            waba_id: loaded(row.get(1)),
            secret: self.text(row.get(2))?,
        })
    }

    fn text(&self, sealed: &[u8]) -> Result<String, StoreError> {
        String::from_utf8(self.key.open_sealed(sealed)?).map_err(|_| StoreError::Sealed)
    }

    /// A new token of an app; only its hash is kept.
    pub async fn create_token(&self, app_id: u64, now_ms: i64) -> Result<String, StoreError> {
        let token = format!("{TOKEN_PREFIX}{}", random_hex::<TOKEN_BYTES>());
        sqlx::query("INSERT INTO token (token_hash, app_id, created_ms) VALUES (?, ?, ?)")
            .bind(hash(&token))
            .bind(stored(app_id))
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        Ok(token)
    }

    /// Replaces the app's subscription.
    pub async fn subscribe(&self, subscription: &Subscription, now_ms: i64) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO subscription (app_id, callback_url, verify_token, fields, created_ms) \
                   VALUES (?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(stored(subscription.app_id))
            .bind(&subscription.callback_url)
            .bind(self.key.seal(subscription.verify_token.as_bytes())?)
            .bind(subscription.fields.join(","))
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        self.memory.subscriptions.changed();
        Ok(())
    }

    /// False if there was none.
    pub async fn unsubscribe(&self, app_id: u64) -> Result<bool, StoreError> {
        let deleted = sqlx::query("DELETE FROM subscription WHERE app_id = ?")
            .bind(stored(app_id))
            .execute(&self.pool)
            .await?;
        self.memory.subscriptions.changed();
        Ok(deleted.rows_affected() > 0)
    }

    /// Subscriptions of the apps of a business. A business has few apps.
    pub async fn subscriptions(&self, waba_id: u64) -> Result<Arc<[Subscription]>, StoreError> {
        let read = async {
            let sql = "SELECT s.app_id, s.callback_url, s.verify_token, s.fields FROM subscription s \
                       JOIN app a ON a.app_id = s.app_id WHERE a.waba_id = ? ORDER BY s.app_id";
            let rows = sqlx::query(sql).bind(stored(waba_id)).fetch_all(&self.pool).await?;
            let subscriptions = rows.iter().map(|row| {
                let fields: String = row.get(3);
                Ok(Subscription {
                    app_id: loaded(row.get(0)),
                    callback_url: row.get(1),
                    verify_token: self.text(row.get(2))?,
                    fields: fields.split(',').map(str::to_owned).collect(),
                })
            });
            subscriptions.collect::<Result<Arc<[_]>, StoreError>>().map(Some)
        };
        let known = self.memory.subscriptions.get(waba_id, read).await?;
        Ok(known.unwrap_or_default())
    }

    /// Of one app.
    pub async fn subscription(&self, app_id: u64) -> Result<Option<Subscription>, StoreError> {
        let Some(app) = self.app(app_id).await? else {
            return Ok(None);
        };
        let all = self.subscriptions(app.waba_id).await?;
        Ok(all.iter().find(|subscription| subscription.app_id == app_id).cloned())
    }
}
