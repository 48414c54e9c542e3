//! What only groups of people have: roles, settings, and whose right each change of them is.
//!
//! Roles: an owner may do everything; an admin adds, removes and promotes plain members; a member what the settings
//! allow. Whoever leaves marks himself as leaving in a commit of his own and is removed by whoever writes next.

use std::collections::{BTreeMap, BTreeSet};

use super::{CommitFacts, GroupFacts, Invited, PolicyError, ProposalFact};
use crate::{
    credential::Credential,
    ids::{AccountId, ConversationId},
    limits::{INVITES_MAX, MEMBERS_MAX},
    wire::{ConversationKind, GroupInvite, GroupPolicy, MemberRole, MessageClass, Permission, Role},
};

/// Bytes of [`GroupPolicy`]'s nonce.
pub const NONCE_BYTES: usize = 16;

/// The role of an account; one that is not listed is a plain member (it joined by invitation).
pub fn role(policy: &GroupPolicy, account: AccountId) -> Role {
    let listed = policy.members.iter().find(|m| m.account_id == account.as_slice());
    match listed.map(MemberRole::role) {
        Some(role @ (Role::Owner | Role::Admin | Role::Leaving)) => role,
        _ => Role::Member,
    }
}

/// May this account send a message of this class? Decided for the epoch of the message.
///
/// # Errors
/// [`PolicyError::Post`] where only admins write, [`PolicyError::Role`] after the account has left.
pub fn check_post(policy: &GroupPolicy, account: AccountId, class: MessageClass) -> Result<(), PolicyError> {
    if policy.kind() != ConversationKind::Group {
        return Ok(());
    }
    let role = role(policy, account);
    let post = policy.settings.unwrap_or_default().post();
    match class {
        _ if role == Role::Leaving => Err(PolicyError::Role),
        MessageClass::Content | MessageClass::Edit if !allows(post, role) => Err(PolicyError::Post),
        _ => Ok(()),
    }
}

/// May this account change the name, description and picture? The server cannot see such messages: clients decide alone.
pub fn may_edit(policy: &GroupPolicy, account: AccountId) -> bool {
    allows(policy.settings.unwrap_or_default().edit(), role(policy, account))
}

/// May this account add people: by their keys, by a link, or by letting in who asks?
pub fn may_add(policy: &GroupPolicy, account: AccountId) -> bool {
    allows(policy.settings.unwrap_or_default().add(), role(policy, account))
}

/// May this account delete for everyone what somebody else has written?
pub fn may_moderate(policy: &GroupPolicy, account: AccountId) -> bool {
    policy.kind() == ConversationKind::Group && is_admin(role(policy, account))
}

/// Whether an invite lets somebody in: it stands in the policy, and had not expired.
pub(super) fn check_invited(policy: &GroupPolicy, invited: &Invited) -> Result<(), PolicyError> {
    let holds = policy.kind() == ConversationKind::Group
        && policy
            .invites
            .iter()
            .any(|invite| invite.public_key[..] == invited.public_key && invited.at_ms < invite.expires_ms);
    check(holds, PolicyError::Invite)
}

fn allows(permission: Permission, role: Role) -> bool {
    is_admin(role) || (permission == Permission::All && role == Role::Member)
}

fn is_admin(role: Role) -> bool {
    matches!(role, Role::Owner | Role::Admin)
}

/// What holds for the policy of every group, in every epoch.
pub(super) fn check_shape(conversation: ConversationId, policy: &GroupPolicy) -> Result<(), PolicyError> {
    if policy.kind() != ConversationKind::Group {
        let none = policy.settings.is_none()
            && policy.founder.is_empty()
            && policy.nonce.is_empty()
            && policy.invites.is_empty();
        return if none { Ok(()) } else { Err(PolicyError::GroupPolicy) };
    }
    let founder = AccountId::from_slice(&policy.founder).map_err(|_| PolicyError::GroupPolicy)?;
    let nonce = <[u8; NONCE_BYTES]>::try_from(&policy.nonce[..]).map_err(|_| PolicyError::GroupPolicy)?;
    let accounts = policy.members.iter().map(|member| &member.account_id);
    let sorted = accounts.clone().zip(accounts.skip(1)).all(|(one, next)| one < next);
    let valid = |member: &MemberRole| {
        AccountId::from_slice(&member.account_id).is_ok()
            && Role::try_from(member.role).is_ok_and(|role| role != Role::Unspecified)
    };
    if conversation != ConversationId::group(founder, &nonce) || !sorted || !policy.members.iter().all(valid) {
        return Err(PolicyError::GroupPolicy);
    }
    if policy.members.len() > MEMBERS_MAX {
        return Err(PolicyError::TooManyMembers);
    }
    if policy.invites.len() > INVITES_MAX {
        return Err(PolicyError::TooManyInvites);
    }
    let keys = policy.invites.iter().map(|invite| &invite.public_key);
    let sorted = keys.clone().zip(keys.skip(1)).all(|(one, next)| one < next);
    let valid = |invite: &GroupInvite| {
        invite.public_key.len() == 32 && invite.expires_ms > 0 && AccountId::from_slice(&invite.created_by).is_ok()
    };
    if !sorted || !policy.invites.iter().all(valid) {
        return Err(PolicyError::GroupPolicy);
    }
    if policy.members.iter().any(|member| member.role() == Role::Owner) {
        Ok(())
    } else {
        Err(PolicyError::LastOwner)
    }
}

