//! One group: encrypt, decrypt, commits in and out.

use ed25519_dalek::SigningKey;
use openmls::prelude::{
    CommitMessageBundle, Extension, ExtensionType, Extensions, GroupContext, GroupId, LeafNodeIndex, MlsGroup,
    MlsGroupJoinConfig, MlsMessageIn, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProcessedMessageContent, ProtocolMessage,
    RequiredCapabilitiesExtension, SenderRatchetConfiguration, UnknownExtension,
};
use prost::Message as _;
use tls_codec::{DeserializeBytes as _, Serialize as _};

use kabar_protocol::{
    credential::Credential,
    ids::{ConversationId, DeviceId},
    invite,
    policy::{CommitFacts, Committer, GROUP_POLICY_EXTENSION, GroupFacts, Invited, PolicyError},
    wire::GroupPolicy,
};

use super::{
    Bundle, CheckedKeyPackage, Engine, Identity, MlsError, Storage,
    engine::{capabilities, ciphersuite},
    engine_error, facts,
};
use crate::api::Write;

/// Application messages are padded to a multiple of this, so that their sizes say little.
const PADDING_BYTES: usize = 128;
/// Epochs whose messages can still be read. Every kept epoch is rewritten with every message, and large groups pay
/// by the leaf: hence two values. A sender that is told of a newer epoch encrypts again.
const PAST_EPOCHS: usize = 5;
const PAST_EPOCHS_LARGE: usize = 1;
const LARGE_LEAVES: usize = 50;
/// Messages of one sender that may overtake each other, and that may be missing in a row.
const OUT_OF_ORDER_MAX: u32 = 64;
const FORWARD_MAX: u32 = 4096;

pub(crate) struct Group {
    pub(super) mls: MlsGroup,
    pub(super) storage: Storage,
    /// Of operations that succeeded and have not been taken.
    writes: Vec<Write>,
}

/// An application message that was decrypted and whose sender MLS has authenticated.
pub(crate) struct Decrypted {
    pub(crate) sender: Credential,
    pub(crate) authenticated_data: Vec<u8>,
    pub(crate) content: Vec<u8>,
}

/// What a commit of ours changes; the default is nothing but our keys.
#[derive(Default)]
pub(crate) struct Change<'a> {
    pub(crate) added: Vec<CheckedKeyPackage>,
    pub(crate) removed: &'a [DeviceId],
    pub(crate) policy: Option<&'a GroupPolicy>,
}

/// What every member is configured with. Handshakes are PublicMessages: the server checks and orders them.
pub(super) fn join_config(leaves: usize) -> MlsGroupJoinConfig {
    let past_epochs = if leaves > LARGE_LEAVES {
        PAST_EPOCHS_LARGE
    } else {
        PAST_EPOCHS
    };
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .max_past_epochs(past_epochs)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_MAX, FORWARD_MAX))
        .build()
}

pub(super) fn context_extensions(policy: &GroupPolicy) -> Result<Extensions<GroupContext>, MlsError> {
    let ours = ExtensionType::Unknown(GROUP_POLICY_EXTENSION);
    Extensions::from_vec(vec![
        Extension::Unknown(GROUP_POLICY_EXTENSION, UnknownExtension(policy.encode_to_vec())),
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&[ours], &[], &[])),
    ])
    .map_err(engine_error("extensions"))
}

impl Group {
    pub(super) fn new(mls: MlsGroup, storage: Storage) -> Self {
        let writes = storage.commit();
        Self { mls, storage, writes }
    }

    /// Reads a group back from its rows; `None` if there is none.
    pub(crate) fn load(
        storage: Storage,
        conversation: ConversationId,
        generation: u32,
    ) -> Result<Option<Self>, MlsError> {
        let group_id = GroupId::from_slice(&conversation.group_id(generation));
        let mls = MlsGroup::load(&storage, &group_id).map_err(engine_error("load"))?;
        Ok(mls.map(|mls| Self {
            mls,
            storage,
            writes: Vec::new(),
        }))
    }

