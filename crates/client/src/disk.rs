//! The store at work: one job at a time, under way while the loop goes on with other things.
//!
//! Core has one batch in flight and reads only when none is, so nothing overtakes anything here.

use std::{collections::VecDeque, pin::Pin};

use kabar_core::api::{Event, Key, Write};

use crate::store::Store;

/// What core asks of the store.
pub(crate) enum Job {
    Batch {
        batch_id: u64,
        writes: Vec<Write>,
    },
    Scan {
        scan_id: u64,
        prefix: Key,
        from: Key,
        limit: u32,
        reverse: bool,
    },
}

type Work = Pin<Box<dyn Future<Output = (Store, Result<Event, sqlx::Error>)> + Send>>;

enum At {
    Rest(Store),
    Work(Work),
    /// Only between two of the others.
    Nowhere,
}

pub(crate) struct Disk {
    at: At,
    waiting: VecDeque<Job>,
}

impl Disk {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            at: At::Rest(store),
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.at, At::Work(_))
    }

    pub(crate) fn begin(&mut self, job: Job) {
        self.waiting.push_back(job);
        self.go_on();
    }

    fn go_on(&mut self) {
        self.at = match std::mem::replace(&mut self.at, At::Nowhere) {
            At::Rest(store) => match self.waiting.pop_front() {
                Some(job) => At::Work(Box::pin(run(store, job))),
                None => At::Rest(store),
            },
            other => other,
        };
    }

    /// What came of the job under way; never, if there is none. May be dropped and called again: the job goes on.
    pub(crate) async fn done(&mut self) -> Result<Event, sqlx::Error> {
        let At::Work(work) = &mut self.at else {
            return std::future::pending().await;
        };
        let (store, result) = work.await;
        self.at = At::Rest(store);
        self.go_on();
        result
    }

    pub(crate) async fn close(self) {
        if let At::Rest(store) = self.at {
            store.close().await;
        }
    }
}

/// A batch that cannot be written is an answer; a store that cannot be read is an error.
async fn run(mut store: Store, job: Job) -> (Store, Result<Event, sqlx::Error>) {
    let result = match job {
        Job::Batch { batch_id, writes } => Ok(match store.apply(writes).await {
            Ok(()) => Event::Committed { batch_id },
            Err(error) => Event::Failed {
                batch_id,
                error: error.to_string(),
            },
        }),
        Job::Scan {
            scan_id,
            prefix,
            from,
            limit,
            reverse,
        } => {
            let rows = store.scan(&prefix, &from, limit, reverse).await;
            rows.map(|rows| Event::Scanned { scan_id, rows })
        }
    };
    (store, result)
}
