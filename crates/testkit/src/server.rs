//! A real server in process, on a free port and a temporary directory.

use std::path::Path;

use kabar_server::{Config, Server};

use crate::assert_nowhere;

pub struct TestServer {
    server: Server,
    config: Config,
    url: String,
    directory: tempfile::TempDir,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with a changed configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::default();
        config.server.data = directory.path().join("data");
        config.server.listen = ([127, 0, 0, 1], 0).into();
        change(&mut config);
        let server = start(&config).await;
        // A restart keeps the address: clients come back to it.
        config.server.listen = server.local_addr();
        let url = format!("http://{}", server.local_addr());
        Self {
            server,
            config,
            url,
            directory,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn data(&self) -> &Path {
        &self.config.server.data
    }

    /// Stops, perhaps changes the files, and starts on the same address.
    pub async fn restart_with(self, meanwhile: impl AsyncFnOnce(&Path)) -> Self {
        self.server.shutdown().await;
        meanwhile(&self.config.server.data).await;
        Self {
            server: start(&self.config).await,
            ..self
        }
    }

    pub async fn restart(self) -> Self {
        self.restart_with(async |_| {}).await
    }

    /// Stops, then searches everything that the server kept for what people wrote.
    pub async fn stop_and_scan(self, secrets: &[&str]) {
        self.server.shutdown().await;
        assert_nowhere(self.directory.path(), secrets);
    }
}

async fn start(config: &Config) -> Server {
    Server::start(config.clone(), axum::Router::new())
        .await
        .expect("the server starts")
}
