//! `kabar bench`: load on a running server, measured and checked.
//!
//! The generator speaks the real wire over real sockets. Message bodies are opaque bytes of true size, so that the
//! generator's own cryptography does not hide the server's cost; groups are made by the real core first.
//! A run in which anything was lost, doubled or out of order reports that and fails.

mod account;
mod business;
mod chat;
mod connection;
mod idle;
mod inbox;
mod login;
mod measure;
mod person;

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::output::{Failure, Output};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    scenario: Scenario,
    /// Address of the server
    #[arg(long, default_value = "http://localhost:8080")]
    url: String,
    /// Process id of the server: its CPU time and memory are read from /proc
    #[arg(long)]
    server_pid: u32,
    /// People who are connected
    #[arg(long, default_value_t = 500)]
    users: u32,
    /// People in one group, of whom there are --users
    #[arg(long, default_value_t = 100)]
    members: u32,
    /// Length of the measured part
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Messages a second of all users together, on a fixed schedule; without it each user sends as fast as it is acknowledged
    #[arg(long)]
    rate: Option<u32>,
    /// Bytes of one encrypted message
    #[arg(long, default_value_t = 346)]
    payload_bytes: usize,
    /// Sends of one user that may wait for their acknowledgement (without --rate)
    #[arg(long, default_value_t = 1)]
    window: u32,
    /// Of inbox: who is written to, as account id
    #[arg(long, required_if_eq("scenario", "inbox"))]
    to: Option<String>,
    /// Of inbox: how often each user writes
    #[arg(long, default_value_t = 500)]
    messages: u32,
    /// Directory on the server's disk, to measure its fdatasync beside the run
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Connections that are signed in and silent: memory per connection
    Idle,
    /// Connect, prove the device, read an empty queue, leave
    Login,
    /// Cloud API sends to people who answer with receipts, with webhooks; needs --data of the server
    Business,
    /// One-to-one messages: durable, acknowledged, delivered, acknowledged by the reader
    Chat,
    /// The same in groups of --members, everybody to all others
    Group,
    /// Fills the chats of one person: each of --users writes --messages to --to. Measures his client rather than the server
    Inbox,
}

/// What a run found; keys are stable.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) users: u32,
    pub(crate) seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_s_per_1000: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kib_per_connection: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliveries_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logins_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) send_ack_ms: Option<Quantiles>,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) out_of_order: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fdatasync_ms: Option<Quantiles>,
    pub(crate) server_rss_kib: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

pub(crate) async fn run(args: BenchArgs, output: Output) -> Result<(), Failure> {
    let mut report = match args.scenario {
        Scenario::Idle => idle::run(&args).await?,
        Scenario::Login => login::run(&args).await?,
        Scenario::Business => business::run(&args).await?,
        Scenario::Chat => chat::pairs(&args).await?,
        Scenario::Group => chat::groups(&args).await?,
        Scenario::Inbox => inbox::run(&args).await?,
    };
    if let Some(data) = &args.data {
        report.fdatasync_ms = Some(measure::fdatasync(data)?);
    }
    output.answer(&report, || format!("{report:#?}"))?;
    let faults = report.lost + report.doubled + report.out_of_order;
    if faults > 0 {
        let found = format!(
            "{} lost, {} doubled, {} out of order",
            report.lost, report.doubled, report.out_of_order
        );
        return Err(Failure::new("bench_incorrect", found));
    }
    Ok(())
}

impl BenchArgs {
    fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// A failure of the run itself, not of the thing measured.
fn failed(what: impl std::fmt::Display) -> Failure {
    Failure::new("bench_failed", what.to_string())
}

/// The load's keys, salts and ids. The generator is no part of the product: nothing has to be repeatable.
#[allow(clippy::disallowed_methods)]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes);
    bytes
}
