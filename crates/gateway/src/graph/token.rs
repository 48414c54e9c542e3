//! Who calls: the access token of a request, and the proof that the caller also knows the app's secret.
//!
//! Finds and parses only; which tokens exist is the store's.

use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::{GraphError, Object};
use crate::webhooks::signature::hmac_sha256;

/// An access token as it was sent. Without its text in Debug: a token belongs in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    raw: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    pub fn new(raw: impl Into<String>) -> Self {
        Self { raw: raw.into() }
    }

    /// From the header (`Bearer` or `OAuth`), else from the parameter `access_token`; 104 without either.
    pub fn of_request(headers: &HeaderMap, params: &Object<'_>) -> Result<Self, GraphError> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(token) = header.and_then(of_header) {
            return Ok(Self::new(token));
        }
        match params.string("access_token")? {
            Some(token) if !token.is_empty() => Ok(Self::new(token)),
            _ => Err(GraphError::token_missing(
                "send the token as Authorization: Bearer <token> or as the parameter access_token",
            )),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// App id and secret, where this is an app token: `APPID|SECRET`.
    pub fn app(&self) -> Option<(&str, &str)> {
        let (app_id, secret) = self.raw.split_once('|')?;
        let digits = !app_id.is_empty() && app_id.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !secret.is_empty()).then_some((app_id, secret))
    }

    /// `appsecret_proof` as the holder of the secret computes it.
    pub fn proof(&self, app_secret: &str) -> String {
        hex::encode(hmac_sha256(app_secret.as_bytes(), self.raw.as_bytes()))
    }

    /// Whether the caller knew the secret. Takes the same time for every wrong proof.
    pub fn has_proof(&self, app_secret: &str, appsecret_proof: &str) -> bool {
        let proof = self.proof(app_secret);
        bool::from(proof.as_bytes().ct_eq(appsecret_proof.to_ascii_lowercase().as_bytes()))
    }
}

fn of_header(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let known = ["bearer", "oauth"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    Some(token.trim()).filter(|token| known && !token.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(header: Option<&str>, parameter: Option<&str>) -> Result<Token, GraphError> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(header::AUTHORIZATION, header.parse().expect("a header"));
        }
        let params = json!({ "access_token": parameter });
        Token::of_request(&headers, &Object::root(params.as_object().expect("an object").clone()))
    }

    #[test]
    fn a_token_comes_in_a_header_or_as_a_parameter() {
        for (header, parameter) in [
            (Some("Bearer EAA"), None),
            (Some("bearer  EAA"), Some("other")),
            (Some("OAuth EAA"), None),
            (None, Some("EAA")),
            (Some("Basic YTpi"), Some("EAA")),
        ] {
            assert_eq!(token(header, parameter).expect("a token").as_str(), "EAA");
        }
        for (header, parameter) in [(None, None), (Some("Bearer "), None), (None, Some(""))] {
            assert_eq!(token(header, parameter).expect_err("none").code(), 104);
        }
    }

    #[test]
    fn an_app_token_has_a_number_before_the_bar() {
        assert_eq!(Token::new("900001|s3|x").app(), Some(("900001", "s3|x")));
        for other in ["EAA", "EA|A", "|s", "900001|"] {
            assert_eq!(Token::new(other).app(), None, "{other}");
        }
    }

    #[test]
    fn a_proof_fits_one_secret_and_one_token() {
        let token = Token::new("EAAtest");
        // Made by: printf EAAtest | openssl dgst -sha256 -hmac appsecret
        let proof = "6b64d750436a2995700c9fd7e1ab7fe3cc089a7629798043515dcdf4b450d144";
        assert_eq!(token.proof("appsecret"), proof);
        assert!(token.has_proof("appsecret", proof) && token.has_proof("appsecret", &proof.to_uppercase()));
        assert!(!token.has_proof("other", proof) && !Token::new("EAA").has_proof("appsecret", proof));
        assert!(!token.has_proof("appsecret", "") && !token.has_proof("appsecret", "zz"));
    }

    #[test]
    fn debug_does_not_show_the_token() {
        assert!(!format!("{:?}", Token::new("EAAsecret")).contains("EAAsecret"));
    }
}
