//! Signed-in connections that say nothing: what one costs the server in resident memory.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{BenchArgs, Report, account::Account, connection::Connection, measure};
use crate::output::Failure;

/// Connections being opened at a time.
const OPENING_MAX: usize = 50;
/// Memory is read when the last sign-in's buffers have been given back.
const SETTLE: Duration = Duration::from_secs(2);

pub(crate) async fn run(args: &BenchArgs) -> Result<Report, Failure> {
    // The first connections pay for caches and pools that every server has: they are opened before the count begins.
    let _warm = open(args, 50.min(args.users)).await?;
    tokio::time::sleep(SETTLE).await;
    let before = measure::rss_kib(args.server_pid)?;
    let cpu_before = measure::cpu_s(args.server_pid)?;
    let held = open(args, args.users).await?;
    tokio::time::sleep(SETTLE).await;
    let cpu_opened = measure::cpu_s(args.server_pid)?;
    tokio::time::sleep(args.length()).await;
    let after = measure::rss_kib(args.server_pid)?;
    tracing::info!(
        idle_cpu_s = measure::cpu_s(args.server_pid)? - cpu_opened,
        sign_up_cpu_s = cpu_opened - cpu_before,
        "idle"
    );
    let lost = args.users.abs_diff(u32::try_from(held.len()).unwrap_or(u32::MAX));
    Ok(Report {
        scenario: "idle",
        users: args.users,
        seconds: args.length().as_secs_f64(),
        kib_per_connection: Some(after.saturating_sub(before) as f64 / f64::from(args.users)),
        lost: u64::from(lost),
        server_rss_kib: after,
        ..Report::default()
    })
}

async fn open(args: &BenchArgs, count: u32) -> Result<Vec<Connection>, Failure> {
    let openings = stream::iter(0..count).map(|_| async {
        let (mut connection, challenge) = Connection::open(&args.url).await?;
        Account::register(&mut connection, &challenge).await?;
        connection.until_queue_empty().await?;
        Ok::<_, Failure>(connection)
    });
    openings.buffer_unordered(OPENING_MAX).try_collect().await
}
