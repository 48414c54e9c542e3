//! The one listener: accept, TLS, HTTP, and the hand-over of a socket to its own small task.

use std::{convert::Infallible, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn, upgrade::Upgraded};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::DuplexStream,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::ServiceExt as _;

use super::{Session, connection, upgrade};
use crate::{app::App, error::StartError, limits::RateLimit};

const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
const HEADER_WAIT: Duration = Duration::from_secs(10);
/// A request's header block; the buffer never grows beyond.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// After a failed accept (no file descriptors, say) the loop waits this long.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// TLS sessions kept for resumption: a reconnect then costs no signature.
const TLS_SESSIONS_MAX: usize = 50_000;

pub(crate) struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    pub(crate) async fn bind(config: &crate::config::ServerConfig) -> Result<Self, StartError> {
        let tls = match (&config.tls_cert, &config.tls_key) {
            (Some(certificate), Some(key)) => Some(tls(certificate, key)?),
            (None, None) => None,
            _ => {
                let rule = "server.tls_cert and server.tls_key must be given together";
                return Err(StartError::Config(rule.into()));
            }
        };
        let address = config.listen;
        let tcp = TcpListener::bind(address)
            .await
            .map_err(|cause| StartError::Listen { address, cause })?;
        Ok(Self { tcp, tls })
    }

    pub(crate) fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, StartError> {
    let refused = |path: &Path, cause: String| StartError::Tls {
        path: path.to_owned(),
        cause,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| refused(certificate, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| refused(certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = rustls::server::ServerSessionMemoryCache::new(TLS_SESSIONS_MAX);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Accepts until the server stops.
pub(crate) async fn serve(app: App, listener: Listener, router: Router) {
    let Listener { tcp, tls } = listener;
    while let Some(accepted) = app.stop.run_until_cancelled(tcp.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        // Frames are batched by the session already.
        let _ = stream.set_nodelay(true);
        let open = app
            .metrics
            .socket_connections
            .load(std::sync::atomic::Ordering::Relaxed);
        if usize::try_from(open).unwrap_or(0) >= app.config.socket.connections_max {
            continue;
        }
        let (app, router, tls) = (app.clone(), router.clone(), tls.clone());
        app.tasks.clone().spawn(async move {
            match tls {
                None => http(app, stream, peer, router).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WAIT, tls.accept(stream)).await {
                        http(app, stream, peer, router).await;
                    }
                }
            }
        });
    }
}

/// A stream that a socket can be handed over on.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static {}
impl Stream for TcpStream {}
impl Stream for TlsStream<TcpStream> {}
impl Stream for DuplexStream {}

/// Bytes that may wait each way between the server and a client in the same process.
const IN_PROCESS_BUFFER_BYTES: usize = 64 * 1024;

/// A stream to this listener from inside the process: same HTTP, same socket, same frames, no network.
pub(crate) fn dial(app: &App, router: &Router) -> DuplexStream {
    let (near, far) = tokio::io::duplex(IN_PROCESS_BUFFER_BYTES);
    let peer = SocketAddr::from(([127, 0, 0, 1], 0));
    app.tasks.spawn(http(app.clone(), far, peer, router.clone()));
    near
}

async fn http<S: Stream>(app: App, stream: S, peer: SocketAddr, router: Router) {
    let stop = app.stop.clone();
    let service = service_fn(move |request| answer::<S>(app.clone(), request, peer, router.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WAIT)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = Box::pin(connection);
    tokio::select! {
        // Errors here are the peer's: half a request, a reset.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer<S: Stream>(
    app: App,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    router: Router,
) -> Result<Response<Body>, Infallible> {
    if request.uri().path() == upgrade::SOCKET_PATH {
        return Ok(open_socket::<S>(&app, request, peer));
    }
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request.map(Body::new)).await
}

fn open_socket<S: Stream>(app: &App, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    let response = match upgrade::handshake(app, &request) {
        Ok(response) => response,
        Err(refusal) => return *refusal,
    };
    let address = upgrade::client_address(app, peer, request.headers());
    if app
        .limits
        .check_address(RateLimit::Connections, address, app.now_ms())
        .is_err()
    {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
        return response;
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let session = Arc::new(Session::new(address, app.random(), app.now_ms()));
    let app = app.clone();
    app.tasks.clone().spawn(async move {
        if let Ok(Ok(upgraded)) = tokio::time::timeout(HANDSHAKE_WAIT, upgraded).await {
            hand_over::<S>(app, session, upgraded);
        }
    });
    response
}

/// Takes the raw stream back from HTTP and gives it to a task of its own, which holds nothing of HTTP.
fn hand_over<S: Stream>(app: App, session: Arc<Session>, upgraded: Upgraded) {
    let Ok(parts) = upgraded.downcast::<TokioIo<S>>() else {
        return;
    };
    if !parts.read_buf.is_empty() {
        // A client must wait for the 101; whoever does not is no WebSocket client.
        return;
    }
    let io = parts.io.into_inner();
    let id = app.connections.add(Arc::clone(&session));
    app.metrics
        .socket_connections
        .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    app.tasks.clone().spawn(async move {
        connection::run(app.clone(), session, io).await;
        app.connections.remove(id);
        app.metrics
            .socket_connections
            .fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    });
}
