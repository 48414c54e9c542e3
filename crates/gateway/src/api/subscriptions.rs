//! `/<app>/subscriptions`: where the app's webhooks go.

use serde_json::json;

use super::{Answer, Call, store_failed, success};
use crate::{
    graph::{GraphError, fields::Fields},
    store::Subscription,
    webhooks::subscribe::subscribe,
};

const OBJECT: &str = "whatsapp_business_account";
const VERIFY_TOKEN_CHARS_MAX: usize = 256;
const URL_CHARS_MAX: usize = 2_000;

/// Needs the app's own token (`APPID|SECRET`) with the Graph API; any token of the app does here.
pub(super) async fn create(call: &Call) -> Result<Answer, GraphError> {
    let params = &call.params;
    if params.string("object")?.is_some_and(|object| object != OBJECT) {
        return Err(params.refused("object", format!("must be {OBJECT}")));
    }
    let fields = match params.string("fields")? {
        Some(text) if !text.trim_start().starts_with('[') => {
            Fields::parse(&text)?.0.into_iter().map(|field| field.name).collect()
        }
        Some(_) | None => params.words("fields")?.unwrap_or_else(|| vec!["messages".into()]),
    };
    let subscription = Subscription {
        app_id: call.app.app_id,
        callback_url: params.required_text("callback_url", URL_CHARS_MAX)?,
        verify_token: params.required_text("verify_token", VERIFY_TOKEN_CHARS_MAX)?,
        fields,
    };
    subscribe(&call.parts, subscription).await?;
    Ok(success())
}

pub(super) async fn list(call: &Call) -> Result<Answer, GraphError> {
    let subscription = call
        .parts
        .store
        .subscription(call.app.app_id)
        .await
        .map_err(store_failed)?;
    let data = subscription.map(|subscription| {
        let fields = subscription
            .fields
            .iter()
            .map(|name| json!({ "name": name, "version": "v23.0" }));
        json!({
            "object": OBJECT,
            "callback_url": subscription.callback_url,
            "active": true,
            "fields": fields.collect::<Vec<_>>(),
        })
    });
    Ok(json!({ "data": data.into_iter().collect::<Vec<_>>() }).into())
}

pub(super) async fn delete(call: &Call) -> Result<Answer, GraphError> {
    call.parts
        .store
        .unsubscribe(call.app.app_id)
        .await
        .map_err(store_failed)?;
    Ok(success())
}
