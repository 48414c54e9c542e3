//! Group commit: many writes, one transaction, one sync.
//!
//! SQLite has one writer task. PostgreSQL has a few, each with its own connection, and there every write is a
//! transaction of its own: PostgreSQL groups the syncs itself, and shorter transactions hold locks for less time.
//! Nothing is answered before its commit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};

use super::{DbError, Engine, Reserve, Tx, engine::Pools, params};
use crate::metrics::Histogram;

/// Writes that wait for a writer; more wait in their callers.
const WAITING_MAX: usize = 256;
/// Writes in one transaction.
const GROUP_MAX: usize = 128;
const POSTGRES_WRITERS: usize = 4;
/// A deadlock or a serialisation failure is worth another try.
const ATTEMPTS_MAX: usize = 3;
/// How long closing waits for the writers.
const CLOSE_WAIT: Duration = Duration::from_secs(8);

/// What the writers did so far, for /metrics.
#[derive(Default)]
pub(crate) struct WriterStats {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) retries: AtomicU64,
    /// From BEGIN to the end of COMMIT, in seconds.
    pub(crate) transaction: Histogram,
    /// COMMIT alone: what the disk takes.
    pub(crate) commit: Histogram,
}

pub(super) struct Writers {
    queues: Mutex<Vec<mpsc::Sender<Box<dyn Job>>>>,
    /// The same senders, for use without the lock; emptied only by `close`.
    open: Vec<mpsc::WeakSender<Box<dyn Job>>>,
    next: AtomicUsize,
    stats: Arc<WriterStats>,
    tasks: Mutex<JoinSet<()>>,
}

/// A write of any type, with its answer's channel.
trait Job: Send {
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), DbError>>;
    fn answer(self: Box<Self>, outcome: Result<(), DbError>);
}

struct TypedJob<I, T, F> {
    input: I,
    op: F,
    output: Option<T>,
    reply: oneshot::Sender<Result<T, DbError>>,
}

