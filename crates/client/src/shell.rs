//! The loop: what happened goes into core, what core wants is done, in order.

use std::{collections::HashMap, pin::Pin, time::Duration};

use kabar_core::{
    Core, CoreConfig,
    api::{ApiError, Command, Event, Notification, Output, Reply, TimeMs},
};
use kabar_protocol::wire;
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{clock, disk::Job, home::Home, socket::Socket};

/// Events that core may hold while the store is busy, and that are taken in at once.
const EVENTS_MAX: usize = 64;

type ReplyTo = oneshot::Sender<Result<Reply, ApiError>>;

/// What the handle asks of the loop.
pub(crate) enum Wish {
    Command(Box<Command>, ReplyTo),
    /// Why a command may take so long, if that is known.
    Trouble(oneshot::Sender<Option<ApiError>>),
}

pub(crate) struct Shell {
    core: Core,
    home: Home,
    link: Link,
    wake_at: Option<TimeMs>,
    replies: HashMap<u64, ReplyTo>,
    next_command: u64,
    trouble: Option<ApiError>,
    notifications: broadcast::Sender<Notification>,
    stop: CancellationToken,
    /// Events since the store became busy.
    taken: usize,
}

/// The connection's life, as far as the shell drives it.
enum Link {
    Closed,
    /// Waits out its delay, then connects.
    Opening(Pin<Box<dyn Future<Output = Result<Socket, String>> + Send>>),
    Open(Socket),
}

/// What the connection came up with.
#[allow(clippy::large_enum_variant, reason = "one at a time, on the loop's own stack")]
enum Linked {
    Opened(Result<Socket, String>),
    Frame(wire::ServerFrame),
    Lost,
}

/// What the loop woke up for.
#[allow(clippy::large_enum_variant, reason = "one at a time, on the loop's own stack")]
enum Woken {
    Wish(Option<Wish>),
    Link(Linked),
    /// The end of what the store did; an error if it cannot be read.
    Stored(Result<Event, sqlx::Error>),
    Timer,
    Stop,
}

