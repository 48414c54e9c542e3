//! The MLS groups of a device: made, changed and joined, and the policy inside them.

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    invite::InviteSecret,
    policy::GROUP_POLICY_EXTENSION,
    wire::{
        self, CommitBundle, ConversationKind, DeviceAddress, GroupPolicy, GroupSettings, MemberRole, Permission, Role,
    },
};
use openmls::{messages::group_info::VerifiableGroupInfo, prelude::*};
use openmls_rust_crypto::OpenMlsRustCrypto;
use prost::Message as _;
use tls_codec::{Deserialize as _, Serialize as _};

use super::{Device, XWING, capabilities};

impl Device {
    /// Makes the group of a direct conversation with `peer`, whose packages these are.
    pub(crate) fn direct_group(
        &mut self,
        peer: AccountId,
        packages: &[wire::DeviceKeyPackage],
    ) -> (ConversationId, CommitBundle) {
        let id = ConversationId::direct(self.account, peer);
        let policy = policy(ConversationKind::Direct, id, 0, &[self.account, peer]);
        let packages = packages.iter().map(|package| (peer, package.key_package.to_vec()));
        (id, self.group(XWING, &policy, &packages.collect::<Vec<_>>()))
    }

    /// Makes the group that `policy` names, with the devices of these packages; an earlier try is forgotten.
    pub(crate) fn group(
        &mut self,
        suite: Ciphersuite,
        policy: &GroupPolicy,
        packages: &[(AccountId, Vec<u8>)],
    ) -> CommitBundle {
        let id = ConversationId::from_slice(&policy.conversation_id).expect("an id");
        let group_id = GroupId::from_slice(&id.group_id(policy.generation));
        if let Ok(Some(mut earlier)) = MlsGroup::load(self.provider.storage(), &group_id) {
            earlier.delete(self.provider.storage()).expect("forgotten");
        }
        let mut group = MlsGroup::builder()
            .with_group_id(group_id)
            .ciphersuite(suite)
            .with_capabilities(capabilities())
            .with_group_context_extensions(context(policy))
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build(&self.provider, &self.signer, self.credential())
            .expect("a group");
        let members = packages.iter().map(|(_, package)| self.checked(package));
        let members: Vec<KeyPackage> = members.collect();
        let welcomed = packages
            .iter()
            .zip(&members)
            .map(|((account, _), package)| DeviceAddress {
                account_id: account.to_bytes(),
                device_id: DeviceId::of_key(package.leaf_node().signature_key().as_slice()).to_bytes(),
            });
        let welcomed = welcomed.collect();
        let messages = group
            .commit_builder()
            .propose_adds(members)
            .load_psks(self.provider.storage())
            .expect("no PSKs")
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("staged");
        group.merge_pending_commit(&self.provider).expect("merged");
        self.groups.insert(id, group);
        CommitBundle {
            commit: Default::default(),
            welcomed,
            ..bundle(messages)
        }
    }

    pub(crate) fn checked(&self, package: &[u8]) -> KeyPackage {
        KeyPackageIn::tls_deserialize_exact(package)
            .expect("a key package")
            .validate(self.provider.crypto(), ProtocolVersion::Mls10)
            .expect("a valid key package")
    }

    /// Commits a path update of its own leaf; merged by [`Self::merge`].
    pub(crate) fn update(&mut self, id: ConversationId) -> CommitBundle {
        let group = self.groups.get_mut(&id).expect("a group");
        let messages = group
            .self_update(&self.provider, &self.signer, LeafNodeParameters::default())
            .expect("an update");
        bundle(messages)
    }

    pub(crate) fn merge(&mut self, id: ConversationId) {
        let group = self.groups.get_mut(&id).expect("a group");
        group.merge_pending_commit(&self.provider).expect("merged");
    }

    pub(crate) fn epoch(&self, id: ConversationId) -> u64 {
        self.groups[&id].epoch().as_u64()
    }

    /// Removes the leaves of these devices, by a commit.
    pub(crate) fn remove(&mut self, id: ConversationId, devices: &[DeviceId]) -> CommitBundle {
        self.change(id, devices, &[], None)
    }

