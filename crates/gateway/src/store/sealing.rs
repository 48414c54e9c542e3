//! Sealing at rest: AES-256-GCM with a random nonce before each ciphertext, under a key in a file for its owner only.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use rand::{TryRngCore as _, rngs::OsRng};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};

use super::StoreError;

const KEY_BYTES: usize = 32;

#[derive(Clone)]
pub(super) struct Key {
    aead: Arc<LessSafeKey>,
    names: hmac::Key,
}

impl Key {
    /// Reads the key; makes it the first time.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut bytes = [0; KEY_BYTES];
        match fs::File::open(path) {
            Ok(mut file) => file.read_exact(&mut bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                OsRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
            }
            Err(error) => return Err(error.into()),
        }
        // Two uses, two keys.
        let derive = |label: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), label);
        let sealing = derive(b"kabar/gateway/seal");
        let aead = UnboundKey::new(&AES_256_GCM, sealing.as_ref()).map_err(|_| StoreError::Sealed)?;
        Ok(Self {
            aead: Arc::new(LessSafeKey::new(aead)),
            names: hmac::Key::new(hmac::HMAC_SHA256, derive(b"kabar/gateway/names").as_ref()),
        })
    }

    pub(super) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LEN];
        OsRng.try_fill_bytes(&mut nonce).map_err(std::io::Error::other)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + 16);
        sealed.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.aead
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut body)
            .map_err(|_| StoreError::Sealed)?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    pub(super) fn open_sealed(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(StoreError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Sealed)?;
        let mut body = body.to_vec();
        let plain = self
            .aead
            .open_in_place(nonce, Aad::empty(), &mut body)
            .map_err(|_| StoreError::Sealed)?;
        Ok(plain.to_vec())
    }

    /// A number that only this gateway can compute, for names that must not lead back to what they name.
    pub(super) fn name(&self, parts: &[&[u8]]) -> u64 {
        let mut context = hmac::Context::with_key(&self.names);
        parts.iter().for_each(|part| context.update(part));
        let tag = context.sign();
        let first: [u8; 8] = tag.as_ref()[..8].try_into().unwrap_or_default();
        u64::from_be_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("key");
        let key = Key::open(&path).expect("key");
        let sealed = key.seal(b"rahasia").expect("sealed");
        assert!(!sealed.windows(7).any(|window| window == b"rahasia"));
        let again = Key::open(&path).expect("key");
        assert_eq!(again.open_sealed(&sealed).expect("opens"), b"rahasia");
        let other = Key::open(&directory.path().join("other")).expect("key");
        assert!(other.open_sealed(&sealed).is_err());
        assert!(key.open_sealed(&sealed[..5]).is_err());
    }
}
