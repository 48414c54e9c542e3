//! The engine's surroundings: cryptography, randomness, and our device key as its signer.

use std::cell::RefCell;

use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, ExtensionType, ProposalType,
    ProtocolVersion, SignatureScheme,
};
use openmls_traits::{
    OpenMlsProvider,
    random::OpenMlsRand,
    signatures::{Signer, SignerError},
};
use sha2::{Digest, Sha256};

use kabar_protocol::{credential::Credential, policy::GROUP_POLICY_EXTENSION};

use super::{
    MlsError,
    storage::Storage,
    suites::{Suites, fill_random},
};

pub(super) const XWING: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;
pub(super) const X25519: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// The engine's name of one of our suites (`kabar_protocol::suite`).
pub(super) fn ciphersuite(suite: u16) -> Result<Ciphersuite, MlsError> {
    let ours = [XWING, X25519];
    let found = ours.into_iter().find(|known| u16::from(*known) == suite);
    found.ok_or(MlsError::Malformed("cipher suite"))
}

/// Cryptography and randomness for the whole client.
pub(crate) struct Engine {
    pub(super) crypto: Suites,
    rand: Rand,
}

impl Engine {
    /// `seed` makes our own choices repeatable in tests; the engine's key generation stays random.
    pub(crate) fn new(seed: Option<[u8; 32]>) -> Self {
        let rand = match seed {
            Some(seed) => Rand::Seeded(RefCell::new((seed, 0))),
            None => Rand::System,
        };
        Self { crypto: Suites, rand }
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.rand.fill(&mut out);
        out
    }

    pub(super) fn provider<'a>(&'a self, storage: &'a Storage) -> Provider<'a> {
        Provider { engine: self, storage }
    }
}

pub(super) struct Provider<'a> {
    engine: &'a Engine,
    storage: &'a Storage,
}

impl<'a> Provider<'a> {
    pub(super) fn engine_rand(&self) -> &'a Rand {
        &self.engine.rand
    }
}

impl OpenMlsProvider for Provider<'_> {
    type CryptoProvider = Suites;
    type RandProvider = Rand;
    type StorageProvider = Storage;

    fn storage(&self) -> &Storage {
        self.storage
    }

    fn crypto(&self) -> &Suites {
        &self.engine.crypto
    }

    fn rand(&self) -> &Rand {
        &self.engine.rand
    }
}

pub(super) enum Rand {
    System,
    /// Tests: SHA-256(seed || counter).
    Seeded(RefCell<([u8; 32], u64)>),
}

impl Rand {
    fn fill(&self, out: &mut [u8]) {
        match self {
            Self::System => fill_random(out),
            Self::Seeded(state) => fill(&mut state.borrow_mut(), out),
        }
    }
}

impl OpenMlsRand for Rand {
    type Error = std::convert::Infallible;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        let mut out = [0; N];
        self.fill(&mut out);
        Ok(out)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
        let mut out = vec![0; len];
        self.fill(&mut out);
        Ok(out)
    }
}

fn fill((seed, counter): &mut ([u8; 32], u64), out: &mut [u8]) {
    for chunk in out.chunks_mut(32) {
        *counter += 1;
        let block = Sha256::new()
            .chain_update(&seed[..])
            .chain_update(counter.to_be_bytes())
            .finalize();
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}

/// This device as a member: its key, and the credential that its leaves carry.
pub(crate) struct Identity<'a> {
    pub(crate) key: &'a SigningKey,
    pub(crate) credential: Credential,
}

impl Identity<'_> {
    pub(super) fn credential_with_key(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.credential.encode().to_vec()).into(),
            signature_key: self.key.verifying_key().as_bytes().as_slice().into(),
        }
    }
}

/// A device key as the engine's signer.
pub(super) struct Key<'a>(pub(super) &'a SigningKey);

impl Signer for Key<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl Signer for Identity<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Key(self.key).sign(payload)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// What every leaf of ours says that it understands.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![XWING, X25519])
        .extensions(vec![
            ExtensionType::Unknown(GROUP_POLICY_EXTENSION),
            ExtensionType::LastResort,
        ])
        .proposals(vec![ProposalType::SelfRemove])
        .credentials(vec![CredentialType::Basic])
        .build()
}
