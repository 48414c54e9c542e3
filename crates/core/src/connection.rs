//! The socket as core sees it: when to open it, which requests are on their way, and when to give it up.
//!
//! Must not: know what an answer means. A request carries its [`Purpose`]; the rooms act on the answer.

use std::collections::{BTreeMap, VecDeque};

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    limits::REQUESTS_IN_FLIGHT_MAX,
    wire::{self, client_frame::Body, server_frame},
};

use crate::{
    api::{ApiError, Command, ConnectionState, InvitePreview, Notification, Output, TimeMs},
    messaging::Control,
    state::{State, Work},
};

const BACK_OFF_MIN_MS: u64 = 500;
const BACK_OFF_MAX_MS: u64 = 60_000;
/// A request without an answer for so long: the connection is dead, whatever the socket says.
const ANSWER_TIMEOUT_MS: TimeMs = 30_000;
/// How long a command waits for a connection before it says so.
const COMMAND_TIMEOUT_MS: TimeMs = 15_000;
/// Silence after which the connection is tried with a Ping.
const PING_AFTER_MS: TimeMs = 45_000;
/// How long, and how many, items of the queue gather before they are taken in.
const GATHER_MS: TimeMs = 25;
const GATHER_ITEMS: usize = 64;

pub(crate) type Answer = Result<server_frame::Body, Failure>;

/// An Error frame: who has to act, and what scripts and people are told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: wire::error::Code,
    pub(crate) error: ApiError,
}

/// Why a request was made: names the code that takes the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Purpose {
    Authenticate,
    Register,
    Ping,
    /// The queue up to a cursor, what was delivered with it, and what was signed for.
    Ack {
        delivered: Vec<(ConversationId, u64)>,
        receipts: Vec<(ConversationId, u64)>,
    },
    KeyPackages,
    DeviceList(AccountId),
    Rollback,
    Receipts,
    /// What nobody waits for: typing, presence.
    Ephemeral,
    /// Whom a command means; it is run again with the answer.
    Find(u64, Box<Command>, String),
    /// A command's own request.
    Command(u64, Box<Command>),
    Control(ConversationId, Control),
    Send(ConversationId, u64),
    ReadReceipt(ConversationId, u64),
    Log(ConversationId),
    /// What kind of account the peer's is.
    Card(AccountId),
    /// Of a payment; the answer is the command's.
    Payment(u64),
    /// A question or order of a business number.
    Business(u64),
    /// Room for a file; the answer is the command's.
    Upload(u64),
    /// What the operator is shown; the answer is the command's.
    Report(u64),
    /// Who asks to be let into a group, or that he is not; the answer is the command's.
    JoinRequests(u64, ConversationId),
    /// To be let into a group by a link that leads to this.
    RequestJoin {
        command_id: u64,
        link: String,
        preview: Box<InvitePreview>,
    },
    /// That we do not ask to be let in any more; the answer is the command's.
    Withdraw(u64, ConversationId),
    /// A flow's question, or the answer to one.
    Flow(MessageId),
    /// What the server is to forget.
    Forget(u64),
}

impl Purpose {
    /// Commands wait for a connection; everything else is thought out again on the next one.
    pub(crate) fn command(&self) -> Option<u64> {
        match self {
            Self::Find(command_id, ..) | Self::Command(command_id, _) => Some(*command_id),
            Self::Business(command_id)
            | Self::Payment(command_id)
            | Self::Upload(command_id)
            | Self::Report(command_id)
            | Self::JoinRequests(command_id, _)
            | Self::Withdraw(command_id, _)
            | Self::RequestJoin { command_id, .. } => Some(*command_id),
            _ => None,
        }
    }

    /// Changes nothing, or nothing more the second time: may be asked again.
    fn is_question(&self) -> bool {
        matches!(
            self,
            Self::Find(..)
                | Self::Business(_)
                | Self::Upload(_)
                | Self::Report(_)
                | Self::JoinRequests(..)
                | Self::RequestJoin { .. }
                | Self::Withdraw(..)
        )
    }
}

