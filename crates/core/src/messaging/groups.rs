//! Groups in memory: read when needed, written with the batch, least recently used ones leave.

use std::collections::BTreeMap;

use kabar_protocol::{
    credential::Credential,
    ids::{AccountId, ConversationId},
    policy::{self, CommitFacts, GroupFacts, PolicyError, ProposalFact},
    wire::ConversationKind,
};

use super::Party;

use crate::{
    accounts::Verdict,
    mls::{Group, MlsError, Storage},
    state::{State, Work},
    store::keys,
    tx::Step,
};

/// Groups that stay in memory between batches. A group of two devices takes about 60 kB.
const RESIDENT_MAX: usize = 64;
/// Rows of one group; the largest have one per kept epoch besides a dozen singles.
const GROUP_ROWS_MAX: u32 = 4096;

#[derive(Default)]
pub(crate) struct Groups {
    resident: BTreeMap<(ConversationId, u32), (Group, u64)>,
    uses: u64,
}

impl Groups {
    pub(crate) fn take(&mut self, conversation: ConversationId, slot: u32) -> Option<Group> {
        self.resident.remove(&(conversation, slot)).map(|(group, _)| group)
    }

    pub(crate) fn keep(&mut self, conversation: ConversationId, slot: u32, group: Group) {
        self.uses += 1;
        self.resident.insert((conversation, slot), (group, self.uses));
    }

    pub(super) fn get(&self, conversation: ConversationId, slot: u32) -> Option<&Group> {
        self.resident.get(&(conversation, slot)).map(|(group, _)| group)
    }
}

impl State {
    /// Our group of the conversation, in memory. `None` if there is none, or it cannot be read: then it is lost.
    pub(crate) fn load_group(&mut self, conversation: ConversationId) -> Step<Option<&Group>> {
        let Some(group) = self.chats.get(&conversation).and_then(|chat| chat.group) else {
            return Ok(None);
        };
        if !self.load_slot(conversation, group.slot, group.generation)? {
            self.lose(conversation);
            return Ok(None);
        }
        Ok(self.groups.get(conversation, group.slot))
    }

    pub(crate) fn load_slot(&mut self, conversation: ConversationId, slot: u32, generation: u32) -> Step<bool> {
        if self.groups.get(conversation, slot).is_some() {
            return Ok(true);
        }
        let prefix = keys::group_slot(conversation, slot);
        let rows = self.rows_under(&prefix, GROUP_ROWS_MAX)?;
        match Group::load(Storage::new(prefix, rows), conversation, generation) {
            Ok(Some(group)) => {
                self.groups.keep(conversation, slot, group);
                Ok(true)
            }
            Ok(None) | Err(_) => Ok(false),
        }
    }

    pub(crate) fn group_epoch(&self, conversation: ConversationId, slot: u32) -> Option<u64> {
        self.groups.get(conversation, slot).map(Group::epoch)
    }

    pub(crate) fn group_is_active(&self, conversation: ConversationId, slot: u32) -> bool {
        self.groups.get(conversation, slot).is_some_and(Group::is_active)
    }

    /// Runs an operation on the loaded group; its writes go into the transaction. The operation sees the rest of the
    /// state unchanged.
    pub(crate) fn on_group<T>(
        &mut self,
        conversation: ConversationId,
        slot: u32,
        operation: impl FnOnce(&Self, &mut Group) -> Result<T, MlsError>,
    ) -> Result<T, MlsError> {
        let Some(mut group) = self.groups.take(conversation, slot) else {
            return Err(MlsError::Malformed("group"));
        };
        let result = operation(self, &mut group);
        self.keep_group(conversation, slot, group);
        result
    }

    pub(crate) fn keep_group(&mut self, conversation: ConversationId, slot: u32, mut group: Group) {
        let writes = group.take_writes();
        if !writes.is_empty() {
            self.count_mls_change();
            self.tx.extend(writes);
        }
        self.groups.keep(conversation, slot, group);
    }

    /// Deletes a slot, resident or not.
    pub(crate) fn drop_slot(&mut self, conversation: ConversationId, slot: u32) {
        match self.groups.take(conversation, slot) {
            Some(group) => {
                let deletes = group.clear();
                self.tx.extend(deletes);
            }
            None => self.work.push_back(Work::Purge(keys::group_slot(conversation, slot))),
        }
    }

    /// Between batches everything resident is as stored, so that any group may leave.
    pub(crate) fn evict_groups(&mut self) {
        let resident = &mut self.groups.resident;
        while resident.len() > RESIDENT_MAX {
            let oldest = resident.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            match oldest {
                Some(key) => resident.remove(&key),
                None => break,
            };
        }
    }

    /// The policy's question, put to our device lists. Accounts whose lists must be fetched first land in `missing`.
    fn is_current(&self, credential: &Credential, missing: &mut Vec<AccountId>) -> bool {
        match self.judge(credential) {
            Verdict::Current => true,
            Verdict::Unknown => {
                missing.push(credential.account);
                false
            }
            Verdict::Revoked | Verdict::Wrong => false,
        }
    }

    pub(crate) fn check_commit(
        &self,
        group: &GroupFacts,
        commit: &CommitFacts,
        missing: &mut Vec<AccountId>,
    ) -> Result<(), PolicyError> {
        let found = std::cell::RefCell::new(&mut *missing);
        let checked = policy::check_commit(group, commit, |leaf| self.is_current(leaf, &mut found.borrow_mut()));
        let added = commit.proposals.iter().filter_map(|proposal| match proposal {
            ProposalFact::Add(leaf) => Some(leaf),
            _ => None,
        });
        self.note_unknown(added, missing);
        checked
    }

    /// The policy stops at the first leaf that it does not know: if that is what it stopped at, these are asked for
    /// with it.
    fn note_unknown<'a>(&self, leaves: impl Iterator<Item = &'a Credential>, missing: &mut Vec<AccountId>) {
        if missing.is_empty() {
            return;
        }
        for leaf in leaves.filter(|leaf| self.judge(leaf) == Verdict::Unknown) {
            if !missing.contains(&leaf.account) {
                missing.push(leaf.account);
            }
        }
    }

    /// A group that we enter. A leaf that was listed and is revoked by now does not keep us out: it may have written
    /// what we are about to read, and it is removed before we encrypt anything.
    ///
    /// It must be of the kind that we know it as. A conversation of two cannot be mistaken for another, nor a group for
    /// one of two: the ids of both are hashes over what they are. A company is in no group of people.
    pub(crate) fn check_entered(
        &self,
        conversation: ConversationId,
        generation: u32,
        group: &GroupFacts,
        missing: &mut Vec<AccountId>,
    ) -> Result<(), PolicyError> {
        let known = self.chats.get(&conversation).map(|chat| chat.party);
        let fits = match (group.policy.kind(), known) {
            (ConversationKind::Direct | ConversationKind::Business, None | Some(Party::Direct(_))) => true,
            (ConversationKind::Group, None | Some(Party::Group)) => !self.is_business(),
            _ => false,
        };
        let included = self.my_account().is_some_and(|me| group.roster().contains(&me));
        if !fits || !included {
            return Err(PolicyError::Roster);
        }
        let mut standing = group.clone();
        standing.leaves.retain(|leaf| self.judge(leaf) != Verdict::Revoked);
        let found = std::cell::RefCell::new(&mut *missing);
        let checked = policy::check_group(conversation, generation, &standing, |leaf| {
            self.is_current(leaf, &mut found.borrow_mut())
        });
        self.note_unknown(standing.leaves.iter(), missing);
        checked
    }
}
