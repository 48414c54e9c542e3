//! Messages between people in pairs, both ways, or in groups, everybody to all others.
//!
//! A delivery is counted when the reader has it; by then it was durable. Readers acknowledge, so queues stay empty.
//! Closed loop: each user keeps `window` sends in flight. Open loop (`--rate`): sends follow a schedule and latency
//! counts from the scheduled time, so a stall is not hidden by the generator waiting too.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, TryStreamExt, future::try_join_all, stream};
use hdrhistogram::Histogram;
use kabar_core::api::Me;
use kabar_protocol::{
    limits::MEMBERS_MAX,
    mls_header,
    wire::{self, MessageClass, client_frame, deliver::Kind, send_outcome::Outcome, server_frame},
};
use prost::Message as _;
use tokio::time::{Instant, sleep_until};

use super::{
    BenchArgs, Report,
    connection::Connection,
    failed, measure,
    person::{Group, Person},
    random,
};
use crate::output::Failure;

/// Pairs being set up at a time.
const SETUP_AT_A_TIME: usize = 8;
/// Without any progress for this long after the last send, what is missing is lost.
const DRAIN: Duration = Duration::from_secs(5);
/// Above every number that the real core has used in setup.
const CLIENT_SEQ_BASE: u64 = 1 << 40;
/// MLS header, authenticated data and encrypted sender data around the body.
const HEADER_BYTES: usize = 170;
/// What tells the load's messages from those of the setup; counter, time and sender follow.
const MARK: &[u8; 8] = b"kbrbench";
const BODY_BYTES_MIN: usize = 32;

/// People who talk to each other, signed in.
type Circle = (Group, Vec<Connection>);

pub(crate) async fn pairs(args: &BenchArgs) -> Result<Report, Failure> {
    let pairs = stream::iter(0..args.users / 2).map(|pair| set_up_pair(args, pair));
    run(
        args,
        "chat",
        pairs.buffer_unordered(SETUP_AT_A_TIME).try_collect().await?,
    )
    .await
}

pub(crate) async fn groups(args: &BenchArgs) -> Result<Report, Failure> {
    if args.members < 2 || !args.users.is_multiple_of(args.members) || args.members as usize > MEMBERS_MAX {
        let rule = format!("members must be 2 to {MEMBERS_MAX} and divide users");
        return Err(Failure::new("invalid", rule));
    }
    let mut circles = Vec::new();
    for group in 0..args.users / args.members {
        circles.push(set_up_group(args, group).await?);
    }
    run(args, "group", circles).await
}

async fn run(args: &BenchArgs, scenario: &'static str, circles: Vec<Circle>) -> Result<Report, Failure> {
    let shared = Arc::new(Shared::new(args));
    let cpu_before = measure::cpu_s(args.server_pid)?;
    let begun = Instant::now();
    let mut users = Vec::new();
    for (group, circle) in circles {
        let others = circle.len() as u64 - 1;
        for connection in circle {
            let index = users.len() as u64;
            let user = User::new(connection, (group, others), index, shared.clone(), begun);
            users.push(tokio::spawn(user.run()));
        }
    }
    let ends = tokio::spawn(watch(shared.clone(), begun + args.length()));
    let tallies = try_join_all(users.into_iter().map(|user| async { user.await.map_err(failed)? })).await?;
    let seconds = ends.await.map_err(failed)?.duration_since(begun).as_secs_f64();
    let cpu = measure::cpu_s(args.server_pid)? - cpu_before;
    report(args, scenario, &tallies, cpu, seconds)
}

fn report(
    args: &BenchArgs,
    scenario: &'static str,
    tallies: &[Tally],
    cpu: f64,
    seconds: f64,
) -> Result<Report, Failure> {
    let (mut delivery, mut ack) = (measure::latencies(), measure::latencies());
    let (mut due, mut received) = (0, 0);
    let mut report = Report {
        scenario,
        users: args.users,
        seconds,
        ..Report::default()
    };
    for tally in tallies {
        delivery.add(&tally.delivery).map_err(failed)?;
        ack.add(&tally.ack).map_err(failed)?;
        due += tally.due;
        received += tally.seen.len() as u64;
        report.doubled += tally.doubled;
        report.out_of_order += tally.out_of_order;
    }
    report.lost = due - received.min(due);
    report.cpu_s_per_1000 = Some(cpu * 1000.0 / received.max(1) as f64);
    report.deliveries_per_s = Some(received as f64 / seconds);
    report.latency_ms = Some(measure::quantiles(&delivery));
    report.send_ack_ms = Some(measure::quantiles(&ack));
    report.server_rss_kib = measure::rss_kib(args.server_pid)?;
    Ok(report)
}

