//! Files to and from the server, sealed and opened on the way: any size in constant memory, and a connection that breaks is made again.

mod download;
mod http;
mod upload;

use std::time::Duration;

use kabar_core::api::ApiError;

pub use self::{
    download::download,
    upload::{FileFacts, upload},
};
use crate::{Client, files::http::Connection};

/// Tries in a row that bring nothing; each waits longer.
const ATTEMPTS_MAX: u32 = 6;
const RETRY: Duration = Duration::from_millis(500);

/// How far a transfer has come, in bytes of ciphertext: done, and all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Connects, and again after each failure, until nothing has moved for [`ATTEMPTS_MAX`] tries.
struct Link<'a> {
    client: &'a Client,
    connection: Option<Connection>,
    failures: u32,
}

impl<'a> Link<'a> {
    fn new(client: &'a Client) -> Self {
        Self {
            client,
            connection: None,
            failures: 0,
        }
    }

    async fn connection(&mut self) -> Result<&mut Connection, String> {
        match &mut self.connection {
            Some(_) => {}
            gone => *gone = Some(Connection::open(&self.client.address, self.client.dial.as_ref()).await?),
        }
        self.connection.as_mut().ok_or_else(|| "not connected".to_owned())
    }

    fn moved(&mut self) {
        self.failures = 0;
    }

    /// Waits before the next try, or gives up with the last reason.
    async fn failed(&mut self, why: String) -> Result<(), ApiError> {
        self.connection = None;
        self.failures += 1;
        if self.failures >= ATTEMPTS_MAX {
            return Err(failure(
                "unreachable",
                format!("{} cannot be reached: {why}", self.client.address),
            ));
        }
        tokio::time::sleep(RETRY * 2_u32.pow(self.failures - 1)).await;
        Ok(())
    }
}

fn failure(code: &str, message: impl Into<String>) -> ApiError {
    ApiError {
        code: code.into(),
        message: message.into(),
        parameter: None,
        retry_after_ms: None,
    }
}

/// What the server says of an address that it does not know, or no longer.
fn gone() -> ApiError {
    failure(
        "file_gone",
        "the server has this file no more: files are kept for a limited time",
    )
}

fn io_failed(error: &std::io::Error) -> ApiError {
    failure(
        "file_unreadable",
        format!("the file cannot be read or written: {error}"),
    )
}
