//! The cryptography of our two suites, and of no other: all of it is the engine's own (`openmls_rust_crypto`, `hpke-rs-rust-crypto`).
//!
//! What a message or a group names beside them is refused before any code for it runs. And because nothing asks for the other curves and
//! signatures, the linker leaves them out, which makes the browser's core smaller by a tenth. Must not: compute anything itself.

use hpke_rs::{Hpke, HpkeError, Mode};
use hpke_rs_crypto::{
    HpkeCrypto,
    error::Error,
    types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm},
};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use openmls::prelude::{Ciphersuite, SignatureScheme};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
    crypto::OpenMlsCrypto,
    types::{
        AeadType, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType,
        HpkeKemType, HpkeKeyPair, KemOutput,
    },
};
use tls_codec::SecretVLBytes;

use super::engine::{X25519, XWING};

/// What OpenMLS computes with.
#[derive(Debug, Default)]
pub(super) struct Suites(RustCrypto);

fn only_sha256(hash: HashType) -> Result<HashType, CryptoError> {
    match hash {
        HashType::Sha2_256 => Ok(HashType::Sha2_256),
        _ => Err(CryptoError::UnsupportedHashAlgorithm),
    }
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
        self.0.hkdf_extract(HashType::Sha2_256, salt, ikm)
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        only_sha256(hash)?;
        self.0.hmac(HashType::Sha2_256, key, message)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        only_sha256(hash)?;
        self.0.hkdf_expand(HashType::Sha2_256, prk, info, okm_len)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        only_sha256(hash)?;
        self.0.hash(HashType::Sha2_256, data)
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
            AeadType::Aes128Gcm => self.0.aead_encrypt(AeadType::Aes128Gcm, key, data, nonce, aad),
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
            AeadType::Aes128Gcm => self.0.aead_decrypt(AeadType::Aes128Gcm, key, ct_tag, nonce, aad),
            _ => Err(CryptoError::UnsupportedAeadAlgorithm),
        }
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        match alg {
            SignatureScheme::ED25519 => self.0.signature_key_gen(SignatureScheme::ED25519),
            _ => Err(CryptoError::UnsupportedSignatureScheme),
        }
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match alg {
            SignatureScheme::ED25519 => self.0.verify_signature(SignatureScheme::ED25519, data, pk, signature),
            _ => Err(CryptoError::UnsupportedSignatureScheme),
        }
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match alg {
            SignatureScheme::ED25519 => self.0.sign(SignatureScheme::ED25519, data, key),
            _ => Err(CryptoError::UnsupportedSignatureScheme),
        }
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

/// HPKE (RFC 9180) in base mode, as both suites use it.
fn hpke(config: HpkeConfig) -> Result<Hpke<SuiteHpke>, CryptoError> {
    let HpkeConfig(kem, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128) = config else {
        return Err(CryptoError::UnsupportedCiphersuite);
    };
    let kem = match kem {
        HpkeKemType::DhKem25519 => KemAlgorithm::DhKem25519,
        HpkeKemType::XWingKemDraft6 => KemAlgorithm::XWingDraft06,
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    };
    Ok(Hpke::new(
        Mode::Base,
        kem,
        KdfAlgorithm::HkdfSha256,
        AeadAlgorithm::Aes128Gcm,
    ))
}

/// The library's provider behind constants: what it would do for another algorithm is never called.
#[derive(Debug)]
struct SuiteHpke;

const X25519_KEM: KemAlgorithm = KemAlgorithm::DhKem25519;
const XWING_KEM: KemAlgorithm = KemAlgorithm::XWingDraft06;

impl HpkeCrypto for SuiteHpke {
    type HpkePrng = <HpkeRustCrypto as HpkeCrypto>::HpkePrng;

    fn name() -> String {
        HpkeRustCrypto::name()
    }

    fn supports_kdf(alg: KdfAlgorithm) -> Result<(), Error> {
        match alg {
            KdfAlgorithm::HkdfSha256 => Ok(()),
            _ => Err(Error::UnknownKdfAlgorithm),
        }
    }

    fn supports_kem(alg: KemAlgorithm) -> Result<(), Error> {
        match alg {
            X25519_KEM | XWING_KEM => Ok(()),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn supports_aead(alg: AeadAlgorithm) -> Result<(), Error> {
        match alg {
            AeadAlgorithm::Aes128Gcm => Ok(()),
            _ => Err(Error::UnknownAeadAlgorithm),
        }
    }

    fn prng() -> Self::HpkePrng {
        HpkeRustCrypto::prng()
    }

    fn kdf_extract(alg: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(alg)?;
        HpkeRustCrypto::kdf_extract(KdfAlgorithm::HkdfSha256, salt, ikm)
    }

    fn kdf_expand(alg: KdfAlgorithm, prk: &[u8], info: &[u8], output_size: usize) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(alg)?;
        HpkeRustCrypto::kdf_expand(KdfAlgorithm::HkdfSha256, prk, info, output_size)
    }

    fn dh(alg: KemAlgorithm, pk: &[u8], sk: &[u8]) -> Result<Vec<u8>, Error> {
        match alg {
            X25519_KEM => HpkeRustCrypto::dh(X25519_KEM, pk, sk),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn secret_to_public(alg: KemAlgorithm, sk: &[u8]) -> Result<Vec<u8>, Error> {
        match alg {
            X25519_KEM => HpkeRustCrypto::secret_to_public(X25519_KEM, sk),
            _ => Err(Error::UnsupportedKemOperation),
        }
    }

    fn kem_key_gen(alg: KemAlgorithm, prng: &mut Self::HpkePrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match alg {
            X25519_KEM => HpkeRustCrypto::kem_key_gen(X25519_KEM, prng),
            XWING_KEM => HpkeRustCrypto::kem_key_gen(XWING_KEM, prng),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }

    fn kem_key_gen_derand(alg: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match alg {
            XWING_KEM => HpkeRustCrypto::kem_key_gen_derand(XWING_KEM, seed),
            _ => Err(Error::UnsupportedKemOperation),
        }
    }

    fn kem_encaps(alg: KemAlgorithm, pk_r: &[u8], prng: &mut Self::HpkePrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match alg {
            XWING_KEM => HpkeRustCrypto::kem_encaps(XWING_KEM, pk_r, prng),
            _ => Err(Error::UnsupportedKemOperation),
        }
    }

    fn kem_decaps(alg: KemAlgorithm, ct: &[u8], sk_r: &[u8]) -> Result<Vec<u8>, Error> {
        match alg {
            XWING_KEM => HpkeRustCrypto::kem_decaps(XWING_KEM, ct, sk_r),
            _ => Err(Error::UnsupportedKemOperation),
        }
    }

    /// Asked for curves whose secrets are numbers in a range: neither of ours is.
    fn dh_validate_sk(_: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }

    fn aead_seal(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(alg)?;
        HpkeRustCrypto::aead_seal(AeadAlgorithm::Aes128Gcm, key, nonce, aad, msg)
    }

    fn aead_open(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(alg)?;
        HpkeRustCrypto::aead_open(AeadAlgorithm::Aes128Gcm, key, nonce, aad, msg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_suites_are_refused_before_anything_is_computed() {
        let suites = Suites::default();
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

    /// What one side seals with the library's own provider opens with ours, and the reverse: constants change nothing.
    #[test]
    fn our_two_suites_are_the_librarys() {
        let (ours, library) = (Suites::default(), RustCrypto::default());
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
