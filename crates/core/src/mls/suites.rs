//! The cryptography of our two suites, and of no other: RustCrypto's and dalek's primitives under the names that OpenMLS and HPKE use.
//!
//! What a message or a group names beside them is refused before any code for it runs. The engine's own provider
//! (`openmls_rust_crypto`) has many suites: it brings along their curves, and a table of multiples for dalek that alone is a
//! twentieth of the browser's core. The tests hold the two against each other. Must not: compute anything itself.

use aes_gcm::{
    Aes128Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use hpke_rs::HpkeError;
use openmls::prelude::{Ciphersuite, SignatureScheme};
use openmls_traits::{
    crypto::OpenMlsCrypto,
    types::{AeadType, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, KemOutput},
};
use sha2::{Digest as _, Sha256};
use tls_codec::SecretVLBytes;

use super::{
    engine::{X25519, XWING},
    hpke::hpke,
};

/// What OpenMLS computes with.
#[derive(Debug, Default)]
pub(super) struct Suites;

/// Of AES-GCM.
const NONCE_BYTES: usize = 12;

/// Fills `out` from the system. Without randomness no key may be made: stop.
pub(super) fn fill_random(out: &mut [u8]) {
    if getrandom::fill(out).is_err() {
        std::process::abort()
    }
}

fn only_sha256(hash: HashType) -> Result<(), CryptoError> {
    match hash {
        HashType::Sha2_256 => Ok(()),
        _ => Err(CryptoError::UnsupportedHashAlgorithm),
    }
}

fn only_ed25519(scheme: SignatureScheme) -> Result<(), CryptoError> {
    match scheme {
        SignatureScheme::ED25519 => Ok(()),
        _ => Err(CryptoError::UnsupportedSignatureScheme),
    }
}

pub(super) fn hkdf_expand(prk: &[u8], info: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; len];
    Hkdf::<Sha256>::from_prk(prk).ok()?.expand(info, &mut out).ok()?;
    Some(out)
}

/// AES-128-GCM; `None` if the key or the nonce has another length.
pub(super) fn seal(key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let cipher = Aes128Gcm::new_from_slice(key).ok()?;
    cipher.encrypt(&nonce.into(), Payload { msg, aad }).ok()
}

pub(super) fn open(key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let cipher = Aes128Gcm::new_from_slice(key).ok()?;
    cipher.decrypt(&nonce.into(), Payload { msg, aad }).ok()
}

