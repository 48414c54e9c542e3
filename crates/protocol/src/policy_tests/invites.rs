//! Links into a group: whose bearer comes in, and who makes and takes them back.

use super::*;
use crate::wire::GroupInvite;

const KEY: [u8; 32] = [5; 32];
const EXPIRES_MS: i64 = 1_000;

fn invite(key: [u8; 32], maker: u8) -> GroupInvite {
    GroupInvite {
        public_key: key.to_vec().into(),
        expires_ms: EXPIRES_MS,
        created_by: AccountId([maker; 16]).to_bytes(),
    }
}

fn with(group: &GroupFacts, invites: Vec<GroupInvite>) -> GroupFacts {
    let mut group = group.clone();
    group.policy.invites = invites;
    group
}

/// Account 4 comes in by this key, at this time.
fn comes(key: [u8; 32], at_ms: i64) -> CommitFacts {
    CommitFacts {
        invited: Some(Invited { public_key: key, at_ms }),
        ..external(leaf(4, 41), &[])
    }
}

fn change(member: Credential, policy: GroupPolicy) -> CommitFacts {
    by(member, vec![ProposalFact::GroupContextExtensions(Some(policy))])
}

#[test]
fn a_bearer_comes_in_until_the_link_expires() {
    let open = with(&team(), vec![invite(KEY, 1)]);
    assert_eq!(check(&open, &comes(KEY, EXPIRES_MS - 1)), Ok(()));
    assert_eq!(check(&open, &comes(KEY, EXPIRES_MS)), Err(PolicyError::Invite));
    assert_eq!(check(&open, &comes([6; 32], 0)), Err(PolicyError::Invite));
    assert_eq!(check(&team(), &comes(KEY, 0)), Err(PolicyError::Invite));
    assert_eq!(
        check(&open, &external(leaf(4, 41), &[])),
        Err(PolicyError::ExternalJoin)
    );
    // A revoked device of his is none, and with a link nobody else is put out.
    let revoked = CommitFacts {
        invited: comes(KEY, 0).invited,
        ..external(leaf(4, 91), &[])
    };
    assert_eq!(check(&open, &revoked), Err(PolicyError::Credential));
    let usurper = CommitFacts {
        invited: comes(KEY, 0).invited,
        ..external(leaf(4, 41), &[leaf(3, 31)])
    };
    assert_eq!(check(&open, &usurper), Err(PolicyError::ExternalJoin));
}

#[test]
fn whoever_is_leaving_goes_before_he_comes_back() {
    let mut open = with(&team(), vec![invite(KEY, 1)]);
    open.policy.members[2].role = Leaving.into();
    let back = CommitFacts {
        invited: comes(KEY, 0).invited,
        ..external(leaf(3, 31), &[])
    };
    assert_eq!(check(&open, &back), Err(PolicyError::ExternalJoin));
}

#[test]
fn a_conversation_of_two_has_no_links() {
    let (conversation, mut direct) = direct();
    direct.policy.invites = vec![invite(KEY, 1)];
    assert_eq!(
        check_group(conversation, 0, &direct, current),
        Err(PolicyError::GroupPolicy)
    );
    assert_eq!(check(&direct, &comes(KEY, 0)), Err(PolicyError::Invite));
}

#[test]
fn links_are_made_by_who_may_add_and_in_his_own_name() {
    let group = team();
    let made = |maker: u8| with(&group, vec![invite(KEY, maker)]).policy;
    assert_eq!(check(&group, &change(leaf(1, 11), made(1))), Ok(()));
    assert_eq!(check(&group, &change(leaf(2, 21), made(2))), Ok(()));
    assert_eq!(check(&group, &change(leaf(2, 21), made(1))), Err(PolicyError::Invite));
    assert_eq!(check(&group, &change(leaf(3, 31), made(3))), Err(PolicyError::Role));
    let mut all = group.clone();
    all.policy.settings.as_mut().unwrap().add = Permission::All.into();
    let by_member = with(&all, vec![invite(KEY, 3)]).policy;
    assert_eq!(
        check(&all, &change(leaf(3, 31), by_member)),
        Ok(()),
        "where members add"
    );
    let open = with(&group, vec![invite(KEY, 1)]);
    assert_eq!(
        check(&open, &change(leaf(2, 21), group.policy.clone())),
        Ok(()),
        "taken back by another admin"
    );
    assert_eq!(check(&open, &change(leaf(3, 31), group.policy)), Err(PolicyError::Role));
}

#[test]
fn the_list_of_links_is_short_sorted_and_well_formed() {
    let group = team();
    let judged = |invites| check(&group, &change(leaf(1, 11), with(&group, invites).policy));
    let many: Vec<GroupInvite> = (0..9).map(|n| invite([n; 32], 1)).collect();
    assert_eq!(judged(many[..8].to_vec()), Ok(()));
    assert_eq!(judged(many), Err(PolicyError::TooManyInvites));
    assert_eq!(
        judged(vec![invite([2; 32], 1), invite([1; 32], 1)]),
        Err(PolicyError::GroupPolicy)
    );
    assert_eq!(
        judged(vec![invite(KEY, 1), invite(KEY, 1)]),
        Err(PolicyError::GroupPolicy)
    );
    let short = GroupInvite {
        public_key: vec![1; 31].into(),
        ..invite(KEY, 1)
    };
    assert_eq!(judged(vec![short]), Err(PolicyError::GroupPolicy));
    let endless = GroupInvite {
        expires_ms: 0,
        ..invite(KEY, 1)
    };
    assert_eq!(judged(vec![endless]), Err(PolicyError::GroupPolicy));
}

#[test]
fn who_came_by_a_link_is_listed_promoted_and_removed_like_any_other() {
    let mut group = with(&team(), vec![invite(KEY, 1)]);
    group.leaves.push(leaf(4, 41));
    assert_eq!(group.role(AccountId([4; 16])), Member);
    let as_role = |role: Role| {
        let mut policy = group.policy.clone();
        policy.members.push(MemberRole {
            account_id: AccountId([4; 16]).to_bytes(),
            role: role.into(),
        });
        policy
    };
    for (committer, role, expected) in [
        (leaf(2, 21), Member, Ok(())),
        (leaf(2, 21), Admin, Ok(())),
        (leaf(2, 21), Owner, Err(PolicyError::Role)),
        (leaf(4, 41), Leaving, Ok(())),
        (leaf(4, 41), Admin, Err(PolicyError::Role)),
        (leaf(3, 31), Leaving, Err(PolicyError::Role)),
    ] {
        assert_eq!(check(&group, &change(committer, as_role(role))), expected, "{role:?}");
    }
    assert_eq!(
        check(&group, &by(leaf(2, 21), vec![ProposalFact::Remove(leaf(4, 41))])),
        Ok(())
    );
    assert_eq!(
        check(&group, &by(leaf(3, 31), vec![ProposalFact::Remove(leaf(4, 41))])),
        Err(PolicyError::Role)
    );
}
