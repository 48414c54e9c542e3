//! HTTP to the bucket by the client that the program has already: rustls with ring, the system's roots, no redirects, no proxy.
//!
//! `object_store` brings a client of its own only on demand; it would be a second reqwest, with a second TLS library.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use http_body_util::BodyExt as _;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    },
};
use reqwest::{Body, Client, redirect::Policy};

const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// Between two pieces of an answer, and before its first: a part goes up in this time.
const READ_WAIT: Duration = Duration::from_secs(60);
const IDLE_MAX: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Connector;

#[derive(Debug)]
struct Service(Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = client().map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        Ok(HttpClient::new(Service(client)))
    }
}

fn client() -> Result<Client, reqwest::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_WAIT)
        .read_timeout(READ_WAIT)
        .pool_idle_timeout(IDLE_MAX)
        .no_proxy();
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    match tls {
        Ok(tls) => builder.use_preconfigured_tls(tls.with_root_certificates(roots).with_no_client_auth()),
        // Ring has the default versions; without them the client's own building says what is missing.
        Err(_) => builder,
    }
    .build()
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Service {
    /// As `async_trait` writes it, which this is the only use of.
    fn call<'life0, 'async_trait>(&'life0 self, request: HttpRequest) -> Answer<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let request: reqwest::Request = request.map(Body::wrap).try_into().map_err(failed)?;
            let response: http::Response<Body> = self.0.execute(request).await.map_err(failed)?.into();
            let (parts, body) = response.into_parts();
            let body = HttpResponseBody::new(body.map_err(failed));
            Ok(HttpResponse::from_parts(parts, body))
        })
    }
}

/// What of it may be tried again.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_body() || error.is_decode() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Request
    };
    HttpError::new(kind, error.without_url())
}
