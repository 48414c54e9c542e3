//! A public group's state as one blob: the engine's four values, each in CBOR, length-prefixed.
//!
//! Proposals by reference are refused, so there is no proposal queue to keep.

use std::cell::RefCell;

use openmls_traits::storage::traits::{
    ConfirmationTag, GroupContext, GroupId, InterimTranscriptHash, ProposalRef, QueuedProposal, TreeSync,
};
use openmls_traits::{public_storage::PublicStorageProvider, storage::CURRENT_VERSION};
use serde::{Serialize, de::DeserializeOwned};

/// Why a state could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the stored state of a public group: {0}")]
pub(super) struct StateError(String);

/// Tree, context, interim transcript hash, confirmation tag.
const VALUES: usize = 4;
const TREE: usize = 0;
const CONTEXT: usize = 1;
const INTERIM_HASH: usize = 2;
const CONFIRMATION_TAG: usize = 3;

/// Storage of one group, in memory.
#[derive(Default)]
pub(super) struct State(RefCell<[Vec<u8>; VALUES]>);

impl State {
    pub(super) fn encode(&self) -> Vec<u8> {
        let values = self.0.borrow();
        let mut out = Vec::with_capacity(values.iter().map(|value| value.len() + 4).sum());
        for value in values.iter() {
            // A group of 256 leaves has less than 2 MB.
            out.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(value);
        }
        out
    }

    pub(super) fn decode(mut blob: &[u8]) -> Result<Self, StateError> {
        let truncated = || StateError("truncated".into());
        let mut values: [Vec<u8>; VALUES] = Default::default();
        for value in &mut values {
            let (length, rest) = blob.split_first_chunk::<4>().ok_or_else(truncated)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| truncated())?;
            let (bytes, rest) = rest.split_at_checked(length).ok_or_else(truncated)?;
            *value = bytes.to_vec();
            blob = rest;
        }
        Ok(Self(RefCell::new(values)))
    }

    fn put(&self, index: usize, value: &impl Serialize) -> Result<(), StateError> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).map_err(|error| StateError(error.to_string()))?;
        self.0.borrow_mut()[index] = bytes;
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, StateError> {
        let values = self.0.borrow();
        if values[index].is_empty() {
            return Ok(None);
        }
        ciborium::from_reader(values[index].as_slice())
            .map(Some)
            .map_err(|error| StateError(error.to_string()))
    }
}

const V: u16 = CURRENT_VERSION;

impl PublicStorageProvider<V> for State {
    type PublicError = StateError;

    fn write_tree<G: GroupId<V>, T: TreeSync<V>>(&self, _: &G, tree: &T) -> Result<(), StateError> {
        self.put(TREE, tree)
    }

    fn write_interim_transcript_hash<G: GroupId<V>, T: InterimTranscriptHash<V>>(
        &self,
        _: &G,
        hash: &T,
    ) -> Result<(), StateError> {
        self.put(INTERIM_HASH, hash)
    }

    fn write_context<G: GroupId<V>, T: GroupContext<V>>(&self, _: &G, context: &T) -> Result<(), StateError> {
        self.put(CONTEXT, context)
    }

    fn write_confirmation_tag<G: GroupId<V>, T: ConfirmationTag<V>>(&self, _: &G, tag: &T) -> Result<(), StateError> {
        self.put(CONFIRMATION_TAG, tag)
    }

    fn queue_proposal<G: GroupId<V>, R: ProposalRef<V>, Q: QueuedProposal<V>>(
        &self,
        _: &G,
        _: &R,
        _: &Q,
    ) -> Result<(), StateError> {
        Err(StateError("proposals by reference are not kept".into()))
    }

    fn queued_proposals<G: GroupId<V>, R: ProposalRef<V>, Q: QueuedProposal<V>>(
        &self,
        _: &G,
    ) -> Result<Vec<(R, Q)>, StateError> {
        Ok(Vec::new())
    }

    fn tree<G: GroupId<V>, T: TreeSync<V>>(&self, _: &G) -> Result<Option<T>, StateError> {
        self.get(TREE)
    }

    fn group_context<G: GroupId<V>, T: GroupContext<V>>(&self, _: &G) -> Result<Option<T>, StateError> {
        self.get(CONTEXT)
    }

    fn interim_transcript_hash<G: GroupId<V>, T: InterimTranscriptHash<V>>(
        &self,
        _: &G,
    ) -> Result<Option<T>, StateError> {
        self.get(INTERIM_HASH)
    }

    fn confirmation_tag<G: GroupId<V>, T: ConfirmationTag<V>>(&self, _: &G) -> Result<Option<T>, StateError> {
        self.get(CONFIRMATION_TAG)
    }

    fn delete_tree<G: GroupId<V>>(&self, _: &G) -> Result<(), StateError> {
        Ok(())
    }

    fn delete_confirmation_tag<G: GroupId<V>>(&self, _: &G) -> Result<(), StateError> {
        Ok(())
    }

    fn delete_context<G: GroupId<V>>(&self, _: &G) -> Result<(), StateError> {
        Ok(())
    }

    fn delete_interim_transcript_hash<G: GroupId<V>>(&self, _: &G) -> Result<(), StateError> {
        Ok(())
    }

    fn remove_proposal<G: GroupId<V>, R: ProposalRef<V>>(&self, _: &G, _: &R) -> Result<(), StateError> {
        Ok(())
    }

    fn clear_proposal_queue<G: GroupId<V>, R: ProposalRef<V>>(&self, _: &G) -> Result<(), StateError> {
        Ok(())
    }
}
