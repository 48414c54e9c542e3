//! What commands print: one JSON object a line for scripts, sentences for people; errors on stderr.

use std::io::{self, Write};

use kabar_client::api::ApiError;
use kabar_gateway::GatewayError;
use kabar_server::{StartError, admin::AdminError};
use serde::Serialize;
use serde_json::{Value, json};

/// How this run of the binary talks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

/// A failure with a stable code and a sentence that names the thing and the rule.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    /// The argument that was refused, where it is one.
    pub(crate) parameter: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            parameter: None,
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self {
            code: error.code,
            message: error.message,
            parameter: error.parameter,
        }
    }
}

impl From<kabar_client::HomeError> for Failure {
    fn from(error: kabar_client::HomeError) -> Self {
        let code = match error {
            kabar_client::HomeError::Locked { .. } => "home_locked",
            kabar_client::HomeError::NoServer(_) | kabar_client::HomeError::Server(_) => "server_address",
            kabar_client::HomeError::Io { .. } | kabar_client::HomeError::Store { .. } => "home_unusable",
        };
        Self::new(code, error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::new("start", error.to_string())
    }
}

impl From<kabar_gateway::admin::AdminError> for Failure {
    fn from(error: kabar_gateway::admin::AdminError) -> Self {
        Self::new(error.code, error.message)
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        Self::new("gateway", error.to_string())
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        Self::new(&error.code, error.message)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new("io", error.to_string())
    }
}

impl Output {
    /// Prints one answer: the JSON object, or the sentence.
    pub(crate) fn answer(self, value: &impl Serialize, sentence: impl FnOnce() -> String) -> Result<(), Failure> {
        let line = if self.json {
            to_json(value)?.to_string()
        } else {
            sentence()
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        Ok(out.flush()?)
    }

    /// Prints a failure where scripts look for it.
    pub(crate) fn failure(self, failure: &Failure) {
        let line = if self.json {
            let mut error = json!({"code": failure.code, "message": failure.message});
            if let Some(parameter) = &failure.parameter {
                error["parameter"] = json!(parameter);
            }
            json!({"error": error}).to_string()
        } else {
            format!("error: {}", failure.message)
        };
        // Nothing is left to tell it to if stderr is closed.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

pub(crate) fn to_json(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::new("internal", error.to_string()))
}
