//! The state machine's outside: construction, start, one event at a time, and the loop over what is to be done.
//!
//! A job runs to its end or stops before it changed anything (see [`Stop`]) and is run again later. All that jobs
//! write between two batches goes into one; nothing they say leaves before that batch is durable.

use kabar_protocol::wire::{self, server_frame::Body};

use crate::{
    api::{Event, Output, TimeMs},
    state::{Job, Phase, State, Work},
    tx::{Effect, Stop},
};

/// Jobs whose writes may share one batch.
const JOBS_PER_BATCH_MAX: usize = 64;
/// A clock that goes back by more was corrected.
const CLOCK_STEP_MAX_MS: TimeMs = 60_000;

/// What a shell decides once.
#[derive(Debug, Clone, Default)]
pub struct CoreConfig {
    /// Keep feed items for scripts (`kabar chat receive`); a browser does not need them.
    pub feed: bool,
    /// Tests only: makes core's own random choices repeatable (the engine's key generation stays random).
    pub rng_seed: Option<[u8; 32]>,
}

/// One account's client on one device.
pub struct Core {
    state: State,
}

impl Core {
    pub fn new(config: CoreConfig) -> Self {
        Self {
            state: State::new(config),
        }
    }

    /// Tests only: a conversation's keys are renewed after so many messages of ours.
    #[doc(hidden)]
    pub fn update_keys_every(&mut self, messages: u32) {
        self.state.key_update_messages = messages;
    }

    /// Begins: reads the store. To be called once, before the first [`Self::handle`].
    pub fn start(&mut self, now: TimeMs) -> Vec<Output> {
        self.state.now = now;
        self.state.load_more();
        self.state.take_outputs()
    }

    /// Takes in one event and says what the shell has to do about it.
    pub fn handle(&mut self, event: Event, now: TimeMs) -> Vec<Output> {
        self.handle_all([event], now)
    }

    /// The same for events that have come together, in their order: what follows from them shares batches.
    pub fn handle_all(&mut self, events: impl IntoIterator<Item = Event>, now: TimeMs) -> Vec<Output> {
        let state = &mut self.state;
        state.set_clock(now);
        events.into_iter().for_each(|event| state.happened(event));
        state.timers();
        state.pump();
        state.set_timer();
        state.take_outputs()
    }
}

impl State {
    fn happened(&mut self, event: Event) {
        match event {
            Event::Scanned { scan_id, rows } => self.scanned(scan_id, rows),
            Event::Committed { batch_id } => self.committed(batch_id),
            Event::Failed { batch_id, error } => self.failed(batch_id, &error),
            Event::Connected => self.connected(),
            Event::Disconnected => self.disconnected(),
            Event::Frame(frame) => self.frame(frame),
            Event::Command { command_id, command } => {
                let command = Box::new(command);
                self.work.push_back(Work::Command { command_id, command });
            }
            Event::Wake => {}
        }
    }

    /// Runs jobs until there is nothing to do, or something has to be waited for.
    fn pump(&mut self) {
        while self.phase == Phase::Running && self.batch.is_none() && self.reads.pending.is_none() {
            let Some(job) = self.next_job() else {
                if self.tx.is_empty() {
                    // A new session lets out what has waited for one.
                    self.acknowledge();
                    self.send_requests();
                    self.answer_idle();
                    if self.tx.is_empty() {
                        break;
                    }
                }
                self.flush();
                continue;
            };
            match self.run(&job) {
                Ok(()) => {
                    self.reads.fetched.clear();
                    self.tx.jobs += 1;
                    if self.tx.jobs >= JOBS_PER_BATCH_MAX {
                        self.flush();
                    }
                }
                Err(stop) => {
                    self.put_back(job);
                    match stop {
                        Stop::Read(range) => self.read_rows(range),
                        Stop::Flush => self.flush(),
                        Stop::Wait(wait) => self.inbox_wait = Some(wait),
                    }
                }
            }
        }
    }

    fn next_job(&mut self) -> Option<Job> {
        if let Some(work) = self.work.pop_front() {
            return Some(Job::Work(work));
        }
        if self.inbox_wait.is_none()
            && self.connection.is_inbox_ripe(self.inbox.len() + self.tx.jobs, self.now)
            && let Some(item) = self.inbox.pop_front()
        {
            return Some(Job::Deliver(item));
        }
        if self.inbox.is_empty() {
            self.connection.inbox_is_empty();
        }
        if self.inbox.is_empty() && self.connection.take_queue_end() {
            return Some(Job::Work(Work::Push(Body::QueueEmpty(wire::QueueEmpty {}))));
        }
        // The queue first: what is in it may be what a conversation needs. Unless the queue itself waits for us.
        if (self.connection.is_online() || (self.connection.has_session() && self.inbox_wait.is_some()))
            && let Some(conversation) = self.due.pop_first()
        {
            return Some(Job::Advance(conversation));
        }
        self.next_search()
    }

    fn put_back(&mut self, job: Job) {
        match job {
            Job::Work(work) => self.work.push_front(work),
            Job::Deliver(item) => self.inbox.push_front(item),
            Job::Advance(conversation) => {
                self.due.insert(conversation);
            }
        }
    }

    /// Ends the transaction: its writes become a batch, its effects wait for it; without writes they go at once.
    fn flush(&mut self) {
        let mut tx = std::mem::take(&mut self.tx);
        let writes = tx.take_writes();
        if writes.is_empty() {
            self.release(tx.effects);
            return;
        }
        self.next_batch += 1;
        self.out.push(Output::Batch {
            batch_id: self.next_batch,
            writes,
        });
        self.batch = Some((self.next_batch, tx.effects));
    }

    fn committed(&mut self, batch_id: u64) {
        if let Some((id, effects)) = self.batch.take_if(|(id, _)| *id == batch_id) {
            debug_assert_eq!(id, batch_id);
            self.release(effects);
            self.evict_groups();
        }
    }

    fn release(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Out(output) => self.out.push(output),
                Effect::Request(request) => self.connection.enqueue(request),
            }
        }
        self.acknowledge();
        self.send_requests();
    }

    /// Small steps back are ignored. After a large one every deadline in memory is wrong, so all begin anew.
    fn set_clock(&mut self, now: TimeMs) {
        let set_back = now + CLOCK_STEP_MAX_MS < self.now;
        self.now = if set_back { now } else { self.now.max(now) };
        if set_back {
            self.waiting.typing.clear();
            self.waiting.presence.watchers.clear();
            self.waiting.presence.seen.clear();
            self.drop_connection();
        }
    }

    fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }
}
