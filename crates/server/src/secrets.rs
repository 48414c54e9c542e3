//! Keys of this server, kept in DATA/secrets (0600) and nowhere else: not in the database, not in a log.
//!
//! `pepper` keys the directory (usernames and numbers are stored as HMACs); `franking` keys the stamps of messages.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use hmac::{Hmac, Mac as _};
use rand::{TryRngCore as _, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::StartError;

const KEY_BYTES: usize = 32;
/// Of SHA-256.
const MAC_BLOCK_BYTES: usize = 64;

#[derive(Serialize, Deserialize)]
struct File {
    pepper: String,
    franking: String,
}

pub(crate) struct Secrets {
    pepper: Hmac<Sha256>,
    franking: Hmac<Sha256>,
}

impl Secrets {
    /// Reads DATA/secrets; makes it at the first start.
    pub(crate) fn open(data: &Path) -> Result<Self, StartError> {
        let path = data.join("secrets");
        let refused = |cause: String| StartError::Secrets {
            path: path.clone(),
            cause,
        };
        if !path.exists() {
            create(&path).map_err(|error| refused(error.to_string()))?;
        }
        let text = fs::read_to_string(&path).map_err(|error| refused(error.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|_| refused("it is not a secrets file".into()))?;
        let key = |hex_key: &str| {
            let key = hex::decode(hex_key).ok().filter(|key| key.len() == KEY_BYTES);
            let key = key.ok_or_else(|| refused(format!("a key must be {KEY_BYTES} bytes of hex")))?;
            Hmac::new_from_slice(&key).map_err(|_| refused("a key has the wrong length".into()))
        };
        Ok(Self {
            pepper: key(&file.pepper)?,
            franking: key(&file.franking)?,
        })
    }

    /// The name of a username or number in the directory. `label` keeps the two apart.
    pub(crate) fn directory_key(&self, label: &str, name: &str) -> [u8; 32] {
        let mut mac = self.pepper.clone();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A key of its own for one purpose of this server.
    pub(crate) fn derived_key(&self, purpose: &str) -> [u8; 32] {
        self.directory_key("derived key", purpose)
    }

    /// The same, ready to sign with.
    pub(crate) fn derived_mac(&self, purpose: &str) -> Hmac<Sha256> {
        let mut block = [0; MAC_BLOCK_BYTES];
        block[..KEY_BYTES].copy_from_slice(&self.derived_key(purpose));
        // A key of one block, zeros behind it, is the same key to HMAC (RFC 2104).
        <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into())
    }

    /// Franking: HMAC-SHA256 over the parts, each of fixed length.
    pub(crate) fn stamp(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.franking.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

fn create(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let file = File {
        pepper: hex::encode(random()?),
        franking: hex::encode(random()?),
    };
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    out.write_all(toml::to_string(&file)?.as_bytes())?;
    out.sync_all()?;
    Ok(())
}

fn random() -> Result<[u8; KEY_BYTES], rand::rand_core::OsError> {
    let mut key = [0; KEY_BYTES];
    OsRng.try_fill_bytes(&mut key)?;
    Ok(key)
}
