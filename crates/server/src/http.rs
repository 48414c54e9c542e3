//! Plain HTTP on the one listener: health, metrics, and what is not there.
//!
//! The web app is a router that the binary passes in; the messenger socket is answered before this.

use std::sync::atomic::Ordering;

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{Method, StatusCode, header};

use crate::{app::App, media, messaging};

/// Our routes, then `extra`, then a JSON 404.
pub(crate) fn router(app: App, extra: Router) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(app.clone())
        .merge(media::router(app.clone()))
        .merge(messaging::router(app.clone()))
        .merge(extra)
        .layer(middleware::from_fn_with_state(app, redirect_to_public_url))
}

/// For `Server::start` without a web app: what no route answers.
pub fn not_found() -> Router {
    Router::new().fallback(async || {
        let error = serde_json::json!({ "error": { "code": "not_found", "message": "there is nothing at this path" } });
        (StatusCode::NOT_FOUND, Json(error))
    })
}

async fn healthz() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let mut out = String::with_capacity(4 * 1024);
    app.metrics.write(&mut out);
    let stats = app.db.stats();
    let counters = [
        ("kabar_db_commits_total", stats.commits.load(Ordering::Relaxed)),
        ("kabar_db_writes_total", stats.writes.load(Ordering::Relaxed)),
        ("kabar_db_retries_total", stats.retries.load(Ordering::Relaxed)),
    ];
    use std::fmt::Write as _;
    for (name, value) in counters {
        let _ = writeln!(out, "# TYPE {name} counter\n{name} {value}");
    }
    let waiting = app.messaging.waiting();
    let _ = writeln!(
        out,
        "# TYPE kabar_messaging_waiting_items gauge\nkabar_messaging_waiting_items {waiting}"
    );
    stats.transaction.write(&mut out, "kabar_db_transaction_seconds");
    stats.commit.write(&mut out, "kabar_db_commit_seconds");
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], out)
}

/// A person who types 127.0.0.1 is taken to the public URL: the browser keeps its keys per origin.
async fn redirect_to_public_url(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_page_at_a_number(&request) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::temporary(&format!("{}{path}", app.public_url)).into_response();
    }
    next.run(request).await
}

fn is_page_at_a_number(request: &Request) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    request.method() == Method::GET
        && header(header::ACCEPT).is_some_and(|accept| accept.contains("text/html"))
        && header(header::HOST).is_some_and(|host| host.split(':').next() == Some("127.0.0.1"))
}
