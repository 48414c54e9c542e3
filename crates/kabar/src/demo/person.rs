//! What the demo people have in common: a home, a name, and a life until the server stops.

use std::{path::PathBuf, time::Duration};

use kabar_client::{Client, Options, api::Command};

use crate::output::Failure;

pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A client with its home, signed up under this name if it is new.
pub(super) async fn open(home: PathBuf, server: String, name: &str, username: &str) -> Result<Client, Failure> {
    let options = Options {
        home,
        server: Some(server),
        feed: false,
        dial: None,
        lock_timeout: Duration::from_secs(1),
    };
    let client = Client::open(options).await?;
    match sign_up(&client, name, username).await {
        Ok(()) => Ok(client),
        Err(failure) => {
            client.close().await;
            Err(failure)
        }
    }
}

async fn sign_up(client: &Client, name: &str, username: &str) -> Result<(), Failure> {
    if client.command(Command::Whoami, ANSWER_TIMEOUT).await.is_ok() {
        return Ok(());
    }
    let register = Command::Register {
        name: name.into(),
        username: Some(username.into()),
        invite: None,
        enrolment: None,
    };
    client.command(register, ANSWER_TIMEOUT).await?;
    Ok(())
}

/// Says in the log what went wrong with somebody.
pub(super) fn missed(who: &str, result: Result<(), Failure>) {
    if let Err(failure) = result {
        tracing::error!(
            code = failure.code,
            "{who} of the demo has trouble: {}",
            failure.message
        );
    }
}
