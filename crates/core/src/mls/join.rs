//! Ways into a group: a Welcome, or an external commit over a GroupInfo.

use openmls::prelude::{
    LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn, StagedWelcome, Welcome,
    group_info::VerifiableGroupInfo,
};
use tls_codec::DeserializeBytes as _;

use kabar_protocol::{
    credential::Credential,
    ids::ConversationId,
    invite::InviteSecret,
    policy::{GroupFacts, PolicyError},
};

use super::{
    Bundle, Engine, Group, Identity, MlsError, Storage, engine::capabilities, engine_error, facts, group,
    storage::key_package_key,
};
use crate::api::Key;

/// Store keys of the KeyPackages that a Welcome may be for: the caller reads those that exist.
pub(crate) fn welcome_keys(welcome: &[u8]) -> Result<Vec<Key>, MlsError> {
    let welcome = read_welcome(welcome)?;
    let keys = welcome
        .secrets()
        .iter()
        .map(|secret| key_package_key(&secret.new_member()));
    keys.collect::<Result<_, _>>().map_err(engine_error("welcome"))
}

impl Group {
    /// Joins by a Welcome, and says who has signed it. `storage` holds our KeyPackage; `check` sees the group before it is ours.
    pub(crate) fn join(
        engine: &Engine,
        storage: Storage,
        welcome: &[u8],
        check: impl FnOnce(ConversationId, u32, &GroupFacts) -> Result<(), PolicyError>,
    ) -> Result<(Self, Credential), MlsError> {
        let provider = engine.provider(&storage);
        // Lifetimes are judged by the claimer; by the time a Welcome is read they may well be over.
        let staged = StagedWelcome::build_from_welcome(&provider, &group::join_config(0), read_welcome(welcome)?)
            .map_err(engine_error("welcome"))?
            .skip_lifetime_validation()
            .replace_old_group()
            .build()
            .map_err(engine_error("welcome"))?;
        let (conversation, generation) = ConversationId::from_group_id(staged.group_context().group_id().as_slice())
            .ok_or(MlsError::Malformed("group id"))?;
        let facts = {
            let context = staged.group_context();
            facts::of_members(staged.members(), context.ciphersuite().into(), context.extensions())?
        };
        check(conversation, generation, &facts)?;
        let adder = facts::leaf_credential(staged.welcome_sender().map_err(engine_error("welcome"))?)?;
        let mut mls = staged.into_group(&provider).map_err(engine_error("welcome"))?;
        mls.set_configuration(&storage, &group::join_config(facts.leaves.len()))
            .map_err(engine_error("welcome"))?;
        Ok((Self::new(mls, storage), adder))
    }

    /// Builds an external commit that puts this device (back) into the group, in place of its old leaf if it has one, or by the
    /// proof that it has been invited.
    /// The group is only ours once the server has accepted the commit.
    pub(crate) fn join_externally(
        engine: &Engine,
        me: &Identity<'_>,
        storage: Storage,
        group_info: &[u8],
        invite: Option<&InviteSecret>,
        check: impl FnOnce(ConversationId, u32, &GroupFacts) -> Result<(), PolicyError>,
    ) -> Result<(Self, Bundle), MlsError> {
        let group_info = read_group_info(group_info)?;
        let proof = invite.map(|invite| {
            let context = group_info.group_context();
            invite.join_proof(
                context.group_id().as_slice(),
                context.epoch().as_u64(),
                me.credential.device,
            )
        });
        let (conversation, generation) =
            ConversationId::from_group_id(group_info.group_id().as_slice()).ok_or(MlsError::Malformed("group id"))?;
        let provider = engine.provider(&storage);
        let (mls, messages) = MlsGroup::external_commit_builder()
            .with_config(group::join_config(0))
            .skip_lifetime_validation()
            .with_aad(proof.unwrap_or_default())
            .build_group(&provider, group_info, me.credential_with_key())
            .map_err(engine_error("resync"))?
            .leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(capabilities()).build())
            .load_psks(&storage)
            .map_err(engine_error("resync"))?
            .use_ratchet_tree_extension(true)
            .build(provider.engine_rand(), &engine.crypto, me, |_| true)
            .map_err(engine_error("resync"))?
            .finalize(&provider)
            .map_err(engine_error("resync"))?;
        check(conversation, generation, &facts::of_group(&mls)?)?;
        Ok((Self::new(mls, storage), group::bundle(messages)?))
    }
}

/// What a GroupInfo says, unverified: enough to begin the next generation.
pub(crate) struct GroupInfoFacts {
    pub(crate) conversation: ConversationId,
    pub(crate) generation: u32,
    pub(crate) facts: GroupFacts,
}

pub(crate) fn group_info_facts(group_info: &[u8]) -> Result<GroupInfoFacts, MlsError> {
    let group_info = read_group_info(group_info)?;
    let context = group_info.group_context();
    let (conversation, generation) =
        ConversationId::from_group_id(context.group_id().as_slice()).ok_or(MlsError::Malformed("group id"))?;
    let facts = GroupFacts {
        suite: context.ciphersuite().into(),
        policy: facts::policy(context.extensions()).ok_or(MlsError::Malformed("group policy"))?,
        leaves: Vec::new(),
    };
    Ok(GroupInfoFacts {
        conversation,
        generation,
        facts,
    })
}

/// Which group and epoch a handshake message is for, as it says itself.
pub(crate) struct Header {
    pub(crate) conversation: ConversationId,
    pub(crate) generation: u32,
    pub(crate) epoch: u64,
}

pub(crate) fn header(message: &[u8]) -> Result<Header, MlsError> {
    let message = group::protocol_message(message)?;
    let (conversation, generation) =
        ConversationId::from_group_id(message.group_id().as_slice()).ok_or(MlsError::Malformed("group id"))?;
    Ok(Header {
        conversation,
        generation,
        epoch: message.epoch().as_u64(),
    })
}

fn read_welcome(bytes: &[u8]) -> Result<Welcome, MlsError> {
    match read(bytes)? {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(MlsError::Malformed("Welcome")),
    }
}

pub(super) fn read_group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, MlsError> {
    match read(bytes)? {
        MlsMessageBodyIn::GroupInfo(group_info) => Ok(group_info),
        _ => Err(MlsError::Malformed("GroupInfo")),
    }
}

fn read(bytes: &[u8]) -> Result<MlsMessageBodyIn, MlsError> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| MlsError::Malformed("MLSMessage"))?;
    Ok(message.extract())
}
