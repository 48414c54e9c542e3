//! The device list: an account as a hash chain of signed entries.
//!
//! One verifier for server and clients. It answers who may speak for an account and since when; it knows nothing
//! of storage, and its caller refuses a list that is older than the highest one seen.

use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::{
    ids::{AccountId, DeviceId},
    limits::{DEVICE_LIST_ENTRIES_MAX, DEVICES_PER_ACCOUNT_MAX},
    signing,
    wire::{
        DeviceListEntry, DeviceListEntryBody,
        device_list_entry_body::{Change, DeviceKey, Genesis, RecoveryKey, RevokeDevice},
    },
};

/// Why an entry does not continue the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceListError {
    #[error("entry body does not decode")]
    Malformed,
    #[error("entry {got} does not follow version {head}")]
    Version { head: u32, got: u32 },
    #[error("previous_hash is not the hash of the entry before")]
    PreviousHash,
    #[error("signature is not by a key that may sign this entry")]
    Signature,
    #[error("the added device has not signed the entry")]
    DeviceProof,
    #[error("entry 0, and only entry 0, is a genesis")]
    Genesis,
    #[error("device is listed already, or was revoked before")]
    DeviceKnown,
    #[error("device is not a current device of the account")]
    DeviceUnknown,
    #[error("an account has 1 to {DEVICES_PER_ACCOUNT_MAX} devices")]
    DeviceCount,
    #[error("a device list has at most {DEVICE_LIST_ENTRIES_MAX} entries")]
    TooLong,
}

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    pub public_key: [u8; 32],
    /// Version of the entry that added it.
    pub since: u32,
    /// Version of the entry that revoked it.
    pub revoked: Option<u32>,
}

/// A verified chain, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceList {
    pub account: AccountId,
    pub version: u32,
    /// SHA-256 of each entry's body, by version.
    pub hashes: Vec<[u8; 32]>,
    pub devices: Vec<Device>,
    recovery_key: Option<[u8; 32]>,
}

impl DeviceList {
    /// Starts a chain from entry 0.
    pub fn from_genesis(entry: &DeviceListEntry) -> Result<Self, DeviceListError> {
        let body = decode(entry)?;
        let Some(Change::Genesis(Genesis {
            account_key,
            first_device: Some(first),
            salt,
        })) = &body.change
        else {
            return Err(DeviceListError::Genesis);
        };
        if body.version != 0 || !body.previous_hash.is_empty() || salt.len() != 16 {
            return Err(DeviceListError::Genesis);
        }
        if entry.signer != *account_key {
            return Err(DeviceListError::Signature);
        }
        check_signature(entry)?;
        let device = new_device(entry, first, 0)?;
        Ok(Self {
            account: AccountId::of_genesis(&entry.body),
            version: 0,
            hashes: vec![hash(&entry.body)],
            devices: vec![device],
            recovery_key: None,
        })
    }

