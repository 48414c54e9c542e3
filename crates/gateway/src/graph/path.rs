//! Paths of the Graph API: a version that may be missing, then the segments of a node and its edge.

use http::Method;
use percent_encoding::percent_decode_str;

/// Fewer digits are no node id, so that `/404` stays with the web app.
const NODE_DIGITS_MIN: usize = 5;

/// A path without its version and its slashes, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphPath {
    /// As sent, such as `v23.0`; every version means the same here.
    pub version: Option<String>,
    pub segments: Vec<String>,
}

impl GraphPath {
    /// Empty segments are dropped: base addresses with and without a slash at the end are joined carelessly.
    pub fn parse(path: &str) -> Self {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let decoded = segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned());
        let mut segments: Vec<String> = decoded.collect();
        let versioned = segments.first().is_some_and(|first| is_version(first));
        let version = versioned.then(|| segments.remove(0));
        Self { version, segments }
    }

    /// For a match over segments.
    pub fn as_strs(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }
}

/// Whether a request is the gateway's and not the web app's.
pub fn is_gateway_path(method: &Method, path: &str) -> bool {
    let path = GraphPath::parse(path);
    if path.version.is_some() {
        return true;
    }
    match path.segments.first().map(String::as_str) {
        // A batch; the web app is only ever fetched.
        None => method == Method::POST,
        Some("oauth" | "debug_token") => true,
        Some(first) => is_node_id(first) || first.starts_with("upload:") || first.starts_with("4::"),
    }
}

/// Ids of nodes are decimal numbers.
fn is_node_id(segment: &str) -> bool {
    segment.len() >= NODE_DIGITS_MIN && segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// `v23.0`
fn is_version(segment: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    segment
        .strip_prefix('v')
        .and_then(|number| number.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_and_slashes_do_not_matter() {
        for path in [
            "/100001/messages",
            "/v23.0/100001/messages",
            "//v14.0/100001/messages/",
            "/v23.0//100001/messages",
        ] {
            assert_eq!(GraphPath::parse(path).as_strs(), ["100001", "messages"], "{path}");
        }
        assert_eq!(GraphPath::parse("/v23.0/1").version.as_deref(), Some("v23.0"));
        assert_eq!(GraphPath::parse("/v23.0/").as_strs(), [""; 0]);
        // Only the first one is a version.
        assert_eq!(GraphPath::parse("/v1.0/v2.0").as_strs(), ["v2.0"]);
    }

    #[test]
    fn segments_are_decoded_after_the_split() {
        assert_eq!(GraphPath::parse("/upload%3Aab%2Fc/x").as_strs(), ["upload:ab/c", "x"]);
    }

    #[test]
    fn the_gateway_takes_its_own_paths_only() {
        for path in [
            "/v23.0/me",
            "/100001/messages",
            "/12345",
            "/upload:abc",
            "/4::aW",
            "/oauth/access_token",
            "/debug_token",
            "//v1.0/x",
        ] {
            assert!(is_gateway_path(&Method::GET, path), "{path}");
        }
        for path in [
            "/",
            "/1234",
            "/404",
            "/healthz",
            "/assets/app.js",
            "/v23/x",
            "/vx.y/z",
            "/12345a",
            "/c/12345",
        ] {
            assert!(!is_gateway_path(&Method::GET, path), "{path}");
        }
        assert!(is_gateway_path(&Method::POST, "/"));
    }
}