impl Shell {
    pub(crate) fn new(
        home: Home,
        feed: bool,
        notifications: broadcast::Sender<Notification>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            core: Core::new(CoreConfig { feed, rng_seed: None }),
            home,
            link: Link::Closed,
            wake_at: None,
            replies: HashMap::new(),
            next_command: 1,
            trouble: None,
            notifications,
            stop,
            taken: 0,
        }
    }

    pub(crate) async fn run(mut self, mut wishes: mpsc::Receiver<Wish>) {
        let outputs = self.core.start(clock::now());
        self.carry_out(outputs).await;
        loop {
            let woken = self.wait(&mut wishes).await;
            if matches!(woken, Woken::Stop | Woken::Wish(None)) {
                break;
            }
            let stored = matches!(woken, Woken::Stored(_));
            let mut events = Vec::new();
            let first = self.event(woken);
            if !stored {
                events.extend(first);
                self.gather(&mut wishes, &mut events);
            } else {
                // What waits goes before the end of the batch, and so into the next one.
                self.gather(&mut wishes, &mut events);
                self.taken = 0;
                events.extend(first);
            }
            let outputs = self.core.handle_all(events, clock::now());
            self.carry_out(outputs).await;
        }
        self.finish().await;
    }

    /// Nothing new any more; what was begun is brought to its end.
    async fn finish(mut self) {
        while self.home.disk.is_busy() {
            let stored = self.home.disk.done().await;
            let event = self.event(Woken::Stored(stored));
            let Some(event) = event else { break };
            let outputs = self.core.handle(event, clock::now());
            self.carry_out(outputs).await;
        }
        self.home.disk.close().await;
    }

    async fn wait(&mut self, wishes: &mut mpsc::Receiver<Wish>) -> Woken {
        let timer = self
            .wake_at
            .map(|at| Instant::now() + Duration::from_millis(u64::try_from(at - clock::now()).unwrap_or(0)));
        let (stop, open) = (&self.stop, self.taken < EVENTS_MAX);
        tokio::select! {
            () = stop.cancelled() => Woken::Stop,
            stored = self.home.disk.done() => Woken::Stored(stored),
            linked = next(&mut self.link), if open => Woken::Link(linked),
            wish = wishes.recv(), if open => Woken::Wish(wish),
            () = at(timer) => Woken::Timer,
        }
    }

    /// Takes in what has come already, so that it shares a batch; no more than core should hold meanwhile.
    fn gather(&mut self, wishes: &mut mpsc::Receiver<Wish>, events: &mut Vec<Event>) {
        while self.taken < EVENTS_MAX && events.len() < EVENTS_MAX {
            let frame = match &mut self.link {
                Link::Open(socket) => socket.incoming.try_recv().ok(),
                _ => None,
            };
            let woken = match frame {
                Some(frame) => Woken::Link(Linked::Frame(frame)),
                None => match wishes.try_recv() {
                    Ok(wish) => Woken::Wish(Some(wish)),
                    Err(_) => return,
                },
            };
            events.extend(self.event(woken));
        }
    }

    /// What core has to know of it.
    fn event(&mut self, woken: Woken) -> Option<Event> {
        let event = match woken {
            Woken::Stop | Woken::Wish(None) => return None,
            Woken::Wish(Some(Wish::Trouble(reply))) => {
                // Nobody waits any more if this fails.
                let _ = reply.send(self.trouble.clone());
                return None;
            }
            Woken::Stored(Ok(event)) => return Some(event),
            Woken::Stored(Err(error)) => {
                // Without its store a client can do nothing right: stop rather than guess.
                self.trouble = Some(trouble("home_unusable", format!("the store cannot be read: {error}")));
                self.stop.cancel();
                return None;
            }
            Woken::Wish(Some(Wish::Command(command, reply))) => self.accept(*command, reply),
            Woken::Link(linked) => self.linked(linked),
            Woken::Timer => {
                self.wake_at = None;
                Event::Wake
            }
        };
        if self.home.disk.is_busy() {
            self.taken += 1;
        }
        Some(event)
    }

    fn accept(&mut self, command: Command, reply: ReplyTo) -> Event {
        let command_id = self.next_command;
        self.next_command += 1;
        self.replies.insert(command_id, reply);
        Event::Command { command_id, command }
    }

    fn linked(&mut self, linked: Linked) -> Event {
        match linked {
            Linked::Frame(frame) => Event::Frame(frame),
            Linked::Opened(Ok(socket)) => {
                self.trouble = None;
                self.link = Link::Open(socket);
                Event::Connected
            }
            Linked::Opened(Err(error)) => {
                self.trouble = Some(trouble(
                    "unreachable",
                    format!("{} cannot be reached: {error}", self.home.address),
                ));
                self.link = Link::Closed;
                Event::Disconnected
            }
            Linked::Lost => {
                self.link = Link::Closed;
                Event::Disconnected
            }
        }
    }

    /// Does what core wants, in its order; batches and scans are begun, and their end is an event.
    async fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Batch { batch_id, writes } => self.home.disk.begin(Job::Batch { batch_id, writes }),
                Output::Scan {
                    scan_id,
                    prefix,
                    from,
                    limit,
                    reverse,
                } => self.home.disk.begin(Job::Scan {
                    scan_id,
                    prefix,
                    from,
                    limit,
                    reverse,
                }),
                other => self.effect(other).await,
            }
        }
    }

    async fn effect(&mut self, output: Output) {
        match output {
            Output::Connect { delay_ms } => {
                if matches!(self.link, Link::Closed) {
                    let (address, dial) = (self.home.address.clone(), self.home.dial.clone());
                    self.link = Link::Opening(Box::pin(async move {
                        sleep(Duration::from_millis(delay_ms)).await;
                        Socket::connect(&address, dial.as_ref()).await
                    }));
                }
            }
            Output::Disconnect => self.link = Link::Closed,
            Output::Send(frame) => {
                if let Link::Open(socket) = &self.link {
                    // A connection that is gone shows as the end of its incoming frames.
                    socket.send(frame).await;
                }
            }
            Output::Reply { command_id, result } => {
                if let Some(reply) = self.replies.remove(&command_id) {
                    // The caller may have stopped waiting.
                    let _ = reply.send(result);
                }
            }
            Output::Notify(notification) => {
                // A message that has to wait knows why.
                if let Notification::Message { message } = &notification
                    && message.mine
                {
                    self.trouble.clone_from(&message.error);
                }
                // Nobody may be listening.
                let _ = self.notifications.send(notification);
            }
            Output::WakeAt(at) => self.wake_at = Some(at),
            Output::Batch { .. } | Output::Scan { .. } => {}
        }
    }
}

fn trouble(code: &str, message: String) -> ApiError {
    ApiError {
        code: code.into(),
        message,
        parameter: None,
        retry_after_ms: None,
    }
}

async fn next(link: &mut Link) -> Linked {
    match link {
        Link::Closed => std::future::pending().await,
        Link::Opening(opening) => Linked::Opened(opening.await),
        Link::Open(socket) => socket.incoming.recv().await.map_or(Linked::Lost, Linked::Frame),
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
