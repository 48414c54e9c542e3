//! A group as the public sees it: opened from a GroupInfo, moved on by commits, saved as a blob.
//!
//! The engine checks signatures and structure; what it leaves to the application is read out as facts for
//! `kabar_protocol::policy`. Must not decide who may do what.

use kabar_protocol::{
    credential::Credential,
    ids::DeviceId,
    invite,
    policy::{CommitFacts, Committer, GROUP_POLICY_EXTENSION, GroupFacts, Invited, PolicyError, ProposalFact},
    wire::GroupPolicy,
};
use openmls::{
    group::{GroupContext, GroupId, ProposalStore, StagedCommit},
    messages::group_info::VerifiableGroupInfo,
    prelude::{
        BasicCredential, ContentType, ExtensionType, Extensions, LeafNode, MlsMessageBodyIn, MlsMessageIn,
        OpenMlsSignaturePublicKey, ProcessedMessageContent, Proposal, ProposalOrRefType, ProtocolMessage, PublicGroup,
        PublicMessageIn, Sender, SignaturePublicKey, Verifiable as _,
    },
};
use openmls_rust_crypto::RustCrypto;
use prost::Message as _;
use tls_codec::{Deserialize as _, Serialize as _};

use super::state::State;

/// Why bytes are no group, or no commit of this group.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MlsError {
    /// (parameter of the bundle, what is wrong)
    #[error("{0}: {1}")]
    Refused(&'static str, String),
    #[error("the commit belongs to another group or epoch")]
    Epoch,
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("stored state: {0}")]
    State(String),
}

const GROUP_INFO: &str = "bundle.group_info";
const COMMIT: &str = "bundle.commit";

fn refused(parameter: &'static str, rule: impl std::fmt::Display) -> MlsError {
    MlsError::Refused(parameter, rule.to_string())
}

pub(crate) struct Group {
    inner: PublicGroup,
    /// What the engine wrote of `inner`.
    state: State,
    crypto: RustCrypto,
}

/// A commit that the engine accepts, before the policy has seen it.
pub(crate) struct Staged {
    pub(crate) facts: CommitFacts,
    commit: StagedCommit,
    /// Leaf index of the committer after the commit, and its signature key: who signs the new GroupInfo.
    committer: u32,
    committer_key: SignaturePublicKey,
}

impl Group {
    /// Verifies a GroupInfo with its ratchet tree: signatures, tree hash, parent hashes, lifetimes.
    pub(crate) fn from_group_info(bytes: &[u8]) -> Result<Self, MlsError> {
        let info = group_info(bytes)?;
        let tree = info.extensions().ratchet_tree();
        let tree = tree.ok_or_else(|| refused(GROUP_INFO, "holds no ratchet_tree extension"))?;
        let tree = tree.ratchet_tree().clone();
        if info.extensions().external_pub().is_none() {
            return Err(refused(GROUP_INFO, "holds no external_pub extension"));
        }
        let crypto = RustCrypto::default();
        let state = State::default();
        let (inner, _) = PublicGroup::from_external(&crypto, &state, tree, info, ProposalStore::default())
            .map_err(|error| refused(GROUP_INFO, error))?;
        Ok(Self { inner, state, crypto })
    }

    /// The inverse of [`Self::save`].
    pub(crate) fn load(group_id: &[u8], blob: &[u8]) -> Result<Self, MlsError> {
        let state = State::decode(blob).map_err(|error| MlsError::State(error.to_string()))?;
        let inner = PublicGroup::load(&state, &GroupId::from_slice(group_id))
            .map_err(|error| MlsError::State(error.to_string()))?
            .ok_or_else(|| MlsError::State("incomplete".into()))?;
        Ok(Self {
            inner,
            state,
            crypto: RustCrypto::default(),
        })
    }

    pub(crate) fn group_id(&self) -> &[u8] {
        self.inner.group_id().as_slice()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.inner.group_context().epoch().as_u64()
    }

    /// Suite, policy and leaves. Fails if a leaf's credential is not ours, or not of its own signature key.
    pub(crate) fn facts(&self) -> Result<GroupFacts, MlsError> {
        let context = self.inner.group_context();
        let leaves = self.inner.treesync().full_leaves();
        Ok(GroupFacts {
            suite: context.ciphersuite().into(),
            policy: policy(context.extensions()).ok_or(PolicyError::GroupPolicy)?,
            leaves: leaves.map(|(_, leaf)| credential(leaf)).collect::<Result<_, _>>()?,
        })
    }

