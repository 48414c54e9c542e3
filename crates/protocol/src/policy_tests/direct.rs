//! Conversations of two: devices come and go, accounts stay.

use super::*;

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
