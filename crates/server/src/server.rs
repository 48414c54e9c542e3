//! Starting and stopping: the data directory, its lock, the listener, the jobs, and an orderly end.

use std::{
    fs,
    fs::{File, TryLockError},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};

use axum::Router;
use tokio::io::DuplexStream;

use crate::{
    admin,
    app::App,
    clock::Clock,
    config::Config,
    error::StartError,
    http, jobs, media,
    socket::{self, Listener},
};

/// How long a shutdown waits for connections and requests.
const DRAIN_WAIT: Duration = Duration::from_secs(6);

/// DATA/lock: whoever holds it owns the data directory. Released when dropped.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(data: &Path) -> Result<Self, StartError> {
        let unwritable = |cause| StartError::DataDirectory {
            path: data.to_owned(),
            cause,
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data.join("lock"))
            .map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StartError::Locked { path: data.to_owned() }),
            Err(TryLockError::Error(cause)) => Err(unwritable(cause)),
        }
    }
}

/// What the binary puts beside the server on its listener and its admin socket.
pub struct Extra {
    /// Answers what the server itself does not, such as the web app.
    pub router: Router,
    pub admin: Option<admin::Extension>,
}

impl From<Router> for Extra {
    fn from(router: Router) -> Self {
        Self { router, admin: None }
    }
}

/// A running server.
pub struct Server {
    app: App,
    local_addr: SocketAddr,
    router: Router,
    _lock: Lock,
}

impl Server {
    /// Starts listening.
    pub async fn start(config: Config, extra: impl Into<Extra>) -> Result<Self, StartError> {
        Self::start_with_clock(config, extra, Clock::system()).await
    }

    /// As [`Self::start`], with a clock that a test advances.
    pub async fn start_with_clock(
        mut config: Config,
        extra: impl Into<Extra>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let extra = extra.into();
        let data = config.server.data.clone();
        make_directory(&data)?;
        let lock = Lock::take(&data)?;
        let listener = Listener::bind(&config.server).await?;
        let address = config.server.listen;
        let local_addr = listener
            .local_addr()
            .map_err(|cause| StartError::Listen { address, cause })?;
        // Port 0 asks for any: what follows needs the one that was given.
        config.server.listen = local_addr;
        let public_url = config.public_url();
        let app = App::open(config, public_url, clock).await?;
        media::check_bucket(&app).await?;
        admin::serve(&app, extra.admin)?;
        jobs::start(&app);
        socket::start_sweep(&app);
        let router = http::router(app.clone(), extra.router);
        app.tasks.spawn(socket::serve(app.clone(), listener, router.clone()));
        Ok(Self {
            app,
            local_addr,
            router,
            _lock: lock,
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// How people reach this server.
    pub fn public_url(&self) -> &str {
        &self.app.public_url
    }

    /// Opens streams to this server from inside its process: for the hosted gateway.
    pub fn dialer(&self) -> impl Fn() -> DuplexStream + Send + Sync + 'static {
        let (app, router) = (self.app.clone(), self.router.clone());
        move || socket::dial(&app, &router)
    }

    /// For admin commands in the same process.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Stops accepting, tells the clients, finishes what was taken in, and closes the database: within 10 s.
    pub async fn shutdown(self) {
        self.app.connections.close_all();
        self.app.stop.cancel();
        self.app.tasks.close();
        if tokio::time::timeout(DRAIN_WAIT, self.app.tasks.wait()).await.is_err() {
            tracing::warn!("connections were still open when the server stopped");
        }
        self.app.db.close().await;
    }
}

/// Makes the directory for its owner only, or checks that it can be written.
fn make_directory(data: &Path) -> Result<(), StartError> {
    let unwritable = |cause| StartError::DataDirectory {
        path: data.to_owned(),
        cause,
    };
    if !data.exists() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(unwritable)?;
    }
    let mode = fs::metadata(data).map_err(unwritable)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!("the data directory can be read by other users of this machine: chmod 700 it");
    }
    Ok(())
}