    /// Checks a commit's signature and structure against this epoch, and reads it as facts.
    ///
    /// `now_ms` is when an invite that it proves was used.
    pub(crate) fn stage(&self, bytes: &[u8], now_ms: i64) -> Result<Staged, MlsError> {
        let message = public_message(bytes)?;
        if message.content_type() != ContentType::Commit {
            return Err(refused(COMMIT, "is no commit"));
        }
        if message.group_id() != self.inner.group_id() || message.epoch() != self.inner.group_context().epoch() {
            return Err(MlsError::Epoch);
        }
        let processed = self
            .inner
            .process_message(&self.crypto, ProtocolMessage::from(message))
            .map_err(|error| refused(COMMIT, error))?;
        let sender = processed.sender().clone();
        let authenticated_data = processed.aad().to_vec();
        let ProcessedMessageContent::StagedCommitMessage(commit) = processed.into_content() else {
            return Err(refused(COMMIT, "is no commit"));
        };
        let mut staged = self.describe(&sender, *commit)?;
        if let Committer::External(joiner) = staged.facts.committer {
            let proven = invite::proven(&authenticated_data, self.group_id(), self.epoch(), joiner.device);
            let invited = |public_key| Invited {
                public_key,
                at_ms: now_ms,
            };
            staged.facts.invited = proven.map(invited);
        }
        Ok(staged)
    }

    fn describe(&self, sender: &Sender, commit: StagedCommit) -> Result<Staged, MlsError> {
        let path_leaf = commit.update_path_leaf_node();
        let (committer, index, key) = match sender {
            Sender::Member(index) => {
                let leaf = self
                    .inner
                    .leaf(*index)
                    .ok_or_else(|| refused(COMMIT, "its sender has no leaf"))?;
                // A path may replace the signature key; the policy then refuses, as a device is its key.
                let key = path_leaf.unwrap_or(leaf).signature_key().clone();
                (Committer::Member(credential(leaf)?), index.u32(), key)
            }
            Sender::NewMemberCommit => {
                let leaf = path_leaf.ok_or_else(|| refused(COMMIT, "an external commit has a path"))?;
                let index = self
                    .inner
                    .ext_commit_sender_index(&commit)
                    .map_err(|error| refused(COMMIT, error))?;
                (
                    Committer::External(credential(leaf)?),
                    index.u32(),
                    leaf.signature_key().clone(),
                )
            }
            _ => return Err(refused(COMMIT, "its sender is no member and no joiner")),
        };
        let facts = CommitFacts {
            committer,
            by_reference: commit
                .queued_proposals()
                .any(|queued| queued.proposal_or_ref_type() == ProposalOrRefType::Reference),
            proposals: commit
                .queued_proposals()
                .map(|queued| self.proposal(queued.proposal()))
                .collect::<Result<_, _>>()?,
            path_leaf: match (committer, path_leaf) {
                (Committer::Member(_), Some(leaf)) => Some(credential(leaf)?),
                _ => None,
            },
            invited: None,
        };
        Ok(Staged {
            facts,
            commit,
            committer: index,
            committer_key: key,
        })
    }

    fn proposal(&self, proposal: &Proposal) -> Result<ProposalFact, MlsError> {
        Ok(match proposal {
            Proposal::Add(add) => ProposalFact::Add(credential(add.key_package().leaf_node())?),
            Proposal::Remove(remove) => {
                let leaf = self.inner.leaf(remove.removed());
                let leaf = leaf.ok_or_else(|| refused(COMMIT, "it removes a leaf that is not there"))?;
                ProposalFact::Remove(credential(leaf)?)
            }
            Proposal::GroupContextExtensions(change) => {
                ProposalFact::GroupContextExtensions(changed_policy(change.extensions()))
            }
            Proposal::ExternalInit(_) => ProposalFact::ExternalInit,
            Proposal::SelfRemove => ProposalFact::SelfRemove,
            _ => ProposalFact::Other,
        })
    }