impl OpenMlsCrypto for Suites {
    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        match ciphersuite {
            XWING | X25519 => Ok(()),
            _ => Err(CryptoError::UnsupportedCiphersuite),
        }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![XWING, X25519]
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        only_sha256(hash)?;
        Ok(Hkdf::<Sha256>::extract(Some(salt), ikm).0.as_slice().into())
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        only_sha256(hash)?;
        let hmac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
        Ok(hmac.chain_update(message).finalize().into_bytes().as_slice().into())
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        only_sha256(hash)?;
        let okm = hkdf_expand(prk, info, okm_len).ok_or(CryptoError::HkdfOutputLengthInvalid)?;
        Ok(okm.into())
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        only_sha256(hash)?;
        Ok(Sha256::digest(data).to_vec())
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        match alg {
            AeadType::Aes128Gcm => seal(key, nonce, aad, data).ok_or(CryptoError::CryptoLibraryError),
            _ => Err(CryptoError::UnsupportedAeadAlgorithm),
        }
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        match alg {
            AeadType::Aes128Gcm => open(key, nonce, aad, ct_tag).ok_or(CryptoError::AeadDecryptionError),
            _ => Err(CryptoError::UnsupportedAeadAlgorithm),
        }
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        only_ed25519(alg)?;
        let mut seed = [0; 32];
        fill_random(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        Ok((seed.into(), key.verifying_key().to_bytes().into()))
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        only_ed25519(alg)?;
        let key = VerifyingKey::try_from(pk).map_err(|_| CryptoError::CryptoLibraryError)?;
        let signature = Signature::from_slice(signature).map_err(|_| CryptoError::CryptoLibraryError)?;
        key.verify_strict(data, &signature)
            .map_err(|_| CryptoError::InvalidSignature)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        only_ed25519(alg)?;
        let key = SigningKey::try_from(key).map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok(key.sign(data).to_vec())
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let sealed = hpke(config)?.seal(&pk_r.into(), info, aad, ptxt, None, None, None);
        let (kem_output, ciphertext) = sealed.map_err(length_or_library)?;
        Ok(HpkeCiphertext {
            kem_output: kem_output.into(),
            ciphertext: ciphertext.into(),
        })
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let (kem_output, ciphertext) = (input.kem_output.as_slice(), input.ciphertext.as_slice());
        hpke(config)?
            .open(kem_output, &sk_r.into(), info, aad, ciphertext, None, None, None)
            .map_err(|_| CryptoError::HpkeDecryptionError)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let (kem_output, context) = hpke(config)?
            .setup_sender(&pk_r.into(), info, None, None, None)
            .map_err(|_| CryptoError::SenderSetupError)?;
        let exported = context.export(exporter_context, exporter_length);
        Ok((kem_output, exported.map_err(|_| CryptoError::ExporterError)?.into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        let context = hpke(config)?
            .setup_receiver(enc, &sk_r.into(), info, None, None, None)
            .map_err(|_| CryptoError::ReceiverSetupError)?;
        let exported = context.export(exporter_context, exporter_length);
        Ok(exported.map_err(|_| CryptoError::ExporterError)?.into())
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        let pair = hpke(config)?.derive_key_pair(ikm).map_err(length_or_library)?;
        let (private, public) = pair.into_keys();
        Ok(HpkeKeyPair {
            private: private.as_slice().into(),
            public: public.as_slice().into(),
        })
    }
}

fn length_or_library(error: HpkeError) -> CryptoError {
    match error {
        HpkeError::InvalidInput => CryptoError::InvalidLength,
        _ => CryptoError::CryptoLibraryError,
    }
}

#[cfg(test)]
mod tests {
    use openmls_rust_crypto::RustCrypto;

    use super::*;

    #[test]
    fn other_suites_are_refused_before_anything_is_computed() {
        let suites = Suites;
        for suite in suites.supported_ciphersuites() {
            assert_eq!(suites.supports(suite), Ok(()));
            assert!(hpke(suite.hpke_config()).is_ok(), "{suite:?}");
        }
        let p256 = Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256;
        assert_eq!(suites.supports(p256), Err(CryptoError::UnsupportedCiphersuite));
        assert_eq!(
            suites.derive_hpke_keypair(p256.hpke_config(), &[1; 32]).err(),
            Some(CryptoError::UnsupportedCiphersuite)
        );
        let ecdsa = SignatureScheme::ECDSA_SECP256R1_SHA256;
        let refused = Err(CryptoError::UnsupportedSignatureScheme);
        assert_eq!(suites.verify_signature(ecdsa, b"x", &[4; 65], &[0; 70]), refused);
        assert_eq!(
            suites.hash(HashType::Sha2_512, b"x"),
            Err(CryptoError::UnsupportedHashAlgorithm)
        );
        let chacha = AeadType::ChaCha20Poly1305;
        assert_eq!(
            suites.aead_encrypt(chacha, &[0; 32], b"x", &[0; 12], b""),
            Err(CryptoError::UnsupportedAeadAlgorithm)
        );
    }

    #[test]
    fn what_is_computed_is_what_the_library_computes() {
        let (ours, library) = (Suites, RustCrypto::default());
        let sha256 = HashType::Sha2_256;
        assert_eq!(ours.hash(sha256, b"halo"), library.hash(sha256, b"halo"));
        assert_eq!(
            ours.hmac(sha256, b"key", b"halo"),
            library.hmac(sha256, b"key", b"halo")
        );
        let prk = ours.hkdf_extract(sha256, b"salt", b"ikm").expect("extracted");
        assert_eq!(Ok(prk.clone()), library.hkdf_extract(sha256, b"salt", b"ikm"));
        for len in [1, 16, 32, 255 * 32, 255 * 32 + 1] {
            assert_eq!(
                ours.hkdf_expand(sha256, prk.as_slice(), b"info", len),
                library.hkdf_expand(sha256, prk.as_slice(), b"info", len)
            );
        }
        let (aead, key, nonce) = (AeadType::Aes128Gcm, [3; 16], [4; 12]);
        let sealed = ours.aead_encrypt(aead, &key, b"halo", &nonce, b"aad").expect("sealed");
        assert_eq!(
            library.aead_encrypt(aead, &key, b"halo", &nonce, b"aad"),
            Ok(sealed.clone())
        );
        assert_eq!(
            ours.aead_decrypt(aead, &key, &sealed, &nonce, b"aad"),
            Ok(b"halo".to_vec())
        );
        let failed = Err(CryptoError::AeadDecryptionError);
        assert_eq!(ours.aead_decrypt(aead, &key, &sealed, &nonce, b"another"), failed);
        assert_eq!(ours.aead_decrypt(aead, &key, &sealed, &nonce[1..], b"aad"), failed);
        assert_eq!(ours.aead_decrypt(aead, &key[1..], &sealed, &nonce, b"aad"), failed);
        assert_eq!(ours.aead_decrypt(aead, &key, &sealed[..15], &nonce, b"aad"), failed);
    }

    #[test]
    fn signatures_are_the_librarys() {
        let (ours, library) = (Suites, RustCrypto::default());
        let ed25519 = SignatureScheme::ED25519;
        let (private, public) = ours.signature_key_gen(ed25519).expect("a key");
        let signature = ours.sign(ed25519, b"halo", &private).expect("signed");
        assert_eq!(library.sign(ed25519, b"halo", &private), Ok(signature.clone()));
        assert_eq!(library.verify_signature(ed25519, b"halo", &public, &signature), Ok(()));
        assert_eq!(ours.verify_signature(ed25519, b"halo", &public, &signature), Ok(()));
        let wrong = Err(CryptoError::InvalidSignature);
        assert_eq!(ours.verify_signature(ed25519, b"hallo", &public, &signature), wrong);
        assert!(
            ours.verify_signature(ed25519, b"halo", &public, &signature[1..])
                .is_err()
        );
        assert!(ours.verify_signature(ed25519, b"halo", &[], &signature).is_err());
        assert!(ours.sign(ed25519, b"halo", &private[1..]).is_err());
    }

    #[test]
    fn a_key_without_a_contribution_is_refused() {
        let config = X25519.hpke_config();
        let sealed = Suites.hpke_seal(config, &[0; 32], b"info", b"aad", b"halo");
        assert!(sealed.is_err(), "zero is a point of small order");
        let sealed = Suites.hpke_seal(XWING.hpke_config(), &[0; 32], b"info", b"aad", b"halo");
        assert!(sealed.is_err(), "too short a key");
    }

    /// What one side seals with the library's own provider opens with ours, and the reverse: constants change nothing.
    #[test]
    fn our_two_suites_are_the_librarys() {
        let (ours, library) = (Suites, RustCrypto::default());
        for suite in [XWING, X25519] {
            let pair = ours
                .derive_hpke_keypair(suite.hpke_config(), &[7; 32])
                .expect("a key pair");
            let same = library
                .derive_hpke_keypair(suite.hpke_config(), &[7; 32])
                .expect("a key pair");
            assert_eq!(pair.public, same.public);
            let sealed = ours.hpke_seal(suite.hpke_config(), &pair.public, b"info", b"aad", b"halo");
            let sealed = sealed.expect("sealed");
            let opened = library.hpke_open(suite.hpke_config(), &sealed, &same.private, b"info", b"aad");
            assert_eq!(opened.expect("opened"), b"halo");
            let sealed = library.hpke_seal(suite.hpke_config(), &pair.public, b"info", b"aad", b"halo");
            let opened = ours.hpke_open(
                suite.hpke_config(),
                &sealed.expect("sealed"),
                &pair.private,
                b"info",
                b"aad",
            );
            assert_eq!(opened.expect("opened"), b"halo");
        }
    }
}
