//! The list of connections, and the one timer that serves them all: silent, unauthenticated and stuck ones are closed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kabar_protocol::wire::error::Code;

use super::{CloseCode, Session};
use crate::{
    app::App,
    error::{Failure, reason},
};

const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
/// A peer that takes nothing in for so long is cut off; its queue keeps what it misses.
const WRITE_MS_MAX: i64 = 60_000;
const SHARDS: usize = 16;

/// Every open connection of this node.
pub(crate) struct Connections {
    next: AtomicU64,
    shards: Vec<Mutex<HashMap<u64, Arc<Session>>>>,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            next: AtomicU64::new(0),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Connections {
    pub(crate) fn add(&self, session: Arc<Session>) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.shard(id)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, session);
        id
    }

    pub(crate) fn remove(&self, id: u64) {
        self.shard(id)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    fn shard(&self, id: u64) -> &Mutex<HashMap<u64, Arc<Session>>> {
        &self.shards[usize::try_from(id % SHARDS as u64).unwrap_or(0)]
    }

    fn for_each(&self, mut visit: impl FnMut(&Session)) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values().for_each(|session| visit(session));
        }
    }

    /// Tells every client that the server goes away.
    pub(crate) fn close_all(&self) {
        let failure = Failure::unavailable(reason::SHUTTING_DOWN, "the server is shutting down: connect again");
        self.for_each(|session| session.close(CloseCode::GoingAway, Some(failure.clone())));
    }
}

/// Sweeps until the server stops.
pub(crate) async fn run(app: App) {
    let mut tick = tokio::time::interval(SWEEP_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while app.stop.run_until_cancelled(tick.tick()).await.is_some() {
        sweep(&app);
    }
}

pub(crate) fn sweep(app: &App) {
    let now_ms = app.now_ms();
    let idle_ms = i64::from(app.config.socket.idle_s) * 1_000;
    let unauthenticated_ms = i64::from(app.config.socket.unauthenticated_s) * 1_000;
    app.connections.for_each(|session| {
        if session.identity().is_none() && now_ms - session.opened_ms > unauthenticated_ms {
            let failure = Failure::unauthenticated(reason::SESSION_REQUIRED, "no authentication in time");
            session.close(CloseCode::Policy, Some(failure));
        } else if session.silent_ms(now_ms) > idle_ms || session.writing_for_ms(now_ms) > WRITE_MS_MAX {
            let failure = Failure::new(Code::Unavailable, reason::IDLE, "the connection was idle for too long");
            session.close(CloseCode::GoingAway, Some(failure));
        }
    });
}
