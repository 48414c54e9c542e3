//! The two addresses of a file. Each carries its own proof, so that neither a table nor a session has to be asked.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hmac::{Hmac, Mac as _};
use kabar_protocol::ids::AccountId;
use sha2::Sha256;

use super::disk::FileId;
use crate::secrets::Secrets;

const MAC_BYTES: usize = 16;
const READ_BYTES: usize = 16;
const WRITE_BYTES: usize = 48;

pub(super) struct Addresses {
    read: Hmac<Sha256>,
    write: Hmac<Sha256>,
}

/// What an upload's address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Upload {
    pub(super) account: AccountId,
    pub(super) file: FileId,
    pub(super) size_bytes: u64,
    pub(super) until_ms: i64,
}

impl Addresses {
    pub(super) fn new(secrets: &Secrets) -> Self {
        let keyed = |purpose| secrets.derived_mac(purpose);
        Self {
            read: keyed("read a file"),
            write: keyed("write a file"),
        }
    }

    /// For whoever is to read a file.
    pub(super) fn location(&self, file: FileId) -> String {
        sealed(&self.read, &file.0)
    }

    pub(super) fn open_location(&self, text: &str) -> Option<FileId> {
        let bytes: [u8; READ_BYTES] = opened(&self.read, text)?;
        Some(FileId(bytes))
    }

    /// For whoever is to write it.
    pub(super) fn upload(&self, upload: &Upload) -> String {
        let mut bytes = Vec::with_capacity(WRITE_BYTES);
        bytes.extend_from_slice(upload.account.as_slice());
        bytes.extend_from_slice(&upload.file.0);
        bytes.extend_from_slice(&upload.size_bytes.to_be_bytes());
        bytes.extend_from_slice(&upload.until_ms.to_be_bytes());
        sealed(&self.write, &bytes)
    }

    pub(super) fn open_upload(&self, text: &str) -> Option<Upload> {
        let bytes: [u8; WRITE_BYTES] = opened(&self.write, text)?;
        let (account, rest) = bytes.split_first_chunk()?;
        let (file, rest) = rest.split_first_chunk()?;
        let (size, until) = rest.split_first_chunk()?;
        Some(Upload {
            account: AccountId(*account),
            file: FileId(*file),
            size_bytes: u64::from_be_bytes(*size),
            until_ms: i64::from_be_bytes(*until.first_chunk()?),
        })
    }
}

fn sealed(key: &Hmac<Sha256>, bytes: &[u8]) -> String {
    let mac = key.clone().chain_update(bytes).finalize().into_bytes();
    BASE64URL.encode([bytes, &mac[..MAC_BYTES]].concat())
}

fn opened<const N: usize>(key: &Hmac<Sha256>, text: &str) -> Option<[u8; N]> {
    let bytes = BASE64URL.decode(text).ok()?;
    let (said, mac) = bytes.split_at_checked(N)?;
    if mac.len() != MAC_BYTES {
        return None;
    }
    key.clone().chain_update(said).verify_truncated_left(mac).ok()?;
    said.try_into().ok()
}