pub(crate) struct Request {
    pub(crate) purpose: Purpose,
    pub(crate) body: Body,
    /// The connection it was made for.
    pub(crate) serial: u64,
    pub(crate) deadline: TimeMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Link {
    #[default]
    Offline,
    Connecting,
    /// Open; no Session yet.
    Open,
    CatchingUp,
    Online,
}

#[derive(Default)]
pub(crate) struct Connection {
    link: Link,
    pub(crate) serial: u64,
    pub(crate) challenge: Option<wire::Challenge>,
    next_request: u64,
    in_flight: BTreeMap<u64, Request>,
    queue: VecDeque<Request>,
    attempts: u32,
    retry_at: Option<TimeMs>,
    heard_at: TimeMs,
    pub(crate) ack_due: bool,
    /// The server has sent everything that was queued; it may still wait in our inbox.
    queue_end: bool,
    /// Since when items gather in our inbox while the queue is read.
    gathering_since: Option<TimeMs>,
    /// No further attempts: the server has refused this device for good, and why.
    pub(crate) refused: Option<ApiError>,
}

impl Connection {
    /// The next life after a failed batch: counters go on, nothing else does.
    pub(crate) fn again(&self) -> Self {
        Self {
            serial: self.serial + 1,
            next_request: self.next_request,
            attempts: self.attempts + 1,
            ..Self::default()
        }
    }

    pub(crate) fn is_online(&self) -> bool {
        self.link == Link::Online
    }

    pub(crate) fn has_session(&self) -> bool {
        matches!(self.link, Link::CatchingUp | Link::Online)
    }

    /// While catching up, items gather for a moment, so that many share one batch and one acknowledgement.
    pub(crate) fn is_inbox_ripe(&self, items: usize, now: TimeMs) -> bool {
        let gathered = self.gathering_since.is_none_or(|since| since + GATHER_MS <= now);
        self.link != Link::CatchingUp || self.queue_end || items >= GATHER_ITEMS || gathered
    }

    pub(crate) fn inbox_is_empty(&mut self) {
        self.gathering_since = None;
    }

    pub(crate) fn take_queue_end(&mut self) -> bool {
        std::mem::take(&mut self.queue_end)
    }

    pub(crate) fn enqueue(&mut self, request: Request) {
        self.queue.push_back(request);
    }

    pub(crate) fn commands(&self) -> Vec<u64> {
        let all = self.in_flight.values().chain(&self.queue);
        all.filter_map(|request| request.purpose.command()).collect()
    }

    pub(crate) fn is_asking(&self, purpose: &Purpose) -> bool {
        self.in_flight
            .values()
            .chain(&self.queue)
            .any(|request| request.purpose == *purpose)
    }

    /// Something that whoever waits for rest waits for, too: what we said has arrived, what we missed is told.
    pub(crate) fn has_ack_in_flight(&self) -> bool {
        let mut all = self.in_flight.values().chain(&self.queue);
        all.any(|request| {
            matches!(
                request.purpose,
                Purpose::Ack { .. } | Purpose::KeyPackages | Purpose::Receipts
            )
        })
    }

    pub(crate) fn deadlines(&self) -> impl Iterator<Item = TimeMs> {
        let requests = self
            .in_flight
            .values()
            .chain(&self.queue)
            .map(|request| request.deadline);
        let ping =
            (self.link != Link::Offline && self.link != Link::Connecting).then_some(self.heard_at + PING_AFTER_MS);
        requests
            .chain(ping)
            .chain(self.gathering_since.map(|since| since + GATHER_MS))
    }

