//! The engine behind our interface: two devices, every way in and every change.

use ed25519_dalek::SigningKey;

use kabar_protocol::{
    credential::Credential,
    ids::{AccountId, ConversationId, DeviceId},
    policy::PolicyError,
    suite,
    wire::{ConversationKind, GroupPolicy, MemberRole, Role},
};

use super::{engine::XWING as XWING_SUITE, *};
use crate::{
    api::Write,
    store::{keys, tests::as_in_the_browser},
};

struct Device {
    key: SigningKey,
    account: AccountId,
}

impl Device {
    fn new(seed: u8, account: u8) -> Self {
        Self {
            key: SigningKey::from_bytes(&[seed; 32]),
            account: AccountId([account; 16]),
        }
    }

    fn id(&self) -> DeviceId {
        DeviceId::of_key(self.key.verifying_key().as_bytes())
    }

    fn identity(&self) -> Identity<'_> {
        Identity {
            key: &self.key,
            credential: Credential {
                account: self.account,
                device: self.id(),
                list_version: 0,
                list_hash: [0; 32],
            },
        }
    }
}

fn conversation() -> ConversationId {
    ConversationId::direct(AccountId([1; 16]), AccountId([2; 16]))
}

fn policy(generation: u32) -> GroupPolicy {
    let member = |n: u8| MemberRole {
        account_id: AccountId([n; 16]).to_bytes(),
        role: Role::Member.into(),
    };
    GroupPolicy {
        version: 1,
        kind: ConversationKind::Direct.into(),
        conversation_id: conversation().to_bytes(),
        generation,
        members: vec![member(1), member(2)],
        ..GroupPolicy::default()
    }
}

fn storage(slot: u32, rows: Vec<Write>) -> Storage {
    let rows = rows.into_iter().filter_map(|write| match write {
        Write::Put(key, value) => Some((key, value)),
        Write::Delete(_) => None,
    });
    Storage::new(keys::group_slot(conversation(), slot), rows)
}

fn pair(engine: &Engine, alice: &Device, bob: &Device) -> (Group, Group, Bundle) {
    let (packages, rows) = make_key_packages(engine, &bob.identity(), suite::XWING, 1, false).expect("packages");
    let package = read_key_package(engine, &packages[0]).expect("valid");
    let (group, bundle) = Group::create(
        engine,
        &alice.identity(),
        storage(0, vec![]),
        suite::XWING,
        &policy(0),
        vec![package],
        |_| Ok(()),
    )
    .expect("create");
    let wanted = welcome_keys(&bundle.welcome).expect("keys");
    assert!(
        rows.iter()
            .any(|w| matches!(w, Write::Put(key, _) if wanted.contains(key)))
    );
    let (joined, adder) = Group::join(engine, storage(0, rows), &bundle.welcome, |id, generation, facts| {
        assert_eq!((id, generation, facts.leaves.len()), (conversation(), 0, 2));
        Ok(())
    })
    .expect("join");
    assert_eq!(adder.device, alice.id());
    (group, joined, bundle)
}

#[test]
fn a_welcome_and_messages_both_ways_and_the_state_reads_back() {
    let engine = Engine::new(None);
    let (alice, bob) = (Device::new(1, 1), Device::new(2, 2));
    let (mut a, mut b, _) = pair(&engine, &alice, &bob);
    for n in 0..3u8 {
        let sealed = a
            .encrypt(&engine, &alice.key, b"aad".to_vec(), &[n; 10])
            .expect("encrypt");
        let opened = b.decrypt(&engine, &sealed).expect("decrypt");
        assert_eq!((opened.sender.device, opened.content), (alice.id(), vec![n; 10]));
        assert_eq!(opened.authenticated_data, b"aad");
        assert!(b.decrypt(&engine, &sealed).is_err(), "a replay");
    }
    let rows = b.take_writes();
    let mut native = Group::load(storage(0, rows.clone()), conversation(), 0)
        .expect("rows")
        .expect("a group");
    let sealed = native.encrypt(&engine, &bob.key, vec![], b"hi").expect("encrypt");
    assert_eq!(a.decrypt(&engine, &sealed).expect("decrypt").content, b"hi");

    // The engine's own types, too, come out of a browser's store as they went in.
    as_in_the_browser(|| {
        let mut browser = Group::load(storage(0, rows), conversation(), 0)
            .expect("rows")
            .expect("a group");
        let sealed = a.encrypt(&engine, &alice.key, vec![], b"there").expect("encrypt");
        assert_eq!(browser.decrypt(&engine, &sealed).expect("decrypt").content, b"there");
        let update = browser
            .commit(&engine, &bob.identity(), Change::default(), |_, _| Ok(()))
            .expect("update");
        browser.merge_pending(&engine).expect("merge");
        a.process_commit(&engine, &update.commit, 0, |_, _| Ok(()))
            .expect("commit");
        let sealed = browser.encrypt(&engine, &bob.key, vec![], b"again").expect("encrypt");
        assert_eq!(a.decrypt(&engine, &sealed).expect("decrypt").content, b"again");
    });
}

