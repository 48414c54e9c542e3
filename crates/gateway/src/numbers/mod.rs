//! The numbers that this gateway speaks for: one encrypted client each, with a home of its own.

mod charges;
mod feed;
mod payments;
pub(crate) mod sent_before;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use kabar_client::{
    Client, Options,
    api::{ApiError, BusinessCommand, Command, Reply},
};

use crate::{Parts, store::Number};

/// One command of a client, the server's answer included.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two tries to start a number's client.
const RETRY: Duration = Duration::from_secs(5);
/// For a former process that still holds the home.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// A number whose client runs.
pub(crate) struct Line {
    pub(crate) number: Number,
    pub(crate) client: Client,
}

impl Line {
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, ApiError> {
        self.client.command(command, COMMAND_TIMEOUT).await
    }

    pub(crate) async fn ask_business(&self, request: BusinessCommand) -> Result<Reply, ApiError> {
        self.ask(Command::Business { request }).await
    }
}

/// The lines that are up.
#[derive(Default)]
pub(crate) struct Lines(RwLock<HashMap<u64, Arc<Line>>>);

impl Lines {
    pub(crate) fn get(&self, phone_number_id: u64) -> Option<Arc<Line>> {
        let lines = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lines.get(&phone_number_id).cloned()
    }

    /// Any line of a business: what is asked is the same for all of them.
    pub(crate) fn of_business(&self, waba_id: u64) -> Option<Arc<Line>> {
        let lines = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lines.values().find(|line| line.number.waba_id == waba_id).cloned()
    }

    fn insert(&self, line: Arc<Line>) {
        let mut lines = self.0.write().unwrap_or_else(PoisonError::into_inner);
        lines.insert(line.number.phone_number_id, line);
    }

    fn remove(&self, phone_number_id: u64) {
        let mut lines = self.0.write().unwrap_or_else(PoisonError::into_inner);
        lines.remove(&phone_number_id);
    }
}

/// Keeps a number's client running until the gateway stops.
pub(crate) async fn run(parts: Arc<Parts>, number: Number) {
    let id = number.phone_number_id;
    loop {
        let attempt = parts.stop.run_until_cancelled(serve(&parts, &number)).await;
        parts.lines.remove(id);
        match attempt {
            None => return,
            Some(Ok(())) => tracing::warn!(phone_number_id = id, "the number's client ended; it is started again"),
            Some(Err(error)) => {
                tracing::error!(phone_number_id = id, %error, "the number's client cannot run; it is tried again")
            }
        }
        if parts
            .stop
            .run_until_cancelled(tokio::time::sleep(RETRY))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Opens the client, enrols it the first time, and turns what it receives into webhooks.
async fn serve(parts: &Arc<Parts>, number: &Number) -> anyhow::Result<()> {
    let options = Options {
        home: parts.directory.join("numbers").join(number.phone_number_id.to_string()),
        server: Some(parts.server.clone()),
        feed: true,
        dial: parts.dial.clone(),
        lock_timeout: LOCK_TIMEOUT,
    };
    let client = Client::open(options).await?;
    let line = Arc::new(Line {
        number: number.clone(),
        client,
    });
    if line.ask(Command::Whoami).await.is_err() {
        let register = Command::Register {
            name: number.name.chars().take(50).collect(),
            username: None,
            invite: None,
            enrolment: Some(number.enrolment_code.clone()),
        };
        line.ask(register).await?;
    }
    parts.lines.insert(Arc::clone(&line));
    tracing::info!(phone_number_id = number.phone_number_id, "the number's client is up");
    tokio::select! {
        ended = feed::run(parts, &line) => ended,
        ended = Box::pin(payments::run(parts, &line)) => ended,
    }
}
