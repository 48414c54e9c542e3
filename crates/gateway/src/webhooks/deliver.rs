//! Sends what waits: in order within a conversation, many conversations at a time, again and again for seven days.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use http::header;
use tokio::time::{Instant, sleep_until};

use super::signature::{SIGNATURE_HEADER, signature};
use crate::{Parts, clock::now_ms, store::Delivery};

/// Requests to receivers at a time.
const AT_A_TIME: usize = 16;
/// Deliveries read at a time.
const PAGE: u32 = 128;
/// How long a round goes on with the later deliveries of a lane.
const ROUND: Duration = Duration::from_millis(200);
/// From the beginning of a round to the next, while there is something to send.
const GATHER: Duration = Duration::from_millis(20);
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
        let begun = Instant::now();
        stream::iter(lanes(due))
            .map(|lane| attempt(parts, lane, begun))
            .buffer_unordered(AT_A_TIME)
            .ready_chunks(AT_A_TIME)
            .for_each(async |taken| {
                let taken: Vec<i64> = taken.into_iter().flatten().collect();
                if !taken.is_empty()
                    && let Err(error) = parts.store.delivered(taken).await
                {
                    tracing::error!(%error, "the outcome of webhooks could not be kept");
                }
            })
            .await;
        if parts.stop.is_cancelled() {
            break;
        }
        // What comes meanwhile shares the next round.
        sleep_until(begun + GATHER).await;
    }
    let next = parts.store.next_delivery_ms().await?;
    let wait = next.map_or(i64::MAX, |next| next - now_ms());
    Ok(Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(PAUSE_MAX))
}

/// Deliveries by their lanes; each keeps its order.
fn lanes(due: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let mut places: HashMap<(u64, String), usize> = HashMap::new();
    let mut lanes: Vec<Vec<Delivery>> = Vec::new();
    for delivery in due {
        let place = *places
            .entry((delivery.app_id, delivery.lane.clone()))
            .or_insert(lanes.len());
        match lanes.get_mut(place) {
            Some(lane) => lane.push(delivery),
            None => lanes.push(vec![delivery]),
        }
    }
    lanes
}

/// Sends a lane's deliveries one after the other, up to the first that is not taken. Those that were.
async fn attempt(parts: &Arc<Parts>, lane: Vec<Delivery>, begun: Instant) -> Vec<i64> {
    let mut taken = Vec::new();
    for delivery in lane {
        // The first in any case. A slow receiver's others wait for the next round, as everybody else waits for it.
        if !taken.is_empty() && (begun.elapsed() > ROUND || parts.stop.is_cancelled()) {
            break;
        }
        let Err(error) = post(parts, &delivery).await else {
            taken.push(delivery.id);
            continue;
        };
        match parts.store.not_delivered(&delivery, now_ms()).await {
            Ok(given_up) => tracing::warn!(
                app_id = delivery.app_id,
                delivery = delivery.id,
                attempts = delivery.attempts + 1,
                given_up,
                "a webhook was not taken: {error}"
            ),
            Err(error) => tracing::error!(%error, "a webhook's outcome could not be kept"),
        }
        break;
    }
    taken
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
