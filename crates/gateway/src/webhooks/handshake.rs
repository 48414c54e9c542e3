//! The handshake of a callback address: a GET with a challenge, answered by the challenge. Builds and judges; others fetch.

use http::Uri;
use rand::Rng as _;

use crate::graph::GraphError;

const URL_BYTES_MAX: usize = 2000;

/// One attempt to verify one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Ten digits, the first not 0: receivers that answer with JSON read it as a number.
    number: u64,
}

impl Challenge {
    pub fn new(rng: &mut impl rand::RngCore) -> Self {
        let number = rng.random_range(1_000_000_000..=9_999_999_999);
        Self { number }
    }

    /// The address to fetch. A query that the callback has already stays.
    pub fn address(&self, callback_url: &str, verify_token: &str) -> Result<String, GraphError> {
        let (base, _fragment) = callback_url.split_once('#').unwrap_or((callback_url, ""));
        let valid = base.len() <= URL_BYTES_MAX
            && base.parse::<Uri>().is_ok_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
            });
        if !valid {
            let details = format!("the callback must be an http or https address of at most {URL_BYTES_MAX} bytes");
            return Err(GraphError::callback_failed(details));
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.challenge", &self.number.to_string())
            .append_pair("hub.verify_token", verify_token)
            .finish();
        let separator = match base.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        Ok(format!("{base}{separator}{query}"))
    }

    /// Whether the receiver knows the verify token; 2200 says what it answered instead, without quoting it.
    pub fn check(&self, status: u16, body: &[u8]) -> Result<(), GraphError> {
        if status != 200 {
            let details = format!("the callback answered HTTP {status}, not 200");
            return Err(GraphError::callback_failed(details));
        }
        let answered: Option<u64> = std::str::from_utf8(body).ok().and_then(|text| text.trim().parse().ok());
        if answered == Some(self.number) {
            Ok(())
        } else {
            let details = "the callback must answer with hub.challenge alone, as plain text or as a JSON number";
            Err(GraphError::callback_failed(details))
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    const CHALLENGE: Challenge = Challenge { number: 1_158_201_444 };

    #[test]
    fn the_address_keeps_the_callbacks_own_query() {
        let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=v+t%26";
        for (callback, expected) in [
            ("https://x.y/hook", format!("https://x.y/hook?{query}")),
            ("http://127.0.0.1:8080/", format!("http://127.0.0.1:8080/?{query}")),
            ("https://x.y/hook?a=1", format!("https://x.y/hook?a=1&{query}")),
            ("https://x.y/hook?", format!("https://x.y/hook?{query}")),
            ("https://x.y/hook#top", format!("https://x.y/hook?{query}")),
        ] {
            assert_eq!(CHALLENGE.address(callback, "v t&"), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for callback in [
            "",
            "x.y/hook",
            "ftp://x.y",
            "https://",
            "https://x y",
            &format!("https://x.y/{}", "a".repeat(2000)),
        ] {
            let error = CHALLENGE.address(callback, "t").expect_err(callback);
            assert_eq!(error.code(), 2200, "{callback}");
        }
    }

    #[test]
    fn only_the_challenge_itself_answers_it() {
        for body in ["1158201444", " 1158201444\r\n"] {
            assert_eq!(CHALLENGE.check(200, body.as_bytes()), Ok(()), "{body}");
        }
        for (status, body) in [
            (200, "\"1158201444\""),
            (200, "1158201445"),
            (200, ""),
            (200, "<p>1158201444</p>"),
            (403, "1158201444"),
            (204, "1158201444"),
        ] {
            assert_eq!(CHALLENGE.check(status, body.as_bytes()).expect_err(body).code(), 2200);
        }
    }

    #[test]
    fn challenges_have_ten_digits() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        for _ in 0..100 {
            assert_eq!(Challenge::new(&mut rng).number.to_string().len(), 10);
        }
    }
}
