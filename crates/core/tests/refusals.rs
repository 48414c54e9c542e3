//! Commits that no honest client makes, handed round by a server that lets everything pass: each client refuses them.
//!
//! Signatures and trees are true, so that only the policy stands between the lie and the group. See
//! crates/server/tests/messenger/hostile_commits.rs for the same at the server.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Key, MessageKind, Value};
use kabar_protocol::{
    credential::Credential,
    ids::{AccountId, ConversationId, DeviceId},
    wire::{ConversationKind, GroupPolicy, MemberRole, Role},
};
use support::{
    World,
    liar::{Liar, Lie, key_pair, only},
};

const BUDIS_KEY: u8 = 101;
const MALLORYS_KEY: u8 = 102;
/// A key on nobody's list.
const OTHER_KEY: u8 = 103;

fn rows(world: &World, client: usize, prefix: &[u8]) -> Vec<(Key, Value)> {
    let rows = world.clients[client].store.iter();
    rows.filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn plant(world: &mut World, liar: &Liar, lie: &Lie, believed: bool, clients: &[usize]) {
    let devices: Vec<_> = clients.iter().map(|client| world.me(*client).device_id).collect();
    world.server.plant(liar, lie, believed, &devices, world.now);
}

/// Hands the lie to these clients: their groups stay byte for byte what they were, and no line tells of it.
fn refused(world: &mut World, liar: &Liar, lie: &Lie, believed: bool, clients: &[usize]) {
    world.run();
    let before: Vec<_> = clients
        .iter()
        .map(|client| (rows(world, *client, b"g/"), rows(world, *client, b"m/")))
        .collect();
    plant(world, liar, lie, believed, clients);
    for (client, (groups, thread)) in clients.iter().zip(before) {
        world.hand_over(*client);
        assert!(!groups.is_empty());
        // Not assert_eq, which would print what is in them.
        assert!(rows(world, *client, b"g/") == groups, "the group is untouched");
        assert!(rows(world, *client, b"m/") == thread, "the thread is untouched");
        assert_eq!(rows(world, *client, b"q/").len(), 1, "the commit is set aside");
    }
}

/// Alice, and a liar whom she writes to as @budi; he is in the group with its secrets.
fn with_a_lying_peer(seed: u64) -> (World, usize, Liar) {
    let mut world = World::new(seed);
    let alice = world.person("Alice");
    let mut budi = Liar::register(&mut world, "budi", BUDIS_KEY);
    world.send(alice, "@budi", "one");
    world.run();
    assert_eq!(budi.read(&world.server), ["one"]);
    (world, alice, budi)
}

fn still_talks(world: &mut World, alice: usize, budi: &mut Liar, text: &str) {
    world.send(alice, "@budi", text);
    world.run_for(60_000);
    assert_eq!(budi.read(&world.server), [text]);
}

#[test]
fn what_the_liar_commits_honestly_is_taken() {
    let (mut world, alice, mut budi) = with_a_lying_peer(1);
    let update = budi.update();
    plant(&mut world, &budi, &update, true, &[alice]);
    budi.merge();
    world.run();
    assert!(rows(&world, alice, b"q/").is_empty());
    still_talks(&mut world, alice, &mut budi, "two");
    assert_eq!((budi.epoch(), world.server.requests.contains(&"commit")), (2, false));
}

#[test]
fn an_outsider_does_not_get_in_by_an_external_commit() {
    for (believed, as_bob) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut world = World::new(2);
        let (alice, bob) = (world.person("Alice"), world.person("Bob"));
        world.send(alice, "@bob", "one");
        world.run();
        world.send(bob, "@alice", "two");
        world.run();
        let mut mallory = Liar::register(&mut world, "mallory", MALLORYS_KEY);
        let mut leaf = mallory.truth();
        if as_bob {
            leaf.account = world.me(bob).account_id;
        }
        let lie = mallory.join_externally(&world.server, &leaf, Vec::new());
        refused(&mut world, &mallory, &lie, believed, &[alice, bob]);
        world.server.let_overhear(&mallory);
        world.run_for(600_000);

        world.server.let_overhear(&mallory);
        world.send(alice, "@bob", "three");
        world.run_for(60_000);
        world.send(bob, "@alice", "four");
        world.run_for(60_000);
        for person in [alice, bob] {
            assert_eq!(world.texts(person), ["one", "two", "three", "four"]);
            assert_eq!(world.chats(person).len(), 1);
            assert!(!world.chats(person)[0].safety_changed);
            let notices = world.thread(person).into_iter().map(|message| message.kind);
            let notices: Vec<_> = notices.filter(|kind| *kind != MessageKind::Text).collect();
            // A group that the server believes the outsider to be in is left behind for a new one.
            let expected: &[_] = if believed { &[MessageKind::NoticeReset] } else { &[] };
            assert_eq!(notices, expected);
        }
        assert!(mallory.read(&world.server).is_empty(), "she reads nothing");
    }
}