async fn set_up_pair(args: &BenchArgs, pair: u32) -> Result<Circle, Failure> {
    let (mut one, _) = Person::register(&args.url, format!("bench {pair} a")).await?;
    let (mut two, peer) = Person::register(&args.url, format!("bench {pair} b")).await?;
    let group = one.greet(&peer).await?;
    two.settle().await?;
    one.settle().await?;
    Ok((group, vec![one.into_connection(), two.into_connection()]))
}

async fn set_up_group(args: &BenchArgs, group: u32) -> Result<Circle, Failure> {
    let registered = stream::iter(0..args.members)
        .map(|member| Person::register(&args.url, format!("bench {group} {member}")))
        .buffered(SETUP_AT_A_TIME);
    let mut people: Vec<(Person, Me)> = registered.try_collect().await?;
    let members: Vec<String> = people[1..].iter().map(|(_, me)| me.account_id.to_string()).collect();
    let made = people[0].0.gather(members).await?;
    let settled = stream::iter(people).map(|(person, _)| settled(person));
    Ok((made, settled.buffered(SETUP_AT_A_TIME).try_collect().await?))
}

async fn settled(mut person: Person) -> Result<Connection, Failure> {
    person.settle().await?;
    Ok(person.into_connection())
}

/// What all users look at.
struct Shared {
    stop_sending: AtomicBool,
    done: AtomicBool,
    acknowledged: AtomicU64,
    /// Deliveries that acknowledged sends promise, and those that have come.
    due: AtomicU64,
    received: AtomicU64,
    window: u32,
    interval: Option<Duration>,
    body_bytes: usize,
}

impl Shared {
    fn new(args: &BenchArgs) -> Self {
        let interval = args
            .rate
            .map(|rate| Duration::from_secs_f64(f64::from(args.users) / f64::from(rate.max(1))));
        Self {
            stop_sending: AtomicBool::new(false),
            done: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            due: AtomicU64::new(0),
            received: AtomicU64::new(0),
            window: args.window.max(1),
            interval,
            body_bytes: args.payload_bytes.saturating_sub(HEADER_BYTES).max(BODY_BYTES_MIN),
        }
    }
}

/// Stops the sending in time, then waits until everything has arrived or nothing moves any more; returns when the last did.
async fn watch(shared: Arc<Shared>, until: Instant) -> Instant {
    sleep_until(until).await;
    shared.stop_sending.store(true, Relaxed);
    let mut last = (0, Instant::now());
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (received, acknowledged) = (shared.received.load(Relaxed), shared.acknowledged.load(Relaxed));
        let moving = received + acknowledged;
        if moving != last.0 {
            last = (moving, Instant::now());
        }
        let quiet = last.1.elapsed();
        let complete = received >= shared.due.load(Relaxed) && quiet > Duration::from_millis(300);
        if complete || quiet > DRAIN {
            shared.done.store(true, Relaxed);
            return last.1;
        }
    }
}

struct Tally {
    due: u64,
    seen: HashSet<(u64, u64)>,
    doubled: u64,
    out_of_order: u64,
    delivery: Histogram<u64>,
    ack: Histogram<u64>,
}

struct User {
    connection: Connection,
    group: Group,
    /// Who receive what this one sends.
    others: u64,
    index: u64,
    shared: Arc<Shared>,
    begun: Instant,
    next_due: Instant,
    counter: u64,
    /// The newest message of each sender.
    newest: HashMap<u64, u64>,
    in_flight: HashMap<u64, Instant>,
    cursor: u64,
    delivered_seq: u64,
    tally: Tally,
}

impl User {
    fn new(
        connection: Connection,
        (group, others): (Group, u64),
        index: u64,
        shared: Arc<Shared>,
        begun: Instant,
    ) -> Self {
        // Users begin spread over the first interval, or the first 200 ms: not all in one instant.
        let spread = shared.interval.unwrap_or(Duration::from_millis(200));
        let phase = spread.mul_f64((index * 7919 % 1000) as f64 / 1000.0);
        let tally = Tally {
            due: 0,
            seen: HashSet::new(),
            doubled: 0,
            out_of_order: 0,
            delivery: measure::latencies(),
            ack: measure::latencies(),
        };
        Self {
            connection,
            group,
            others,
            index,
            shared,
            begun,
            next_due: begun + phase,
            counter: 0,
            newest: HashMap::new(),
            in_flight: HashMap::new(),
            cursor: 0,
            delivered_seq: 0,
            tally,
        }
    }

    async fn run(mut self) -> Result<Tally, Failure> {
        while !self.shared.done.load(Relaxed) {
            let wake = if self.may_send() {
                self.next_due
            } else {
                Instant::now() + Duration::from_millis(100)
            };
            tokio::select! {
                frame = self.connection.next() => {
                    self.take(frame?)?;
                    // Everything that has arrived is taken before one acknowledgement goes out.
                    while let Some(frame) = self.connection.next().now_or_never() {
                        self.take(frame?)?;
                    }
                    self.acknowledge().await?;
                }
                () = sleep_until(wake) => {}
            }
            while self.may_send() && Instant::now() >= self.next_due {
                self.send().await?;
            }
            self.connection.flush().await?;
        }
        Ok(self.tally)
    }

