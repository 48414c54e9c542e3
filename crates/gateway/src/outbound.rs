//! Requests to addresses that others name: webhooks, and what comes after them.
//!
//! Whoever names an address must not reach what only this machine reaches: where private addresses are not allowed,
//! every address that a name resolves to is checked, and redirects are not followed.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::Uri;
use reqwest::{
    Client, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

/// A receiver that takes longer has not taken it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Outbound {
    client: Client,
    allow_private: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    #[error("{0} is not an http or https address")]
    Address(String),
    #[error("{0} is a private address, and this server does not send there")]
    Private(String),
    #[error("{0}")]
    Http(String),
}

/// An HTTP client with this program's TLS: rustls with ring, the system's roots, no redirects, bounded waits.
pub fn http_client() -> Result<Client, reqwest::Error> {
    builder().build()
}

fn builder() -> ClientBuilder {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = Client::builder()
        .redirect(Policy::none())
        .timeout(REQUEST_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .no_proxy()
        .user_agent("kabar-gateway");
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    match tls {
        Ok(tls) => builder.use_preconfigured_tls(tls.with_root_certificates(roots).with_no_client_auth()),
        // Ring has the default versions; without them the client's own building says what is missing.
        Err(_) => builder,
    }
}

impl Outbound {
    pub(crate) fn new(allow_private: bool) -> Result<Self, OutboundError> {
        let mut builder = builder();
        if !allow_private {
            builder = builder.dns_resolver(Arc::new(PublicOnly));
        }
        let client = builder
            .build()
            .map_err(|error| OutboundError::Http(error.to_string()))?;
        Ok(Self { client, allow_private })
    }

    /// The client, once the address may be asked.
    pub(crate) fn to(&self, url: &str) -> Result<&Client, OutboundError> {
        let uri: Uri = url.parse().map_err(|_| OutboundError::Address(url.to_owned()))?;
        let host = uri.host().unwrap_or_default();
        if !matches!(uri.scheme_str(), Some("http" | "https")) || host.is_empty() {
            return Err(OutboundError::Address(url.to_owned()));
        }
        // A literal address is never resolved, so it is looked at here.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if !self.allow_private && literal.is_ok_and(|address| !is_public(address)) {
            return Err(OutboundError::Private(host.to_owned()));
        }
        Ok(&self.client)
    }
}

/// Resolves names to public addresses only.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(OutboundError::Private(name.as_str().to_owned()).into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let reserved = a == 0 || a >= 240 || (a == 198 && (b == 18 || b == 19));
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || shared
                || reserved)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(IpAddr::V4(v4));
            }
            let first = v6.segments()[0];
            // Global unicast, without the documentation and translation prefixes.
            (first & 0xe000) == 0x2000 && first != 0x2002 && !(first == 0x2001 && v6.segments()[1] == 0x0db8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_refused_in_every_spelling() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
        for address in ["1.1.1.1", "93.184.216.34", "2606:4700::1111"] {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn an_address_is_http_and_public() {
        let outbound = Outbound::new(false).expect("a client");
        assert!(outbound.to("https://example.com/hook").is_ok());
        for url in [
            "ftp://example.com",
            "example.com",
            "http://127.0.0.1/",
            "http://[::1]:80/",
            "file:///etc/passwd",
        ] {
            assert!(outbound.to(url).is_err(), "{url}");
        }
        assert!(Outbound::new(true).expect("a client").to("http://127.0.0.1:1/").is_ok());
    }
}
