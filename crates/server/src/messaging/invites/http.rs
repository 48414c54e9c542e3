//! `GET /v1/invite/<code>`: the preview of a link, for a browser whose person has no account yet.

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, StatusCode};
use kabar_protocol::{invite::InviteCode, wire::invite_outcome::Outcome};
use serde_json::json;

use super::open::shown;
use crate::{app::App, limits::RateLimit, socket};

pub(crate) fn router(app: App) -> Router {
    Router::new().route("/v1/invite/{code}", get(show)).with_state(app)
}

/// `{"preview": base64, "expires_ms", "approval", "members"}`; 404 `invite_gone`, 429 `rate_limited`.
async fn show(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Response {
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
    // By address, not by link: whoever knows a link's public half must not be able to use up what others may look at.
    let address = socket::client_address(&app, peer, &headers);
    let looked = match app.limits.check_address(RateLimit::Invites, address, app.now_ms()) {
        Ok(()) => shown(&app, code).await,
        Err(failure) => Err(failure),
    };
    match looked {
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