/// Alice, a liar whom she writes to, and what the new leaf of his update says to be: the sixth of these is the truth
/// but for a list version that nobody knows yet.
fn wrong_leaf(world: &mut World, alice: usize, budi: &Liar, case: usize) -> Option<(Credential, u8)> {
    let alice = world.me(alice);
    let truth = budi.truth();
    let named = |account, device| Credential {
        account,
        device,
        ..truth
    };
    let unlisted = DeviceId::of_key(key_pair(OTHER_KEY).public());
    let cases = [
        (named(alice.account_id, alice.device_id), BUDIS_KEY),
        (named(alice.account_id, budi.device), BUDIS_KEY),
        (named(budi.account, unlisted), OTHER_KEY),
        (named(budi.account, budi.device), OTHER_KEY),
        (named(AccountId([7; 16]), budi.device), BUDIS_KEY),
        (
            Credential {
                list_hash: [9; 32],
                ..truth
            },
            BUDIS_KEY,
        ),
    ];
    cases.get(case).copied()
}

#[test]
fn a_member_does_not_become_somebody_else() {
    for case in 0.. {
        let (mut world, alice, mut budi) = with_a_lying_peer(3);
        let Some((leaf, key)) = wrong_leaf(&mut world, alice, &budi, case) else {
            break;
        };
        let lie = budi.update_as(&leaf, &key_pair(key));
        // Every other time the server goes on from it.
        refused(&mut world, &budi, &lie, case % 2 == 1, &[alice]);
        still_talks(&mut world, alice, &mut budi, "two");
        assert_eq!(world.texts(alice), ["one", "two"], "case {case}");
    }
}

#[test]
fn a_leaf_that_names_a_list_of_the_future_is_waited_for_and_refused() {
    for believed in [false, true] {
        let (mut world, alice, mut budi) = with_a_lying_peer(4);
        let leaf = Credential {
            list_version: 7,
            ..budi.truth()
        };
        let lie = budi.update_as(&leaf, &key_pair(BUDIS_KEY));
        let groups = rows(&world, alice, b"g/");
        plant(&mut world, &budi, &lie, believed, &[alice]);
        world.hand_over(alice);
        assert!(rows(&world, alice, b"g/") == groups, "the group is untouched");
        // A group that the server believes in is asked for, and its list, until she gives up and begins it anew.
        world.run_for(300_000);
        still_talks(&mut world, alice, &mut budi, "two");
        assert_eq!(world.texts(alice), ["one", "two"]);
    }
}

#[test]
fn a_member_adds_only_listed_devices_of_the_two() {
    for case in 0..5 {
        let (mut world, alice, mut budi) = with_a_lying_peer(5);
        let me = world.me(alice);
        let mallory = Liar::register(&mut world, "mallory", MALLORYS_KEY);
        let truth = budi.truth();
        let unlisted = DeviceId::of_key(key_pair(OTHER_KEY).public());
        let named = |account, device| Credential {
            account,
            device,
            ..truth
        };
        let (leaf, key) = match case {
            0 => (named(budi.account, unlisted), OTHER_KEY),
            1 => (named(me.account_id, unlisted), OTHER_KEY),
            2 => (named(budi.account, budi.device), OTHER_KEY),
            3 => (named(budi.account, mallory.device), MALLORYS_KEY),
            // She is whom she says to be; but a direct conversation is between two.
            _ => (mallory.truth(), MALLORYS_KEY),
        };
        let lie = budi.add(&leaf, &key_pair(key));
        refused(&mut world, &budi, &lie, case % 2 == 1, &[alice]);
        still_talks(&mut world, alice, &mut budi, "two");
        assert_eq!(world.texts(alice), ["one", "two"], "case {case}");
    }
}

