//! The web app, embedded: files of `web/dist` with the headers that keep them honest.
//!
//! Hashed files are cached for good, the page itself never. Brotli twins (`.br`), made by the web build, are served as they are.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
struct Dist;

/// One line; the web app's build is tested against it.
const CONTENT_SECURITY_POLICY: &str = include_str!("../../../web/csp.txt");
/// Names under this folder hold a hash of their content.
const HASHED: &str = "assets/";
const NOT_BUILT: &str = "The web app is not part of this build. Run `make web`, then build again.\n";

/// Serves `/` and every embedded file. A path without a dot is a screen of the app: it gets the page.
pub(crate) fn router() -> Router {
    Router::new().fallback(get(serve))
}

async fn serve(uri: Uri, headers: HeaderMap) -> Response<Body> {
    let path = uri.path().trim_start_matches('/');
    let screen = !path.contains('.');
    let name = if screen { "index.html" } else { path };
    match Dist::get(name) {
        Some(file) => found(name, file, &headers),
        None if screen => plain(StatusCode::OK, NOT_BUILT),
        None => plain(StatusCode::NOT_FOUND, "not found\n"),
    }
}

fn found(name: &str, file: EmbeddedFile, request: &HeaderMap) -> Response<Body> {
    let brotli = accepts_brotli(request)
        .then(|| Dist::get(&format!("{name}.br")))
        .flatten();
    let encoded = brotli.is_some();
    let mut response = Response::new(Body::from(brotli.unwrap_or(file).data));
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, content_type(name));
    set(
        headers,
        header::CACHE_CONTROL,
        if name.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        },
    );
    set(headers, header::VARY, "accept-encoding");
    if encoded {
        set(headers, header::CONTENT_ENCODING, "br");
    }
    protect(headers);
    response
}

/// The app may run its own scripts and talk to its own server; nothing else, and nobody may frame it.
fn protect(headers: &mut HeaderMap) {
    set(headers, header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY.trim());
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(
        headers,
        header::HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(
        headers,
        header::HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(
        headers,
        header::HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(self), geolocation=(self)",
    );
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    set(
        response.headers_mut(),
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8",
    );
    protect(response.headers_mut());
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

fn accepts_brotli(request: &HeaderMap) -> bool {
    let accepted = request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepted
        .split(',')
        .any(|coding| coding.split(';').next().is_some_and(|name| name.trim() == "br"))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_sent_only_to_who_asks_for_it() {
        let asking =
            |value: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
        assert!(accepts_brotli(&asking("gzip, deflate, br;q=1.0")));
        assert!(!accepts_brotli(&asking("gzip, brx")));
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn every_answer_carries_the_policy() {
        for path in ["/", "/settings", "/i/code", "/none.js"] {
            let response = serve(Uri::from_static(path), HeaderMap::new()).await;
            assert!(
                response.headers().contains_key(header::CONTENT_SECURITY_POLICY),
                "{path}"
            );
        }
    }
}
