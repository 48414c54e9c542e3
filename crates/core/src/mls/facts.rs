//! Groups and commits as `kabar_protocol::policy` sees them.

use openmls::prelude::{
    ExtensionType, Extensions, GroupContext, LeafNode, MlsGroup, Proposal, ProposalOrRefType, QueuedProposal, Sender,
    StagedCommit,
};
use prost::Message as _;

use kabar_protocol::{
    credential::Credential,
    ids::DeviceId,
    policy::{CommitFacts, Committer, GROUP_POLICY_EXTENSION, GroupFacts, ProposalFact},
    wire::GroupPolicy,
};

use super::MlsError;

/// A leaf's credential, if it is one of ours and names the key that the leaf signs with.
pub(super) fn credential(credential: &openmls::prelude::Credential, key: &[u8]) -> Result<Credential, MlsError> {
    let decoded =
        Credential::decode(credential.serialized_content()).map_err(|_| MlsError::Refused("credential".into()))?;
    // The device id is the hash of the key: a leaf cannot claim another device.
    if DeviceId::of_key(key) == decoded.device {
        Ok(decoded)
    } else {
        Err(MlsError::Refused("credential".into()))
    }
}

pub(super) fn leaf_credential(leaf: &LeafNode) -> Result<Credential, MlsError> {
    credential(leaf.credential(), leaf.signature_key().as_slice())
}

pub(super) fn policy(extensions: &Extensions<GroupContext>) -> Option<GroupPolicy> {
    let extension = extensions.unknown(GROUP_POLICY_EXTENSION)?;
    GroupPolicy::decode(&extension.0[..]).ok()
}

/// The policy in changed extensions, which hold nothing but it and what every group requires of its leaves.
fn changed_policy(extensions: &Extensions<GroupContext>) -> Option<GroupPolicy> {
    let required = extensions.required_capabilities()?;
    let ours = [ExtensionType::Unknown(GROUP_POLICY_EXTENSION)];
    let only = extensions.iter().count() == 2 && required.extension_types() == ours;
    policy(extensions).filter(|_| only)
}

pub(super) fn of_members(
    members: impl Iterator<Item = openmls::prelude::Member>,
    suite: u16,
    extensions: &Extensions<GroupContext>,
) -> Result<GroupFacts, MlsError> {
    let leaves = members.map(|member| credential(&member.credential, &member.signature_key));
    Ok(GroupFacts {
        suite,
        policy: policy(extensions).ok_or_else(|| MlsError::Refused("group_policy".into()))?,
        leaves: leaves.collect::<Result<_, _>>()?,
    })
}

pub(super) fn of_group(group: &MlsGroup) -> Result<GroupFacts, MlsError> {
    of_members(group.members(), group.ciphersuite().into(), group.extensions())
}

/// `group` is the group before the commit. An invite that the commit proves is not among the facts yet.
pub(super) fn of_commit(group: &MlsGroup, sender: &Sender, staged: &StagedCommit) -> Result<CommitFacts, MlsError> {
    let path_leaf = staged.update_path_leaf_node().map(leaf_credential).transpose()?;
    let committer = match sender {
        Sender::Member(index) => {
            let member = group
                .member_at(*index)
                .ok_or_else(|| MlsError::Refused("sender".into()))?;
            Committer::Member(credential(&member.credential, &member.signature_key)?)
        }
        Sender::NewMemberCommit => {
            Committer::External(path_leaf.ok_or_else(|| MlsError::Refused("external_join".into()))?)
        }
        _ => return Err(MlsError::Refused("sender".into())),
    };
    let proposals = staged.queued_proposals().map(|queued| proposal(group, queued));
    Ok(CommitFacts {
        committer,
        proposals: proposals.collect::<Result<_, _>>()?,
        by_reference: staged
            .queued_proposals()
            .any(|queued| queued.proposal_or_ref_type() == ProposalOrRefType::Reference),
        path_leaf,
        invited: None,
    })
}

fn proposal(group: &MlsGroup, queued: &QueuedProposal) -> Result<ProposalFact, MlsError> {
    Ok(match queued.proposal() {
        Proposal::Add(add) => ProposalFact::Add(leaf_credential(add.key_package().leaf_node())?),
        Proposal::Remove(remove) => {
            let member = group
                .member_at(remove.removed())
                .ok_or_else(|| MlsError::Refused("remove".into()))?;
            ProposalFact::Remove(credential(&member.credential, &member.signature_key)?)
        }
        Proposal::GroupContextExtensions(change) => {
            ProposalFact::GroupContextExtensions(changed_policy(change.extensions()))
        }
        Proposal::ExternalInit(_) => ProposalFact::ExternalInit,
        Proposal::SelfRemove => ProposalFact::SelfRemove,
        _ => ProposalFact::Other,
    })
}