    /// Creates the group of a conversation on `suite` with the owners of `key_packages`: epoch 1, ready to encrypt.
    pub(crate) fn create(
        engine: &Engine,
        me: &Identity<'_>,
        storage: Storage,
        suite: u16,
        policy: &GroupPolicy,
        key_packages: Vec<CheckedKeyPackage>,
        check: impl FnOnce(&GroupFacts) -> Result<(), PolicyError>,
    ) -> Result<(Self, Bundle), MlsError> {
        let conversation =
            ConversationId::from_slice(&policy.conversation_id).map_err(|_| MlsError::Malformed("conversation id"))?;
        let provider = engine.provider(&storage);
        let config = join_config(key_packages.len() + 1);
        let mut mls = MlsGroup::builder()
            .with_group_id(GroupId::from_slice(&conversation.group_id(policy.generation)))
            .ciphersuite(ciphersuite(suite)?)
            .with_capabilities(capabilities())
            .with_group_context_extensions(context_extensions(policy)?)
            .with_wire_format_policy(config.wire_format_policy())
            .padding_size(config.padding_size())
            .max_past_epochs(PAST_EPOCHS)
            .sender_ratchet_configuration(*config.sender_ratchet_configuration())
            .use_ratchet_tree_extension(true)
            .replace_old_group()
            .build(&provider, me, me.credential_with_key())
            .map_err(engine_error("create"))?;
        mls.set_configuration(&storage, &config)
            .map_err(engine_error("create"))?;
        let messages = mls
            .commit_builder()
            .propose_adds(key_packages.into_iter().map(|checked| checked.key_package))
            .load_psks(&storage)
            .map_err(engine_error("create"))?
            .build(provider.engine_rand(), &engine.crypto, me, |_| true)
            .map_err(engine_error("create"))?
            .stage_commit(&provider)
            .map_err(engine_error("create"))?;
        mls.merge_pending_commit(&provider).map_err(engine_error("create"))?;
        check(&facts::of_group(&mls)?)?;
        let mut bundle = bundle(messages)?;
        bundle.commit = Vec::new();
        Ok((Self::new(mls, storage), bundle))
    }

