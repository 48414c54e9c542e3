//! What runs by itself: retention, expired codes, payments that are due, files on their way into a bucket, the reserve file. Each job is a slice's own function.

use std::time::Duration;

use crate::{
    accounts,
    app::App,
    billing, commerce,
    db::{DbError, Tx},
    media, messaging, reports,
};

/// How often retention looks.
const RETENTION_INTERVAL: Duration = Duration::from_secs(3_600);
/// How often a full disk is looked at again.
const RESERVE_INTERVAL: Duration = Duration::from_secs(5);
/// How often payments are looked at whose time has come: the callbacks of providers, and what nobody settles.
const PAYMENTS_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) fn start(app: &App) {
    app.tasks.spawn(retention(app.clone()));
    app.tasks.spawn(reserve(app.clone()));
    app.tasks.spawn(payments(app.clone()));
    app.tasks.spawn(media::keep_moving(app.clone()));
}

async fn payments(app: App) {
    let mut tick = tokio::time::interval(PAYMENTS_INTERVAL);
    while app.stop.run_until_cancelled(tick.tick()).await.is_some() {
        loop {
            match commerce::run_due(&app).await {
                Ok(0) => break,
                // There may be another page.
                Ok(_) if !app.stop.is_cancelled() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "payments that are due could not be read; the next round tries again");
                    break;
                }
            }
        }
    }
}

async fn retention(app: App) {
    let mut tick = tokio::time::interval(RETENTION_INTERVAL);
    while app.stop.run_until_cancelled(tick.tick()).await.is_some() {
        match sweep(&app).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "retention deleted what had expired"),
            Err(error) => tracing::error!(%error, "retention failed; the next hour tries again"),
        }
    }
}

/// Everything that retention does, once.
pub(crate) async fn sweep(app: &App) -> Result<u64, DbError> {
    let codes = app
        .db
        .write(app.now_ms(), |tx, now_ms| Box::pin(sweep_codes(tx, *now_ms)))
        .await?;
    Ok(codes + messaging::sweep(app).await? + media::sweep(app).await? + billing::release_expired(app).await?)
}

async fn sweep_codes(tx: &mut Tx, now_ms: i64) -> Result<u64, DbError> {
    let codes = accounts::sweep_codes(tx, now_ms).await? + accounts::sweep_invites(tx, now_ms).await?;
    Ok(codes + reports::sweep(tx, now_ms).await?)
}

async fn reserve(app: App) {
    let mut tick = tokio::time::interval(RESERVE_INTERVAL);
    while app.stop.run_until_cancelled(tick.tick()).await.is_some() {
        if app.db.reserve().disk_full() {
            app.db.reserve().restore();
        }
    }
}
