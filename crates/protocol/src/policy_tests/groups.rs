//! Groups: roles, settings, leaving, limits and resets.

use super::*;

/// The policy of `facts` with these roles instead.
fn roles(facts: &GroupFacts, roles: &[(u8, Role)]) -> ProposalFact {
    let member = |(account, role): &(u8, Role)| MemberRole {
        account_id: AccountId([*account; 16]).to_bytes(),
        role: (*role).into(),
    };
    ProposalFact::GroupContextExtensions(Some(GroupPolicy {
        members: roles.iter().map(member).collect(),
        ..facts.policy.clone()
    }))
}

/// Owner 1, admin 2, members 3 and 4, with a device each.
fn four() -> GroupFacts {
    let all = [(1, Owner), (2, Admin), (3, Member), (4, Member)];
    let leaves = [leaf(1, 11), leaf(2, 21), leaf(3, 31), leaf(4, 41)];
    group(ConversationKind::Group, &all, &leaves).1
}

#[test]
fn a_group_stands_under_a_hash_of_its_founder_and_has_an_owner() {
    let (conversation, facts) = group(ConversationKind::Group, &[(1, Owner), (2, Member)], &[leaf(1, 11)]);
    assert_eq!(check_group(conversation, 0, &facts, current), Ok(()));
    let broken = |change: fn(&mut GroupFacts)| {
        let mut facts = facts.clone();
        change(&mut facts);
        let id = ConversationId::from_slice(&facts.policy.conversation_id).unwrap_or(conversation);
        check_group(id, 0, &facts, current)
    };
    let of_two = |facts: &mut GroupFacts| {
        let id = ConversationId::direct(AccountId([1; 16]), AccountId([2; 16]));
        facts.policy.conversation_id = id.to_bytes();
    };
    assert_eq!(broken(of_two), Err(PolicyError::GroupPolicy));
    assert_eq!(
        broken(|f| f.policy.nonce = vec![7; 3].into()),
        Err(PolicyError::GroupPolicy)
    );
    assert_eq!(broken(|f| f.policy.members.reverse()), Err(PolicyError::GroupPolicy));
    let twice = |f: &mut GroupFacts| f.policy.members.push(f.policy.members[1].clone());
    assert_eq!(broken(twice), Err(PolicyError::GroupPolicy));
    assert_eq!(broken(|f| f.policy.members[1].role = 9), Err(PolicyError::GroupPolicy));
    assert_eq!(
        broken(|f| f.policy.members[0].role = Admin.into()),
        Err(PolicyError::LastOwner)
    );
    let settled = |f: &mut GroupFacts| f.policy.kind = ConversationKind::Direct.into();
    assert_eq!(
        broken(settled),
        Err(PolicyError::GroupPolicy),
        "a direct one has no settings"
    );
}

#[test]
fn in_a_group_admins_add_with_a_listing_and_members_do_not() {
    let facts = team();
    let listed = roles(&facts, &[(1, Owner), (2, Admin), (3, Member), (4, Member)]);
    let add = vec![ProposalFact::Add(leaf(4, 41)), listed.clone()];
    assert_eq!(check(&facts, &by(leaf(2, 21), add.clone())), Ok(()));
    assert_eq!(check(&facts, &by(leaf(3, 31), add.clone())), Err(PolicyError::Role));
    let unlisted = by(leaf(1, 11), vec![ProposalFact::Add(leaf(4, 41))]);
    assert_eq!(check(&facts, &unlisted), Err(PolicyError::Roster));
    assert_eq!(
        check(&facts, &by(leaf(1, 11), vec![listed])),
        Err(PolicyError::Roster),
        "nobody is listed without a device"
    );
    let as_admin = roles(&facts, &[(1, Owner), (2, Admin), (3, Member), (4, Admin)]);
    let as_admin = by(leaf(1, 11), vec![ProposalFact::Add(leaf(4, 41)), as_admin]);
    assert_eq!(
        check(&facts, &as_admin),
        Err(PolicyError::Role),
        "everybody begins as a member"
    );
    let device = by(leaf(3, 31), vec![ProposalFact::Add(leaf(2, 22))]);
    assert_eq!(
        check(&facts, &device),
        Ok(()),
        "a further device of somebody who is there"
    );

    let mut open = facts.clone();
    if let Some(settings) = open.policy.settings.as_mut() {
        settings.add = Permission::All.into();
    }
    let listed = roles(&open, &[(1, Owner), (2, Admin), (3, Member), (4, Member)]);
    let add = vec![ProposalFact::Add(leaf(4, 41)), listed];
    assert_eq!(check(&open, &by(leaf(3, 31), add)), Ok(()), "where all may add");
}

