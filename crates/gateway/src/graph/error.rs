//! Refusals as the Graph API says them: every code that the gateway uses, the envelope of an answer, the form inside a webhook.
//!
//! Clients branch on the code and show `error_data.details`: both are always there. Details name a parameter and a rule,
//! never a token or the text of a message.

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use rand::RngCore as _;
use serde_json::{Value, json};

/// Carries the trace id beside the body, on answers of every kind.
pub const TRACE_HEADER: HeaderName = HeaderName::from_static("x-fb-trace-id");
/// Where a person reads what a code means.
const HREF: &str = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";
const OAUTH: &str = "OAuthException";
const METHOD: &str = "GraphMethodException";

/// What is known of a code before it happens.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: u32,
    pub subcode: Option<u32>,
    pub status: StatusCode,
    /// `type` of the envelope.
    pub kind: &'static str,
    pub title: &'static str,
    /// The same request may succeed later.
    pub transient: bool,
}

impl Fault {
    const fn new(code: u32, status: StatusCode, title: &'static str) -> Self {
        Self {
            code,
            subcode: None,
            status,
            kind: OAUTH,
            title,
            transient: false,
        }
    }

    const fn transient(code: u32, status: StatusCode, title: &'static str) -> Self {
        let fault = Self::new(code, status, title);
        Self {
            transient: true,
            ..fault
        }
    }
}

/// A call that is refused, or a message that failed after it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("(#{}) {}: {details}", .fault.code, .fault.title)]
pub struct GraphError {
    pub fault: &'static Fault,
    /// A sentence that names the thing and the rule.
    pub details: String,
    /// Becomes the header Retry-After. SDKs take that header for leave to repeat the request, so only
    /// throttling and outages have it.
    pub retry_after: Option<Duration>,
}

/// One constructor per code; the argument is what `error_data.details` says.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $fault:expr;)*) => {
        impl GraphError {
            $(
                $(#[$doc])*
                pub fn $name(details: impl Into<String>) -> Self {
                    static FAULT: Fault = $fault;
                    Self { fault: &FAULT, details: details.into(), retry_after: None }
                }
            )*
        }
    };
}