    fn state(&self) -> ConnectionState {
        match self.link {
            Link::Offline => ConnectionState::Offline,
            Link::Connecting | Link::Open => ConnectionState::Connecting,
            Link::CatchingUp => ConnectionState::CatchingUp,
            Link::Online => ConnectionState::Online,
        }
    }
}

impl State {
    /// A request with its effects held back until the transaction is durable.
    pub(crate) fn request(&mut self, purpose: Purpose, body: Body) {
        let timeout = if purpose.command().is_some() {
            COMMAND_TIMEOUT_MS
        } else {
            ANSWER_TIMEOUT_MS
        };
        let request = Request {
            purpose,
            body,
            serial: self.connection.serial,
            deadline: self.now + timeout,
        };
        self.tx.effects.push(crate::tx::Effect::Request(request));
    }

    pub(crate) fn connect_now(&mut self) {
        if self.connection.link != Link::Offline {
            return;
        }
        if self.connection.refused.is_some() {
            self.say_connection();
            return;
        }
        let delay_ms = self.back_off();
        self.connection.link = Link::Connecting;
        self.connection.retry_at = Some(self.now + TimeMs::try_from(delay_ms).unwrap_or(0));
        self.out.push(Output::Connect { delay_ms });
        self.say_connection();
    }

    /// Full jitter: a server that comes back is not met by everybody at once.
    fn back_off(&mut self) -> u64 {
        let attempts = self.connection.attempts;
        self.connection.attempts = attempts.saturating_add(1);
        if attempts == 0 {
            return 0;
        }
        let ceiling = (BACK_OFF_MIN_MS << attempts.min(12)).min(BACK_OFF_MAX_MS);
        u64::from_be_bytes(self.engine.random()) % (ceiling + 1)
    }

    fn say_connection(&mut self) {
        let state = self.connection.state();
        let retry_at = self
            .connection
            .retry_at
            .filter(|at| *at > self.now && state == ConnectionState::Connecting);
        self.out
            .push(Output::Notify(Notification::Connection { state, retry_at }));
    }

    pub(crate) fn connected(&mut self) {
        self.connection.serial += 1;
        self.connection.link = Link::Open;
        self.connection.retry_at = None;
        self.connection.heard_at = self.now;
    }

    /// The socket is gone, by itself or by us. Unanswered requests are thought out again from what is stored.
    pub(crate) fn disconnected(&mut self) {
        if self.connection.link == Link::Offline {
            return;
        }
        self.connection.link = Link::Offline;
        self.connection.challenge = None;
        self.connection.serial += 1;
        self.connection.ack_due = false;
        self.connection.queue_end = false;
        self.connection.gathering_since = None;
        self.inbox.clear();
        self.inbox_wait = None;
        self.inbox_waits = 0;
        let now = self.now;
        self.live.values_mut().for_each(|live| live.reset(now));
        self.flows_cut();
        let in_flight = std::mem::take(&mut self.connection.in_flight).into_values();
        let queued = std::mem::take(&mut self.connection.queue);
        for request in in_flight {
            if request.purpose.is_question() {
                self.connection.queue.push_back(request);
            } else if let Some(command_id) = request.purpose.command() {
                self.out.push(Output::Reply {
                    command_id,
                    result: Err(offline()),
                });
            }
        }
        self.connection
            .queue
            .extend(queued.into_iter().filter(|request| request.purpose.command().is_some()));
        self.connect_now();
    }

    pub(crate) fn drop_connection(&mut self) {
        self.out.push(Output::Disconnect);
        self.disconnected();
    }

    pub(crate) fn session_begun(&mut self) {
        self.connection.link = Link::CatchingUp;
        self.say_connection();
    }

    pub(crate) fn queue_emptied(&mut self) {
        self.connection.link = Link::Online;
        self.connection.attempts = 0;
        self.say_connection();
    }

