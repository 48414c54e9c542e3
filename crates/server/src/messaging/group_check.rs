//! What every group must pass before the server keeps it: the engine's checks, the policy, the device lists; and who
//! may learn of a group at all.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use kabar_protocol::{
    credential::Credential,
    device_list::DeviceList,
    ids::{AccountId, ConversationId, DeviceId},
    policy::{self, GroupFacts, PolicyError},
    wire::CommitBundle,
};

use super::{
    commit_store::{self, StoredGroup},
    conversation,
};
use crate::{
    accounts,
    app::App,
    error::{Failure, reason},
    mls::{Group, MlsError},
    socket::Identity,
};

/// Verified chains of the accounts that a check is about.
pub(super) struct Lists(HashMap<AccountId, Arc<DeviceList>>);

impl Lists {
    pub(super) async fn of(app: &App, accounts: &BTreeSet<AccountId>) -> Result<Self, Failure> {
        Ok(Self(accounts::device_lists(app, accounts).await?))
    }

    /// True if the credential is that of a current device, on the chain that we hold.
    pub(super) fn is_current(&self, credential: &Credential) -> bool {
        self.0.get(&credential.account).is_some_and(|list| {
            list.current_device(credential.device).is_some()
                && list.agrees(credential.list_version, &credential.list_hash)
        })
    }

    fn current_devices(&self, account: AccountId) -> impl Iterator<Item = DeviceId> {
        let list = self.0.get(&account);
        list.into_iter().flat_map(|list| list.current()).map(|device| device.id)
    }
}

/// A group that may begin a conversation or a generation of it.
pub(super) struct NewGroup {
    pub(super) facts: GroupFacts,
    pub(super) epoch: u64,
    pub(super) public_state: Vec<u8>,
    /// In the order of their device ids.
    pub(super) members: Vec<Identity>,
}

/// What a group check comes to.
pub(super) enum Checked {
    Group(Box<NewGroup>),
    /// The accounts whose devices are not those of their lists.
    Stale(Vec<AccountId>),
}

/// Verifies the bundle of a new group made by `creator`.
pub(super) async fn check_new_group(
    app: &App,
    creator: Identity,
    conversation: ConversationId,
    generation: u32,
    bundle: &CommitBundle,
) -> Result<Checked, GroupFailure> {
    if !bundle.commit.is_empty() {
        return Err(Failure::invalid("bundle.commit", "must be empty where the bundle creates a group").into());
    }
    let bytes = bundle.group_info.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let group = Group::from_group_info(&bytes)?;
        let facts = group.facts()?;
        Ok::<_, MlsError>((group, facts))
    });
    let (group, facts) = opened.await.map_err(|error| Failure::internal(&error))??;
    if group.group_id() != conversation.group_id(generation) {
        return Err(Failure::invalid(
            "bundle.group_info",
            "its group id names another conversation or generation",
        )
        .into());
    }
    if !facts
        .leaves
        .iter()
        .any(|leaf| (leaf.account, leaf.device) == (creator.account, creator.device))
    {
        return Err(Failure::denied(reason::POLICY, "the creator has no leaf in the group").into());
    }
    let lists = Lists::of(app, &facts.roster()).await?;
    let stale = stale_accounts(app, &facts, &lists).await?;
    if !stale.is_empty() {
        return Ok(Checked::Stale(stale));
    }
    policy::check_group(conversation, generation, &facts, |leaf| lists.is_current(leaf))?;
    let added = facts.leaves.iter().filter(|leaf| leaf.device != creator.device);
    check_welcomed(bundle, added)?;
    Ok(Checked::Group(Box::new(NewGroup {
        members: members(&facts),
        epoch: group.epoch(),
        public_state: group.save(),
        facts,
    })))
}

