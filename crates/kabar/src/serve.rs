//! `kabar serve`: configuration from file, environment and flags; the server with the embedded web app; signals.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use kabar_server::{Config, Server};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{demo, output::Failure, web};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Directory of the database, secrets and blobs [default: ./kabar-data]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// TOML file; `kabar admin config example` prints every key
    #[arg(long)]
    config: Option<PathBuf>,
    /// The one web origin, such as https://chat.example [default: http://localhost:PORT]
    #[arg(long)]
    public_url: Option<String>,
    /// Certificate chain (PEM); with --tls-key the listener speaks TLS
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM)
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Demo data once, verification codes on screen: for trying things out
    #[arg(long)]
    dev: bool,
}