    /// Merges a commit that the policy allows, and checks that `info` is the GroupInfo of the epoch that it begins.
    pub(crate) fn merge(&mut self, staged: Staged, info: &[u8]) -> Result<(), MlsError> {
        self.inner
            .merge_commit(&self.state, staged.commit)
            .map_err(|error| refused(COMMIT, error))?;
        self.check_group_info(info, staged.committer, &staged.committer_key)
    }

    /// The GroupInfo must describe this very group: context, tree and confirmation tag, signed by the committer.
    fn check_group_info(&self, bytes: &[u8], committer: u32, key: &SignaturePublicKey) -> Result<(), MlsError> {
        let info = group_info(bytes)?;
        let context: &GroupContext = self.inner.group_context();
        if info.group_context() != context || info.extensions().external_pub().is_none() {
            return Err(PolicyError::GroupInfo.into());
        }
        let encoding = |error: tls_codec::Error| refused(GROUP_INFO, error);
        let tree = info.extensions().ratchet_tree().ok_or(PolicyError::GroupInfo)?;
        let claimed = tree.ratchet_tree().tls_serialize_detached().map_err(encoding)?;
        let actual = self
            .inner
            .export_ratchet_tree()
            .tls_serialize_detached()
            .map_err(encoding)?;
        // GroupInfoTBS ends with the confirmation tag and the signer (RFC 9420 section 12.4.3).
        let signed = info.unsigned_payload().map_err(encoding)?;
        let tag = self
            .inner
            .confirmation_tag()
            .tls_serialize_detached()
            .map_err(encoding)?;
        let tail = [tag.as_slice(), &committer.to_be_bytes()].concat();
        if claimed != actual || !signed.ends_with(&tail) {
            return Err(PolicyError::GroupInfo.into());
        }
        let key =
            OpenMlsSignaturePublicKey::from_signature_key(key.clone(), context.ciphersuite().signature_algorithm());
        info.verify_no_out(&self.crypto, &key)
            .map_err(|_| PolicyError::GroupInfo.into())
    }

    /// The group as one blob.
    pub(crate) fn save(&self) -> Vec<u8> {
        self.state.encode()
    }
}

fn message(parameter: &'static str, bytes: &[u8]) -> Result<MlsMessageBodyIn, MlsError> {
    let message = MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| refused(parameter, "is no MLSMessage"))?;
    Ok(message.extract())
}

fn group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, MlsError> {
    match message(GROUP_INFO, bytes)? {
        MlsMessageBodyIn::GroupInfo(info) => Ok(info),
        _ => Err(refused(GROUP_INFO, "is no GroupInfo")),
    }
}

fn public_message(bytes: &[u8]) -> Result<PublicMessageIn, MlsError> {
    match message(COMMIT, bytes)? {
        MlsMessageBodyIn::PublicMessage(message) => Ok(message),
        _ => Err(refused(COMMIT, "is no PublicMessage: handshakes are not encrypted")),
    }
}

/// Our policy in a GroupContext; `None` if it is missing or does not decode.
fn policy(extensions: &Extensions<GroupContext>) -> Option<GroupPolicy> {
    let extension = extensions.unknown(GROUP_POLICY_EXTENSION)?;
    GroupPolicy::decode(extension.0.as_slice()).ok()
}

/// The policy in changed extensions, which hold nothing but it and what every group requires of its leaves.
fn changed_policy(extensions: &Extensions<GroupContext>) -> Option<GroupPolicy> {
    let required = extensions.required_capabilities()?;
    let ours = [ExtensionType::Unknown(GROUP_POLICY_EXTENSION)];
    let only = extensions.iter().count() == 2 && required.extension_types() == ours;
    policy(extensions).filter(|_| only)
}

/// Our credential in a leaf. A device is its key: the credential must name the device of the leaf's signature key.
pub(super) fn credential(leaf: &LeafNode) -> Result<Credential, PolicyError> {
    let basic = BasicCredential::try_from(leaf.credential().clone()).map_err(|_| PolicyError::Credential)?;
    let credential = Credential::decode(basic.identity()).map_err(|_| PolicyError::Credential)?;
    if DeviceId::of_key(leaf.signature_key().as_slice()) == credential.device {
        Ok(credential)
    } else {
        Err(PolicyError::Credential)
    }
}
