//! Who may do what in a conversation: one decision for server and clients.
//!
//! The MLS engine checks signatures and structure. This module checks what the engine leaves to the application:
//! which proposals a commit may hold, which leaves may be there, and whose right a change is. It sees a commit as
//! [`CommitFacts`], which server and clients each read from their own engine.

mod group;

use std::collections::BTreeSet;

pub use self::group::{NONCE_BYTES, check_post, may_add, may_edit, may_moderate, role};
use crate::{
    credential::Credential,
    ids::{AccountId, ConversationId},
    limits::{INVITES_MAX, MEMBERS_MAX, XWING_LEAVES_MAX},
    suite,
    wire::{ConversationKind, GroupPolicy, Role},
};

/// GroupContext extension type of [`GroupPolicy`] (private use, RFC 9420 section 17.3).
pub const GROUP_POLICY_EXTENSION: u16 = 0xF4B1;

/// A rule that a commit or a new group breaks. `rule()` is the stable name on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error(
        "a commit may hold Add, Remove, GroupContextExtensions, ExternalInit and SelfRemove proposals and a path update"
    )]
    Proposal,
    #[error("proposals must be in the commit that they belong to, made by its sender")]
    ProposalByReference,
    #[error("a leaf's credential is not that of a current device of its account")]
    Credential,
    #[error("a device may have one leaf")]
    DuplicateDevice,
    #[error("the roster does not fit the kind of conversation")]
    Roster,
    #[error("the group's policy does not name this conversation, generation and kind")]
    GroupPolicy,
    #[error("the committer's role does not allow this change")]
    Role,
    #[error(
        "an external joiner must be a current device of an account in the roster, and may remove that account's own old leaf only, or come by an invite"
    )]
    ExternalJoin,
    #[error("the invite is not one of this group, or has expired")]
    Invite,
    #[error("a group has at most {INVITES_MAX} invites that need no approval; revoke one first")]
    TooManyInvites,
    #[error("the cipher suite is not allowed for this kind and size")]
    Suite,
    #[error("a conversation has at most {MEMBERS_MAX} devices")]
    TooManyMembers,
    #[error(
        "a group that was not made as a large one has at most {XWING_LEAVES_MAX} devices; make a large one for up to {MEMBERS_MAX}"
    )]
    SmallGroup,
    #[error("a group keeps an owner: make somebody else one first")]
    LastOwner,
    #[error("only admins may write in this group")]
    Post,
    #[error("the devices welcomed are not those that the commit adds")]
    Welcomed,
    #[error("a reset keeps suite and kind, and its accounts are a subset of the last roster")]
    Reset,
    #[error("the GroupInfo is not that of the epoch that the commit begins")]
    GroupInfo,
}

impl PolicyError {
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Proposal => "proposal_type",
            Self::ProposalByReference => "proposal_by_reference",
            Self::Credential => "credential",
            Self::DuplicateDevice => "duplicate_device",
            Self::Roster => "roster",
            Self::GroupPolicy => "group_policy",
            Self::Role => "role",
            Self::ExternalJoin => "external_join",
            Self::Invite => "invite",
            Self::TooManyInvites => "too_many_invites",
            Self::Suite => "suite",
            Self::TooManyMembers => "too_many_members",
            Self::SmallGroup => "small_group",
            Self::LastOwner => "last_owner",
            Self::Post => "post",
            Self::Welcomed => "welcomed",
            Self::Reset => "reset",
            Self::GroupInfo => "group_info",
        }
    }
}

/// A proposal, as far as the policy looks.
#[derive(Debug, Clone, PartialEq)]
pub enum ProposalFact {
    Add(Credential),
    /// The credential of the leaf that goes.
    Remove(Credential),
    /// The policy extension that the new GroupContext would hold; `None` if it is missing or does not decode.
    GroupContextExtensions(Option<GroupPolicy>),
    ExternalInit,
    SelfRemove,
    /// PSK, ReInit, AppCustom, Update by reference, and whatever a later engine learns.
    Other,
}

/// Who commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committer {
    Member(Credential),
    /// An external commit (RFC 9420 section 12.4.3.2) by the holder of this new leaf.
    External(Credential),
}

/// An invite whose bearer an external committer has proved to be (see [`crate::invite::proven`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invited {
    pub public_key: [u8; 32],
    /// When the server took the commit in, by its clock: members judge it days later, and all of them alike.
    pub at_ms: i64,
}