faults! {
    auth_failed = Fault::new(0, StatusCode::UNAUTHORIZED, "Authentication failed");
    permission_denied = Fault::new(10, StatusCode::FORBIDDEN, "Permission denied");
    /// A malformed request; for a single parameter see [`GraphError::parameter_value`].
    invalid_request = Fault::new(100, StatusCode::BAD_REQUEST, "Invalid parameter");
    token_missing = Fault::new(104, StatusCode::UNAUTHORIZED, "An access token is required to request this resource");
    token_invalid = Fault::new(190, StatusCode::UNAUTHORIZED, "Invalid OAuth access token");
    permission_missing = Fault::new(200, StatusCode::FORBIDDEN, "Permissions error");
    callback_failed = Fault::new(2200, StatusCode::BAD_REQUEST, "Callback verification failed");
    throughput_reached = Fault::transient(130_429, StatusCode::TOO_MANY_REQUESTS, "Rate limit hit");
    internal = Fault::transient(131_000, StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong");
    unavailable = Fault::transient(131_016, StatusCode::SERVICE_UNAVAILABLE, "Service unavailable");
    recipient_is_sender = Fault::new(131_021, StatusCode::BAD_REQUEST, "Recipient cannot be sender");
    undeliverable = Fault::new(131_026, StatusCode::BAD_REQUEST, "Message undeliverable");
    recipient_not_allowed = Fault::new(131_030, StatusCode::BAD_REQUEST, "Recipient phone number not in allowed list");
    account_locked = Fault::new(131_031, StatusCode::FORBIDDEN, "Business account has been locked");
    payment_issue = Fault::new(131_042, StatusCode::BAD_REQUEST, "Business eligibility payment issue");
    window_closed = Fault::new(131_047, StatusCode::BAD_REQUEST, "Re-engagement message");
    type_unsupported = Fault::new(131_051, StatusCode::BAD_REQUEST, "Unsupported message type");
    media_download = Fault::new(131_052, StatusCode::BAD_REQUEST, "Media download error");
    media_upload = Fault::new(131_053, StatusCode::BAD_REQUEST, "Media upload error");
    pair_rate_reached = Fault::transient(131_056, StatusCode::TOO_MANY_REQUESTS, "(Business Account, Consumer Account) pair rate limit hit");
    template_parameter_count = Fault::new(132_000, StatusCode::BAD_REQUEST, "Number of parameters does not match the expected number of params");
    template_unknown = Fault::new(132_001, StatusCode::NOT_FOUND, "Template name does not exist in the translation");
    template_text_too_long = Fault::new(132_005, StatusCode::BAD_REQUEST, "Translated text too long");
    template_parameter_format = Fault::new(132_012, StatusCode::BAD_REQUEST, "Parameter format does not match format in the created template");
    template_paused = Fault::new(132_015, StatusCode::BAD_REQUEST, "Template is paused");
    flow_update = Fault::new(139_001, StatusCode::BAD_REQUEST, "Flow failed to update");
    flow_publish = Fault::new(139_002, StatusCode::BAD_REQUEST, "Flow failed to publish");
    flow_deprecate = Fault::new(139_003, StatusCode::BAD_REQUEST, "Flow failed to deprecate");
    flow_delete = Fault::new(139_004, StatusCode::BAD_REQUEST, "Flow failed to delete");
    template_disabled = Fault::new(132_016, StatusCode::BAD_REQUEST, "Template is disabled");
}

static UNKNOWN_NODE: Fault = Fault {
    subcode: Some(33),
    kind: METHOD,
    ..Fault::new(
        100,
        StatusCode::BAD_REQUEST,
        "Unsupported request: the object does not exist, is not visible with this token, or has no such operation",
    )
};
static PARAMETER_MISSING: Fault = Fault::new(131_008, StatusCode::BAD_REQUEST, "Required parameter is missing");
static PARAMETER_VALUE: Fault = Fault::new(131_009, StatusCode::BAD_REQUEST, "Parameter value is not valid");

impl GraphError {
    /// Code 100 with subcode 33: what does not exist and what the token may not see answer alike.
    pub fn unknown_node(id: &str) -> Self {
        // The id is the caller's text: only so much of it goes back.
        let id: String = id.chars().take(64).collect();
        Self::of(
            &UNKNOWN_NODE,
            format!("no object with ID '{id}' is visible with this token"),
        )
    }

    /// 131008; `path` as in `interactive.action.buttons[0].reply.title`.
    pub fn parameter_missing(path: &str) -> Self {
        Self::of(&PARAMETER_MISSING, format!("The parameter {path} is required."))
    }

    /// 131009; the rule is said after the path, as in "must be a string".
    pub fn parameter_value(path: &str, rule: impl std::fmt::Display) -> Self {
        Self::of(&PARAMETER_VALUE, format!("{path} {rule}"))
    }

    fn of(fault: &'static Fault, details: String) -> Self {
        Self {
            fault,
            details,
            retry_after: None,
        }
    }

    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// The same request may succeed later; it may also have had its effect.
    pub fn is_transient(&self) -> bool {
        self.fault.transient
    }

    pub fn code(&self) -> u32 {
        self.fault.code
    }

    /// `(#code) title`, as clients print it.
    pub fn message(&self) -> String {
        format!("(#{}) {}", self.fault.code, self.fault.title)
    }

    /// The body of the answer, also inside a batch.
    pub fn envelope(&self, trace_id: &str) -> Value {
        let mut error = json!({
            "message": self.message(),
            "type": self.fault.kind,
            "code": self.fault.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.details },
            "fbtrace_id": trace_id,
        });
        if let Some(subcode) = self.fault.subcode {
            error["error_subcode"] = subcode.into();
        }
        if self.fault.transient {
            error["is_transient"] = true.into();
        }
        json!({ "error": error })
    }

    /// One entry of `errors` in a webhook.
    pub fn webhook_entry(&self) -> Value {
        json!({
            "code": self.fault.code,
            "title": self.fault.title,
            "message": self.fault.title,
            "error_data": { "details": self.details },
            "href": HREF,
        })
    }

    /// The answer under a trace id that is known already.
    pub fn respond(&self, trace_id: &str) -> Response {
        let mut response = (self.fault.status, Json(self.envelope(trace_id))).into_response();
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(trace_id) {
            headers.insert(TRACE_HEADER, value);
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: a client that comes a moment early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        response
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        self.respond(&trace_id())
    }
}

/// A fresh trace id, as short as the ones that SDKs know.
pub fn trace_id() -> String {
    let mut bytes = [0; 15];
    rand::rng().fill_bytes(&mut bytes);
    format!("A{}", URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(error: GraphError) -> (http::response::Parts, Value) {
        let (parts, body) = error.into_response().into_parts();
        let bytes = axum::body::to_bytes(body, 64 * 1024).await.expect("a body");
        (parts, serde_json::from_slice(&bytes).expect("JSON"))
    }

    #[tokio::test]
    async fn the_envelope_has_what_sdks_read() {
        let (parts, body) = answer(GraphError::window_closed("more than 24 hours")).await;
        assert_eq!(parts.status, StatusCode::BAD_REQUEST);
        let error = &body["error"];
        assert_eq!(error["message"], "(#131047) Re-engagement message");
        assert_eq!(error["type"], "OAuthException");
        assert_eq!(error["code"], 131_047);
        assert_eq!(
            error["error_data"],
            json!({ "messaging_product": "whatsapp", "details": "more than 24 hours" })
        );
        assert_eq!(
            error["fbtrace_id"],
            *parts.headers[TRACE_HEADER].to_str().expect("text")
        );
        assert!(error.get("error_subcode").is_none() && error.get("is_transient").is_none());
        // With that header an SDK would repeat what can only be refused again.
        assert!(!parts.headers.contains_key(header::RETRY_AFTER));
    }

    #[tokio::test]
    async fn a_throttled_call_says_when_to_come_back() {
        let throttled = GraphError::throughput_reached("80 messages a second").retry_after(Duration::from_millis(1200));
        let (parts, body) = answer(throttled).await;
        assert_eq!(parts.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(parts.headers[header::RETRY_AFTER], "2");
        assert_eq!(body["error"]["is_transient"], true);
    }

    #[tokio::test]
    async fn an_unknown_node_has_its_subcode() {
        let (parts, body) = answer(GraphError::unknown_node(&"9".repeat(100))).await;
        assert_eq!(parts.status, StatusCode::BAD_REQUEST);
        assert_eq!(body["error"]["error_subcode"], 33);
        assert_eq!(body["error"]["type"], "GraphMethodException");
        assert!(body["error"]["error_data"]["details"].as_str().expect("text").len() < 130);
    }

    #[test]
    fn codes_have_the_status_that_clients_expect() {
        for (error, code, status) in [
            (GraphError::token_invalid("x"), 190, 401),
            (GraphError::permission_denied("x"), 10, 403),
            (GraphError::template_unknown("x"), 132_001, 404),
            (GraphError::unavailable("x"), 131_016, 503),
            (GraphError::parameter_missing("to"), 131_008, 400),
        ] {
            assert_eq!((error.code(), error.fault.status.as_u16()), (code, status));
        }
    }

    #[test]
    fn a_webhook_names_code_title_and_details() {
        let entry = GraphError::undeliverable("not on Kabar").webhook_entry();
        assert_eq!(entry["code"], 131_026);
        assert_eq!(entry["title"], entry["message"]);
        assert_eq!(entry["error_data"]["details"], "not on Kabar");
    }
}