#[test]
fn an_external_commit_replaces_the_own_leaf_and_a_removal_takes_a_foreign_one() {
    let engine = Engine::new(None);
    let (alice, bob) = (Device::new(1, 1), Device::new(2, 2));
    let (mut a, _, bundle) = pair(&engine, &alice, &bob);
    let (mut again, join) = Group::join_externally(
        &engine,
        &bob.identity(),
        storage(1, vec![]),
        &bundle.group_info,
        None,
        |_, _, facts| {
            assert_eq!(facts.leaves.len(), 2);
            Ok(())
        },
    )
    .expect("resync");
    a.process_commit(&engine, &join.commit, 0, |before, commit| {
        assert_eq!(commit.proposals.len(), 2, "ExternalInit and Remove of the own leaf");
        kabar_protocol::policy::check_commit(before, commit, |_| true)
    })
    .expect("commit");
    assert_eq!(a.epoch(), again.epoch());
    let sealed = a.encrypt(&engine, &alice.key, vec![], b"x").expect("encrypt");
    assert_eq!(again.decrypt(&engine, &sealed).expect("decrypt").content, b"x");

    let second = Device::new(3, 2);
    let (_, join) = Group::join_externally(
        &engine,
        &second.identity(),
        storage(2, vec![]),
        &join.group_info,
        None,
        |_, _, _| Ok(()),
    )
    .expect("a further device");
    a.process_commit(&engine, &join.commit, 0, |_, _| Ok(()))
        .expect("commit");
    assert_eq!(a.facts().expect("facts").leaves.len(), 3);
    again
        .process_commit(&engine, &join.commit, 0, |_, _| Ok(()))
        .expect("commit");
    let removal = a
        .commit(
            &engine,
            &alice.identity(),
            Change {
                removed: &[second.id()],
                ..Change::default()
            },
            |_, _| Ok(()),
        )
        .expect("removal");
    again
        .process_commit(&engine, &removal.commit, 0, |_, _| Ok(()))
        .expect("commit");
    a.merge_pending(&engine).expect("merge");
    assert_eq!(a.facts().expect("facts").leaves.len(), 2);
    assert_eq!(a.epoch(), again.epoch());
}

#[test]
fn a_copy_of_stolen_state_reads_along_until_its_owner_renews_the_keys() {
    let engine = Engine::new(None);
    let (alice, bob) = (Device::new(1, 1), Device::new(2, 2));
    let (mut a, mut b, _) = pair(&engine, &alice, &bob);
    let mut thief = Group::load(storage(0, b.take_writes()), conversation(), 0)
        .expect("rows")
        .expect("a group");

    // The other's update does not help: the thief holds a key that its path is encrypted to.
    let update = a
        .commit(&engine, &alice.identity(), Change::default(), |_, _| Ok(()))
        .expect("update");
    a.merge_pending(&engine).expect("merge");
    for group in [&mut b, &mut thief] {
        group
            .process_commit(&engine, &update.commit, 0, |_, _| Ok(()))
            .expect("commit");
        let sealed = a.encrypt(&engine, &alice.key, vec![], b"x").expect("encrypt");
        assert_eq!(group.decrypt(&engine, &sealed).expect("decrypt").content, b"x");
    }

    let update = b
        .commit(&engine, &bob.identity(), Change::default(), |_, _| Ok(()))
        .expect("update");
    b.merge_pending(&engine).expect("merge");
    a.process_commit(&engine, &update.commit, 0, |_, _| Ok(()))
        .expect("commit");
    assert!(thief.process_commit(&engine, &update.commit, 0, |_, _| Ok(())).is_err());
    for (from, key) in [(&mut a, &alice.key), (&mut b, &bob.key)] {
        let sealed = from.encrypt(&engine, key, vec![], b"healed").expect("encrypt");
        assert!(thief.decrypt(&engine, &sealed).is_err());
    }
    let sealed = a.encrypt(&engine, &alice.key, vec![], b"healed").expect("encrypt");
    assert_eq!(b.decrypt(&engine, &sealed).expect("decrypt").content, b"healed");
}