/// A commit as both engines can describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitFacts {
    pub committer: Committer,
    pub proposals: Vec<ProposalFact>,
    /// True if any proposal came by reference.
    pub by_reference: bool,
    /// The committer's new leaf, if the commit has a path.
    pub path_leaf: Option<Credential>,
    /// Of an external commit.
    pub invited: Option<Invited>,
}

/// The group that a commit changes.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFacts {
    pub suite: u16,
    pub policy: GroupPolicy,
    pub leaves: Vec<Credential>,
}

impl GroupFacts {
    pub fn accounts(&self) -> BTreeSet<AccountId> {
        self.leaves.iter().map(|leaf| leaf.account).collect()
    }

    /// Accounts of the conversation: those listed, and those that joined by invitation and only have a leaf. Whoever is
    /// leaving is none any more.
    pub fn roster(&self) -> BTreeSet<AccountId> {
        let listed = self.policy.members.iter();
        let listed = listed.filter_map(|m| AccountId::from_slice(&m.account_id).ok());
        let all = self.accounts().into_iter().chain(listed);
        all.filter(|account| self.role(*account) != Role::Leaving).collect()
    }

    pub fn role(&self, account: AccountId) -> Role {
        group::role(&self.policy, account)
    }

    /// The group after `commit`; the caller has checked it by [`check_commit`].
    #[must_use]
    pub fn after(&self, commit: &CommitFacts) -> Self {
        let mut after = self.clone();
        if let Committer::Member(old) = commit.committer
            && let Some(new) = commit.path_leaf
        {
            after
                .leaves
                .iter_mut()
                .filter(|leaf| leaf.device == old.device)
                .for_each(|leaf| *leaf = new);
        }
        for proposal in &commit.proposals {
            match proposal {
                ProposalFact::Add(leaf) => after.leaves.push(*leaf),
                ProposalFact::Remove(leaf) => after.leaves.retain(|known| known.device != leaf.device),
                ProposalFact::GroupContextExtensions(Some(policy)) => after.policy = policy.clone(),
                _ => {}
            }
        }
        if let Committer::External(leaf) = commit.committer {
            after.leaves.push(leaf);
        }
        after
    }
}

/// Checks a group at its creation: its suite, its policy, its leaves.
///
/// `is_current` answers whether a credential is that of a current device on a chain that agrees with it.
pub fn check_group(
    conversation: ConversationId,
    generation: u32,
    group: &GroupFacts,
    is_current: impl Fn(&Credential) -> bool,
) -> Result<(), PolicyError> {
    let policy = &group.policy;
    let named =
        policy.version == 1 && policy.conversation_id == conversation.as_slice() && policy.generation == generation;
    if !named {
        return Err(PolicyError::GroupPolicy);
    }
    check_shape(conversation, group)?;
    if group.leaves.iter().all(is_current) {
        Ok(())
    } else {
        Err(PolicyError::Credential)
    }
}

/// Checks a commit before it is accepted (server) or merged (client).
pub fn check_commit(
    group: &GroupFacts,
    commit: &CommitFacts,
    is_current: impl Fn(&Credential) -> bool,
) -> Result<(), PolicyError> {
    if commit.by_reference {
        return Err(PolicyError::ProposalByReference);
    }
    if commit.proposals.contains(&ProposalFact::Other) {
        return Err(PolicyError::Proposal);
    }
    match commit.committer {
        Committer::External(leaf) => check_external(group, commit, &leaf)?,
        Committer::Member(leaf) => check_member_commit(group, commit, &leaf, &is_current)?,
    }
    let added = commit.proposals.iter().filter_map(|p| {
        if let ProposalFact::Add(leaf) = p {
            Some(leaf)
        } else {
            None
        }
    });
    let external = if let Committer::External(leaf) = &commit.committer {
        Some(leaf)
    } else {
        None
    };
    if !added.chain(external).chain(&commit.path_leaf).all(&is_current) {
        return Err(PolicyError::Credential);
    }
    let after = group.after(commit);
    let conversation =
        ConversationId::from_slice(&group.policy.conversation_id).map_err(|_| PolicyError::GroupPolicy)?;
    check_shape(conversation, &after)
}

