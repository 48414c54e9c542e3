//! The calls of the Graph API: who asks, what node is meant, and which handler answers.
//!
//! Everything that a token does not cover answers as if it did not exist.

mod flows;
mod media;
mod messages;
mod numbers;
mod payments;
mod send_file;
mod subscriptions;
mod template_text;
mod templates;

pub(crate) use self::{media::url as media_url, messages::category_name};
use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, request::Parts as RequestParts};
use kabar_client::api::ApiError;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::{
    Parts,
    graph::{GraphError, Params, error, params::BodyLimits, path::GraphPath, token::Token},
    store::{App, StoreError},
};

/// Parameters of a call that takes no file.
const FIELDS_BYTES_MAX: usize = 1024 * 1024;
/// The largest file: a document (business-api limits).
const FILE_BYTES_MAX: usize = 100 * 1024 * 1024;
/// Said when a call names none.
const VERSION: &str = "v23.0";

pub(crate) fn router(parts: Arc<Parts>) -> Router {
    Router::new().fallback(answer).with_state(parts)
}

/// What an answer is made of.
pub(crate) enum Answer {
    Json(Value),
    /// A file: `size` bytes of a type.
    File {
        body: Body,
        mime: String,
        size: u64,
    },
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// One call, authenticated.
pub(crate) struct Call {
    pub(crate) parts: Arc<Parts>,
    pub(crate) app: App,
    pub(crate) params: Params,
    pub(crate) headers: HeaderMap,
}

async fn answer(State(parts): State<Arc<Parts>>, request: Request) -> Response {
    let trace_id = error::trace_id();
    let (head, body) = request.into_parts();
    let path = GraphPath::parse(head.uri.path());
    // In a task of its own: a caller that hangs up in the middle of a send leaves nothing half done.
    let (asked, tasks) = ((head.method.clone(), path.clone()), parts.tasks.clone());
    let called = tasks.spawn(async move { call(parts, &head, body, &path).await });
    let (method, path) = asked;
    let outcome = called
        .await
        .unwrap_or_else(|_| Err(GraphError::internal("the call ended before its time")));
    let mut response = match outcome {
        Ok(Answer::Json(value)) => Json(value).into_response(),
        Ok(Answer::File { body, mime, size }) => file(body, &mime, size),
        Err(error) => {
            let code = error.code();
            // Details name parameters and rules, never what somebody wrote: see `graph::error`.
            tracing::info!(trace_id, code, %method, "a call was refused: {}", error.details);
            error.respond(&trace_id)
        }
    };
    let headers = response.headers_mut();
    let version = path.version.as_deref().unwrap_or(VERSION);
    if let Ok(version) = HeaderValue::from_str(version) {
        headers.insert("facebook-api-version", version);
    }
    if let Ok(trace_id) = HeaderValue::from_str(&trace_id) {
        headers.insert(error::TRACE_HEADER, trace_id);
    }
    response
}

fn file(body: Body, mime: &str, size: u64) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_LENGTH, size.into());
    let mime = HeaderValue::from_str(mime).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(http::header::CONTENT_TYPE, mime);
    // Never a page of ours, whatever somebody uploaded.
    headers.insert(
        http::header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment"),
    );
    headers.insert(
        http::header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    *response.status_mut() = StatusCode::OK;
    response
}

async fn call(parts: Arc<Parts>, head: &RequestParts, body: Body, path: &GraphPath) -> Result<Answer, GraphError> {
    let segments = path.as_strs();
    let with_file = |file_bytes_max| BodyLimits {
        fields_bytes_max: FIELDS_BYTES_MAX,
        file_bytes_max,
        files_max: 1,
    };
    let limits = match segments.get(1) {
        Some(&"media") => with_file(FILE_BYTES_MAX),
        Some(&"assets") => with_file(FIELDS_BYTES_MAX),
        _ => BodyLimits::fields(FIELDS_BYTES_MAX),
    };
    let params = Params::read_parts(head, body, limits).await?;
    let app = authenticate(&parts, &head.headers, &params).await?;
    let call = Call {
        parts,
        app,
        params,
        headers: head.headers.clone(),
    };
    route(&call, &head.method, &segments).await
}

/// The app whose token this is.
async fn authenticate(parts: &Parts, headers: &HeaderMap, params: &Params) -> Result<App, GraphError> {
    let token = Token::of_request(headers, params)?;
    let invalid = || GraphError::token_invalid("the access token is unknown or was withdrawn");
    let app = match token.app() {
        Some((app_id, secret)) => {
            let app_id = app_id.parse().map_err(|_| invalid())?;
            let app = parts.store.app(app_id).await.map_err(store_failed)?;
            app.filter(|app| bool::from(app.secret.as_bytes().ct_eq(secret.as_bytes())))
        }
        None => parts.store.app_of_token(token.as_str()).await.map_err(store_failed)?,
    };
    let app = app.ok_or_else(invalid)?;
    match params.string("appsecret_proof")? {
        Some(proof) if !token.has_proof(&app.secret, &proof) => Err(GraphError::invalid_request(
            "appsecret_proof is not the HMAC-SHA256 of the access token under the app's secret",
        )),
        _ => Ok(app),
    }
}

