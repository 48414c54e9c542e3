//! Checking a KeyPackage (RFC 9420 section 10.1) before it is offered to others.

use kabar_protocol::{credential::Credential, limits::KEY_PACKAGE_BYTES_MAX, suite};
use openmls::prelude::{KeyPackageIn, MlsMessageBodyIn, MlsMessageIn, ProtocolVersion};
use openmls_rust_crypto::RustCrypto;
use sha2::{Digest as _, Sha256};
use tls_codec::Deserialize as _;

use super::public_group::credential;

/// What the server keeps beside the bytes.
pub(crate) struct ValidKeyPackage {
    pub(crate) suite: u16,
    pub(crate) credential: Credential,
    pub(crate) not_after_ms: i64,
    /// SHA-256 of the bytes, shortened: the same package again is one row.
    pub(crate) hash: [u8; 16],
}

/// Signatures, suite, lifetime and credential. The caller compares the credential with its session.
pub(crate) fn validate_key_package(bytes: &[u8]) -> Result<ValidKeyPackage, String> {
    if bytes.len() > KEY_PACKAGE_BYTES_MAX {
        return Err(format!("at most {KEY_PACKAGE_BYTES_MAX} bytes, got {}", bytes.len()));
    }
    let package = decode(bytes).ok_or("is no KeyPackage")?;
    let package = package
        .validate(&RustCrypto::default(), ProtocolVersion::Mls10)
        .map_err(|error| error.to_string())?;
    let suite = package.ciphersuite().into();
    if suite != suite::XWING && suite != suite::X25519 {
        return Err(format!("cipher suite {suite:#06x} is not used here"));
    }
    let digest = Sha256::digest(bytes);
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    let not_after_s = package.life_time().not_after();
    Ok(ValidKeyPackage {
        suite,
        credential: credential(package.leaf_node()).map_err(|error| error.to_string())?,
        not_after_ms: i64::try_from(not_after_s.saturating_mul(1_000)).unwrap_or(i64::MAX),
        hash,
    })
}

/// Bare, as the wire says, or inside an MLSMessage.
fn decode(bytes: &[u8]) -> Option<KeyPackageIn> {
    if let Ok(package) = KeyPackageIn::tls_deserialize_exact(bytes) {
        return Some(package);
    }
    match MlsMessageIn::tls_deserialize_exact(bytes).ok()?.extract() {
        MlsMessageBodyIn::KeyPackage(package) => Some(package),
        _ => None,
    }
}
