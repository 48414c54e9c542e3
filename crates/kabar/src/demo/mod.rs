//! Demo data of `kabar serve --dev`: people to write to, and shops for the box office (`examples/box-office`).
//!
//! No back doors: the people are ordinary encrypted clients with homes of their own beside the server's data, the shops are
//! businesses like any other. What goes wrong is logged: the server serves on without them.

mod console;
mod halo;
mod person;
mod rina;
mod shops;

use std::path::{Path, PathBuf};

use axum::{Json, Router, routing::get};
use kabar_protocol::ids::AccountId;
use kabar_server::Config;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Accounts that Rina has yet to invite; more than these are forgotten.
const INVITATIONS_WAITING_MAX: usize = 64;
/// Kept by the box office once it has run: before that nobody would answer in its shops.
const BOX_OFFICE_STATE: &str = "box-office.json";

/// Somebody has written to Halo.
struct Met {
    account: AccountId,
    time_ms: i64,
}

/// Plays everybody until `stop`.
pub(crate) async fn run(config: Config, server: String, stop: CancellationToken) {
    let directory = directory(&config);
    let (met, meets) = mpsc::channel::<Met>(INVITATIONS_WAITING_MAX);
    tokio::join!(
        shops::open(&config, &directory, &server),
        halo::play(directory.join("halo"), server.clone(), met, stop.clone()),
        rina::play(directory.join("rina"), server.clone(), meets, stop.clone()),
    );
}

fn directory(config: &Config) -> PathBuf {
    config.server.data.join("demo")
}

/// `GET /demo.json`: whom the app offers to somebody who has no chat yet, beside Halo. And the console of `/b/demo`.
pub(crate) fn router(config: &Config) -> Router {
    let directory = config.server.dev.then(|| directory(config));
    let offered = move || {
        let directory = directory.clone();
        async move { Json(offers(directory.as_deref()).await) }
    };
    let book = self::directory(config).join("business.json");
    Router::new()
        .route("/demo.json", get(offered))
        .merge(console::router(config, book))
}

async fn offers(directory: Option<&Path>) -> Value {
    match directory {
        Some(directory)
            if tokio::fs::try_exists(directory.join(BOX_OFFICE_STATE))
                .await
                .unwrap_or(false) =>
        {
            shops::SHOPS.iter().map(|shop| json!(shop.phone)).collect()
        }
        _ => json!([]),
    }
}
