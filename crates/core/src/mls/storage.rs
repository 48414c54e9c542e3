//! The engine's store of one group: an overlay over the rows of one slot (see [`crate::store::keys`]).
//!
//! Reads see the overlay first. [`Storage::commit`] folds the overlay into the rows and returns what must be written;
//! [`Storage::abort`] forgets it, so that a failed operation leaves no trace. Nothing here touches the shell's store.

use std::{cell::RefCell, collections::BTreeMap};

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    api::{Key, Value, Write},
    store,
};

const V: u16 = CURRENT_VERSION;

/// One byte per kind of value, first in the engine's part of the key. Persisted: never reuse a number.
mod label {
    pub(super) const TREE: u8 = 1;
    pub(super) const CONTEXT: u8 = 2;
    pub(super) const INTERIM_TRANSCRIPT_HASH: u8 = 3;
    pub(super) const CONFIRMATION_TAG: u8 = 4;
    pub(super) const JOIN_CONFIG: u8 = 5;
    pub(super) const GROUP_STATE: u8 = 6;
    pub(super) const OWN_LEAF_INDEX: u8 = 7;
    pub(super) const EPOCH_SECRETS: u8 = 8;
    pub(super) const RESUMPTION_PSKS: u8 = 9;
    pub(super) const MESSAGE_SECRETS: u8 = 10;
    pub(super) const OWN_LEAF_NODES: u8 = 11;
    pub(super) const PROPOSALS: u8 = 12;
    pub(super) const EPOCH_KEY_PAIRS: u8 = 13;
    pub(super) const ENCRYPTION_KEY_PAIR: u8 = 14;
    pub(super) const SIGNATURE_KEY_PAIR: u8 = 15;
    pub(super) const PSK: u8 = 16;
}

