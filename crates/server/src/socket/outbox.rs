//! A session as the rest of the server sees it: who it is, and the bounded outbox of encoded frames to it.
//!
//! Live deliveries are accepted only in cursor order and while there is room; else the session reads its queue from
//! the database. Order and completeness never depend on this path.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use kabar_protocol::{
    ids::{AccountId, DeviceId},
    limits::REQUESTS_IN_FLIGHT_MAX,
};
use tokio::sync::Notify;

use super::websocket::CloseCode;
use crate::{
    error::Failure,
    limits::{Bucket, Caller, Limits, RateLimit},
};

/// Live deliveries that may wait for the socket; beyond, the session falls back to its queue in the database.
const DELIVERIES_WAITING_MAX: usize = 256;
/// Bytes that may wait before live pushes are refused.
const WAITING_BYTES_MAX: usize = 512 * 1024;

/// Whose socket it is, once it has authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
}

/// A connection's shared half; the other half is its task.
pub(crate) struct Session {
    /// The client's address for limits; `None` for a loopback peer without a forwarded header.
    pub(crate) address: Option<IpAddr>,
    pub(crate) nonce: [u8; 32],
    pub(crate) opened_ms: i64,
    identity: OnceLock<Identity>,
    /// The account is a business number's: its sends are judged first, and it may do more at a time.
    business: AtomicBool,
    outbox: Mutex<Outbox>,
    /// Something waits for the session's task: frames, a page to read, a close.
    wake: Notify,
    closing: AtomicBool,
    in_flight: AtomicUsize,
    /// The newest cursor whose acknowledgement is committed.
    acked_cursor: AtomicU64,
    last_heard_ms: AtomicI64,
    /// Since when a write waits for the peer; 0: none does.
    writing_since_ms: AtomicI64,
}

#[derive(Default)]
struct Outbox {
    frames: VecDeque<Bytes>,
    bytes: usize,
    delivery: Delivery,
    close: Option<(CloseCode, Option<Failure>)>,
    /// Sends have their bucket here: no shared map on the hot path.
    sends: Option<Bucket>,
}

#[derive(Default)]
enum Delivery {
    /// No session yet.
    #[default]
    Off,
    /// Reads pages behind `cursor`; `again` if something newer came meanwhile.
    CatchUp { cursor: u64, again: bool, first: bool },
    /// Everything up to `cursor` is in the outbox or sent.
    Live { cursor: u64 },
}

/// What the session's task does next.
pub(crate) enum Work {
    /// These frames, in order.
    Frames(VecDeque<Bytes>),
    /// A page of the queue behind this cursor.
    Page(u64),
    Close(CloseCode, Option<Failure>),
    Wait,
}

impl Session {
    pub(crate) fn new(address: Option<IpAddr>, nonce: [u8; 32], now_ms: i64) -> Self {
        Self {
            address,
            nonce,
            opened_ms: now_ms,
            identity: OnceLock::new(),
            business: AtomicBool::new(false),
            outbox: Mutex::default(),
            wake: Notify::new(),
            closing: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            acked_cursor: AtomicU64::new(0),
            last_heard_ms: AtomicI64::new(now_ms),
            writing_since_ms: AtomicI64::new(0),
        }
    }

    pub(crate) fn identity(&self) -> Option<Identity> {
        self.identity.get().copied()
    }

    /// Makes the socket this device's; false if it was somebody's already.
    pub(crate) fn authenticate(&self, identity: Identity) -> bool {
        self.identity.set(identity).is_ok()
    }