/// A member's commit in a group. The caller has checked its own leaf and that the shape holds afterwards.
pub(super) fn check_commit(
    group: &GroupFacts,
    commit: &CommitFacts,
    committer: &Credential,
    is_current: &impl Fn(&Credential) -> bool,
) -> Result<(), PolicyError> {
    let by = role(&group.policy, committer.account);
    if by == Role::Leaving {
        return Err(PolicyError::Role);
    }
    let after = group.after(commit);
    let roster = group.roster();
    for proposal in &commit.proposals {
        let target = |leaf: &Credential| role(&group.policy, leaf.account);
        match proposal {
            // A further device of an account that is there already is anybody's to add; a new account is listed with it.
            ProposalFact::Add(new) => {
                let known = roster.contains(&new.account);
                let listed = after
                    .policy
                    .members
                    .iter()
                    .any(|m| m.account_id == new.account.as_slice());
                check(known || listed, PolicyError::Roster)?;
            }
            // Whose device is revoked, or has left, is everybody's to remove.
            ProposalFact::Remove(old) => {
                let own = old.account == committer.account;
                let allowed = own || !is_current(old) || may_remove(by, target(old));
                check(allowed, PolicyError::Role)?;
            }
            ProposalFact::GroupContextExtensions(policy) => {
                let policy = policy.as_ref().ok_or(PolicyError::GroupPolicy)?;
                check_policy(group, policy, committer.account, &after)?;
                check_invites(&group.policy, policy, committer.account)?;
            }
            ProposalFact::SelfRemove => {}
            ProposalFact::ExternalInit | ProposalFact::Other => return Err(PolicyError::Proposal),
        }
    }
    Ok(())
}

/// A changed policy: each entry by itself.
fn check_policy(
    group: &GroupFacts,
    new: &GroupPolicy,
    committer: AccountId,
    after: &GroupFacts,
) -> Result<(), PolicyError> {
    let old = &group.policy;
    let by = role(old, committer);
    let same = (&old.conversation_id, old.generation, old.kind, new.version)
        == (&new.conversation_id, new.generation, new.kind, 1)
        && (&old.founder, &old.nonce) == (&new.founder, &new.nonce);
    check(same, PolicyError::GroupPolicy)?;
    check(old != new || is_admin(by), PolicyError::Role)?;
    check(old.settings == new.settings || is_admin(by), PolicyError::Role)?;
    let (before, listed) = (roles(old), roles(new));
    let with_leaf: BTreeSet<AccountId> = after.accounts();
    // Who came by an invite is a plain member, and listed with the first change that somebody makes.
    let invited: BTreeSet<AccountId> = group.accounts();
    let known = |account| {
        let unlisted = invited.contains(account).then_some(&Role::Member);
        before.get(account).or(unlisted)
    };
    for (account, role) in &listed {
        let allowed = match known(account) {
            Some(known) if known == role => continue,
            Some(known) => may_change(by, *account == committer, *known, *role),
            // Somebody new comes with a device, as a plain member.
            None => {
                check(with_leaf.contains(account), PolicyError::Roster)?;
                let add = old.settings.unwrap_or_default().add();
                *role == Role::Member && allows(add, by)
            }
        };
        check(allowed, PolicyError::Role)?;
    }
    for (account, role) in before.iter().filter(|(account, _)| !listed.contains_key(account)) {
        // Who is struck off has no device left: else he would stay as one who joined by invitation.
        check(!with_leaf.contains(account), PolicyError::Roster)?;
        check(may_remove(by, *role), PolicyError::Role)?;
    }
    Ok(())
}

/// Whoever may add people makes and takes back invites. One of his own is nobody else's word.
fn check_invites(old: &GroupPolicy, new: &GroupPolicy, committer: AccountId) -> Result<(), PolicyError> {
    check(old.invites == new.invites || may_add(old, committer), PolicyError::Role)?;
    let mut fresh = new.invites.iter().filter(|invite| !old.invites.contains(invite));
    let own = fresh.all(|invite| invite.created_by == committer.as_slice());
    check(own, PolicyError::Invite)
}

fn roles(policy: &GroupPolicy) -> BTreeMap<AccountId, Role> {
    let listed = policy.members.iter();
    listed
        .filter_map(|member| Some((AccountId::from_slice(&member.account_id).ok()?, member.role())))
        .collect()
}

fn may_remove(by: Role, target: Role) -> bool {
    match target {
        Role::Leaving => true,
        Role::Owner | Role::Admin => by == Role::Owner,
        Role::Member | Role::Unspecified => is_admin(by),
    }
}

fn may_change(by: Role, own: bool, from: Role, to: Role) -> bool {
    match (from, to) {
        // Whoever has left comes back as somebody new.
        (Role::Leaving, _) => false,
        (_, Role::Leaving) => own,
        (Role::Member, Role::Admin) => is_admin(by),
        (Role::Owner, Role::Admin | Role::Member) | (Role::Admin, Role::Member) => own || by == Role::Owner,
        (_, Role::Owner) => by == Role::Owner,
        _ => false,
    }
}

fn check(holds: bool, error: PolicyError) -> Result<(), PolicyError> {
    if holds { Ok(()) } else { Err(error) }
}
