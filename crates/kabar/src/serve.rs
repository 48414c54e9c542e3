//! `kabar serve`: configuration from file, environment and flags; the server with the embedded web app; signals.

use std::{io::Write as _, net::SocketAddr, path::PathBuf};

use clap::Args;
use kabar_server::{Config, Server};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{demo, hosted::Hosted, output::Failure, web};

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
    /// Bucket for the files that people send, s3://NAME/PREFIX; keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY [default: DATA/media]
    #[arg(long)]
    media_bucket: Option<String>,
    /// Address of an S3-compatible store [default: Amazon's]
    #[arg(long, requires = "media_bucket")]
    media_endpoint: Option<String>,
    /// Region that requests to the bucket are signed for [default: us-east-1]
    #[arg(long, requires = "media_bucket")]
    media_region: Option<String>,
    /// TOML file with access_key_id and secret_access_key, instead of the environment
    #[arg(long, requires = "media_bucket")]
    media_keys: Option<PathBuf>,
    /// Demo data once, verification codes on screen: for trying things out
    #[arg(long)]
    dev: bool,
}

impl ServeArgs {
    /// The flags that were given, as the tables that the configuration is made of.
    fn overrides(&self) -> toml::Table {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let given = [
            ("data", self.data.as_ref().map(path)),
            ("listen", self.listen.map(|address| address.to_string())),
            ("public_url", self.public_url.clone()),
            ("tls_cert", self.tls_cert.as_ref().map(path)),
            ("tls_key", self.tls_key.as_ref().map(path)),
        ];
        let mut server: toml::Table = given
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.into())))
            .collect();
        if self.dev {
            server.insert("dev".to_owned(), true.into());
        }
        let media = [
            ("bucket", self.media_bucket.clone()),
            ("bucket_endpoint", self.media_endpoint.clone()),
            ("bucket_region", self.media_region.clone()),
            ("bucket_keys", self.media_keys.as_ref().map(path)),
        ];
        let media: toml::Table = media
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.into())))
            .collect();
        toml::Table::from_iter([("server".to_owned(), server.into()), ("media".to_owned(), media.into())])
    }
}

pub(crate) async fn run(args: ServeArgs) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref(), args.overrides())?;
    let dev = config.server.dev;
    let scheme = if config.server.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    // Before the listener: a signal that comes early is not lost.
    let stop = stop_on_signal()?;
    let hosted = Hosted::default();
    let server = Server::start(config.clone(), hosted.extra(web::router().merge(demo::router(&config)))).await?;
    hosted.start(&server, &config).await?;
    let address = format!("{scheme}://{}", server.local_addr());
    announce(&address, server.public_url(), dev);
    let demo = dev.then(|| tokio::spawn(demo::run(config.clone(), address, stop.clone())));
    stop.cancelled().await;
    if let Some(demo) = demo {
        demo.await.map_err(|error| Failure::new("demo", error.to_string()))?;
    }
    hosted.stop().await;
    server.shutdown().await;
    Ok(())
}

/// Scripts wait for these lines.
fn announce(address: &str, public_url: &str, dev: bool) {
    let mut lines = format!("listening on {address}\nopen {public_url}\n");
    if let Some(second) = second_person(public_url).filter(|_| dev) {
        lines += &format!("open {second} as well, to be a second person\n");
        lines += &format!("open {public_url}/b/demo to write to people by the Cloud API\n");
    }
    say(&lines);
}

/// In one write; a closed stdout stops nobody.
pub(crate) fn say(lines: &str) {
    let mut out = std::io::stdout();
    if let Err(error) = out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "the address could not be printed");
    }
}

/// Any NAME.localhost is a browser origin of its own: another person on the same machine.
fn second_person(public_url: &str) -> Option<String> {
    let port = public_url.strip_prefix("http://localhost")?;
    Some(format!("http://dua.localhost{port}"))
}

pub(crate) fn stop_on_signal() -> Result<CancellationToken, Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopped.cancel();
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::second_person;

    #[test]
    fn a_second_person_has_an_origin_of_its_own() {
        assert_eq!(
            second_person("http://localhost:8080").as_deref(),
            Some("http://dua.localhost:8080")
        );
        assert_eq!(second_person("https://chat.example"), None);
    }
}
