//! What every slice is given: database, bus, clock, limits, secrets, caches. Made once at start.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use kabar_protocol::ids::Timeline;
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts::Accounts,
    billing::{Billing, Charges},
    bus::Bus,
    business::Business,
    clock::Clock,
    config::Config,
    db::{Db, DbError, Tx, params},
    error::StartError,
    limits::Limits,
    media::{self, Media},
    messaging::Messaging,
    metrics::Metrics,
    secrets::Secrets,
    socket::Connections,
};

/// The running server's parts; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub(crate) config: Config,
    pub(crate) public_url: String,
    pub(crate) data: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) connections: Connections,
    pub(crate) limits: Limits,
    pub(crate) secrets: Secrets,
    pub(crate) metrics: Metrics,
    pub(crate) timeline: Timeline,
    pub(crate) accounts: Accounts,
    pub(crate) media: Media,
    pub(crate) messaging: Messaging,
    pub(crate) business: Business,
    pub(crate) billing: Billing,
    /// Cancelled once, when the server shuts down.
    pub(crate) stop: CancellationToken,
    /// Every task that a shutdown waits for.
    pub(crate) tasks: TaskTracker,
    rng: Mutex<StdRng>,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens the data of `config`; the caller holds DATA/lock.
    pub(crate) async fn open(config: Config, public_url: String, clock: Clock) -> Result<Self, StartError> {
        let data = config.server.data.clone();
        let secrets = Secrets::open(&data)?;
        let media = Media::open(&config, &secrets)?;
        let url = (!config.database.url.is_empty()).then_some(config.database.url.as_str());
        let db = Db::open(&data, url).await?;
        let mut rng = StdRng::from_os_rng();
        let timeline = timeline(&db, &mut rng).await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (messaging, batches) = Messaging::new(db.engine(), Box::new(Charges));
        let metrics = Metrics::default();
        metrics
            .media_stored_bytes
            .store(media::stored_bytes(&db).await?, Ordering::Relaxed);
        let app = Self(Arc::new(Parts {
            limits: Limits::new(config.limits.rate_limits),
            public_url,
            data,
            clock,
            db,
            bus: Bus::default(),
            connections: Connections::default(),
            secrets,
            metrics,
            timeline,
            accounts: Accounts::default(),
            media,
            messaging,
            business: Business::default(),
            billing: Billing::default(),
            stop,
            tasks,
            rng: Mutex::new(rng),
            config,
        }));
        Messaging::start(&app, batches);
        Ok(app)
    }

    /// Random bytes for nonces, codes and ids.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }
}

/// This life of the database: made at its first start, changed by a restore.
async fn timeline(db: &Db, rng: &mut StdRng) -> Result<Timeline, DbError> {
    let mut fresh = [0; 16];
    rng.fill_bytes(&mut fresh);
    db.write(fresh, |tx, fresh| Box::pin(keep_timeline(tx, *fresh))).await
}

async fn keep_timeline(tx: &mut Tx, fresh: [u8; 16]) -> Result<Timeline, DbError> {
    tx.execute(
        "INSERT INTO server_value (name, value) VALUES ('timeline', $1) ON CONFLICT DO NOTHING",
        params![fresh],
    )
    .await?;
    let row = tx
        .fetch_optional("SELECT value FROM server_value WHERE name = 'timeline'", params![])
        .await?;
    row.map_or(Ok(Timeline(fresh)), |row| row.get(0))
}