#[test]
fn a_refused_commit_leaves_no_trace() {
    let engine = Engine::new(None);
    let (alice, bob) = (Device::new(1, 1), Device::new(2, 2));
    let (mut a, mut b, _) = pair(&engine, &alice, &bob);
    let _ = b.take_writes();
    let update = a
        .commit(&engine, &alice.identity(), Change::default(), |_, _| Ok(()))
        .expect("path update");
    let refused = b.process_commit(&engine, &update.commit, 0, |_, _| Err(PolicyError::Proposal));
    assert_eq!(refused, Err(MlsError::Refused("proposal_type".into())));
    assert_eq!((b.epoch(), b.take_writes()), (1, vec![]));
    b.process_commit(&engine, &update.commit, 0, |_, _| Ok(()))
        .expect("the same commit, allowed");
    assert_eq!(b.epoch(), 2);
}

/// A commit of Alice's as a modified client could make it, past our own interface.
fn forged(engine: &Engine, alice: &Device, a: &mut Group, proposal: openmls::prelude::Proposal) -> Vec<u8> {
    let provider = engine.provider(&a.storage);
    let bundle = a
        .mls
        .commit_builder()
        .add_proposal(proposal)
        .load_psks(&a.storage)
        .expect("psks")
        .build(provider.engine_rand(), &engine.crypto, &alice.identity(), |_| true)
        .expect("build")
        .stage_commit(&provider)
        .expect("stage");
    group::bundle(bundle).expect("bundle").commit
}

#[test]
fn a_psk_and_a_changed_policy_are_refused_and_the_group_goes_on() {
    use kabar_protocol::policy::check_commit;
    use openmls::{
        prelude::{PreSharedKeyProposal, Proposal},
        schedule::{ExternalPsk, PreSharedKeyId, Psk},
    };
    let engine = Engine::new(None);
    let (alice, bob) = (Device::new(1, 1), Device::new(2, 2));
    let (mut a, mut b, _) = pair(&engine, &alice, &bob);

    let psk = Psk::External(ExternalPsk::new(b"known to both".to_vec()));
    let provider = engine.provider(&a.storage);
    let id = PreSharedKeyId::new(XWING_SUITE, provider.engine_rand(), psk).expect("psk id");
    id.store(&provider, &[7; 32]).expect("stored at Alice's");
    id.store(&engine.provider(&b.storage), &[7; 32])
        .expect("stored at Bob's");
    let proposal = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id)));
    let commit = forged(&engine, &alice, &mut a, proposal);
    let refused = b.process_commit(&engine, &commit, 0, |group, commit| {
        check_commit(group, commit, |_| true)
    });
    assert_eq!(refused, Err(MlsError::Refused("proposal_type".into())));
    a.drop_pending().expect("drop");

    let provider = engine.provider(&a.storage);
    let change = a
        .mls
        .commit_builder()
        .propose_group_context_extensions(group::context_extensions(&policy(0)).expect("extensions"))
        .expect("proposal")
        .load_psks(&a.storage)
        .expect("psks")
        .build(provider.engine_rand(), &engine.crypto, &alice.identity(), |_| true)
        .expect("build")
        .stage_commit(&provider)
        .expect("stage");
    let commit = group::bundle(change).expect("bundle").commit;
    let refused = b.process_commit(&engine, &commit, 0, |group, commit| {
        check_commit(group, commit, |_| true)
    });
    assert_eq!(refused, Err(MlsError::Refused("role".into())));
    a.drop_pending().expect("drop");

    let sealed = a.encrypt(&engine, &alice.key, vec![], b"still here").expect("encrypt");
    assert_eq!(b.decrypt(&engine, &sealed).expect("decrypt").content, b"still here");
}
