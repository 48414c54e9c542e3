//! `/b/demo` of `kabar serve --dev`: a developer's first two minutes with the Cloud API.
//!
//! Key, ready-made calls, and the webhooks of the demo shop as they arrive. It shows a token and a secret on purpose: of a shop
//! that sells nothing, on a server that is for trying things out. Nothing of this exists without `--dev`.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use kabar_gateway::webhooks::signature::{SIGNATURE_HEADER, signature};
use kabar_server::Config;
use serde_json::{Value, json};

use super::shops::{self, CONSOLE};

const PAGE: &str = include_str!("console/index.html");
const SCRIPT: &str = include_str!("console/console.js");
const STYLE: &str = include_str!("console/console.css");
/// The page runs its own script and asks its own server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Webhooks that the page shows; older ones are forgotten.
const HOOKS_MAX: usize = 50;
/// The demo shop's webhooks come from the gateway in the same process.
pub(super) const HOOK_PATH: &str = "/b/demo/hook";
pub(super) const VERIFY_TOKEN: &str = "kabar-demo";

struct Console {
    book: PathBuf,
    hooks: Mutex<VecDeque<Value>>,
}

/// Empty without `--dev`.
pub(super) fn router(config: &Config, book: PathBuf) -> Router {
    if !config.server.dev {
        return Router::new();
    }
    let console = Arc::new(Console {
        book,
        hooks: Mutex::default(),
    });
    Router::new()
        .route("/b/demo", get(async || asset("text/html; charset=utf-8", PAGE)))
        .route("/b/demo/", get(async || Redirect::permanent("/b/demo")))
        .route(
            "/b/demo/console.js",
            get(async || asset("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route(
            "/b/demo/console.css",
            get(async || asset("text/css; charset=utf-8", STYLE)),
        )
        .route("/b/demo/state.json", get(state))
        .route(HOOK_PATH, get(challenge).post(take))
        .with_state(console)
}

fn asset(mime: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, mime),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Everything that the page shows.
async fn state(State(console): State<Arc<Console>>) -> Response {
    let Some(shop) = shops::find(&console.book, CONSOLE.id) else {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "ready": false }))).into_response();
    };
    let hooks = console.hooks.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({
        "ready": true,
        "name": CONSOLE.name,
        "phone": CONSOLE.phone,
        "phone_number_id": shop.phone_number_id,
        "waba_id": shop.waba_id,
        "app_id": shop.app_id,
        "app_secret": shop.app_secret,
        "access_token": shop.access_token,
        "hooks": *hooks,
    }))
    .into_response()
}

async fn challenge(Query(query): Query<std::collections::HashMap<String, String>>) -> Response {
    match (query.get("hub.verify_token"), query.get("hub.challenge")) {
        (Some(token), Some(challenge)) if token == VERIFY_TOKEN => challenge.clone().into_response(),
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

/// Keeps a webhook as it came, with the verdict on its signature.
async fn take(State(console): State<Arc<Console>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(shop) = shops::find(&console.book, CONSOLE.id) else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let given = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    let given = given.unwrap_or_default();
    let hook = json!({
        "delivery": headers.get("kabar-delivery-id").and_then(|id| id.to_str().ok()),
        "signature": given,
        "genuine": given == signature(&shop.app_secret, &body),
        "body": serde_json::from_slice::<Value>(&body).unwrap_or_default(),
    });
    let mut hooks = console.hooks.lock().unwrap_or_else(PoisonError::into_inner);
    hooks.push_front(hook);
    hooks.truncate(HOOKS_MAX);
    StatusCode::OK
}
