//! `kabar chat receive`: the stream of incoming items, each once per home.

use std::time::Duration;

use clap::Args;
use kabar_client::api::{Command, FeedItem, Reply, Shown};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, timeout_at},
};

use super::{Session, files, messages::who, shown, unexpected};
use crate::output::Failure;

/// Items that are printed before the home is told to forget them.
const PAGE: u32 = 100;
/// Somebody unknown must not fill the disk.
const STRANGERS_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
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
        if self.follow {
            // Somebody looks.
            session.ask(Command::SetHere { here: true }).await?;
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
        for item in &items {
            let mut value = shown::flat(item, item.shown.as_ref())?;
            let file = saved(session, item, &mut value).await;
            session.output.answer(&value, || line(item) + &file)?;
        }
        session.ask(Command::FeedTaken { up_to }).await?;
        printed += items.len();
    }
}

/// Fetches the file of an item, and says where it is. Of a stranger whom nobody has accepted, small ones only.
async fn saved(session: &Session, item: &FeedItem, value: &mut Value) -> String {
    let Some(Shown::File(file)) = &item.shown else {
        return String::new();
    };
    if item.request && file.size_bytes > STRANGERS_FILE_BYTES_MAX {
        return "\n  not fetched: it is large, and you have not accepted this person; save-file fetches it".into();
    }
    if file.view_once {
        return "\n  to be looked at once: save-file saves it, and its sender learns that".into();
    }
    match files::keep(session, item.message_id, file).await {
        Ok(path) => {
            value["file"]["path"] = json!(path);
            format!("\n  saved {}", path.display())
        }
        Err(error) => {
            value["file"]["error"] = json!({ "code": error.code, "message": error.message });
            format!("\n  not fetched: {}", error.message)
        }
    }
}

fn line(item: &FeedItem) -> String {
    if let Some(rsvp) = &item.rsvp {
        let answer = rsvp.answer.map_or("took the answer back".to_owned(), |answer| {
            format!("{answer:?}").to_lowercase()
        });
        return format!("{}: {answer}, {} guests", who(&item.from), rsvp.guests);
    }
    if let Some(options) = &item.vote {
        if options.is_empty() {
            return format!("{}: took the vote back", who(&item.from));
        }
        let options: Vec<String> = options.iter().map(u32::to_string).collect();
        return format!("{}: voted for {}", who(&item.from), options.join(", "));
    }
    if item.kind == "opened" {
        return format!("{}: looked at it", who(&item.from));
    }
    let kind = serde_json::from_value(Value::String(item.kind.clone()));
    if let Ok(kind) = kind
        && let Some(line) = shown::notice(kind, &who(&item.from), &item.about, item.text.as_deref())
    {
        return line;
    }
    match (&item.text, item.state) {
        (Some(text), _) if ["reaction", "edit"].contains(&item.kind.as_str()) => {
            format!("{}: {} {text}", who(&item.from), item.kind)
        }
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
