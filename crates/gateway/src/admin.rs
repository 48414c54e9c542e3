//! The operator's commands about apps, tokens, webhooks and numbers; JSON in, JSON out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Gateway,
    clock::now_ms,
    store::{Number, StoreError, Subscription},
    webhooks::subscribe::subscribe,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    AppCreate {
        waba_id: u64,
    },
    TokenCreate {
        app_id: u64,
    },
    WebhookSet {
        app_id: u64,
        url: String,
        verify_token: String,
    },
    /// A number whose enrolment code the server has just made.
    NumberAdd {
        waba_id: u64,
        phone_number_id: u64,
        phone: String,
        name: String,
        enrolment_code: String,
    },
}

/// A refusal with a stable code.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    pub code: &'static str,
    pub message: String,
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        Self {
            code: "gateway",
            message: error.to_string(),
        }
    }
}

fn unknown_app(app_id: u64) -> AdminError {
    AdminError {
        code: "not_found",
        message: format!("there is no app {app_id}"),
    }
}

impl Gateway {
    pub async fn admin(&self, command: Command) -> Result<Value, AdminError> {
        let parts = &self.parts;
        match command {
            Command::AppCreate { waba_id } => {
                let app = parts.store.create_app(waba_id, now_ms()).await?;
                Ok(json!({ "app_id": app.app_id.to_string(), "app_secret": app.secret }))
            }
            Command::TokenCreate { app_id } => {
                if parts.store.app(app_id).await?.is_none() {
                    return Err(unknown_app(app_id));
                }
                let token = parts.store.create_token(app_id, now_ms()).await?;
                Ok(json!({ "access_token": token }))
            }
            Command::WebhookSet {
                app_id,
                url,
                verify_token,
            } => {
                if parts.store.app(app_id).await?.is_none() {
                    return Err(unknown_app(app_id));
                }
                let subscription = Subscription {
                    app_id,
                    callback_url: url,
                    verify_token,
                    fields: vec!["messages".into()],
                };
                subscribe(parts, subscription).await.map_err(|error| AdminError {
                    code: "webhook",
                    message: error.details,
                })?;
                Ok(json!({ "success": true }))
            }
            Command::NumberAdd {
                waba_id,
                phone_number_id,
                phone,
                name,
                enrolment_code,
            } => {
                let number = Number {
                    phone_number_id,
                    waba_id,
                    phone,
                    name,
                    enrolment_code,
                    profile: "{}".into(),
                };
                parts.store.add_number(&number).await?;
                self.run_number(number);
                Ok(json!({ "phone_number_id": phone_number_id.to_string() }))
            }
        }
    }
}