/// Checks the first group of generation n+1 against the last of generation n.
pub fn check_reset(last: &GroupFacts, next: &GroupFacts) -> Result<(), PolicyError> {
    let stronger = last.suite == next.suite || (last.suite == suite::X25519 && next.suite == suite::XWING);
    let renumbered = GroupPolicy {
        generation: next.policy.generation,
        ..last.policy.clone()
    };
    if stronger && renumbered == next.policy && next.accounts().is_subset(&last.roster()) {
        Ok(())
    } else {
        Err(PolicyError::Reset)
    }
}

/// External join: (a) a current device of an account in the roster, with at most one Remove, of that account's own leaf; or
/// (b) somebody new, by an invite of the group.
fn check_external(group: &GroupFacts, commit: &CommitFacts, leaf: &Credential) -> Result<(), PolicyError> {
    let mut removed = 0;
    for proposal in &commit.proposals {
        match proposal {
            ProposalFact::ExternalInit => {}
            ProposalFact::Remove(old) if old.account == leaf.account => removed += 1,
            _ => return Err(PolicyError::ExternalJoin),
        }
    }
    match &commit.invited {
        _ if removed <= 1 && group.roster().contains(&leaf.account) => Ok(()),
        // Whoever is leaving has a leaf that goes first.
        Some(invited) if removed == 0 && !group.accounts().contains(&leaf.account) => {
            group::check_invited(&group.policy, invited)
        }
        _ => Err(PolicyError::ExternalJoin),
    }
}

fn check_member_commit(
    group: &GroupFacts,
    commit: &CommitFacts,
    leaf: &Credential,
    is_current: &impl Fn(&Credential) -> bool,
) -> Result<(), PolicyError> {
    if commit
        .path_leaf
        .is_some_and(|new| (new.account, new.device) != (leaf.account, leaf.device))
    {
        return Err(PolicyError::Credential);
    }
    if group.policy.kind() == ConversationKind::Group {
        return group::check_commit(group, commit, leaf, is_current);
    }
    let roster = group.roster();
    for proposal in &commit.proposals {
        let allowed = match proposal {
            // A further device of an account that is there already is anybody's to add.
            ProposalFact::Add(new) => roster.contains(&new.account),
            // A revoked device is everybody's to remove; another's current device nobody's.
            ProposalFact::Remove(old) => old.account == leaf.account || !is_current(old),
            ProposalFact::GroupContextExtensions(_) => false,
            ProposalFact::SelfRemove => true,
            ProposalFact::ExternalInit | ProposalFact::Other => return Err(PolicyError::Proposal),
        };
        if !allowed {
            return Err(PolicyError::Role);
        }
    }
    Ok(())
}

/// What holds for every epoch of a conversation, whoever changed it.
fn check_shape(conversation: ConversationId, group: &GroupFacts) -> Result<(), PolicyError> {
    let devices: BTreeSet<_> = group.leaves.iter().map(|leaf| leaf.device).collect();
    if devices.len() != group.leaves.len() {
        return Err(PolicyError::DuplicateDevice);
    }
    if group.leaves.len() > MEMBERS_MAX {
        return Err(PolicyError::TooManyMembers);
    }
    check_suite(group)?;
    group::check_shape(conversation, &group.policy)?;
    let roster: Vec<AccountId> = group.roster().into_iter().collect();
    let expected = match (group.policy.kind(), roster.as_slice()) {
        (ConversationKind::Direct, &[a, b]) => Some(ConversationId::direct(a, b)),
        (ConversationKind::Business, &[a, b]) => Some(ConversationId::business(a, b)),
        (ConversationKind::SelfGroup, &[a]) => Some(ConversationId::own(a)),
        (ConversationKind::Group, [_, ..]) => Some(conversation),
        _ => None,
    };
    if expected == Some(conversation) {
        Ok(())
    } else {
        Err(PolicyError::Roster)
    }
}

/// The suite of a group is its declared size: the post-quantum one's commits grow with every leaf.
fn check_suite(group: &GroupFacts) -> Result<(), PolicyError> {
    match (group.policy.kind(), group.suite) {
        (ConversationKind::Group, suite::XWING) if group.leaves.len() > XWING_LEAVES_MAX => {
            Err(PolicyError::SmallGroup)
        }
        (_, suite::XWING) | (ConversationKind::Group, suite::X25519) => Ok(()),
        _ => Err(PolicyError::Suite),
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
