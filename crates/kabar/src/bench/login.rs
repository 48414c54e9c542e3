//! Connect, prove the device, read an empty queue, leave; over and over.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{BenchArgs, Report, account::Account, connection::Connection, measure};
use crate::output::Failure;

/// People who come at a time.
const AT_A_TIME: usize = 32;

pub(crate) async fn run(args: &BenchArgs) -> Result<Report, Failure> {
    let accounts: Vec<Account> = stream::iter(0..args.users)
        .map(|_| async {
            let (mut connection, challenge) = Connection::open(&args.url).await?;
            let account = Account::register(&mut connection, &challenge).await?;
            connection.close().await?;
            Ok::<_, Failure>(account)
        })
        .buffer_unordered(AT_A_TIME)
        .try_collect()
        .await?;
    let times = Arc::new(Mutex::new(measure::latencies()));
    let begun = Instant::now();
    let until = begun + args.length();
    let cpu_before = measure::cpu_s(args.server_pid)?;
    let logins = stream::iter(accounts.iter().cycle().take_while(|_| Instant::now() < until))
        .map(|account| login(args, account, &times))
        .buffer_unordered(AT_A_TIME)
        .try_fold(0_u64, |count, ()| async move { Ok(count + 1) })
        .await?;
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = measure::cpu_s(args.server_pid)? - cpu_before;
    let latency = times.lock().map(|times| measure::quantiles(&times)).ok();
    Ok(Report {
        scenario: "login",
        users: args.users,
        seconds,
        cpu_s_per_1000: Some(cpu * 1000.0 / logins.max(1) as f64),
        logins_per_s: Some(logins as f64 / seconds),
        latency_ms: latency,
        server_rss_kib: measure::rss_kib(args.server_pid)?,
        ..Report::default()
    })
}

async fn login(
    args: &BenchArgs,
    account: &Account,
    times: &Mutex<hdrhistogram::Histogram<u64>>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let (mut connection, challenge) = Connection::open(&args.url).await?;
    account.authenticate(&mut connection, &challenge).await?;
    connection.until_queue_empty().await?;
    if let Ok(mut times) = times.lock() {
        measure::record(&mut times, begun.elapsed());
    }
    connection.close().await
}
