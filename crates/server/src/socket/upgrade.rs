//! The WebSocket handshake at /v1/socket: who may ask, and from where.
//!
//! Browsers name the page's origin: it must be this server's own, or a `http://*.localhost` page of the same port.

use std::net::{IpAddr, SocketAddr};

use axum::{body::Body, response::IntoResponse as _};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};

use super::websocket::accept_key;
use crate::app::App;

pub(super) const SOCKET_PATH: &str = "/v1/socket";

/// The answer to the handshake: 101, or why not.
pub(super) fn handshake(
    app: &App,
    request: &Request<hyper::body::Incoming>,
) -> Result<Response<Body>, Box<Response<Body>>> {
    let headers = request.headers();
    if !is_token(headers, header::CONNECTION, "upgrade") || !is_token(headers, header::UPGRADE, "websocket") {
        return Err(refuse(StatusCode::UPGRADE_REQUIRED, "this path speaks WebSocket only"));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err(refuse(StatusCode::BAD_REQUEST, "Sec-WebSocket-Version must be 13"));
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing"));
    };
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin_allowed(&app.public_url, origin)
    {
        return Err(refuse(StatusCode::FORBIDDEN, "this page's origin may not connect"));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let out = response.headers_mut();
    out.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    out.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(accept_key(key.as_bytes())) {
        out.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(response)
}

fn refuse(status: StatusCode, message: &'static str) -> Box<Response<Body>> {
    let error = serde_json::json!({ "error": { "code": status.as_u16(), "message": message } });
    Box::new((status, axum::Json(error)).into_response())
}

fn is_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

/// Programs send no Origin; a browser's must be ours, so that no other site uses a person's session.
fn origin_allowed(public_url: &str, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    if origin == origin_of(public_url) {
        return true;
    }
    // Browsers treat http://*.localhost as secure, and only this machine answers there.
    let (Ok(page), Ok(ours)) = (origin.parse::<Uri>(), public_url.parse::<Uri>()) else {
        return false;
    };
    let host = page.host().unwrap_or_default();
    let local = host == "localhost" || host.ends_with(".localhost");
    let ours_local = ours
        .host()
        .is_some_and(|host| host == "localhost" || host.ends_with(".localhost"));
    page.scheme_str() == Some("http") && local && ours_local && page.port_u16() == ours.port_u16()
}

/// `scheme://host[:port]` of a URL.
fn origin_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..].find('/').map_or(url.len(), |at| after_scheme + at);
    &url[..end]
}

/// The client's address for limits: what a trusted proxy says, else the peer; `None` for a plain loopback peer.
pub(crate) fn client_address(app: &App, peer: SocketAddr, headers: &HeaderMap) -> Option<IpAddr> {
    let forwarded = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    // The last entry is the proxy's own observation; what stands before it anybody can write.
    let forwarded = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    let trusted = app.config.server.trust_forwarded_for || peer.ip().is_loopback();
    match forwarded {
        Some(address) if trusted => Some(address),
        _ if peer.ip().is_loopback() => None,
        _ => Some(peer.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_local_ones_connect() {
        let allowed = |ours: &str, page: &str| origin_allowed(ours, &HeaderValue::from_str(page).expect("a header"));
        assert!(allowed("https://chat.example", "https://chat.example"));
        assert!(allowed("http://localhost:8080", "http://localhost:8080"));
        assert!(allowed("http://localhost:8080", "http://sari.localhost:8080"));
        for (ours, page) in [
            ("https://chat.example", "https://evil.example"),
            ("https://chat.example", "http://chat.example"),
            ("https://chat.example", "http://sari.localhost:443"),
            ("http://localhost:8080", "http://localhost:9090"),
            ("http://localhost:8080", "http://localhost.evil.example:8080"),
            ("http://localhost:8080", "null"),
        ] {
            assert!(!allowed(ours, page), "{page} at {ours}");
        }
    }
}
