//! Sends what waits: in order within a conversation, many conversations at a time, again and again for seven days.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use http::header;

use super::signature::{SIGNATURE_HEADER, signature};
use crate::{Parts, clock::now_ms, store::Delivery};

/// Requests to receivers at a time.
const AT_A_TIME: usize = 16;
/// Deliveries read at a time.
const PAGE: u32 = 128;
/// The longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Names a delivery over its attempts: a receiver that has it may drop a repetition.
const DELIVERY_HEADER: &str = "kabar-delivery-id";

/// Delivers until the gateway stops.
pub(crate) async fn run(parts: Arc<Parts>) {
    while !parts.stop.is_cancelled() {
        let pause = match round(&parts).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "webhooks could not be read");
                PAUSE_MAX
            }
        };
        tokio::select! {
            () = parts.stop.cancelled() => {}
            () = parts.queued.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Sends what is due; how long until something else is.
async fn round(parts: &Arc<Parts>) -> anyhow::Result<Duration> {
    loop {
        let due = parts.store.due_deliveries(now_ms(), PAGE).await?;
        if due.is_empty() {
            break;
        }
        stream::iter(due)
            .for_each_concurrent(AT_A_TIME, |delivery| async move {
                if let Err(error) = attempt(parts, &delivery).await {
                    tracing::error!(%error, "a webhook's outcome could not be kept");
                }
            })
            .await;
        if parts.stop.is_cancelled() {
            break;
        }
    }
    let next = parts.store.next_delivery_ms().await?;
    let wait = next.map_or(i64::MAX, |next| next - now_ms());
    Ok(Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(PAUSE_MAX))
}

async fn attempt(parts: &Arc<Parts>, delivery: &Delivery) -> anyhow::Result<()> {
    match post(parts, delivery).await {
        Ok(()) => parts.store.delivered(delivery.id).await?,
        Err(error) => {
            let given_up = parts.store.not_delivered(delivery, now_ms()).await?;
            tracing::warn!(
                app_id = delivery.app_id,
                delivery = delivery.id,
                attempts = delivery.attempts + 1,
                given_up,
                "a webhook was not taken: {error}"
            );
        }
    }
    Ok(())
}

async fn post(parts: &Arc<Parts>, delivery: &Delivery) -> anyhow::Result<()> {
    let app = parts.store.app(delivery.app_id).await?;
    let subscription = parts.store.subscription(delivery.app_id).await?;
    let (Some(app), Some(subscription)) = (app, subscription) else {
        // Nobody is subscribed any more: there is nobody to take it.
        return Ok(());
    };
    let request = parts
        .outbound
        .to(&subscription.callback_url)?
        .post(&subscription.callback_url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(SIGNATURE_HEADER, signature(&app.secret, &delivery.body))
        .header(DELIVERY_HEADER, delivery.id.to_string())
        .body(delivery.body.clone());
    let answer = request.send().await.map_err(reqwest::Error::without_url)?;
    anyhow::ensure!(
        answer.status().is_success(),
        "the receiver answered {}",
        answer.status()
    );
    Ok(())
}
