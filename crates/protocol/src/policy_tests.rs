//! The policy as a table of who may do what.

#[path = "policy_tests/direct.rs"]
mod direct;
#[path = "policy_tests/groups.rs"]
mod groups;
#[path = "policy_tests/invites.rs"]
mod invites;

use super::*;
use crate::{
    ids::DeviceId,
    wire::{
        GroupSettings, MemberRole, MessageClass, Permission,
        Role::{Admin, Leaving, Member, Owner},
    },
};

fn leaf(account: u8, device: u8) -> Credential {
    Credential {
        account: AccountId([account; 16]),
        device: DeviceId([device; 16]),
        list_version: 0,
        list_hash: [0; 32],
    }
}

fn group(kind: ConversationKind, roles: &[(u8, Role)], leaves: &[Credential]) -> (ConversationId, GroupFacts) {
    let account = |n: u8| AccountId([n; 16]);
    let conversation = match (kind, roles) {
        (ConversationKind::Direct, [(a, _), (b, _)]) => ConversationId::direct(account(*a), account(*b)),
        (ConversationKind::SelfGroup, [(a, _)]) => ConversationId::own(account(*a)),
        _ => ConversationId::group(account(roles[0].0), &NONCE),
    };
    let members = roles.iter().map(|(n, role)| MemberRole {
        account_id: account(*n).to_bytes(),
        role: (*role).into(),
    });
    let policy = GroupPolicy {
        version: 1,
        kind: kind.into(),
        conversation_id: conversation.to_bytes(),
        generation: 0,
        members: members.collect(),
        ..in_a_group(kind, account(roles[0].0))
    };
    (
        conversation,
        GroupFacts {
            suite: suite::XWING,
            policy,
            leaves: leaves.to_vec(),
        },
    )
}

const NONCE: [u8; NONCE_BYTES] = [7; NONCE_BYTES];

/// What only the policy of a group has: admins alone add and edit.
fn in_a_group(kind: ConversationKind, founder: AccountId) -> GroupPolicy {
    if kind != ConversationKind::Group {
        return GroupPolicy::default();
    }
    GroupPolicy {
        settings: Some(GroupSettings {
            history: false,
            post: Permission::All.into(),
            add: Permission::Admins.into(),
            edit: Permission::Admins.into(),
        }),
        founder: founder.to_bytes(),
        nonce: NONCE.to_vec().into(),
        ..GroupPolicy::default()
    }
}

fn direct() -> (ConversationId, GroupFacts) {
    group(
        ConversationKind::Direct,
        &[(1, Role::Member), (2, Role::Member)],
        &[leaf(1, 11), leaf(2, 21)],
    )
}

fn team() -> GroupFacts {
    let roles = [(1, Role::Owner), (2, Role::Admin), (3, Role::Member)];
    group(
        ConversationKind::Group,
        &roles,
        &[leaf(1, 11), leaf(2, 21), leaf(3, 31)],
    )
    .1
}

fn by(member: Credential, proposals: Vec<ProposalFact>) -> CommitFacts {
    CommitFacts {
        committer: Committer::Member(member),
        proposals,
        by_reference: false,
        path_leaf: Some(member),
        invited: None,
    }
}

fn external(joiner: Credential, removes: &[Credential]) -> CommitFacts {
    let removes = removes.iter().copied().map(ProposalFact::Remove);
    let proposals = std::iter::once(ProposalFact::ExternalInit).chain(removes).collect();
    CommitFacts {
        committer: Committer::External(joiner),
        proposals,
        by_reference: false,
        path_leaf: Some(joiner),
        invited: None,
    }
}

/// Devices 90 and above are revoked.
fn current(leaf: &Credential) -> bool {
    leaf.device.0[0] < 90
}

fn check(group: &GroupFacts, commit: &CommitFacts) -> Result<(), PolicyError> {
    check_commit(group, commit, current)
}