#[test]
fn a_member_does_not_remove_the_others_devices() {
    for believed in [false, true] {
        let mut world = World::new(7);
        let (alice, bob) = (world.person("Alice"), world.person("Bob"));
        let mut tablet = Liar::second_device(&mut world, alice, 104);
        let mut bobs_second = Liar::second_device(&mut world, bob, 105);
        world.send(alice, "@bob", "one");
        world.run();
        world.send(bob, "@alice", "two");
        world.run();
        assert_eq!(tablet.read(&world.server), ["one", "two"]);
        assert_eq!(bobs_second.read(&world.server), ["one", "two"]);

        let hers = bobs_second.devices_of(tablet.account);
        assert_eq!(hers.len(), 2, "her phone and her tablet");
        let lie = bobs_second.remove(&hers);
        refused(&mut world, &bobs_second, &lie, believed, &[alice, bob]);
        world.run_for(600_000);
        world.send(alice, "@bob", "three");
        world.run_for(60_000);
        world.send(bob, "@alice", "four");
        world.run_for(60_000);
        for person in [alice, bob] {
            assert_eq!(world.texts(person), ["one", "two", "three", "four"]);
        }
        if !believed {
            assert_eq!(tablet.read(&world.server), ["three", "four"], "she is there, too");
        }
    }
}

/// Alice and Bob, and the policy of a group of this name in which Mallory is as well.
fn two_and_a_group_of_three(seed: u64, name: Option<ConversationId>) -> (World, [usize; 2], Liar, GroupPolicy) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    world.send(bob, "@alice", "two");
    world.run();
    let mallory = Liar::register(&mut world, "mallory", MALLORYS_KEY);
    let accounts = [world.me(alice).account_id, world.me(bob).account_id, mallory.account];
    let members = accounts.map(|account| MemberRole {
        account_id: account.to_bytes(),
        role: Role::Member.into(),
    });
    let policy = GroupPolicy {
        version: 1,
        kind: ConversationKind::Group.into(),
        conversation_id: name.unwrap_or_else(|| only(&world.server)).to_bytes(),
        generation: 0,
        members: members.into(),
        ..GroupPolicy::default()
    };
    (world, [alice, bob], mallory, policy)
}

#[test]
fn a_conversation_of_two_is_not_joined_again_as_a_group_of_three() {
    let (mut world, [alice, bob], mut mallory, policy) = two_and_a_group_of_three(8, None);
    let (group_info, _) = mallory.create(&policy, None);
    let id = only(&world.server);
    let truth = world.server.data.conversations[&id].clone();
    let conversation = world.server.data.conversations.get_mut(&id).unwrap();
    (conversation.epoch, conversation.group_info) = (0, group_info.into());
    world.server.let_overhear(&mallory);
    world.clients[alice].store.retain(|key, _| !key.starts_with(b"g/"));
    world.restart(alice);
    world.send(alice, "@bob", "for Bob alone");
    world.run_for(600_000);
    assert!(mallory.read(&world.server).is_empty(), "she reads nothing");
    assert!(!world.server.requests.contains(&"commit"), "nobody joins her");
    world.server.data.conversations.insert(id, truth);
    world.run_for(600_000);
    assert_eq!(world.texts(bob), ["one", "two", "for Bob alone"]);
}

#[test]
fn a_welcome_into_a_group_does_not_show_as_a_chat_with_one_of_its_members() {
    let name = ConversationId([9; 16]);
    let (mut world, [alice, _], mut mallory, policy) = two_and_a_group_of_three(9, Some(name));
    let me = world.me(alice);
    let package = world.server.data.key_packages[&me.device_id].0[0].clone();
    let (_, welcome) = mallory.create(&policy, Some(&package));
    world.server.welcome(&mallory, name, welcome, me.device_id, world.now);
    world.run();
    assert_eq!(world.chats(alice).len(), 1, "that with Bob");
    assert_eq!(rows(&world, alice, b"q/").len(), 1, "the Welcome is set aside");
    world.send(alice, "@bob", "three");
    world.run();
    assert_eq!(world.texts(alice), ["one", "two", "three"]);
}
