//! A conversation as the hot path needs it: kind, epoch, members. Cached; the database decides.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    policy::{self, PolicyError},
    wire::{ConversationKind, DeviceAddress, GroupPolicy, MessageClass, Role},
};
use prost::Message as _;

use super::{commit_store, envelope::address, group_check::NewGroup};
use crate::{
    accounts,
    app::App,
    db::{DbError, Rows, Tx},
    error::Failure,
    socket::Identity,
};

pub(super) type Cached = Arc<Conversation>;

#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) id: ConversationId,
    pub(super) kind: ConversationKind,
    pub(super) generation: u32,
    pub(super) epoch: u64,
    /// In the order of their device ids: rows are locked in this order.
    pub(super) members: Vec<Identity>,
    /// Members whose device is not current any more, or whose account is leaving: they receive nothing, and nothing is
    /// sent until a commit removes them.
    pub(super) to_remove: Vec<Identity>,
    /// Roles and settings of a group of people.
    pub(super) policy: Option<GroupPolicy>,
}

impl Conversation {
    /// A generation that has just begun: all its devices are current.
    pub(super) fn new(id: ConversationId, kind: ConversationKind, generation: u32, group: &NewGroup) -> Self {
        Self {
            id,
            kind,
            generation,
            epoch: group.epoch,
            members: group.members.clone(),
            to_remove: Vec::new(),
            policy: commit_store::kept_policy(&group.facts.policy),
        }
    }

    pub(super) fn is_member(&self, identity: Identity) -> bool {
        self.members
            .binary_search_by_key(&identity.device, |member| member.device)
            .is_ok_and(|at| self.members[at].account == identity.account)
            && !self.is_leaving(identity.account)
    }

    /// What the group's settings say to a message of this class; nothing, where it is no group.
    pub(super) fn check_post(&self, account: AccountId, class: MessageClass) -> Result<(), PolicyError> {
        match &self.policy {
            Some(policy) => policy::check_post(policy, account, class),
            None => Ok(()),
        }
    }

    fn is_leaving(&self, account: AccountId) -> bool {
        self.policy.as_ref().is_some_and(|policy| is_leaving(policy, account))
    }

    pub(super) fn account_of(&self, device: DeviceId) -> Option<AccountId> {
        let at = self.members.binary_search_by_key(&device, |member| member.device);
        at.ok().map(|at| self.members[at].account)
    }

    pub(super) fn has_account(&self, account: AccountId) -> bool {
        self.members.iter().any(|member| member.account == account) && !self.is_leaving(account)
    }

    /// Devices that receive what `sender` sends: every other one that is to stay.
    pub(super) fn recipients(&self, sender: DeviceId) -> impl Iterator<Item = DeviceId> {
        let current = self.members.iter().filter(|member| !self.to_remove.contains(member));
        current
            .map(|member| member.device)
            .filter(move |device| *device != sender)
    }

    pub(super) fn pending_removal(&self) -> Vec<DeviceAddress> {
        self.to_remove.iter().map(|member| address(*member)).collect()
    }
}

/// The conversations of `ids` that exist, from memory or the database.
pub(super) async fn conversations(
    app: &App,
    ids: &BTreeSet<ConversationId>,
) -> Result<BTreeMap<ConversationId, Cached>, Failure> {
    let mut found = BTreeMap::new();
    let mut missing = Rows::new(1);
    for id in ids {
        match app.messaging.conversations.get(id) {
            Some(conversation) => {
                found.insert(*id, conversation);
            }
            None => missing.push([(*id).into()]),
        }
    }
    if !missing.is_empty() {
        let revocations = app.messaging.revocations();
        let mut tx = app.db.reader().await?;
        let loaded = load(&mut tx, &missing).await?;
        // After the epochs: a policy that is newer than its conversation's epoch decides nothing, as the epoch is then stale.
        let mut policies = load_policies(&mut tx, &loaded).await?;
        drop(tx);
        for mut conversation in loaded {
            conversation.policy = policies.remove(&conversation.id);
            let policy = conversation.policy.as_ref();
            conversation.to_remove = to_remove(app, &conversation.members, policy).await?;
            let conversation = Arc::new(conversation);
            found.insert(conversation.id, Arc::clone(&conversation));
            app.messaging.conversations.insert(conversation.id, conversation);
        }
        if app.messaging.revocations() != revocations {
            // A device was revoked while we read: what we cached may not know.
            found.keys().for_each(|id| app.messaging.conversations.remove(id));
        }
    }
    Ok(found)
}