    /// Verifies a whole chain.
    pub fn from_entries<'a>(entries: impl IntoIterator<Item = &'a DeviceListEntry>) -> Result<Self, DeviceListError> {
        let mut entries = entries.into_iter();
        let mut list = Self::from_genesis(entries.next().ok_or(DeviceListError::Genesis)?)?;
        entries.try_for_each(|entry| list.append(entry))?;
        Ok(list)
    }

    /// Continues the chain by one entry; unchanged on error.
    pub fn append(&mut self, entry: &DeviceListEntry) -> Result<(), DeviceListError> {
        let body = decode(entry)?;
        if body.version != self.version + 1 {
            return Err(DeviceListError::Version {
                head: self.version,
                got: body.version,
            });
        }
        if self.hashes.len() >= DEVICE_LIST_ENTRIES_MAX {
            return Err(DeviceListError::TooLong);
        }
        if body.previous_hash != self.head_hash().as_slice() {
            return Err(DeviceListError::PreviousHash);
        }
        self.check_signer(entry)?;
        match body.change.ok_or(DeviceListError::Malformed)? {
            Change::Genesis(_) => return Err(DeviceListError::Genesis),
            Change::AddDevice(key) => self.add_device(entry, &key, body.version)?,
            Change::RevokeDevice(RevokeDevice { device_id }) => self.revoke_device(&device_id, body.version)?,
            Change::SetRecoveryKey(RecoveryKey { public_key }) => {
                self.recovery_key = Some(key_bytes(&public_key)?);
            }
        }
        self.version = body.version;
        self.hashes.push(hash(&entry.body));
        Ok(())
    }

    pub fn head_hash(&self) -> [u8; 32] {
        self.hashes.last().copied().unwrap_or_default()
    }

    /// Devices that may speak for the account now.
    pub fn current(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(|device| device.revoked.is_none())
    }

    /// The device if it is current.
    pub fn current_device(&self, id: DeviceId) -> Option<&Device> {
        self.current().find(|device| device.id == id)
    }

    /// True if this list has `hash` at `version`: the claimant saw the same chain, not a fork.
    pub fn agrees(&self, version: u32, hash: &[u8; 32]) -> bool {
        self.hashes.get(version as usize) == Some(hash)
    }

    fn check_signer(&self, entry: &DeviceListEntry) -> Result<(), DeviceListError> {
        let by_device = self.current().any(|device| device.public_key == entry.signer[..]);
        let by_recovery = self.recovery_key.is_some_and(|key| key == entry.signer[..]);
        if by_device || by_recovery {
            check_signature(entry)
        } else {
            Err(DeviceListError::Signature)
        }
    }

    fn add_device(&mut self, entry: &DeviceListEntry, key: &DeviceKey, version: u32) -> Result<(), DeviceListError> {
        let device = new_device(entry, key, version)?;
        if self.devices.iter().any(|known| known.id == device.id) {
            return Err(DeviceListError::DeviceKnown);
        }
        if self.current().count() >= DEVICES_PER_ACCOUNT_MAX {
            return Err(DeviceListError::DeviceCount);
        }
        self.devices.push(device);
        Ok(())
    }

    fn revoke_device(&mut self, id: &[u8], version: u32) -> Result<(), DeviceListError> {
        if self.current().count() == 1 {
            return Err(DeviceListError::DeviceCount);
        }
        let device = self
            .devices
            .iter_mut()
            .find(|device| device.revoked.is_none() && device.id.as_slice() == id);
        device.ok_or(DeviceListError::DeviceUnknown)?.revoked = Some(version);
        Ok(())
    }
}

/// SHA-256 of an entry's body: its name in the chain.
pub fn hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

fn decode(entry: &DeviceListEntry) -> Result<DeviceListEntryBody, DeviceListError> {
    DeviceListEntryBody::decode(entry.body.clone()).map_err(|_| DeviceListError::Malformed)
}

fn check_signature(entry: &DeviceListEntry) -> Result<(), DeviceListError> {
    let signed = signing::labelled(signing::DEVICE_LIST, &entry.body);
    if signing::verify(&entry.signer, &signed, &entry.signature) {
        Ok(())
    } else {
        Err(DeviceListError::Signature)
    }
}

fn new_device(entry: &DeviceListEntry, key: &DeviceKey, since: u32) -> Result<Device, DeviceListError> {
    let public_key = key_bytes(&key.public_key)?;
    let proof = signing::labelled(signing::DEVICE_PROOF, &entry.body);
    if !signing::verify(&public_key, &proof, &entry.device_proof) {
        return Err(DeviceListError::DeviceProof);
    }
    Ok(Device {
        id: DeviceId::of_key(&public_key),
        public_key,
        since,
        revoked: None,
    })
}

/// An entry as its makers sign it: `signer` for the list, and for itself the device that it adds.
pub fn signed_entry(body: &DeviceListEntryBody, signer: &SigningKey, added: Option<&SigningKey>) -> DeviceListEntry {
    let body = body.encode_to_vec();
    let sign = |key: &SigningKey, label| key.sign(&signing::labelled(label, &body)).to_vec();
    DeviceListEntry {
        signature: sign(signer, signing::DEVICE_LIST).into(),
        signer: signer.verifying_key().to_bytes().to_vec().into(),
        device_proof: added
            .map(|key| sign(key, signing::DEVICE_PROOF))
            .unwrap_or_default()
            .into(),
        body: body.into(),
    }
}