    pub(crate) fn frame(&mut self, frame: wire::ServerFrame) {
        if matches!(self.connection.link, Link::Offline | Link::Connecting) {
            return;
        }
        self.connection.heard_at = self.now;
        let Some(body) = frame.body else {
            return;
        };
        if frame.request_id != 0 {
            let Some(request) = self.connection.in_flight.remove(&frame.request_id) else {
                return;
            };
            let answer = match body {
                server_frame::Body::Error(error) => Err(failure(error)),
                body => Ok(body),
            };
            self.work.push_back(Work::Answer {
                purpose: request.purpose,
                answer: Box::new(answer),
            });
            return;
        }
        match body {
            server_frame::Body::Challenge(challenge) => {
                self.connection.challenge = Some(challenge);
                self.work.push_back(Work::Challenged);
            }
            server_frame::Body::Deliver(item) => {
                self.connection.gathering_since.get_or_insert(self.now);
                self.inbox.push_back(item);
            }
            server_frame::Body::QueueEmpty(_) => self.connection.queue_end = true,
            body => self.work.push_back(Work::Push(body)),
        }
    }

    /// The server will not have this device: whoever waits for it is told so.
    fn refuse_commands(&mut self, error: &ApiError) {
        self.refuse_flows(error);
        let waiting = std::mem::take(&mut self.connection.queue);
        let commands = waiting.into_iter().filter_map(|request| request.purpose.command());
        let idle = std::mem::take(&mut self.waiting.idle);
        let sends = std::mem::take(&mut self.waiting.sends).into_values();
        for command_id in commands.chain(idle).chain(sends) {
            self.out.push(Output::Reply {
                command_id,
                result: Err(error.clone()),
            });
        }
    }

    /// Sends what may be sent now.
    pub(crate) fn send_requests(&mut self) {
        if let Some(error) = self.connection.refused.clone() {
            self.refuse_commands(&error);
        }
        let connection = &mut self.connection;
        let mut kept = VecDeque::new();
        while let Some(mut request) = connection.queue.pop_front() {
            let early = matches!(request.purpose, Purpose::Authenticate | Purpose::Register);
            let ready = connection.has_session() || (early && connection.link == Link::Open);
            let stale = request.serial != connection.serial && request.purpose.command().is_none();
            if stale {
                continue;
            }
            if !ready || connection.in_flight.len() >= REQUESTS_IN_FLIGHT_MAX {
                kept.push_back(request);
                continue;
            }
            connection.next_request += 1;
            request.deadline = self.now + ANSWER_TIMEOUT_MS;
            self.out.push(Output::Send(wire::ClientFrame {
                request_id: connection.next_request,
                body: Some(request.body.clone()),
            }));
            connection.in_flight.insert(connection.next_request, request);
        }
        connection.queue = kept;
    }

    /// Requests that have run out of time, and silence.
    pub(crate) fn connection_timers(&mut self) {
        let now = self.now;
        let (late, queue) = std::mem::take(&mut self.connection.queue)
            .into_iter()
            .partition::<VecDeque<_>, _>(|request| request.deadline <= now);
        self.connection.queue = queue;
        for command_id in late.into_iter().filter_map(|request| request.purpose.command()) {
            self.out.push(Output::Reply {
                command_id,
                result: Err(offline()),
            });
        }
        if self
            .connection
            .in_flight
            .values()
            .any(|request| request.deadline <= now)
        {
            self.drop_connection();
        } else if self.connection.has_session()
            && self.connection.heard_at + PING_AFTER_MS <= now
            && !self.connection.is_asking(&Purpose::Ping)
        {
            self.request(Purpose::Ping, Body::Ping(wire::Ping {}));
        }
    }
}

pub(crate) fn offline() -> ApiError {
    ApiError {
        code: "offline".into(),
        message: "the server cannot be reached; check the address and the connection, then try again".into(),
        parameter: None,
        retry_after_ms: None,
    }
}

fn failure(error: wire::Error) -> Failure {
    Failure {
        kind: error.code(),
        error: ApiError {
            code: error.reason,
            message: error.message,
            parameter: error.parameter,
            retry_after_ms: error.retry_after_ms,
        },
    }
}