#[test]
fn who_may_remove_whom() {
    let facts = four();
    let remove = |committer: Credential, target: u8| {
        let rest: Vec<(u8, Role)> = [(1, Owner), (2, Admin), (3, Member), (4, Member)]
            .into_iter()
            .filter(|(account, _)| *account != target)
            .collect();
        let gone = ProposalFact::Remove(leaf(target, target * 10 + 1));
        check(&facts, &by(committer, vec![gone, roles(&facts, &rest)]))
    };
    let (owner, admin, member) = (leaf(1, 11), leaf(2, 21), leaf(3, 31));
    assert_eq!(remove(owner, 2), Ok(()));
    assert_eq!(remove(owner, 3), Ok(()));
    assert_eq!(remove(admin, 3), Ok(()));
    assert_eq!(remove(admin, 1), Err(PolicyError::Role));
    assert_eq!(remove(member, 4), Err(PolicyError::Role));
    assert_eq!(remove(member, 1), Err(PolicyError::Role));
    let kept = roles(&facts, &[(1, Owner), (2, Admin), (3, Member)]);
    assert_eq!(
        check(&facts, &by(owner, vec![kept])),
        Err(PolicyError::Roster),
        "struck off, and still there"
    );
}

#[test]
fn who_may_change_whose_role() {
    let facts = four();
    let set = |committer: Credential, target: u8, role: Role| {
        let mut all = [(1, Owner), (2, Admin), (3, Member), (4, Member)];
        all[usize::from(target) - 1].1 = role;
        check(&facts, &by(committer, vec![roles(&facts, &all)]))
    };
    let (owner, admin, member) = (leaf(1, 11), leaf(2, 21), leaf(3, 31));
    assert_eq!(set(owner, 3, Admin), Ok(()));
    assert_eq!(set(admin, 3, Admin), Ok(()));
    assert_eq!(set(member, 4, Admin), Err(PolicyError::Role));
    assert_eq!(set(member, 3, Admin), Err(PolicyError::Role), "nobody promotes himself");
    assert_eq!(set(owner, 2, Member), Ok(()));
    assert_eq!(set(owner, 3, Owner), Ok(()));
    assert_eq!(set(admin, 2, Owner), Err(PolicyError::Role));
    assert_eq!(
        set(admin, 2, Member),
        Ok(()),
        "one's own admin's rights may be laid down"
    );
    assert_eq!(set(admin, 1, Member), Err(PolicyError::Role));
    assert_eq!(set(owner, 1, Member), Err(PolicyError::LastOwner));
    assert_eq!(set(member, 3, Member), Err(PolicyError::Role), "nothing changes");
}

#[test]
fn settings_kind_and_name_are_not_a_members_to_change() {
    let facts = four();
    let change = |change: fn(&mut GroupPolicy)| {
        let mut policy = facts.policy.clone();
        change(&mut policy);
        vec![ProposalFact::GroupContextExtensions(Some(policy))]
    };
    let quiet = change(|policy| {
        policy.settings = Some(GroupSettings {
            history: false,
            post: Permission::Admins.into(),
            ..GroupSettings::default()
        });
    });
    assert_eq!(check(&facts, &by(leaf(2, 21), quiet.clone())), Ok(()));
    assert_eq!(check(&facts, &by(leaf(3, 31), quiet)), Err(PolicyError::Role));
    let for_life: [fn(&mut GroupPolicy); 4] = [
        |policy| policy.kind = ConversationKind::Direct.into(),
        |policy| policy.generation = 1,
        |policy| policy.nonce = vec![1; 16].into(),
        |policy| policy.version = 2,
    ];
    for life in for_life {
        assert_eq!(
            check(&facts, &by(leaf(1, 11), change(life))),
            Err(PolicyError::GroupPolicy)
        );
    }
    let undecodable = by(leaf(1, 11), vec![ProposalFact::GroupContextExtensions(None)]);
    assert_eq!(check(&facts, &undecodable), Err(PolicyError::GroupPolicy));
}

