//! An address is subscribed once it has answered its challenge.

use crate::{Parts, clock::now_ms, graph::GraphError, store::Subscription, webhooks::handshake::Challenge};

/// Asks the address to echo a challenge under the verify token (2200 if it does not), then keeps the subscription.
pub(crate) async fn subscribe(parts: &Parts, subscription: Subscription) -> Result<(), GraphError> {
    let challenge = Challenge::new(&mut rand::rng());
    let address = challenge.address(&subscription.callback_url, &subscription.verify_token)?;
    let failed = |error: reqwest::Error| {
        GraphError::callback_failed(format!("the callback did not answer: {}", error.without_url()))
    };
    let client = parts
        .outbound
        .to(&address)
        .map_err(|error| GraphError::callback_failed(error.to_string()))?;
    let answer = client.get(&address).send().await.map_err(failed)?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(failed)?;
    challenge.check(status, &body)?;
    parts
        .store
        .subscribe(&subscription, now_ms())
        .await
        .map_err(crate::api::store_failed)
}