/// The engine asked for something that cannot be done; says no more, because values are secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("MLS value {0}")]
pub(crate) struct StorageError(&'static str);

/// See the module.
pub(crate) struct Storage {
    prefix: Key,
    rows: RefCell<BTreeMap<Key, Value>>,
    overlay: RefCell<BTreeMap<Key, Option<Value>>>,
}

impl Storage {
    /// `rows` are those of the slot, and the KeyPackages that an operation may need.
    pub(crate) fn new(prefix: Key, rows: impl IntoIterator<Item = (Key, Value)>) -> Self {
        Self {
            prefix,
            rows: RefCell::new(rows.into_iter().collect()),
            overlay: RefCell::default(),
        }
    }

    pub(super) fn commit(&self) -> Vec<Write> {
        let mut rows = self.rows.borrow_mut();
        let changes = std::mem::take(&mut *self.overlay.borrow_mut());
        let apply = |(key, value): (Key, Option<Value>)| match value {
            Some(value) => {
                rows.insert(key.clone(), value.clone());
                Write::Put(key, value)
            }
            None => {
                rows.remove(&key);
                Write::Delete(key)
            }
        };
        changes.into_iter().map(apply).collect()
    }

    pub(super) fn abort(&self) {
        self.overlay.borrow_mut().clear();
    }

    /// Deletes everything of the slot.
    pub(super) fn clear(&self) -> Vec<Write> {
        self.abort();
        let rows = std::mem::take(&mut *self.rows.borrow_mut());
        let own = rows.into_keys().filter(|key| key.starts_with(&self.prefix));
        own.map(Write::Delete).collect()
    }

    fn key(&self, label: u8) -> Key {
        [&self.prefix[..], &[label]].concat()
    }

    /// The engine's keys can be long public keys: 16 bytes of their hash tell them apart.
    fn sub_key(&self, label: u8, name: &impl Serialize) -> Result<Key, StorageError> {
        let name = store::encode(name).map_err(|_| StorageError("key cannot be encoded"))?;
        Ok([&self.key(label)[..], &Sha256::digest(name)[..16]].concat())
    }

    fn put(&self, key: Key, value: &impl Serialize) -> Result<(), StorageError> {
        let value = store::encode(value).map_err(|_| StorageError("cannot be encoded"))?;
        self.overlay.borrow_mut().insert(key, Some(value));
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StorageError> {
        let decode = |bytes: &Value| store::decode(bytes).map_err(|_| StorageError("cannot be decoded"));
        match self.overlay.borrow().get(key) {
            Some(changed) => changed.as_ref().map(decode).transpose(),
            None => self.rows.borrow().get(key).map(decode).transpose(),
        }
    }

    fn delete(&self, key: Key) {
        self.overlay.borrow_mut().insert(key, None);
    }

    fn proposals<R: DeserializeOwned, P: DeserializeOwned>(&self) -> Result<Vec<(R, P)>, StorageError> {
        Ok(self.get(&self.key(label::PROPOSALS))?.unwrap_or_default())
    }
}

/// The store key of a KeyPackage, from its reference as the engine names it.
pub(super) fn key_package_key(reference: &impl Serialize) -> Result<Key, StorageError> {
    let name = store::encode(reference).map_err(|_| StorageError("key cannot be encoded"))?;
    Ok(store::keys::key_package(&Sha256::digest(name)[..16]))
}

macro_rules! single {
    ($label:ident, $entity:ident, $write:ident, $read:ident) => {
        fn $write<G: traits::GroupId<V>, T: traits::$entity<V>>(&self, _: &G, value: &T) -> Result<(), StorageError> {
            self.put(self.key(label::$label), value)
        }

        fn $read<G: traits::GroupId<V>, T: traits::$entity<V>>(&self, _: &G) -> Result<Option<T>, StorageError> {
            self.get(&self.key(label::$label))
        }
    };
}

macro_rules! delete_single {
    ($label:ident, $delete:ident) => {
        fn $delete<G: traits::GroupId<V>>(&self, _: &G) -> Result<(), StorageError> {
            self.delete(self.key(label::$label));
            Ok(())
        }
    };
}

macro_rules! named {
    ($label:ident, $name:ident, $entity:ident, $write:ident, $delete:ident) => {
        fn $write<K: traits::$name<V>, T: traits::$entity<V>>(&self, name: &K, value: &T) -> Result<(), StorageError> {
            self.put(self.sub_key(label::$label, name)?, value)
        }

        fn $delete<K: traits::$name<V>>(&self, name: &K) -> Result<(), StorageError> {
            self.delete(self.sub_key(label::$label, name)?);
            Ok(())
        }
    };
}

impl StorageProvider<V> for Storage {
    type Error = StorageError;

    single!(TREE, TreeSync, write_tree, tree);
    single!(
        INTERIM_TRANSCRIPT_HASH,
        InterimTranscriptHash,
        write_interim_transcript_hash,
        interim_transcript_hash
    );
    single!(CONTEXT, GroupContext, write_context, group_context);
    single!(
        CONFIRMATION_TAG,
        ConfirmationTag,
        write_confirmation_tag,
        confirmation_tag
    );
    single!(
        JOIN_CONFIG,
        MlsGroupJoinConfig,
        write_mls_join_config,
        mls_group_join_config
    );
    single!(MESSAGE_SECRETS, MessageSecrets, write_message_secrets, message_secrets);
    single!(
        RESUMPTION_PSKS,
        ResumptionPskStore,
        write_resumption_psk_store,
        resumption_psk_store
    );
    single!(OWN_LEAF_INDEX, LeafNodeIndex, write_own_leaf_index, own_leaf_index);
    single!(
        EPOCH_SECRETS,
        GroupEpochSecrets,
        write_group_epoch_secrets,
        group_epoch_secrets
    );

    fn write_group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(
        &self,
        _: &G,
        value: &T,
    ) -> Result<(), StorageError> {
        self.put(self.key(label::GROUP_STATE), value)
    }

    fn group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(&self, _: &G) -> Result<Option<T>, StorageError> {
        self.get(&self.key(label::GROUP_STATE))
    }

    delete_single!(TREE, delete_tree);
    delete_single!(INTERIM_TRANSCRIPT_HASH, delete_interim_transcript_hash);
    delete_single!(CONTEXT, delete_context);
    delete_single!(CONFIRMATION_TAG, delete_confirmation_tag);
    delete_single!(JOIN_CONFIG, delete_group_config);
    delete_single!(MESSAGE_SECRETS, delete_message_secrets);
    delete_single!(RESUMPTION_PSKS, delete_all_resumption_psk_secrets);
    delete_single!(OWN_LEAF_INDEX, delete_own_leaf_index);
    delete_single!(EPOCH_SECRETS, delete_group_epoch_secrets);
    delete_single!(GROUP_STATE, delete_group_state);
    delete_single!(OWN_LEAF_NODES, delete_own_leaf_nodes);

    named!(
        SIGNATURE_KEY_PAIR,
        SignaturePublicKey,
        SignatureKeyPair,
        write_signature_key_pair,
        delete_signature_key_pair
    );
    named!(
        ENCRYPTION_KEY_PAIR,
        EncryptionKey,
        HpkeKeyPair,
        write_encryption_key_pair,
        delete_encryption_key_pair
    );
    named!(PSK, PskId, PskBundle, write_psk, delete_psk);

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        name: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get(&self.sub_key(label::SIGNATURE_KEY_PAIR, name)?)
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        name: &K,
    ) -> Result<Option<T>, StorageError> {
        self.get(&self.sub_key(label::ENCRYPTION_KEY_PAIR, name)?)
    }

    fn psk<T: traits::PskBundle<V>, K: traits::PskId<V>>(&self, name: &K) -> Result<Option<T>, StorageError> {
        self.get(&self.sub_key(label::PSK, name)?)
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        group: &G,
        node: &T,
    ) -> Result<(), StorageError> {
        let nodes: Vec<T> = self.own_leaf_nodes(group)?;
        self.put(
            self.key(label::OWN_LEAF_NODES),
            &nodes.iter().chain([node]).collect::<Vec<_>>(),
        )
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(&self, _: &G) -> Result<Vec<T>, StorageError> {
        Ok(self.get(&self.key(label::OWN_LEAF_NODES))?.unwrap_or_default())
    }

    fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
        &self,
        _: &G,
        reference: &R,
        proposal: &P,
    ) -> Result<(), StorageError> {
        let queued: Vec<(R, P)> = self.proposals()?;
        let queued: Vec<(&R, &P)> = queued
            .iter()
            .map(|(r, p)| (r, p))
            .chain([(reference, proposal)])
            .collect();
        self.put(self.key(label::PROPOSALS), &queued)
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _: &G,
    ) -> Result<Vec<R>, StorageError> {
        let queued: Vec<(R, ciborium::Value)> = self.proposals()?;
        Ok(queued.into_iter().map(|(reference, _)| reference).collect())
    }

    fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
        &self,
        _: &G,
    ) -> Result<Vec<(R, P)>, StorageError> {
        self.proposals()
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _: &G,
        reference: &R,
    ) -> Result<(), StorageError> {
        let queued: Vec<(ciborium::Value, ciborium::Value)> = self.proposals()?;
        let reference =
            ciborium::Value::serialized(reference).map_err(|_| StorageError("reference cannot be encoded"))?;
        let left: Vec<_> = queued.into_iter().filter(|(known, _)| *known != reference).collect();
        self.put(self.key(label::PROPOSALS), &left)
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        _: &G,
    ) -> Result<(), StorageError> {
        self.delete(self.key(label::PROPOSALS));
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        _: &G,
        epoch: &E,
        leaf_index: u32,
        key_pairs: &[T],
    ) -> Result<(), StorageError> {
        self.put(self.sub_key(label::EPOCH_KEY_PAIRS, &(epoch, leaf_index))?, &key_pairs)
    }

    fn encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, T: traits::HpkeKeyPair<V>>(
        &self,
        _: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<Vec<T>, StorageError> {
        let key = self.sub_key(label::EPOCH_KEY_PAIRS, &(epoch, leaf_index))?;
        Ok(self.get(&key)?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        _: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<(), StorageError> {
        self.delete(self.sub_key(label::EPOCH_KEY_PAIRS, &(epoch, leaf_index))?);
        Ok(())
    }

    fn write_key_package<R: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        reference: &R,
        key_package: &T,
    ) -> Result<(), StorageError> {
        self.put(key_package_key(reference)?, key_package)
    }

    fn key_package<R: traits::HashReference<V>, T: traits::KeyPackage<V>>(
        &self,
        reference: &R,
    ) -> Result<Option<T>, StorageError> {
        self.get(&key_package_key(reference)?)
    }

    fn delete_key_package<R: traits::HashReference<V>>(&self, reference: &R) -> Result<(), StorageError> {
        self.delete(key_package_key(reference)?);
        Ok(())
    }
}
