//! The native shell of the encrypted client: a socket, a SQLite file, a clock and timers around [`kabar_core::Core`].
//!
//! Behind `kabar chat`, bots, the gateway and the load generator. It decides nothing: whatever a client has to know about
//! conversations or encryption is core's.

mod clock;
mod disk;
pub mod files;
mod home;
mod shell;
mod socket;
mod store;

use std::{path::PathBuf, sync::Arc, time::Duration};

use kabar_core::api::{ApiError, Command, Notification, Reply};
use tokio::{
    io::DuplexStream,
    sync::{broadcast, mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

pub use home::HomeError;
pub use kabar_core::api;

/// Commands that may wait for the shell's loop.
const COMMANDS_MAX: usize = 256;
/// Core's word for a server that it waited for in vain; the shell knows more.
const OFFLINE: &str = "offline";
/// Notifications that a slow listener may be behind; it then misses the oldest.
const NOTIFICATIONS_MAX: usize = 1024;

/// Opens a stream to a server in the same process; a WebSocket handshake follows on it.
#[derive(Clone)]
pub struct Dial(pub Arc<dyn Fn() -> DuplexStream + Send + Sync>);

impl std::fmt::Debug for Dial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dial(..)")
    }
}

/// Where a client lives and whom it talks to.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory of the account's keys and messages; made if it is missing. One process at a time.
    pub home: PathBuf,
    /// `http://host:port` or `https://host`. Without it, the one this home was used with last.
    pub server: Option<String>,
    /// Keep items for [`Command::Feed`].
    pub feed: bool,
    /// Where the server is in this process: another stream to it each time. `server` is then only its name.
    pub dial: Option<Dial>,
    /// How long to wait for another process that uses the home.
    pub lock_timeout: Duration,
}

/// A running client. Dropping it stops it after the batch in flight.
#[derive(Debug)]
pub struct Client {
    /// For files, which do not go through the shell.
    address: socket::Address,
    dial: Option<Dial>,
    commands: mpsc::Sender<shell::Wish>,
    notifications: broadcast::Sender<Notification>,
    stop: CancellationToken,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Client {
    /// Opens the home and starts connecting.
    pub async fn open(options: Options) -> Result<Self, HomeError> {
        let home = home::Home::open(&options).await?;
        let (commands, wishes) = mpsc::channel(COMMANDS_MAX);
        let (notifications, _) = broadcast::channel(NOTIFICATIONS_MAX);
        let stop = CancellationToken::new();
        let (address, dial) = (home.address.clone(), home.dial.clone());
        let shell = shell::Shell::new(home, options.feed, notifications.clone(), stop.clone());
        let task = tokio::spawn(shell.run(wishes));
        Ok(Self {
            address,
            dial,
            commands,
            notifications,
            stop,
            task: Some(task),
        })
    }

    /// Runs one command to its reply; `timeout` bounds the whole of it.
    pub async fn command(&self, command: Command, timeout: Duration) -> Result<Reply, ApiError> {
        let (reply, replied) = oneshot::channel();
        let asked = tokio::time::timeout(timeout, async {
            self.commands
                .send(shell::Wish::Command(Box::new(command), reply))
                .await
                .map_err(|_| stopped())?;
            replied.await.map_err(|_| stopped())?
        });
        match asked.await {
            Ok(Err(error)) if error.code == OFFLINE => Err(self.why_slow(timeout).await),
            Ok(result) => result,
            Err(_) => Err(self.why_slow(timeout).await),
        }
    }

    /// `http(s)://host[:port]` of the server that this account is on.
    pub fn server(&self) -> &str {
        self.address.url()
    }

    /// What happens from now on. A listener that lags loses the oldest and should list again.
    pub fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.notifications.subscribe()
    }

    /// Stops after the batch in flight and closes the store.
    pub async fn close(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // A panic of the shell has been reported by the runtime already.
            let _ = task.await;
        }
    }

    /// A command that timed out most often waits for a server that cannot be reached, or that refuses for now: say so.
    async fn why_slow(&self, timeout: Duration) -> ApiError {
        let (reply, replied) = oneshot::channel();
        let trouble = match self.commands.try_send(shell::Wish::Trouble(reply)) {
            Ok(()) => tokio::time::timeout(Duration::from_secs(1), replied)
                .await
                .ok()
                .and_then(Result::ok)
                .flatten(),
            Err(_) => None,
        };
        trouble.unwrap_or_else(|| ApiError {
            code: "timeout".into(),
            message: format!("no answer within {} s", timeout.as_secs()),
            parameter: None,
            retry_after_ms: None,
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn stopped() -> ApiError {
    ApiError {
        code: "stopped".into(),
        message: "the client has stopped".into(),
        parameter: None,
        retry_after_ms: None,
    }
}