fn key_bytes(key: &[u8]) -> Result<[u8; 32], DeviceListError> {
    key.try_into().map_err(|_| DeviceListError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn device_key(device: &SigningKey) -> DeviceKey {
        DeviceKey {
            public_key: device.verifying_key().to_bytes().to_vec().into(),
        }
    }

    fn genesis() -> DeviceListEntry {
        let change = Genesis {
            account_key: key(1).verifying_key().to_bytes().to_vec().into(),
            first_device: Some(device_key(&key(2))),
            salt: vec![0; 16].into(),
        };
        let body = DeviceListEntryBody {
            change: Some(Change::Genesis(change)),
            ..Default::default()
        };
        signed_entry(&body, &key(1), Some(&key(2)))
    }

    fn next(list: &DeviceList, change: Change, signer: &SigningKey, device: Option<&SigningKey>) -> DeviceListEntry {
        let body = DeviceListEntryBody {
            version: list.version + 1,
            previous_hash: list.head_hash().to_vec().into(),
            time_ms: 1,
            change: Some(change),
        };
        signed_entry(&body, signer, device)
    }

    fn revoke(device: &SigningKey) -> Change {
        let id = DeviceId::of_key(&device.verifying_key().to_bytes());
        Change::RevokeDevice(RevokeDevice {
            device_id: id.to_bytes(),
        })
    }

    #[test]
    fn a_device_adds_another_which_revokes_the_first() {
        let mut list = DeviceList::from_genesis(&genesis()).expect("genesis");
        let add = next(&list, Change::AddDevice(device_key(&key(3))), &key(2), Some(&key(3)));
        list.append(&add).expect("add");
        let gone = next(&list, revoke(&key(2)), &key(3), None);
        list.append(&gone).expect("revoke");
        assert_eq!(
            list.current().map(|d| d.public_key).collect::<Vec<_>>(),
            [key(3).verifying_key().to_bytes()]
        );
        assert_eq!(DeviceList::from_entries([&genesis(), &add, &gone]), Ok(list));
    }

    #[test]
    fn nobody_else_extends_the_chain() {
        let mut list = DeviceList::from_genesis(&genesis()).expect("genesis");
        let before = list.clone();
        let stranger = next(&list, Change::AddDevice(device_key(&key(3))), &key(9), Some(&key(3)));
        assert_eq!(list.append(&stranger), Err(DeviceListError::Signature));
        let account_key = next(&list, Change::AddDevice(device_key(&key(3))), &key(1), Some(&key(3)));
        assert_eq!(
            list.append(&account_key),
            Err(DeviceListError::Signature),
            "the account key signs entry 0 only"
        );
        let unproven = next(&list, Change::AddDevice(device_key(&key(3))), &key(2), Some(&key(4)));
        assert_eq!(list.append(&unproven), Err(DeviceListError::DeviceProof));
        let last = next(&list, revoke(&key(2)), &key(2), None);
        assert_eq!(list.append(&last), Err(DeviceListError::DeviceCount));
        assert_eq!(list, before);
    }

    #[test]
    fn a_changed_or_forked_entry_is_noticed() {
        let mut list = DeviceList::from_genesis(&genesis()).expect("genesis");
        let add = next(&list, Change::AddDevice(device_key(&key(3))), &key(2), Some(&key(3)));
        let fork = next(&list, Change::AddDevice(device_key(&key(4))), &key(2), Some(&key(4)));
        list.append(&add).expect("add");
        assert_eq!(list.append(&fork), Err(DeviceListError::Version { head: 1, got: 1 }));
        assert!(!list.agrees(1, &hash(&fork.body)));
        let mut bent = genesis();
        bent.body = [&bent.body[..], &[0x18, 0x01]].concat().into();
        assert_eq!(DeviceList::from_genesis(&bent), Err(DeviceListError::Signature));
    }

    #[test]
    fn a_recovery_key_signs_once_it_is_listed() {
        let mut list = DeviceList::from_genesis(&genesis()).expect("genesis");
        let recovery = RecoveryKey {
            public_key: key(5).verifying_key().to_bytes().to_vec().into(),
        };
        let set = next(&list, Change::SetRecoveryKey(recovery), &key(2), None);
        list.append(&set).expect("set");
        let add = next(&list, Change::AddDevice(device_key(&key(6))), &key(5), Some(&key(6)));
        list.append(&add).expect("add by recovery key");
    }
}
