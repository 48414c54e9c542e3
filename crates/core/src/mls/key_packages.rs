//! KeyPackages (RFC 9420 section 10): ours to publish, others' to claim.

use openmls::prelude::{KeyPackage, KeyPackageIn, Lifetime, ProtocolVersion};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use kabar_protocol::credential::Credential;

use super::{
    Engine, Identity, MlsError, Storage,
    engine::{capabilities, ciphersuite},
    engine_error, facts,
};
use crate::api::Write;

/// A single-use package outlives every reasonable absence; the last-resort one is renewed with each batch.
const LIFETIME_DAYS: u64 = 84;

/// Makes `count` packages of a suite; returns them TLS-encoded, with the rows that hold their private keys.
pub(crate) fn make_key_packages(
    engine: &Engine,
    me: &Identity<'_>,
    suite: u16,
    count: u32,
    last_resort: bool,
) -> Result<(Vec<Vec<u8>>, Vec<Write>), MlsError> {
    let suite = ciphersuite(suite)?;
    let storage = Storage::new(Vec::new(), []);
    let provider = engine.provider(&storage);
    let mut encoded = Vec::new();
    for _ in 0..count {
        let mut builder = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .key_package_lifetime(Lifetime::new(LIFETIME_DAYS * 86_400));
        if last_resort {
            builder = builder.mark_as_last_resort();
        }
        let bundle = builder
            .build(suite, &provider, me, me.credential_with_key())
            .map_err(engine_error("key package"))?;
        encoded.push(
            bundle
                .key_package()
                .tls_serialize_detached()
                .map_err(engine_error("key package"))?,
        );
    }
    Ok((encoded, storage.commit()))
}

/// Somebody's package with valid signatures and lifetime. Whose device it is, the caller has to judge.
pub(crate) struct CheckedKeyPackage {
    pub(crate) credential: Credential,
    pub(super) key_package: KeyPackage,
}

pub(crate) fn read_key_package(engine: &Engine, bytes: &[u8]) -> Result<CheckedKeyPackage, MlsError> {
    let key_package = KeyPackageIn::tls_deserialize_exact_bytes(bytes)
        .map_err(|_| MlsError::Malformed("KeyPackage"))?
        .validate(&engine.crypto, ProtocolVersion::Mls10)
        .map_err(engine_error("key package"))?;
    let leaf = key_package.leaf_node();
    let credential = facts::credential(leaf.credential(), leaf.signature_key().as_slice())?;
    Ok(CheckedKeyPackage {
        credential,
        key_package,
    })
}
