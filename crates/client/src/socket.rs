//! One connection to `/v1/socket`: frames in, frames out. Reconnecting is core's decision.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::SplitStream};
use http::Uri;
use kabar_protocol::{limits::FRAME_BYTES_MAX, wire};
use prost::Message as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::timeout,
};
use tokio_websockets::{ClientBuilder, Connector, Limits, MaybeTlsStream, Message, WebSocketStream};

use crate::Dial;

/// TCP, TLS and the WebSocket handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One frame that the peer does not take means that the connection is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// Frames that wait for the network, each way.
const FRAMES_MAX: usize = 64;

/// A server's address, checked once.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    socket: Uri,
    shown: String,
}

impl Address {
    /// From `http(s)://host[:port]`.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let bad = || format!("{url} is not an address such as http://localhost:8080 or https://chat.example");
        let uri: Uri = url.trim_end_matches('/').parse().map_err(|_| bad())?;
        let scheme = match uri.scheme_str() {
            Some("http") => "ws",
            Some("https") => "wss",
            _ => return Err(bad()),
        };
        let authority = uri.authority().ok_or_else(bad)?;
        let socket = format!("{scheme}://{authority}/v1/socket").parse().map_err(|_| bad())?;
        Ok(Self {
            socket,
            shown: url.to_owned(),
        })
    }
}

impl Address {
    /// As it was given, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        self.shown.trim_end_matches('/')
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.socket.scheme_str() == Some("wss")
    }

    /// Without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        let host = self.socket.host().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.socket.port_u16().unwrap_or(if self.is_tls() { 443 } else { 80 })
    }

    /// Host and port as a request names them.
    pub(crate) fn authority(&self) -> String {
        self.socket.authority().map(ToString::to_string).unwrap_or_default()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

/// An open connection; dropping it closes it.
pub(crate) struct Socket {
    pub(crate) incoming: mpsc::Receiver<wire::ServerFrame>,
    outgoing: mpsc::Sender<wire::ClientFrame>,
}

impl Socket {
    /// Over the network, or by `dial` to a server in this process.
    pub(crate) async fn connect(address: &Address, dial: Option<&Dial>) -> Result<Self, String> {
        let builder = ClientBuilder::from_uri(address.socket.clone())
            .limits(Limits::default().max_payload_len(Some(FRAME_BYTES_MAX)));
        if let Some(dial) = dial {
            let (stream, _) = in_time(builder.connect_on((dial.0)())).await?;
            return Ok(Self::open(stream));
        }
        let connector = if address.socket.scheme_str() == Some("wss") {
            Connector::Rustls(tls_config()?.into())
        } else {
            Connector::Plain
        };
        let (stream, _) = in_time(builder.connector(&connector).connect()).await?;
        if let MaybeTlsStream::Plain(tcp) = stream.get_ref()
            && let Err(error) = tcp.set_nodelay(true)
        {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
        Ok(Self::open(stream))
    }

    fn open<S: Stream>(stream: WebSocketStream<S>) -> Self {
        let (mut sink, stream) = stream.split();
        let (outgoing, mut frames) = mpsc::channel::<wire::ClientFrame>(FRAMES_MAX);
        let (received, incoming) = mpsc::channel(FRAMES_MAX);
        tokio::spawn(read(stream, received));
        tokio::spawn(async move {
            while let Some(frame) = frames.recv().await {
                let message = Message::binary(frame.encode_to_vec());
                if !matches!(timeout(WRITE_TIMEOUT, sink.send(message)).await, Ok(Ok(()))) {
                    break;
                }
            }
            // The other side may be gone already.
            let _ = timeout(WRITE_TIMEOUT, sink.close()).await;
        });
        Self { incoming, outgoing }
    }

    /// False if the connection is gone.
    pub(crate) async fn send(&self, frame: wire::ClientFrame) -> bool {
        self.outgoing.send(frame).await.is_ok()
    }
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

async fn in_time<T>(connecting: impl Future<Output = Result<T, tokio_websockets::Error>>) -> Result<T, String> {
    timeout(CONNECT_TIMEOUT, connecting)
        .await
        .map_err(|_| format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))?
        .map_err(|error| error.to_string())
}

async fn read<S: Stream>(mut stream: SplitStream<WebSocketStream<S>>, received: mpsc::Sender<wire::ServerFrame>) {
    while let Some(Ok(message)) = stream.next().await {
        if !message.is_binary() {
            continue;
        }
        let Ok(frame) = wire::ServerFrame::decode(bytes::Bytes::from(message.into_payload())) else {
            tracing::warn!("the server sent a frame that does not decode");
            break;
        };
        if received.send(frame).await.is_err() {
            break;
        }
    }
}

/// TLS as everywhere in this program: rustls with ring, the system's roots.
pub(crate) fn tls_config() -> Result<Arc<rustls::ClientConfig>, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_or_https() {
        let address = Address::parse("https://chat.example/").expect("address");
        assert_eq!(address.socket.to_string(), "wss://chat.example/v1/socket");
        assert!(Address::parse("localhost:8080").is_err());
        assert!(Address::parse("ftp://x").is_err());
    }
}