    pub(crate) fn set_business(&self) {
        self.business.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_business(&self) -> bool {
        self.business.load(Ordering::Relaxed)
    }

    /// Begins deliveries behind `resume_cursor`. The session is attached to the bus before.
    pub(crate) fn begin_delivery(&self, resume_cursor: u64, acked_cursor: u64) {
        self.acked_cursor.store(acked_cursor, Ordering::Relaxed);
        self.outbox().delivery = Delivery::CatchUp {
            cursor: resume_cursor,
            again: false,
            first: true,
        };
        self.wake.notify_one();
    }

    /// A live delivery, already committed and encoded by `frame`. The caller wakes the session when it has no more.
    pub(crate) fn deliver_later(&self, cursor: u64, frame: impl FnOnce() -> Bytes) {
        let mut outbox = self.outbox();
        let room = outbox.frames.len() < DELIVERIES_WAITING_MAX && outbox.bytes < WAITING_BYTES_MAX;
        match &mut outbox.delivery {
            Delivery::Off => {}
            Delivery::CatchUp { again, .. } => *again = true,
            Delivery::Live { cursor: have } if cursor <= *have => {}
            Delivery::Live { cursor: have } if cursor == *have + 1 && room => {
                *have = cursor;
                outbox.push(frame());
            }
            Delivery::Live { cursor: have } => {
                outbox.delivery = Delivery::CatchUp {
                    cursor: *have,
                    again: false,
                    first: false,
                };
            }
        }
    }

    /// An ephemeral push: dropped where there is no room.
    pub(crate) fn push(&self, frame: Bytes) {
        self.push_later(frame);
        self.wake();
    }

    /// As [`Self::push`], for a caller that wakes the session when it has no more.
    pub(crate) fn push_later(&self, frame: Bytes) {
        let mut outbox = self.outbox();
        if outbox.frames.len() < DELIVERIES_WAITING_MAX && outbox.bytes < WAITING_BYTES_MAX {
            outbox.push(frame);
        }
    }

    /// Counts a request in; its answer is [`Self::respond`].
    pub(crate) fn begin_request(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// The answer to a request. Never refused: requests in flight are bounded.
    pub(crate) fn respond(&self, frame: Bytes) {
        self.respond_later(frame);
        self.wake();
    }

    /// As [`Self::respond`], for a caller that wakes the session when it has no more.
    pub(crate) fn respond_later(&self, frame: Bytes) {
        self.outbox().push(frame);
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets the session's task look at its outbox: once for everything that one batch put there.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(crate) fn may_read(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) < REQUESTS_IN_FLIGHT_MAX
    }

    /// Closes the socket, after an Error frame if there is a failure to tell.
    pub(crate) fn close(&self, code: CloseCode, failure: Option<Failure>) {
        let mut outbox = self.outbox();
        outbox.close.get_or_insert((code, failure));
        self.closing.store(true, Ordering::Relaxed);
        drop(outbox);
        self.wake.notify_one();
    }

    pub(crate) fn closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The next thing for the session's task. Frames go out before a page is read behind them.
    pub(crate) fn next_work(&self) -> Work {
        let mut outbox = self.outbox();
        if !outbox.frames.is_empty() {
            outbox.bytes = 0;
            return Work::Frames(std::mem::take(&mut outbox.frames));
        }
        if let Some((code, failure)) = outbox.close.take() {
            return Work::Close(code, failure);
        }
        match &mut outbox.delivery {
            Delivery::CatchUp { cursor, again, .. } => {
                *again = false;
                Work::Page(*cursor)
            }
            _ => Work::Wait,
        }
    }

    /// The page behind the last cursor was sent up to `cursor`. True if the queue is empty for the first time.
    pub(crate) fn page_sent(&self, up_to: u64, more: bool) -> bool {
        let mut outbox = self.outbox();
        let Delivery::CatchUp { cursor, again, first } = &mut outbox.delivery else {
            return false;
        };
        *cursor = up_to;
        if more || *again {
            return false;
        }
        let first = *first;
        outbox.delivery = Delivery::Live { cursor: up_to };
        first
    }

    /// The newest cursor that was sent: nothing newer can be acknowledged.
    pub(crate) fn delivered_cursor(&self) -> u64 {
        match self.outbox().delivery {
            Delivery::Off => 0,
            Delivery::CatchUp { cursor, .. } | Delivery::Live { cursor } => cursor,
        }
    }

    pub(crate) fn acked_cursor(&self) -> u64 {
        self.acked_cursor.load(Ordering::Relaxed)
    }

    pub(crate) fn ack_committed(&self, cursor: u64) {
        self.acked_cursor.fetch_max(cursor, Ordering::Relaxed);
    }

    pub(crate) fn check_send_rate(&self, limits: &Limits, now_ms: i64) -> Result<(), Failure> {
        if !limits.enabled() {
            return Ok(());
        }
        let caller = if self.is_business() {
            Caller::Business
        } else {
            Caller::Person
        };
        let mut outbox = self.outbox();
        let bucket = outbox
            .sends
            .get_or_insert_with(|| Bucket::full(RateLimit::Sends, caller, now_ms));
        bucket
            .take(RateLimit::Sends, caller, now_ms)
            .map_err(|retry_after_ms| Failure::rate_limited(RateLimit::Sends, retry_after_ms))
    }

    pub(crate) fn heard(&self, now_ms: i64) {
        self.last_heard_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn silent_ms(&self, now_ms: i64) -> i64 {
        now_ms - self.last_heard_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn writing(&self, since_ms: i64) {
        self.writing_since_ms.store(since_ms, Ordering::Relaxed);
    }

    pub(crate) fn writing_for_ms(&self, now_ms: i64) -> i64 {
        match self.writing_since_ms.load(Ordering::Relaxed) {
            0 => 0,
            since => now_ms - since,
        }
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(cursor: u64) -> Session {
        let session = Session::new(None, [0; 32], 0);
        session.begin_delivery(cursor, cursor);
        assert!(matches!(session.next_work(), Work::Page(from) if from == cursor));
        assert!(
            session.page_sent(cursor, false),
            "the queue is empty for the first time"
        );
        session
    }

    fn frames(session: &Session) -> usize {
        match session.next_work() {
            Work::Frames(frames) => frames.len(),
            _ => 0,
        }
    }

    #[test]
    fn deliveries_in_order_are_taken_and_repeated_ones_are_not() {
        let session = live(4);
        session.deliver_later(5, Bytes::new);
        session.deliver_later(6, Bytes::new);
        session.deliver_later(6, Bytes::new);
        assert_eq!(frames(&session), 2);
        assert_eq!(session.delivered_cursor(), 6);
    }

    #[test]
    fn a_gap_sends_the_session_back_to_its_queue() {
        let session = live(4);
        session.deliver_later(6, Bytes::new);
        assert!(matches!(session.next_work(), Work::Page(4)));
        session.deliver_later(7, Bytes::new);
        assert!(
            !session.page_sent(6, false),
            "something newer came while the page was read"
        );
        assert!(matches!(session.next_work(), Work::Page(6)));
        assert!(!session.page_sent(7, false), "queue_empty is sent once");
        session.deliver_later(8, Bytes::new);
        assert_eq!(frames(&session), 1);
    }

    #[test]
    fn an_overflow_loses_nothing_but_time() {
        let session = live(0);
        (1..=300).for_each(|cursor| session.deliver_later(cursor, Bytes::new));
        assert_eq!(frames(&session), DELIVERIES_WAITING_MAX);
        assert!(matches!(session.next_work(), Work::Page(from) if from == DELIVERIES_WAITING_MAX as u64));
    }
}