/// The conversation's group, for accounts of its roster, which are in it by a leaf or by the policy's list alone.
///
/// Whoever knows two people can derive the id of their conversation: to outsiders it is as if there were none.
pub(super) async fn group_for(
    app: &App,
    id: ConversationId,
    account: AccountId,
) -> Result<Option<StoredGroup>, Failure> {
    let Some(conversation) = conversation::conversation(app, id).await? else {
        return Ok(None);
    };
    let Some(stored) = commit_store::stored_group(&mut app.db.reader().await?, id).await? else {
        return Ok(None);
    };
    if conversation.has_account(account) {
        return Ok(Some(stored));
    }
    let facts = Group::load(&id.group_id(stored.generation), &stored.public_state).and_then(|group| group.facts());
    let facts = facts.map_err(|error| Failure::internal(&error))?;
    Ok(facts.roster().contains(&account).then_some(stored))
}

pub(super) fn unknown() -> Failure {
    Failure::not_found(
        reason::CONVERSATION_UNKNOWN,
        "there is no such conversation, or this account is not in it",
    )
}

/// A refusal, by the rules of the wire or by the policy.
pub(super) enum GroupFailure {
    Policy(PolicyError),
    Failure(Failure),
}

impl From<Failure> for GroupFailure {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<PolicyError> for GroupFailure {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<crate::db::DbError> for GroupFailure {
    fn from(error: crate::db::DbError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<MlsError> for GroupFailure {
    fn from(error: MlsError) -> Self {
        match error {
            MlsError::Policy(error) => Self::Policy(error),
            MlsError::Refused(parameter, rule) => Self::Failure(Failure::invalid(parameter, rule)),
            MlsError::Epoch => Self::Failure(Failure::invalid(
                "bundle.commit",
                "names another group or epoch than the frame",
            )),
            MlsError::State(_) => Self::Failure(Failure::internal(&error)),
        }
    }
}

/// The leaves as members, in the order of their device ids.
pub(super) fn members(facts: &GroupFacts) -> Vec<Identity> {
    let mut members: Vec<Identity> = facts
        .leaves
        .iter()
        .map(|leaf| Identity {
            account: leaf.account,
            device: leaf.device,
        })
        .collect();
    members.sort_unstable_by_key(|member| member.device);
    members
}

/// `welcomed` names exactly the devices added, and there is a Welcome if there are any.
pub(super) fn check_welcomed<'a>(
    bundle: &CommitBundle,
    added: impl Iterator<Item = &'a Credential>,
) -> Result<(), PolicyError> {
    let added: BTreeSet<(&[u8], &[u8])> = added
        .map(|leaf| (leaf.account.as_slice(), leaf.device.as_slice()))
        .collect();
    let welcomed: BTreeSet<(&[u8], &[u8])> = bundle
        .welcomed
        .iter()
        .map(|address| (&address.account_id[..], &address.device_id[..]))
        .collect();
    let complete = welcomed.len() == bundle.welcomed.len() && bundle.welcome.is_empty() == added.is_empty();
    if complete && welcomed == added {
        Ok(())
    } else {
        Err(PolicyError::Welcomed)
    }
}

/// Accounts with a leaf that is not current, or a current device that is missing though it could be added.
async fn stale_accounts(app: &App, facts: &GroupFacts, lists: &Lists) -> Result<Vec<AccountId>, Failure> {
    let mut stale = BTreeSet::new();
    for leaf in facts.leaves.iter().filter(|leaf| !lists.is_current(leaf)) {
        stale.insert(leaf.account);
    }
    let present: BTreeSet<DeviceId> = facts.leaves.iter().map(|leaf| leaf.device).collect();
    for account in facts.accounts() {
        for device in lists
            .current_devices(account)
            .filter(|device| !present.contains(device))
        {
            // A device that has published no KeyPackage cannot be added; it joins by itself later.
            if accounts::has_key_package(app, account, device, facts.suite).await? {
                stale.insert(account);
            }
        }
    }
    Ok(stale.into_iter().collect())
}