impl<I, T, F> Job for TypedJob<I, T, F>
where
    I: Send + Sync,
    T: Send,
    F: for<'a> Fn(&'a mut Tx, &'a I) -> BoxFuture<'a, Result<T, DbError>> + Send,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), DbError>> {
        Box::pin(async move {
            self.output = Some((self.op)(tx, &self.input).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, outcome: Result<(), DbError>) {
        let Self { output, reply, .. } = *self;
        // The caller may have gone away; the write stands all the same.
        let _ = reply.send(outcome.and_then(|()| output.ok_or(DbError::Unavailable)));
    }
}

impl Writers {
    pub(super) async fn start(pools: &Pools, reserve: Arc<Reserve>) -> Result<Self, DbError> {
        let (count, group_max) = match pools.engine() {
            Engine::Sqlite => (1, GROUP_MAX),
            Engine::Postgres => (POSTGRES_WRITERS, 1),
        };
        let stats = Arc::new(WriterStats::default());
        let mut tasks = JoinSet::new();
        let mut queues = Vec::with_capacity(count);
        for _ in 0..count {
            let (sender, receiver) = mpsc::channel(WAITING_MAX);
            let writer = Writer {
                tx: Some(pools.writer().await?),
                pools: pools.clone(),
                group_max,
                stats: Arc::clone(&stats),
                reserve: Arc::clone(&reserve),
            };
            tasks.spawn(writer.run(receiver));
            queues.push(sender);
        }
        Ok(Self {
            open: queues.iter().map(mpsc::Sender::downgrade).collect(),
            queues: Mutex::new(queues),
            next: AtomicUsize::new(0),
            stats,
            tasks: Mutex::new(tasks),
        })
    }

    pub(super) async fn write<I, T, F>(&self, input: I, op: F) -> Result<T, DbError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a mut Tx, &'a I) -> BoxFuture<'a, Result<T, DbError>> + Send + Sync + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(TypedJob {
            input,
            op,
            output: None,
            reply,
        });
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.open.len();
        let queue = self.open[turn].upgrade().ok_or(DbError::Unavailable)?;
        queue.send(job).await.map_err(|_| DbError::Unavailable)?;
        drop(queue);
        answer.await.map_err(|_| DbError::Unavailable)?
    }

    pub(super) fn stats(&self) -> &WriterStats {
        &self.stats
    }

    /// Takes nothing in any more and waits for what was taken in.
    pub(super) async fn close(&self) {
        self.queues.lock().await.clear();
        let mut tasks = self.tasks.lock().await;
        let drained = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(CLOSE_WAIT, drained).await.is_err() {
            tracing::error!("the database's writers did not finish in time");
        }
    }
}

struct Writer {
    tx: Option<Tx>,
    pools: Pools,
    group_max: usize,
    stats: Arc<WriterStats>,
    reserve: Arc<Reserve>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut group = Vec::with_capacity(self.group_max);
        while queue.recv_many(&mut group, self.group_max).await > 0 {
            self.commit_group(&mut group).await;
        }
    }

    /// One transaction for all; if that fails, one for each.
    async fn commit_group(&mut self, group: &mut Vec<Box<dyn Job>>) {
        match self.transaction(group).await {
            Ok(()) => group.drain(..).for_each(|job| job.answer(Ok(()))),
            Err(error) if group.len() == 1 && !worth_retrying(&error) => self.fail(group, error),
            Err(_) => {
                for job in group.drain(..) {
                    self.alone(job).await;
                }
            }
        }
    }

    async fn alone(&mut self, job: Box<dyn Job>) {
        self.stats.retries.fetch_add(1, Ordering::Relaxed);
        let mut one = vec![job];
        for attempt in 1..=ATTEMPTS_MAX {
            match self.transaction(&mut one).await {
                Ok(()) => return one.drain(..).for_each(|job| job.answer(Ok(()))),
                Err(error) if attempt < ATTEMPTS_MAX && worth_retrying(&error) => {}
                Err(error) => return self.fail(&mut one, error),
            }
        }
    }

    fn fail(&self, group: &mut Vec<Box<dyn Job>>, error: DbError) {
        if matches!(error, DbError::DiskFull) {
            self.reserve.release();
        } else {
            tracing::error!(%error, "a write failed");
        }
        let mut error = Some(error);
        for job in group.drain(..) {
            job.answer(Err(error.take().unwrap_or(DbError::Unavailable)));
        }
    }

    async fn transaction(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), DbError> {
        // Durations only; the time of day comes from the clock.
        let started = Instant::now();
        let mut tx = match self.tx.take() {
            Some(tx) => tx,
            None => self.pools.writer().await?,
        };
        let outcome = run_group(&mut tx, group, &self.stats).await;
        if outcome.is_ok() {
            self.tx = Some(tx);
            self.stats.commits.fetch_add(1, Ordering::Relaxed);
            self.stats.writes.fetch_add(group.len() as u64, Ordering::Relaxed);
            self.stats.transaction.observe(started.elapsed());
        } else if tx.execute("ROLLBACK", params![]).await.is_ok() {
            self.tx = Some(tx);
        } else {
            tx.discard().await;
        }
        outcome
    }
}

async fn run_group(tx: &mut Tx, group: &mut [Box<dyn Job>], stats: &WriterStats) -> Result<(), DbError> {
    let begin = match tx.engine() {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN",
    };
    tx.execute(begin, params![]).await?;
    for job in group.iter_mut() {
        job.run(tx).await?;
    }
    let commit = Instant::now();
    tx.execute("COMMIT", params![]).await?;
    stats.commit.observe(commit.elapsed());
    Ok(())
}

/// SQLSTATE 40001 (serialization_failure) and 40P01 (deadlock_detected), and a lost connection.
fn worth_retrying(error: &DbError) -> bool {
    match error {
        DbError::Engine(sqlx::Error::Database(inner)) => {
            inner.code().is_some_and(|code| code == "40001" || code == "40P01")
        }
        DbError::Engine(sqlx::Error::Io(_)) => true,
        _ => false,
    }
}