#[test]
fn whoever_leaves_says_so_himself_and_is_removed_by_anybody() {
    let facts = four();
    let marked = |target: usize| {
        let mut all = [(1, Owner), (2, Admin), (3, Member), (4, Member)];
        all[target - 1].1 = Leaving;
        roles(&facts, &all)
    };
    let (owner, member, other) = (leaf(1, 11), leaf(3, 31), leaf(4, 41));
    let leave = by(member, vec![marked(3)]);
    assert_eq!(check(&facts, &leave), Ok(()));
    assert_eq!(check(&facts, &by(owner, vec![marked(3)])), Err(PolicyError::Role));
    assert_eq!(check(&facts, &by(owner, vec![marked(1)])), Err(PolicyError::LastOwner));
    let handed_over = [(1, Leaving), (2, Owner), (3, Member), (4, Member)];
    assert_eq!(check(&facts, &by(owner, vec![roles(&facts, &handed_over)])), Ok(()));

    let left = facts.after(&leave);
    assert!(!left.roster().contains(&member.account));
    let gone = vec![
        ProposalFact::Remove(member),
        roles(&left, &[(1, Owner), (2, Admin), (4, Member)]),
    ];
    assert_eq!(
        check(&left, &by(other, gone.clone())),
        Ok(()),
        "a plain member removes him"
    );
    assert_eq!(
        check(&left, &by(member, gone)),
        Err(PolicyError::Role),
        "he does nothing more"
    );
    assert_eq!(
        check(&left, &external(leaf(3, 32), &[member])),
        Err(PolicyError::ExternalJoin)
    );
    let back = by(
        owner,
        vec![roles(&left, &[(1, Owner), (2, Admin), (3, Member), (4, Member)])],
    );
    assert_eq!(
        check(&left, &back),
        Err(PolicyError::Role),
        "he is not taken back by a stroke of the pen"
    );
    assert_eq!(
        check_post(&left.policy, member.account, MessageClass::Receipt),
        Err(PolicyError::Role)
    );
}

#[test]
fn who_may_write_and_edit_follows_the_settings() {
    let mut policy = four().policy;
    let account = |n: u8| AccountId([n; 16]);
    let post = |policy: &GroupPolicy, n: u8, class| check_post(policy, account(n), class);
    assert_eq!(post(&policy, 3, MessageClass::Content), Ok(()));
    assert!(may_edit(&policy, account(2)) && !may_edit(&policy, account(3)));
    policy.settings = None;
    assert_eq!(
        post(&policy, 3, MessageClass::Content),
        Err(PolicyError::Post),
        "unsaid is strict"
    );
    assert_eq!(post(&policy, 3, MessageClass::Edit), Err(PolicyError::Post));
    assert_eq!(post(&policy, 3, MessageClass::Receipt), Ok(()));
    assert_eq!(post(&policy, 3, MessageClass::Reaction), Ok(()));
    assert_eq!(post(&policy, 2, MessageClass::Content), Ok(()));
    assert_eq!(post(&direct().1.policy, 1, MessageClass::Content), Ok(()));
}

#[test]
fn the_limit_of_devices_is_named_by_the_size_that_was_declared() {
    let mut facts = four();
    let many = |count: u8| (100..100 + count).map(|n| leaf(3, n)).collect::<Vec<_>>();
    facts.leaves.extend(many(28));
    assert_eq!(check_shape(id(&facts), &facts), Ok(()));
    facts.leaves.push(leaf(3, 99));
    assert_eq!(check_shape(id(&facts), &facts), Err(PolicyError::SmallGroup));
    facts.suite = suite::X25519;
    assert_eq!(check_shape(id(&facts), &facts), Ok(()));
    facts.leaves = (0..=255).map(|n| leaf(3, n)).collect();
    assert_eq!(check_shape(id(&facts), &facts), Ok(()));
    facts.leaves.push(Credential {
        device: DeviceId([1; 16].map(|byte: u8| byte ^ 0x80)),
        ..leaf(3, 1)
    });
    facts.leaves.last_mut().expect("a leaf").device.0[3] = 9;
    assert_eq!(check_shape(id(&facts), &facts), Err(PolicyError::TooManyMembers));
}

fn id(facts: &GroupFacts) -> ConversationId {
    ConversationId::from_slice(&facts.policy.conversation_id).expect("an id")
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
