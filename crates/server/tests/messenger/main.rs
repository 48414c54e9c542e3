//! The messenger from outside: real sockets, real MLS groups, a server in this process.

mod accounts;
mod certificate;
mod charges;
mod commerce;
mod device;
mod disk_full;
mod frames;
mod groups;
mod hostile_commits;
mod invites;
mod messages;
mod receipts;
mod resets;
mod socket;
mod tls;
mod withdraw;

use kabar_server::{Clock, Config, Server};

pub(crate) struct TestServer {
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) config: Config,
}

/// A day in 2026.
const START_MS: i64 = 1_790_000_000_000;

pub(crate) async fn start() -> TestServer {
    start_with(|_| {}).await
}

/// A server on SQLite and, where KABAR_TEST_POSTGRES_URL names one, another on a fresh PostgreSQL database.
pub(crate) async fn on_each_engine() -> Vec<TestServer> {
    let mut servers = vec![start().await];
    if let Ok(url) = std::env::var("KABAR_TEST_POSTGRES_URL") {
        let url = fresh_database(&url).await;
        servers.push(start_with(|config| config.database.url = url).await);
    }
    servers
}

async fn fresh_database(url: &str) -> String {
    let name = format!("kabar_test_{}", hex::encode(device::random::<8>()));
    let pool = sqlx::PgPool::connect(url)
        .await
        .expect("the PostgreSQL of KABAR_TEST_POSTGRES_URL");
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&pool).await.expect("a database");
    let (server, query) = url.split_once('?').unwrap_or((url, ""));
    let base = server.rsplit_once('/').map_or(server, |(base, _)| base);
    format!("{base}/{name}?{query}")
}

pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> TestServer {
    let directory = tempfile::tempdir().expect("a directory");
    let mut config = Config::default();
    config.server.data = directory.path().join("data");
    config.server.listen = ([127, 0, 0, 1], 0).into();
    change(&mut config);
    let clock = Clock::manual(START_MS);
    let server = Server::start_with_clock(config.clone(), kabar_server::not_found(), clock.clone())
        .await
        .expect("a server");
    TestServer {
        server,
        clock,
        directory,
        config,
    }
}

impl TestServer {
    /// Stops, and starts on the same data.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// As [`Self::restart`], and in between does something to the data directory.
    pub(crate) async fn restart_with(self, meanwhile: impl FnOnce(&std::path::Path)) -> Self {
        self.server.shutdown().await;
        meanwhile(&self.config.server.data);
        let server = Server::start_with_clock(self.config.clone(), kabar_server::not_found(), self.clock.clone());
        Self {
            server: server.await.expect("a server"),
            ..self
        }
    }
}