    fn may_send(&self) -> bool {
        let room = self.shared.interval.is_some() || self.in_flight.len() < self.shared.window as usize;
        room && !self.shared.stop_sending.load(Relaxed)
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let from = if self.shared.interval.is_some() {
            self.next_due
        } else {
            Instant::now()
        };
        let send = self.message(from.duration_since(self.begun));
        let request = self.connection.feed(client_frame::Body::Send(send)).await?;
        self.in_flight.insert(request, from);
        self.counter += 1;
        self.next_due = self
            .shared
            .interval
            .map_or(self.next_due, |interval| self.next_due + interval);
        Ok(())
    }

    fn message(&self, sent_after: Duration) -> wire::Send {
        let id = random::<16>();
        let data = wire::AuthenticatedData {
            message_id: [id, id].concat().into(),
            class: MessageClass::Content.into(),
            timeline: id.to_vec().into(),
            device_list_version: 0,
            device_list_hash: [id, id].concat().into(),
        };
        let data = data.encode_to_vec();
        let mut body = vec![0; self.shared.body_bytes];
        body[..8].copy_from_slice(MARK);
        body[8..16].copy_from_slice(&self.counter.to_be_bytes());
        let micros = u64::try_from(sent_after.as_micros()).unwrap_or(u64::MAX);
        body[16..24].copy_from_slice(&micros.to_be_bytes());
        body[24..32].copy_from_slice(&self.index.to_be_bytes());
        let group_id = self.group.conversation.group_id(self.group.generation);
        wire::Send {
            conversation_id: self.group.conversation.to_bytes(),
            generation: self.group.generation,
            epoch: self.group.epoch,
            client_message_id: id.to_vec().into(),
            class: MessageClass::Content.into(),
            ciphertext: mls_header::opaque_private_message(&group_id, self.group.epoch, &data, &body).into(),
            ttl_s: 0,
            client_seq: CLIENT_SEQ_BASE + self.counter,
            business: None,
        }
    }

    fn take(&mut self, frame: wire::ServerFrame) -> Result<(), Failure> {
        match frame.body {
            Some(server_frame::Body::Send(outcome)) => {
                let begun = self.in_flight.remove(&frame.request_id);
                if !matches!(outcome.outcome, Some(Outcome::Sent(_))) {
                    return Err(failed(format!("a send was refused: {outcome:?}")));
                }
                if let Some(begun) = begun {
                    measure::record(&mut self.tally.ack, begun.elapsed());
                }
                self.tally.due += self.others;
                self.shared.acknowledged.fetch_add(1, Relaxed);
                self.shared.due.fetch_add(self.others, Relaxed);
            }
            Some(server_frame::Body::Deliver(deliver)) => self.read(&deliver),
            Some(server_frame::Body::Error(error)) => {
                return Err(failed(format!("{}: {}", error.reason, error.message)));
            }
            _ => {}
        }
        Ok(())
    }

    fn read(&mut self, deliver: &wire::Deliver) {
        self.cursor = self.cursor.max(deliver.cursor);
        let start = deliver.payload.len().checked_sub(self.shared.body_bytes);
        let body = start.and_then(|start| deliver.payload[start..].strip_prefix(MARK));
        let numbers = body.and_then(|body| {
            let at = |start: usize| number(body.get(start..start + 8)?);
            Some((at(0)?, at(8)?, at(16)?))
        });
        let (Kind::Message, Some((counter, micros, sender))) = (deliver.kind(), numbers) else {
            return;
        };
        self.delivered_seq = self.delivered_seq.max(deliver.seq);
        if !self.tally.seen.insert((sender, counter)) {
            self.tally.doubled += 1;
            return;
        }
        let newest = self.newest.entry(sender).or_insert(counter);
        if counter < *newest {
            self.tally.out_of_order += 1;
        }
        *newest = counter.max(*newest);
        self.shared.received.fetch_add(1, Relaxed);
        measure::record(
            &mut self.tally.delivery,
            self.begun.elapsed().saturating_sub(Duration::from_micros(micros)),
        );
    }

    async fn acknowledge(&mut self) -> Result<(), Failure> {
        if self.cursor == 0 {
            return Ok(());
        }
        let delivered = vec![wire::DeliveredUpTo {
            conversation_id: self.group.conversation.to_bytes(),
            seq: self.delivered_seq,
        }];
        let ack = wire::Ack {
            cursor: self.cursor,
            delivered,
            client_seq: CLIENT_SEQ_BASE + self.counter,
            ..wire::Ack::default()
        };
        self.cursor = 0;
        self.connection.feed(client_frame::Body::Ack(ack)).await.map(drop)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
