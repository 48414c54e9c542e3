//! The policy as a table of who may do what.

use super::*;
use crate::ids::DeviceId;

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
        _ => ConversationId([9; 16]),
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
    }
}

/// Devices 90 and above are revoked.
fn current(leaf: &Credential) -> bool {
    leaf.device.0[0] < 90
}

fn check(group: &GroupFacts, commit: &CommitFacts) -> Result<(), PolicyError> {
    check_commit(group, commit, current)
}

#[test]
fn a_direct_conversation_is_two_accounts_under_their_own_id() {
    let (conversation, facts) = direct();
    assert_eq!(check_group(conversation, 0, &facts, current), Ok(()));
    assert_eq!(
        check_group(ConversationId([5; 16]), 0, &facts, current),
        Err(PolicyError::GroupPolicy)
    );
    assert_eq!(
        check_group(conversation, 1, &facts, current),
        Err(PolicyError::GroupPolicy)
    );

    let mut third = facts.clone();
    third.leaves.push(leaf(3, 31));
    assert_eq!(check_group(conversation, 0, &third, current), Err(PolicyError::Roster));
    let mut weak = facts.clone();
    weak.suite = suite::X25519;
    assert_eq!(check_group(conversation, 0, &weak, current), Err(PolicyError::Suite));
    let mut revoked = facts;
    revoked.leaves[1] = leaf(2, 91);
    assert_eq!(
        check_group(conversation, 0, &revoked, current),
        Err(PolicyError::Credential)
    );
}

#[test]
fn in_a_direct_conversation_devices_come_and_go_but_accounts_stay() {
    let (_, facts) = direct();
    assert_eq!(check(&facts, &by(leaf(1, 11), vec![])), Ok(()), "a path update");
    assert_eq!(
        check(&facts, &by(leaf(1, 11), vec![ProposalFact::Add(leaf(2, 22))])),
        Ok(()),
        "the peer's new device"
    );
    let outsider = by(leaf(1, 11), vec![ProposalFact::Add(leaf(3, 31))]);
    assert_eq!(check(&facts, &outsider), Err(PolicyError::Role));
    let throw_out = by(leaf(1, 11), vec![ProposalFact::Remove(leaf(2, 21))]);
    assert_eq!(
        check(&facts, &throw_out),
        Err(PolicyError::Role),
        "a current device of somebody else"
    );

    let mut with_revoked = facts;
    with_revoked.leaves.push(leaf(2, 92));
    assert_eq!(
        check(&with_revoked, &by(leaf(1, 11), vec![ProposalFact::Remove(leaf(2, 92))])),
        Ok(())
    );
}

#[test]
fn a_psk_a_custom_or_a_foreign_proposal_is_refused() {
    let (_, facts) = direct();
    assert_eq!(
        check(&facts, &by(leaf(1, 11), vec![ProposalFact::Other])),
        Err(PolicyError::Proposal)
    );
    assert_eq!(
        check(&facts, &by(leaf(1, 11), vec![ProposalFact::ExternalInit])),
        Err(PolicyError::Proposal)
    );
    let mut referenced = by(leaf(1, 11), vec![]);
    referenced.by_reference = true;
    assert_eq!(check(&facts, &referenced), Err(PolicyError::ProposalByReference));
}

#[test]
fn nobody_takes_another_leaf_in_a_path_update() {
    let (_, facts) = direct();
    let mut stolen = by(leaf(1, 11), vec![]);
    stolen.path_leaf = Some(leaf(2, 22));
    assert_eq!(check(&facts, &stolen), Err(PolicyError::Credential));
}

#[test]
fn an_external_joiner_comes_back_to_his_own_account_only() {
    let (_, facts) = direct();
    assert_eq!(
        check(&facts, &external(leaf(2, 22), &[leaf(2, 21)])),
        Ok(()),
        "resync replaces the own leaf"
    );
    assert_eq!(
        check(&facts, &external(leaf(2, 21), &[leaf(2, 21)])),
        Ok(()),
        "with the same device key, too"
    );
    assert_eq!(check(&facts, &external(leaf(2, 22), &[])), Ok(()), "a further device");
    assert_eq!(
        check(&facts, &external(leaf(3, 31), &[])),
        Err(PolicyError::ExternalJoin),
        "an outsider"
    );
    assert_eq!(
        check(&facts, &external(leaf(2, 22), &[leaf(1, 11)])),
        Err(PolicyError::ExternalJoin),
        "another's leaf"
    );
    assert_eq!(
        check(&facts, &external(leaf(2, 91), &[])),
        Err(PolicyError::Credential),
        "a revoked device"
    );
    let mut two = facts.clone();
    two.leaves.push(leaf(2, 22));
    assert_eq!(
        check(&two, &external(leaf(2, 23), &[leaf(2, 21), leaf(2, 22)])),
        Err(PolicyError::ExternalJoin),
        "two Removes"
    );
    assert_eq!(
        check(&facts, &external(leaf(2, 21), &[])),
        Err(PolicyError::DuplicateDevice)
    );
}

#[test]
fn in_a_group_admins_change_the_roster_and_members_do_not() {
    let facts = team();
    let add = vec![ProposalFact::Add(leaf(4, 41))];
    assert_eq!(check(&facts, &by(leaf(2, 21), add.clone())), Ok(()));
    assert_eq!(check(&facts, &by(leaf(3, 31), add)), Err(PolicyError::Role));
    assert_eq!(
        check(&facts, &by(leaf(3, 31), vec![ProposalFact::Remove(leaf(1, 11))])),
        Err(PolicyError::Role)
    );

    let mut renamed = facts.policy.clone();
    renamed.kind = ConversationKind::Direct.into();
    let change = by(leaf(1, 11), vec![ProposalFact::GroupContextExtensions(Some(renamed))]);
    assert_eq!(
        check(&facts, &change),
        Err(PolicyError::GroupPolicy),
        "a kind is for life"
    );
    let promoted = by(
        leaf(3, 31),
        vec![ProposalFact::GroupContextExtensions(Some(facts.policy.clone()))],
    );
    assert_eq!(check(&facts, &promoted), Err(PolicyError::Role));
}

#[test]
fn a_reset_keeps_the_roster_and_the_strength() {
    let (_, facts) = direct();
    assert_eq!(check_reset(&facts, &facts), Ok(()));
    let mut weaker = facts.clone();
    weaker.suite = suite::X25519;
    assert_eq!(check_reset(&facts, &weaker), Err(PolicyError::Reset));
    let mut bigger = facts.clone();
    bigger.leaves.push(leaf(3, 31));
    assert_eq!(check_reset(&facts, &bigger), Err(PolicyError::Reset));
}
