//! The signature of a delivery: HMAC-SHA256 under the app's secret, over the very bytes that go out.

use http::HeaderName;
use ring::hmac;

/// Receivers look for it in any case; HTTP/1 writes it in lower case.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-hub-signature-256");

/// The header's value. Sign what is sent, never a second serialisation of it.
pub fn signature(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac_sha256(app_secret.as_bytes(), body)))
}

pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_openssl() {
        // printf '{"a":1}' | openssl dgst -sha256 -hmac appsecret
        let expected = "sha256=bad0361b4fbcce21d3bc25f6eceb8f23abce856cd76c29d18d477dbbff237687";
        assert_eq!(signature("appsecret", br#"{"a":1}"#), expected);
    }

    #[test]
    fn every_length_is_a_key() {
        for length in [0, 1, 64, 65, 1000] {
            assert_eq!(signature(&"k".repeat(length), b"x").len(), 7 + 64);
        }
    }
}
