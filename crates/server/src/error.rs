//! Failures as the wire shows them, and why a server does not start.
//!
//! `reason` is a stable machine word; every reason is listed in [`reason`]. Internal text never leaves the server.

use std::{net::SocketAddr, path::PathBuf};

use kabar_protocol::wire::{Error, error::Code};

use crate::{db::DbError, limits::RateLimit};

/// Every stable reason of an `Error` frame.
pub mod reason {
    pub const FRAME_TOO_LARGE: &str = "frame_too_large";
    pub const FRAME_MALFORMED: &str = "frame_malformed";
    pub const FRAME_UNKNOWN: &str = "frame_unknown";
    pub const PARAMETER_INVALID: &str = "parameter_invalid";
    pub const TOO_MANY_REQUESTS_IN_FLIGHT: &str = "too_many_requests_in_flight";
    pub const SESSION_REQUIRED: &str = "session_required";
    pub const SESSION_EXISTS: &str = "session_exists";
    pub const VERSION_UNSUPPORTED: &str = "version_unsupported";
    pub const ACCOUNT_UNKNOWN: &str = "account_unknown";
    pub const DEVICE_UNKNOWN: &str = "device_unknown";
    pub const DEVICE_REVOKED: &str = "device_revoked";
    pub const SIGNATURE_INVALID: &str = "signature_invalid";
    pub const SESSION_REPLACED: &str = "session_replaced";
    pub const DEVICE_LIST: &str = "device_list";
    pub const KEY_PACKAGE: &str = "key_package";
    pub const POLICY: &str = "policy";
    pub const WINDOW_CLOSED: &str = "window_closed";
    pub const TEMPLATE_REFUSED: &str = "template_refused";
    pub const BALANCE_SHORT: &str = "balance_short";
    pub const NOT_A_MEMBER: &str = "not_a_member";
    pub const CONVERSATION_UNKNOWN: &str = "conversation_unknown";
    pub const MEDIA_QUOTA: &str = "media_quota";
    pub const REPORT_UNKNOWN: &str = "report_unknown";
    pub const BUCKET_AWAY: &str = "bucket_away";
    pub const ACK_AHEAD: &str = "ack_ahead";
    pub const IDLE: &str = "idle";
    pub const OVERLOADED: &str = "overloaded";
    pub const DISK_FULL: &str = "disk_full";
    pub const SHUTTING_DOWN: &str = "shutting_down";
    pub const INTERNAL: &str = "internal";

    /// For the test that documents them; rate limits add their own names.
    pub const ALL: &[&str] = &[
        FRAME_TOO_LARGE,
        FRAME_MALFORMED,
        FRAME_UNKNOWN,
        PARAMETER_INVALID,
        TOO_MANY_REQUESTS_IN_FLIGHT,
        SESSION_REQUIRED,
        SESSION_EXISTS,
        VERSION_UNSUPPORTED,
        ACCOUNT_UNKNOWN,
        DEVICE_UNKNOWN,
        DEVICE_REVOKED,
        SIGNATURE_INVALID,
        SESSION_REPLACED,
        DEVICE_LIST,
        KEY_PACKAGE,
        POLICY,
        WINDOW_CLOSED,
        TEMPLATE_REFUSED,
        BALANCE_SHORT,
        NOT_A_MEMBER,
        CONVERSATION_UNKNOWN,
        MEDIA_QUOTA,
        REPORT_UNKNOWN,
        BUCKET_AWAY,
        ACK_AHEAD,
        IDLE,
        OVERLOADED,
        DISK_FULL,
        SHUTTING_DOWN,
        INTERNAL,
    ];
}

/// How long a client waits before it tries again after `unavailable`.
const RETRY_AFTER_MS: u64 = 1_000;

/// A request that failed: an `Error` frame in the making.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Failure {
    pub code: Code,
    pub reason: &'static str,
    pub message: String,
    pub parameter: Option<&'static str>,
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            parameter: None,
            retry_after_ms: None,
        }
    }

    /// The parameter breaks a rule; the same bytes never succeed.
    pub fn invalid(parameter: &'static str, rule: impl std::fmt::Display) -> Self {
        Self {
            parameter: Some(parameter),
            ..Self::new(Code::Invalid, reason::PARAMETER_INVALID, format!("{parameter}: {rule}"))
        }
    }

    pub fn unauthenticated(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, reason, message)
    }

    pub fn denied(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Denied, reason, message)
    }

    pub fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, reason, message)
    }

    pub fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            retry_after_ms: Some(RETRY_AFTER_MS),
            ..Self::new(Code::Unavailable, reason, message)
        }
    }

    pub fn overloaded() -> Self {
        Self::unavailable(reason::OVERLOADED, "the server has more to do than it can: try again")
    }

    pub fn disk_full() -> Self {
        Self::unavailable(
            reason::DISK_FULL,
            "the server's disk is full: nothing new is stored until there is space",
        )
    }

    pub(crate) fn rate_limited(limit: RateLimit, retry_after_ms: u64) -> Self {
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::new(
                Code::RateLimited,
                limit.name(),
                format!("{} is limited: try again in {retry_after_ms} ms", limit.name()),
            )
        }
    }

    /// Our fault. The cause goes to the log, once, here.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside the server");
        Self::new(Code::Internal, reason::INTERNAL, "the server failed; its log says why")
    }

    pub fn into_wire(self) -> Error {
        Error {
            code: self.code.into(),
            reason: self.reason.into(),
            message: self.message,
            parameter: self.parameter.map(Into::into),
            retry_after_ms: self.retry_after_ms,
        }
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error {
            DbError::DiskFull => Self::disk_full(),
            DbError::Unavailable => Self::overloaded(),
            other => Self::internal(&other),
        }
    }
}

/// Why the server did not start: the thing and the rule.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("config: {0}")]
    Config(String),
    #[error("data directory {path} cannot be written: {cause}")]
    DataDirectory { path: PathBuf, cause: std::io::Error },
    #[error("data directory {path} is in use: another server holds {path}/lock")]
    Locked { path: PathBuf },
    #[error("listen address {address} is not free: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("TLS file {path} cannot be used: {cause}")]
    Tls { path: PathBuf, cause: String },
    #[error("admin socket {path} cannot be opened: {cause}")]
    AdminSocket { path: PathBuf, cause: std::io::Error },
    #[error("secrets file {path} cannot be used: {cause}")]
    Secrets { path: PathBuf, cause: String },
    #[error("database: {0}")]
    Database(#[from] DbError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_snake_case_and_listed_once() {
        let mut all: Vec<&str> = reason::ALL.to_vec();
        let limits: std::collections::BTreeSet<_> = RateLimit::ALL.iter().map(RateLimit::name).collect();
        all.extend(limits);
        let words = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(all.iter().all(|reason| words(reason)), "{all:?}");
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn an_invalid_parameter_is_named_with_its_rule() {
        let failure = Failure::invalid("send.ciphertext", "at most 65536 bytes, got 70000");
        assert_eq!(failure.message, "send.ciphertext: at most 65536 bytes, got 70000");
        assert_eq!(failure.into_wire().parameter.as_deref(), Some("send.ciphertext"));
    }
}
