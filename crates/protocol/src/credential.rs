//! The identity inside an MLS leaf: a BasicCredential (RFC 9420 section 5.3) of 69 bytes.
//!
//! MLS does not validate it. Server and clients check it against the account's device list wherever a leaf
//! enters a group: Add, Welcome, Update, external commit (see [`crate::policy`]).

use crate::ids::{AccountId, DeviceId};

/// Layout version of the credential.
const VERSION: u8 = 1;

/// `version (1) | account id (16) | device id (16) | device-list version (4, big-endian) | device-list hash (32)`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential {
    pub account: AccountId,
    pub device: DeviceId,
    /// Version and hash of the list entry that the device knew as the head when it made the leaf.
    pub list_version: u32,
    pub list_hash: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Kabar credential: {0}")]
pub struct CredentialError(&'static str);

impl Credential {
    pub const BYTES: usize = 69;

    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0] = VERSION;
        out[1..17].copy_from_slice(self.account.as_slice());
        out[17..33].copy_from_slice(self.device.as_slice());
        out[33..37].copy_from_slice(&self.list_version.to_be_bytes());
        out[37..].copy_from_slice(&self.list_hash);
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| CredentialError("wrong length"))?;
        if bytes[0] != VERSION {
            return Err(CredentialError("unknown version"));
        }
        let mut list_version = [0; 4];
        list_version.copy_from_slice(&bytes[33..37]);
        let mut list_hash = [0; 32];
        list_hash.copy_from_slice(&bytes[37..]);
        Ok(Self {
            account: AccountId::from_slice(&bytes[1..17]).map_err(|_| CredentialError("account id"))?,
            device: DeviceId::from_slice(&bytes[17..33]).map_err(|_| CredentialError("device id"))?,
            list_version: u32::from_be_bytes(list_version),
            list_hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_survives_the_wire_and_nothing_else_decodes() {
        let credential = Credential {
            account: AccountId([1; 16]),
            device: DeviceId([2; 16]),
            list_version: 9,
            list_hash: [3; 32],
        };
        assert_eq!(Credential::decode(&credential.encode()), Ok(credential));
        let mut other = credential.encode();
        other[0] = 2;
        assert!(Credential::decode(&other).is_err());
        assert!(Credential::decode(b"alice").is_err());
    }
}
