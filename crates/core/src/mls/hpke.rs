//! HPKE (RFC 9180) for our two suites: hpke-rs with the primitives of [`super::suites`], and X-Wing.

use hkdf::Hkdf;
use hpke_rs::{Hpke, Mode};
use hpke_rs_crypto::{
    HpkeCrypto, HpkeTestRng, TryCryptoRng, TryRng,
    error::Error,
    types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm},
};
use openmls_traits::types::{CryptoError, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
use sha2::Sha256;
use x_wing::{Decapsulate as _, Decapsulator as _, Encapsulate as _, KeyExport as _, TryKeyInit as _};
use zeroize::Zeroize;

use super::suites::{fill_random, hkdf_expand, open, seal};

/// In base mode, as both suites use it.
pub(super) fn hpke(config: HpkeConfig) -> Result<Hpke<SuiteHpke>, CryptoError> {
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

/// Our primitives as HPKE asks for them.
#[derive(Debug)]
pub(super) struct SuiteHpke;

const X25519_KEM: KemAlgorithm = KemAlgorithm::DhKem25519;
const XWING_KEM: KemAlgorithm = KemAlgorithm::XWingDraft06;

fn x25519_secret(secret: &[u8]) -> Result<x25519_dalek::StaticSecret, Error> {
    let secret: [u8; 32] = secret.try_into().map_err(|_| Error::KemInvalidSecretKey)?;
    Ok(secret.into())
}

fn xwing_secret(seed: &[u8]) -> Result<x_wing::DecapsulationKey, Error> {
    let seed: [u8; x_wing::DECAPSULATION_KEY_SIZE] = seed.try_into().map_err(|_| Error::KemInvalidSecretKey)?;
    Ok(seed.into())
}

impl HpkeCrypto for SuiteHpke {
    type HpkePrng = System;

    fn name() -> String {
        "two suites".into()
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

    fn prng() -> System {
        System
    }

    fn kdf_extract(alg: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(alg)?;
        Ok(Hkdf::<Sha256>::extract(Some(salt), ikm).0.to_vec())
    }

    fn kdf_expand(alg: KdfAlgorithm, prk: &[u8], info: &[u8], output_size: usize) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(alg)?;
        hkdf_expand(prk, info, output_size).ok_or(Error::HpkeInvalidOutputLength)
    }

    fn dh(alg: KemAlgorithm, pk: &[u8], sk: &[u8]) -> Result<Vec<u8>, Error> {
        if alg != X25519_KEM {
            return Err(Error::UnknownKemAlgorithm);
        }
        let pk: [u8; 32] = pk.try_into().map_err(|_| Error::KemInvalidPublicKey)?;
        let shared = x25519_secret(sk)?.diffie_hellman(&pk.into());
        match shared.was_contributory() {
            true => Ok(shared.as_bytes().to_vec()),
            false => Err(Error::KemInvalidPublicKey),
        }
    }

    fn secret_to_public(alg: KemAlgorithm, sk: &[u8]) -> Result<Vec<u8>, Error> {
        match alg {
            X25519_KEM => Ok(x25519_dalek::PublicKey::from(&x25519_secret(sk)?).as_bytes().to_vec()),
            _ => Err(Error::UnsupportedKemOperation),
        }
    }

    fn kem_key_gen(alg: KemAlgorithm, _: &mut System) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let mut secret = [0; 32];
        fill_random(&mut secret);
        match alg {
            X25519_KEM => Ok((Self::secret_to_public(alg, &secret)?, secret.into())),
            _ => Self::kem_key_gen_derand(alg, &secret),
        }
    }

    fn kem_key_gen_derand(alg: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match alg {
            XWING_KEM => Ok((xwing_secret(seed)?.encapsulation_key().to_bytes().to_vec(), seed.into())),
            _ => Err(Error::UnsupportedKemOperation),
        }
    }

    fn kem_encaps(alg: KemAlgorithm, pk_r: &[u8], prng: &mut System) -> Result<(Vec<u8>, Vec<u8>), Error> {
        if alg != XWING_KEM {
            return Err(Error::UnsupportedKemOperation);
        }
        let key = x_wing::EncapsulationKey::new_from_slice(pk_r).map_err(|_| Error::KemInvalidPublicKey)?;
        let (ciphertext, shared) = key.encapsulate_with_rng(prng);
        Ok((shared.to_vec(), ciphertext.to_vec()))
    }

    fn kem_decaps(alg: KemAlgorithm, ct: &[u8], sk_r: &[u8]) -> Result<Vec<u8>, Error> {
        if alg != XWING_KEM {
            return Err(Error::UnsupportedKemOperation);
        }
        let ciphertext = x_wing::Ciphertext::try_from(ct).map_err(|_| Error::KemInvalidCiphertext)?;
        Ok(xwing_secret(sk_r)?.decapsulate(&ciphertext).to_vec())
    }

    /// Asked for curves whose secrets are numbers in a range: neither of ours is.
    fn dh_validate_sk(_: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }

    fn aead_seal(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(alg)?;
        seal(key, nonce, aad, msg).ok_or(Error::AeadInvalidNonce)
    }

    fn aead_open(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(alg)?;
        open(key, nonce, aad, msg).ok_or(Error::AeadOpenError)
    }
}

/// The system's randomness as HPKE asks for it.
#[derive(Debug)]
pub(super) struct System;

impl TryRng for System {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        fill_random(&mut bytes);
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        fill_random(&mut bytes);
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        fill_random(out);
        Ok(())
    }
}

impl TryCryptoRng for System {}

impl HpkeTestRng for System {
    type Error = std::convert::Infallible;

    fn try_fill_test_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        fill_random(out);
        Ok(())
    }

    fn seed(&mut self, _: &[u8]) {}
}

impl Zeroize for System {
    fn zeroize(&mut self) {}
}