    /// What has changed since the last call: to be written in the same batch as everything that follows from it.
    #[must_use]
    pub(crate) fn take_writes(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.writes)
    }

    /// Deletes the group from its slot.
    pub(crate) fn clear(self) -> Vec<Write> {
        self.storage.clear()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    pub(crate) fn generation(&self) -> u32 {
        let named = ConversationId::from_group_id(self.mls.group_id().as_slice());
        named.map(|(_, generation)| generation).unwrap_or_default()
    }

    pub(crate) fn is_active(&self) -> bool {
        self.mls.is_active()
    }

    /// Whether a GroupInfo is of this very group in its present epoch. The context has the tree's hash and the
    /// transcript's, so two histories that came to one epoch differ in it.
    pub(crate) fn is_described_by(&self, group_info: &[u8]) -> bool {
        let info = super::join::read_group_info(group_info);
        info.is_ok_and(|info| info.group_context() == self.mls.public_group().group_context())
    }

    pub(crate) fn facts(&self) -> Result<GroupFacts, MlsError> {
        facts::of_group(&self.mls)
    }

    /// `MLSMessage(PrivateMessage)` of the current epoch.
    pub(crate) fn encrypt(
        &mut self,
        engine: &Engine,
        key: &SigningKey,
        authenticated_data: Vec<u8>,
        content: &[u8],
    ) -> Result<Vec<u8>, MlsError> {
        self.attempt(|group| {
            let provider = engine.provider(&group.storage);
            group.mls.set_aad(authenticated_data);
            let message = group
                .mls
                .create_message(&provider, &super::engine::Key(key), content)
                .map_err(engine_error("encrypt"))?;
            message.to_bytes().map_err(engine_error("encrypt"))
        })
    }

    /// Decrypts and authenticates an application message.
    pub(crate) fn decrypt(&mut self, engine: &Engine, message: &[u8]) -> Result<Decrypted, MlsError> {
        let message = protocol_message(message)?;
        self.attempt(|group| {
            let provider = engine.provider(&group.storage);
            let processed = group
                .mls
                .process_message(&provider, message)
                .map_err(engine_error("decrypt"))?;
            let openmls::prelude::Sender::Member(_) = processed.sender() else {
                return Err(MlsError::Refused("sender".into()));
            };
            let authenticated_data = processed.aad().to_vec();
            // The credential is that of the epoch of the message: the leaf may be somebody else's by now.
            let sender = Credential::decode(processed.credential().serialized_content())
                .map_err(|_| MlsError::Refused("credential".into()))?;
            match processed.into_content() {
                ProcessedMessageContent::ApplicationMessage(message) => Ok(Decrypted {
                    sender,
                    authenticated_data,
                    content: message.into_bytes(),
                }),
                _ => Err(MlsError::Malformed("application message")),
            }
        })
    }

    /// Processes another member's commit. `check` sees the group before it and the commit; only then it is merged.
    /// `at_ms` is when the server took it in.
    pub(crate) fn process_commit(
        &mut self,
        engine: &Engine,
        commit: &[u8],
        at_ms: i64,
        check: impl FnOnce(&GroupFacts, &CommitFacts) -> Result<(), PolicyError>,
    ) -> Result<(), MlsError> {
        let message = protocol_message(commit)?;
        self.attempt(|group| {
            let provider = engine.provider(&group.storage);
            let processed = group
                .mls
                .process_message(&provider, message)
                .map_err(engine_error("commit"))?;
            let sender = processed.sender().clone();
            let authenticated_data = processed.aad().to_vec();
            match processed.into_content() {
                ProcessedMessageContent::StagedCommitMessage(staged) => {
                    let mut facts = facts::of_commit(&group.mls, &sender, &staged)?;
                    if let Committer::External(joiner) = facts.committer {
                        let (id, epoch) = (group.mls.group_id().as_slice(), group.epoch());
                        let proven = invite::proven(&authenticated_data, id, epoch, joiner.device);
                        facts.invited = proven.map(|public_key| Invited { public_key, at_ms });
                    }
                    check(&facts::of_group(&group.mls)?, &facts)?;
                    group
                        .mls
                        .merge_staged_commit(&provider, *staged)
                        .map_err(engine_error("merge"))
                }
                ProcessedMessageContent::OwnPendingCommit => {
                    group.mls.merge_pending_commit(&provider).map_err(engine_error("merge"))
                }
                // A proposal by reference is never committed here, so there is no use in keeping it.
                _ => Err(MlsError::Refused("proposal_by_reference".into())),
            }
        })
    }

    /// Prepares a commit that renews the keys from our leaf up, and makes `change`. It stays pending until
    /// [`Self::merge_pending`].
    pub(crate) fn commit(
        &mut self,
        engine: &Engine,
        me: &Identity<'_>,
        change: Change<'_>,
        check: impl FnOnce(&GroupFacts, &CommitFacts) -> Result<(), PolicyError>,
    ) -> Result<Bundle, MlsError> {
        let leaves = self.leaves_of(change.removed);
        self.attempt(|group| {
            group
                .mls
                .clear_pending_commit(&group.storage)
                .map_err(engine_error("own commit"))?;
            let provider = engine.provider(&group.storage);
            let mut builder = group
                .mls
                .commit_builder()
                .propose_removals(leaves)
                .propose_adds(change.added.into_iter().map(|checked| checked.key_package))
                .force_self_update(true);
            if let Some(policy) = change.policy {
                builder = builder
                    .propose_group_context_extensions(context_extensions(policy)?)
                    .map_err(engine_error("own commit"))?;
            }
            let messages = builder
                .load_psks(&group.storage)
                .map_err(engine_error("own commit"))?
                .use_ratchet_tree_extension(true)
                .build(provider.engine_rand(), &engine.crypto, me, |_| true)
                .map_err(engine_error("own commit"))?
                .stage_commit(&provider)
                .map_err(engine_error("own commit"))?;
            let sender = openmls::prelude::Sender::Member(group.mls.own_leaf_index());
            let pending = group
                .mls
                .pending_commit()
                .ok_or(MlsError::Malformed("pending commit"))?;
            check(
                &facts::of_group(&group.mls)?,
                &facts::of_commit(&group.mls, &sender, pending)?,
            )?;
            bundle(messages)
        })
    }

    /// Our pending commit was accepted.
    pub(crate) fn merge_pending(&mut self, engine: &Engine) -> Result<(), MlsError> {
        self.attempt(|group| {
            let provider = engine.provider(&group.storage);
            group.mls.merge_pending_commit(&provider).map_err(engine_error("merge"))
        })
    }

    /// Our pending commit lost the race.
    pub(crate) fn drop_pending(&mut self) -> Result<(), MlsError> {
        self.attempt(|group| {
            group
                .mls
                .clear_pending_commit(&group.storage)
                .map_err(engine_error("drop"))
        })
    }

    /// Runs one operation: its writes are kept if it succeeds, and undone, in memory too, if it fails.
    fn attempt<T>(&mut self, operation: impl FnOnce(&mut Self) -> Result<T, MlsError>) -> Result<T, MlsError> {
        let result = operation(self);
        if result.is_ok() {
            self.writes.extend(self.storage.commit());
        } else {
            self.storage.abort();
            let group_id = self.mls.group_id().clone();
            if let Ok(Some(before)) = MlsGroup::load(&self.storage, &group_id) {
                self.mls = before;
            }
        }
        result
    }

    fn leaves_of(&self, devices: &[DeviceId]) -> Vec<LeafNodeIndex> {
        let named = |member: &openmls::prelude::Member| {
            facts::credential(&member.credential, &member.signature_key)
                .is_ok_and(|credential| devices.contains(&credential.device))
        };
        self.mls.members().filter(named).map(|member| member.index).collect()
    }
}

pub(super) fn protocol_message(bytes: &[u8]) -> Result<ProtocolMessage, MlsError> {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes)
        .map_err(|_| MlsError::Malformed("MLSMessage"))?
        .try_into_protocol_message()
        .map_err(|_| MlsError::Malformed("MLSMessage"))
}

pub(super) fn bundle(messages: CommitMessageBundle) -> Result<Bundle, MlsError> {
    let encoded = |message: Option<openmls::prelude::MlsMessageOut>| match message {
        Some(message) => message.tls_serialize_detached().map_err(engine_error("encode")),
        None => Ok(Vec::new()),
    };
    let (commit, welcome, group_info) = messages.into_messages();
    Ok(Bundle {
        commit: encoded(Some(commit))?,
        welcome: encoded(welcome)?,
        group_info: encoded(group_info)?,
    })
}