pub(super) async fn conversation(app: &App, id: ConversationId) -> Result<Option<Cached>, Failure> {
    Ok(conversations(app, &BTreeSet::from([id])).await?.remove(&id))
}

/// Reads again what the database has moved on from.
pub(super) async fn reload(app: &App, id: ConversationId) -> Result<Option<Cached>, Failure> {
    app.messaging.conversations.remove(&id);
    conversation(app, id).await
}

/// Members that are no current device of their account, or whose account is leaving.
pub(super) async fn to_remove(
    app: &App,
    members: &[Identity],
    policy: Option<&GroupPolicy>,
) -> Result<Vec<Identity>, Failure> {
    let accounts = members.iter().map(|member| member.account).collect();
    let lists = accounts::device_lists(app, &accounts).await?;
    let stays = |member: &Identity| {
        let list = lists.get(&member.account);
        list.is_some_and(|list| list.current_device(member.device).is_some())
            && !policy.is_some_and(|policy| is_leaving(policy, member.account))
    };
    Ok(members.iter().filter(|member| !stays(member)).copied().collect())
}

fn is_leaving(policy: &GroupPolicy, account: AccountId) -> bool {
    policy::role(policy, account) == Role::Leaving
}

async fn load_policies(
    tx: &mut Tx,
    conversations: &[Conversation],
) -> Result<BTreeMap<ConversationId, GroupPolicy>, DbError> {
    let mut groups = Rows::new(1);
    for conversation in conversations
        .iter()
        .filter(|known| known.kind == ConversationKind::Group)
    {
        groups.push([conversation.id.into()]);
    }
    let mut policies = BTreeMap::new();
    if groups.is_empty() {
        return Ok(policies);
    }
    let sql = "SELECT conversation_id, policy FROM group_policy WHERE conversation_id IN (VALUES {rows})";
    for row in tx.fetch_rows(sql, &groups).await? {
        let bytes: Vec<u8> = row.get(1)?;
        if let Ok(policy) = GroupPolicy::decode(bytes.as_slice()) {
            policies.insert(row.get(0)?, policy);
        }
    }
    Ok(policies)
}

async fn load(tx: &mut Tx, ids: &Rows) -> Result<Vec<Conversation>, DbError> {
    // One statement, so that members and epoch are of one moment.
    let sql = "SELECT c.conversation_id, c.kind, c.generation, c.epoch, m.device_id, m.account_id \
               FROM conversation AS c LEFT JOIN member AS m ON m.conversation_id = c.conversation_id \
               WHERE c.conversation_id IN (VALUES {rows}) ORDER BY c.conversation_id, m.device_id";
    let mut conversations: Vec<Conversation> = Vec::new();
    for row in tx.fetch_rows(sql, ids).await? {
        let id = row.get(0)?;
        if conversations.last().is_none_or(|last| last.id != id) {
            let kind: i64 = row.get(1)?;
            conversations.push(Conversation {
                id,
                kind: i32::try_from(kind)
                    .ok()
                    .and_then(|kind| kind.try_into().ok())
                    .unwrap_or_default(),
                generation: row.get(2)?,
                epoch: row.get(3)?,
                members: Vec::new(),
                to_remove: Vec::new(),
                policy: None,
            });
        }
        // A conversation that everybody left has no members.
        if row.get::<Option<Vec<u8>>>(4)?.is_none() {
            continue;
        }
        if let Some(conversation) = conversations.last_mut() {
            conversation.members.push(Identity {
                device: row.get(4)?,
                account: row.get(5)?,
            });
        }
    }
    Ok(conversations)
}
