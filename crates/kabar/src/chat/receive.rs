//! `kabar chat receive`: the stream of incoming items, each once per home.

use std::time::Duration;

use clap::Args;
use kabar_client::api::{Command, FeedItem, Reply};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, timeout_at},
};

use super::{Session, messages::who, shown, unexpected};
use crate::output::Failure;

/// Items that are printed before the home is told to forget them.
const PAGE: u32 = 100;
/// With `--follow` and no `--timeout`: as long as the process lives.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

#[derive(Debug, Args)]
pub(crate) struct Receive {
    /// Keep printing until interrupted, or until `--timeout`
    #[arg(long)]
    follow: bool,
    /// Seconds to wait for the first item; with --follow, seconds until it ends
    #[arg(long)]
    timeout: Option<u64>,
}

impl Receive {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut news = session.client.notifications();
        let patience = self.timeout.map(Duration::from_secs);
        let until = Instant::now() + patience.unwrap_or(if self.follow { FOREVER } else { Duration::ZERO });
        // What another command took in meanwhile is printed even if the server is away.
        let mut printed = print_pages(session).await?;
        let caught_up = session.ask(Command::WaitIdle).await;
        printed += print_pages(session).await?;
        if !self.follow {
            caught_up?;
        }
        while self.follow || printed == 0 {
            match timeout_at(until, news.recv()).await {
                Err(_) | Ok(Err(RecvError::Closed)) => break,
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => printed += print_pages(session).await?,
            }
        }
        Ok(())
    }
}

/// Prints what is there; an item is forgotten only after it was printed.
async fn print_pages(session: &Session) -> Result<usize, Failure> {
    let mut printed = 0;
    loop {
        let items = match session.ask(Command::Feed { after: 0, limit: PAGE }).await? {
            Reply::Feed { items } => items,
            other => return Err(unexpected(&other)),
        };
        let Some(last) = items.last() else { return Ok(printed) };
        let up_to = last.position;
        items.iter().try_for_each(|item| {
            session
                .output
                .answer(&shown::flat(item, item.shown.as_ref())?, || line(item))
        })?;
        session.ask(Command::FeedTaken { up_to }).await?;
        printed += items.len();
    }
}

fn line(item: &FeedItem) -> String {
    let kind = serde_json::from_value(serde_json::Value::String(item.kind.clone()));
    if let Ok(kind) = kind
        && let Some(line) = shown::notice(kind, &who(&item.from), &item.about, item.text.as_deref())
    {
        return line;
    }
    match (&item.text, item.state) {
        (Some(text), _) => shown::for_people(&who(&item.from), item.automated, text, item.shown.as_ref()),
        (None, Some(state)) => format!(
            "{}: {} {}",
            who(&item.from),
            item.message_id,
            format!("{state:?}").to_lowercase()
        ),
        (None, None) => format!("{}: {}", who(&item.from), item.kind),
    }
}