async fn route(call: &Call, method: &Method, segments: &[&str]) -> Result<Answer, GraphError> {
    let Some((node, edge)) = segments.split_first() else {
        return Err(GraphError::invalid_request("batches are not taken by this version yet"));
    };
    let id: u64 = node.parse().map_err(|_| GraphError::unknown_node(node))?;
    let numbers = call.parts.store.numbers().await.map_err(store_failed)?;
    let number = numbers
        .iter()
        .find(|number| number.phone_number_id == id && number.waba_id == call.app.waba_id)
        .cloned();
    if let Some(number) = number {
        return match (method.as_str(), edge) {
            ("POST", ["messages"]) => messages::post(call, &number).await,
            ("POST", ["media"]) => media::upload(call).await,
            ("GET", ["whatsapp_business_profile"]) => numbers::profile(call, &number),
            ("POST", ["whatsapp_business_profile"]) => numbers::set_profile(call, &number).await,
            ("POST", ["register"]) => numbers::register(call, &number),
            ("GET", ["settings"]) => Ok(numbers::settings()),
            ("GET", ["conversations", user]) => messages::conversation(call, &number, user).await,
            ("GET", ["payments", _configuration, reference_id]) => payments::lookup(call, &number, reference_id).await,
            ("POST", ["payments_refund"]) => payments::refund(call, &number).await,
            ("GET", ["ticket_issuer_key"]) => payments::issuer_key(call).await,
            ("GET", ["whatsapp_business_encryption"]) => flows::key(call, &number).await,
            ("POST", ["whatsapp_business_encryption"]) => flows::set_key(call, &number).await,
            ("GET", []) => numbers::node(call, &number),
            _ => Err(GraphError::unknown_node(&segments.join("/"))),
        };
    }
    if id == call.app.waba_id {
        return match (method.as_str(), edge) {
            ("GET", ["phone_numbers"]) => numbers::list(call).await,
            ("GET", ["message_templates"]) => templates::list(call).await,
            ("POST", ["message_templates"]) => templates::create(call).await,
            ("DELETE", ["message_templates"]) => templates::delete(call).await,
            ("GET", ["flows"]) => flows::list(call).await,
            ("POST", ["flows"]) => flows::create(call).await,
            ("GET", []) => numbers::business(call).await,
            _ => Err(GraphError::unknown_node(&segments.join("/"))),
        };
    }
    if id == call.app.app_id {
        return match (method.as_str(), edge) {
            ("GET", ["subscriptions"]) => subscriptions::list(call).await,
            ("POST", ["subscriptions"]) => subscriptions::create(call).await,
            ("DELETE", ["subscriptions"]) => subscriptions::delete(call).await,
            _ => Err(GraphError::unknown_node(&segments.join("/"))),
        };
    }
    if let Some(answer) = flows::node(call, method.as_str(), id, edge).await? {
        return Ok(answer);
    }
    match (method.as_str(), edge) {
        ("GET", []) => media::get(call, id).await,
        ("GET", ["bytes"]) => media::bytes(call, id).await,
        ("DELETE", []) => media::delete(call, id).await,
        _ => Err(GraphError::unknown_node(node)),
    }
}

pub(crate) fn success() -> Answer {
    json!({ "success": true }).into()
}

/// The gateway's own trouble: said once in the log, and not outside.
pub(crate) fn store_failed(error: StoreError) -> GraphError {
    tracing::error!(%error, "the gateway's store failed");
    GraphError::internal("the gateway could not read or write its own data")
}

/// A refusal of the number's client, in the Graph API's words.
pub(crate) fn client_refused(error: &ApiError) -> GraphError {
    let details = error.message.as_str();
    match error.code.as_str() {
        "window_closed" => GraphError::window_closed(details),
        "balance_short" => GraphError::payment_issue(details),
        "template_refused" => GraphError::template_unknown(details),
        "not_found" | "account_unknown" => GraphError::undeliverable("the recipient cannot be reached on this server"),
        "invalid" => GraphError::parameter_value(error.parameter.as_deref().unwrap_or("request"), details),
        "offline" | "timeout" | "unreachable" | "stopped" => {
            GraphError::unavailable("the number is not connected to its server at the moment")
        }
        "sends" | "lookups" | "key_package_claims" | "conversations_created" | "payments" => {
            let wait = std::time::Duration::from_millis(error.retry_after_ms.unwrap_or(1_000));
            GraphError::throughput_reached(details).retry_after(wait)
        }
        code => {
            tracing::warn!(code, "a number's client refused a command");
            GraphError::internal(details)
        }
    }
}
