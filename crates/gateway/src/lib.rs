//! The business gateway: speaks the WhatsApp Cloud (Graph) API to companies' programs and encrypted messages to people.
//!
//! It is a client of the messenger server like any other, so the server learns nothing by it. Names of parameters, types
//! and errors are the Graph API's. It runs inside `kabar serve` or on the business's own machine, with the same code.

pub mod admin;
mod api;
mod clock;
mod flows;
pub mod graph;
pub mod messages;
mod numbers;
mod outbound;
pub mod store;
pub mod webhooks;

pub use self::outbound::http_client;

use std::{path::PathBuf, sync::Arc};

use kabar_client::Dial;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    numbers::Lines,
    outbound::Outbound,
    store::{Number, Store, StoreError},
};

/// Between two rounds of forgetting.
const RETENTION_INTERVAL: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Where a gateway lives and whom it serves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its own directory: DATA/gateway.
    pub directory: PathBuf,
    /// `http(s)://host[:port]` under which companies reach this API.
    pub public_url: String,
    /// The messenger server, as clients name it.
    pub server: String,
    /// Where the server is in this process.
    pub dial: Option<Dial>,
    /// Webhooks may go to private addresses.
    pub allow_private: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Outbound(String),
}

/// What the handlers share.
pub(crate) struct Parts {
    pub(crate) directory: PathBuf,
    pub(crate) public_url: String,
    pub(crate) server: String,
    pub(crate) dial: Option<Dial>,
    pub(crate) store: Store,
    pub(crate) lines: Lines,
    pub(crate) outbound: Outbound,
    /// Something was queued for delivery.
    pub(crate) queued: Notify,
    /// Where questions to flow endpoints wait.
    pub(crate) desk: flows::Desk,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// A gateway; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) parts: Arc<Parts>,
}

impl Gateway {
    /// Opens its directory; nothing runs yet. One process at a time: the caller holds the data directory's lock.
    pub async fn open(options: Options) -> Result<Self, GatewayError> {
        let store = Store::open(&options.directory).await?;
        let outbound = Outbound::new(options.allow_private);
        let outbound = outbound.map_err(|error| GatewayError::Outbound(error.to_string()))?;
        let parts = Parts {
            directory: options.directory,
            public_url: options.public_url,
            server: options.server,
            dial: options.dial,
            store,
            lines: Lines::default(),
            outbound,
            queued: Notify::new(),
            desk: flows::Desk::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Ok(Self { parts: Arc::new(parts) })
    }

    /// Starts the clients of all numbers and the delivery of webhooks.
    pub async fn start(&self) -> Result<(), GatewayError> {
        for number in self.parts.store.numbers().await?.iter().cloned() {
            self.run_number(number);
        }
        let parts = &self.parts;
        parts.tasks.spawn(webhooks::deliver::run(Arc::clone(parts)));
        parts.tasks.spawn(forget(Arc::clone(parts)));
        Ok(())
    }

    fn run_number(&self, number: Number) {
        let parts = Arc::clone(&self.parts);
        self.parts.tasks.spawn(numbers::run(parts, number));
    }

    /// Answers the paths for which [`graph::path::is_gateway_path`] is true.
    pub fn router(&self) -> axum::Router {
        api::router(Arc::clone(&self.parts))
    }

    /// Stops clients and deliveries; what waits goes out at the next start.
    pub async fn shutdown(self) {
        self.parts.stop.cancel();
        self.parts.tasks.close();
        self.parts.tasks.wait().await;
        self.parts.store.close().await;
    }
}

/// Retention, hourly.
async fn forget(parts: Arc<Parts>) {
    let mut tick = tokio::time::interval(RETENTION_INTERVAL);
    while parts.stop.run_until_cancelled(tick.tick()).await.is_some() {
        let now_ms = clock::now_ms();
        let forgotten = async {
            let sent = parts.store.forget_old_sent(now_ms).await? + parts.store.forget_old_receipts(now_ms).await?;
            let keys = parts.store.forget_old_keys(now_ms).await?;
            let dead = parts.store.forget_dead_deliveries(now_ms).await?;
            Ok::<u64, StoreError>(sent + keys + dead + parts.store.forget_old_media(now_ms).await?)
        };
        match forgotten.await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "the gateway deleted what had expired"),
            Err(error) => tracing::error!(%error, "the gateway's retention failed; the next hour tries again"),
        }
    }
}
