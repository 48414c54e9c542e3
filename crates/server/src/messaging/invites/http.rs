//! `GET /v1/invite/<code>`: the preview of a link, for a browser whose person has no account yet.

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::StatusCode;
use kabar_protocol::{invite::InviteCode, wire::invite_outcome::Outcome};
use serde_json::json;

use super::open::fetch_invite;
use crate::app::App;

pub(crate) fn router(app: App) -> Router {
    Router::new().route("/v1/invite/{code}", get(show)).with_state(app)
}

/// `{"preview": base64, "expires_ms", "approval", "members"}`; 404 `invite_gone`, 429 `rate_limited`.
async fn show(State(app): State<App>, Path(code): Path<String>) -> Response {
    let refuse = |status: StatusCode, code: &str, message: &str| {
        let error = json!({ "error": { "code": code, "message": message } });
        (status, Json(error)).into_response()
    };
    let gone = || {
        let message = "this link does not work: it was taken back, has expired, or has been used as often as it may be";
        refuse(StatusCode::NOT_FOUND, "invite_gone", message)
    };
    let Some(code) = InviteCode::parse(&code) else {
        return gone();
    };
    let code = code.to_vec();
    match fetch_invite(&app, &code, &code).await {
        Ok(Outcome::Found(found)) => Json(json!({
            "preview": BASE64_STANDARD.encode(&found.preview),
            "expires_ms": found.expires_ms,
            "approval": found.approval,
            "members": found.members,
        }))
        .into_response(),
        Ok(Outcome::Gone(_)) => gone(),
        Err(failure) if failure.retry_after_ms.is_some() => {
            refuse(StatusCode::TOO_MANY_REQUESTS, failure.reason, &failure.message)
        }
        Err(failure) => {
            tracing::error!(%failure, "an invite could not be read");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal", "try again later")
        }
    }
}
