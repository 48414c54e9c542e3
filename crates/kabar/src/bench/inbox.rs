//! Many people write to one, with the real core: what a client does with a hundred thousand messages can then be watched.

use futures_util::{TryStreamExt, stream};
use tokio::time::Instant;

use super::{BenchArgs, Report, failed, measure, person::Person};
use crate::output::Failure;

/// People who write at a time: each has a core of its own.
const WRITERS: usize = 8;
/// Words of everyday texts, so that a search has something to find.
const WORDS: [&str; 12] = [
    "besok", "rapat", "makan", "siang", "pasar", "kereta", "hujan", "kantor", "alamat", "nomor", "terima", "kasih",
];

pub(crate) async fn run(args: &BenchArgs) -> Result<Report, Failure> {
    let to = args.to.as_deref().ok_or_else(|| failed("--to is needed"))?;
    let cpu_before = measure::cpu_s(args.server_pid)?;
    let begun = Instant::now();
    let writers = stream::iter((0..args.users).map(Ok::<u32, Failure>));
    writers
        .try_for_each_concurrent(WRITERS, |user| write(args, to, user))
        .await?;
    let seconds = begun.elapsed().as_secs_f64();
    let sent = f64::from(args.users) * f64::from(args.messages);
    Ok(Report {
        scenario: "inbox",
        users: args.users,
        seconds,
        cpu_s_per_1000: Some((measure::cpu_s(args.server_pid)? - cpu_before) * 1000.0 / sent.max(1.0)),
        deliveries_per_s: Some(sent / seconds),
        server_rss_kib: measure::rss_kib(args.server_pid)?,
        ..Report::default()
    })
}

async fn write(args: &BenchArgs, to: &str, user: u32) -> Result<(), Failure> {
    let (mut person, _) = Person::register(&args.url, format!("Orang {user}")).await?;
    for number in 0..args.messages {
        let word = |step: u32| WORDS[((user + number) * step) as usize % WORDS.len()];
        let text = format!("{} {} {} {user}-{number}", word(1), word(5), word(7));
        person.say(to, text).await?;
        if number % 50 == 49 {
            person.settle().await?;
        }
    }
    person.settle().await
}
