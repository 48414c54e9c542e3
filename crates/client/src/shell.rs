//! The loop: what happened goes into core, what core wants is done, in order.

use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    time::Duration,
};

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

use crate::{clock, home::Home, socket::Socket};

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
        }
    }

    pub(crate) async fn run(mut self, mut wishes: mpsc::Receiver<Wish>) {
        let outputs = self.core.start(clock::now());
        self.carry_out(outputs).await;
        loop {
            let event = match self.wait(&mut wishes).await {
                Woken::Stop | Woken::Wish(None) => break,
                Woken::Wish(Some(Wish::Trouble(reply))) => {
                    // Nobody waits any more if this fails.
                    let _ = reply.send(self.trouble.clone());
                    continue;
                }
                Woken::Wish(Some(Wish::Command(command, reply))) => self.accept(*command, reply),
                Woken::Link(linked) => self.linked(linked),
                Woken::Timer => {
                    self.wake_at = None;
                    Event::Wake
                }
            };
            let outputs = self.core.handle(event, clock::now());
            self.carry_out(outputs).await;
        }
        self.home.store.close().await;
    }

    async fn wait(&mut self, wishes: &mut mpsc::Receiver<Wish>) -> Woken {
        let timer = self
            .wake_at
            .map(|at| Instant::now() + Duration::from_millis(u64::try_from(at - clock::now()).unwrap_or(0)));
        let stop = &self.stop;
        tokio::select! {
            () = stop.cancelled() => Woken::Stop,
            linked = next(&mut self.link) => Woken::Link(linked),
            wish = wishes.recv() => Woken::Wish(wish),
            () = at(timer) => Woken::Timer,
        }
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

    /// Does what core wants, and what it wants after that, until it wants nothing more.
    async fn carry_out(&mut self, outputs: Vec<Output>) {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            let event = match output {
                Output::Batch { batch_id, writes } => match self.home.store.apply(&writes).await {
                    Ok(()) => Event::Committed { batch_id },
                    Err(error) => Event::Failed {
                        batch_id,
                        error: error.to_string(),
                    },
                },
                Output::Scan {
                    scan_id,
                    prefix,
                    from,
                    limit,
                    reverse,
                } => {
                    match self.home.store.scan(&prefix, &from, limit, reverse).await {
                        Ok(rows) => Event::Scanned { scan_id, rows },
                        Err(error) => {
                            // Without its store a client can do nothing right: stop rather than guess.
                            self.trouble = Some(trouble("home_unusable", format!("the store cannot be read: {error}")));
                            self.stop.cancel();
                            return;
                        }
                    }
                }
                other => {
                    self.effect(other).await;
                    continue;
                }
            };
            outputs.extend(self.core.handle(event, clock::now()));
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
