//! What server and clients must agree on: wire types, ids, limits, credentials, the device-list chain, the commit policy.
//!
//! Pure: no I/O, no async, no clock, no MLS engine. Times and random bytes come in as arguments.

pub mod contacts;
pub mod content;
pub mod credential;
pub mod device_list;
pub mod event;
pub mod file;
pub mod group_info;
pub mod ids;
pub mod interactive;
pub mod invite;
pub mod limits;
pub mod location;
pub mod mention;
pub mod mls_header;
pub mod names;
pub mod order;
pub mod policy;
pub mod poll;
pub mod receipt;
pub mod signing;
pub mod ticket;

/// Generated from `proto/kabar/v1/*.proto`, whose comments are the specification of the wire.
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/kabar.v1.rs"));
}

/// Protocol versions that this build speaks, newest first.
pub const VERSIONS: &[u32] = &[1];

/// MLS cipher suites (RFC 9420 section 17.1 and draft-ietf-mls-pq-ciphersuites).
pub mod suite {
    /// X25519, AES-128-GCM, SHA-256, Ed25519: large groups, and interoperability.
    pub const X25519: u16 = 0x0001;
    /// X-Wing (ML-KEM-768 + X25519), AES-128-GCM, SHA-256, Ed25519: self groups, direct and business conversations. Provisional code point.
    pub const XWING: u16 = 0x004F;
}
