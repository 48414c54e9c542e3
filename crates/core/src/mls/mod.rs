//! MLS (RFC 9420): the only room that names the engine.
//!
//! Everything that enters a group is described as facts and put to the caller's check *before* it is merged. An
//! operation either happens wholly (its writes are taken by [`Group::take_writes`]) or leaves no trace.
//! Must not: decide a policy, know the server, or hold a value that is not also among the writes.

mod engine;
mod facts;
mod group;
mod hpke;
mod join;
mod key_packages;
mod storage;
mod suites;

use kabar_protocol::policy::PolicyError;

pub(crate) use self::{
    engine::{Engine, Identity},
    group::{Change, Decrypted, Group},
    join::{group_info_facts, header, welcome_keys},
    key_packages::{CheckedKeyPackage, make_key_packages, read_key_package},
    storage::Storage,
};

/// Why an operation did not happen. Never holds content or keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MlsError {
    /// The engine refused: signature, structure, missing secrets.
    #[error("MLS {operation}: {reason}")]
    Engine { operation: &'static str, reason: String },
    /// A rule of ours; the stable name from `protocol::policy`.
    #[error("refused by rule {0}")]
    Refused(String),
    /// Bytes that are not what they should be.
    #[error("not a valid {0}")]
    Malformed(&'static str),
}

impl From<PolicyError> for MlsError {
    fn from(error: PolicyError) -> Self {
        Self::Refused(error.rule().into())
    }
}

/// Says why natively only: the engine's sentences would be a fiftieth of the browser's core, and no person can act on them.
fn engine_error<E: std::fmt::Display>(operation: &'static str) -> impl Fn(E) -> MlsError {
    move |error| MlsError::Engine {
        operation,
        reason: match cfg!(target_arch = "wasm32") {
            true => "the engine refused".into(),
            false => error.to_string(),
        },
    }
}

/// A commit, or the birth of a group, as the server wants it: encoded MLSMessages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bundle {
    /// Empty when the bundle creates a group.
    pub(crate) commit: Vec<u8>,
    pub(crate) group_info: Vec<u8>,
    /// Empty when nobody is added.
    pub(crate) welcome: Vec<u8>,
}

#[cfg(test)]
mod interop_tests;
#[cfg(test)]
mod tests;