    /// Commits removals, additions and another policy. An earlier try is forgotten.
    pub(crate) fn change(
        &mut self,
        id: ConversationId,
        removed: &[DeviceId],
        added: &[&Device],
        policy: Option<&GroupPolicy>,
    ) -> CommitBundle {
        let packages: Vec<KeyPackage> = added
            .iter()
            .map(|device| self.checked(&device.key_package(false)))
            .collect();
        let welcomed = added.iter().map(|device| DeviceAddress {
            account_id: device.account.to_bytes(),
            device_id: device.id.to_bytes(),
        });
        let welcomed = welcomed.collect();
        let group = self.groups.get_mut(&id).expect("a group");
        let leaves: Vec<LeafNodeIndex> = group
            .members()
            .filter(|member| removed.contains(&DeviceId::of_key(&member.signature_key)))
            .map(|member| member.index)
            .collect();
        group
            .clear_pending_commit(self.provider.storage())
            .expect("nothing pending");
        let mut builder = group.commit_builder().propose_removals(leaves).propose_adds(packages);
        if let Some(policy) = policy {
            builder = builder
                .propose_group_context_extensions(context(policy))
                .expect("extensions");
        }
        let messages = builder
            .load_psks(self.provider.storage())
            .expect("no PSKs")
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("staged");
        CommitBundle {
            welcomed,
            ..bundle(messages)
        }
    }

    /// Joins from outside, replacing an own leaf if there is one.
    pub(crate) fn join_externally(&mut self, id: ConversationId, group_info: &[u8]) -> CommitBundle {
        self.join_externally_as(id, group_info, self.credential(), Vec::new())
    }

    /// Joins from outside with the proof that `secret` gives, whatever it is worth.
    pub(crate) fn join_by_invite(
        &mut self,
        id: ConversationId,
        info: &wire::group_info_outcome::Info,
        secret: &InviteSecret,
    ) -> CommitBundle {
        let proof = secret.join_proof(&id.group_id(info.generation), info.epoch, self.id);
        self.join_externally_as(id, &info.group_info, self.credential(), proof)
    }

    /// Joins from outside, replacing the leaf of the credential's signature key if there is one.
    pub(crate) fn join_externally_as(
        &mut self,
        id: ConversationId,
        group_info: &[u8],
        credential: CredentialWithKey,
        authenticated_data: Vec<u8>,
    ) -> CommitBundle {
        let info: VerifiableGroupInfo = match MlsMessageIn::tls_deserialize_exact(group_info)
            .expect("a message")
            .extract()
        {
            MlsMessageBodyIn::GroupInfo(info) => info,
            other => panic!("no GroupInfo: {other:?}"),
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let provider = OpenMlsRustCrypto::default();
        let (mut group, messages) = MlsGroup::external_commit_builder()
            .with_config(config)
            .with_aad(authenticated_data)
            .build_group(&provider, info, credential)
            .expect("an external group")
            .leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(capabilities()).build())
            .load_psks(provider.storage())
            .expect("no PSKs")
            .build(provider.rand(), provider.crypto(), &self.signer, |_| true)
            .expect("a commit")
            .finalize(&provider)
            .expect("finalized");
        group.set_aad(Vec::new());
        self.provider = provider;
        self.groups.insert(id, group);
        bundle(messages)
    }
}

fn context(policy: &GroupPolicy) -> Extensions<GroupContext> {
    let ours = ExtensionType::Unknown(GROUP_POLICY_EXTENSION);
    let extensions = Extensions::from_vec(vec![
        Extension::Unknown(GROUP_POLICY_EXTENSION, UnknownExtension(policy.encode_to_vec())),
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&[ours], &[], &[])),
    ]);
    extensions.expect("extensions")
}

/// Under what a group of these tests stands, with its founder.
pub(crate) const NONCE: [u8; 16] = [9; 16];

/// Everybody a plain member; in a group, the first is the founder and owner.
pub(crate) fn policy(
    kind: ConversationKind,
    id: ConversationId,
    generation: u32,
    accounts: &[AccountId],
) -> GroupPolicy {
    let founder = (kind == ConversationKind::Group).then(|| accounts[0]);
    let mut accounts = accounts.to_vec();
    accounts.sort();
    let member = |account: &AccountId| MemberRole {
        account_id: account.to_bytes(),
        role: if founder == Some(*account) {
            Role::Owner
        } else {
            Role::Member
        }
        .into(),
    };
    GroupPolicy {
        version: 1,
        kind: kind.into(),
        conversation_id: id.to_bytes(),
        generation,
        members: accounts.iter().map(member).collect(),
        settings: founder.map(|_| GroupSettings {
            history: false,
            post: Permission::All.into(),
            add: Permission::Admins.into(),
            edit: Permission::Admins.into(),
        }),
        invites: Vec::new(),
        founder: founder.map(|founder| founder.to_bytes()).unwrap_or_default(),
        nonce: founder.map(|_| NONCE.to_vec()).unwrap_or_default().into(),
    }
}

pub(crate) fn bundle(messages: CommitMessageBundle) -> CommitBundle {
    let (commit, welcome, info) = messages.into_messages();
    let encode = |message: MlsMessageOut| message.tls_serialize_detached().expect("encodes");
    CommitBundle {
        commit: encode(commit).into(),
        group_info: info.map(encode).expect("a GroupInfo").into(),
        welcome: welcome.map(encode).unwrap_or_default().into(),
        welcomed: Vec::new(),
    }
}
