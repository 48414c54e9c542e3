//! Each group is compared with the server's before its first use: used on, begun anew, or made one again.

use kabar_core::api::{Command, Event, MessageState};

use crate::{SECOND, both_see, move_on, pair, read_all, restore, state_of, support::World};

#[test]
fn a_group_of_the_same_history_is_used_on() {
    let (mut world, alice, bob) = pair(1);
    let backup = world.server.data.clone();
    world.server.requests.clear();
    restore(&mut world, &backup, 2);
    world.run();
    world.send(alice, "@bob", "three");
    world.run();
    world.send(bob, "@alice", "four");
    world.run();
    world.send(bob, "@alice", "five");
    world.run();
    for person in [alice, bob] {
        assert_eq!(world.texts(person), ["one", "two", "three", "four", "five"]);
    }
    let asked = |name| world.server.requests.iter().filter(|request| **request == name).count();
    assert_eq!(asked("group_info"), 2, "once for each: {:?}", world.server.requests);
    assert_eq!(asked("commit") + asked("reset") + asked("create"), 0);
}

/// One after the other, each when everything has come to rest; or both at once.
fn each_writes(world: &mut World, said: [(usize, &str, &str); 2], at_once: bool) {
    for (from, to, text) in said {
        if !at_once {
            world.run();
        }
        world.send(from, to, text);
    }
    world.run_for(60 * SECOND);
}

#[test]
fn whoever_writes_first_brings_everybody_into_one_group() {
    for (seed, both) in [(2, false), (3, true), (4, true), (5, true)] {
        let (mut world, alice, bob) = pair(seed);
        let backup = world.server.data.clone();
        move_on(&mut world, alice);
        restore(&mut world, &backup, 2);
        each_writes(&mut world, [(alice, "@bob", "three"), (bob, "@alice", "four")], both);
        world.send(alice, "@bob", "five");
        world.run_for(60 * SECOND);
        both_see(
            &mut world,
            [alice, bob],
            &["one", "two", "after a commit", "three", "four", "five"],
        );
    }
}

#[test]
fn every_group_is_compared_once_though_nobody_writes() {
    const FRIENDS: usize = 20;
    let mut world = World::new(50);
    let alice = world.person("Alice");
    for n in 0..FRIENDS {
        world.person(&format!("Friend{n}"));
        world.run();
        world.send(alice, &format!("@friend{n}"), "one");
        world.run();
    }
    let backup = world.server.data.clone();
    world.server.requests.clear();
    restore(&mut world, &backup, 2);
    world.run_for(60 * SECOND);
    let asked = world.server.requests.iter().filter(|request| **request == "group_info");
    assert_eq!(asked.count(), 2 * FRIENDS, "by both sides of each");
}

#[test]
fn whoever_the_server_kept_in_its_group_writes_to_somebody_who_had_moved_on() {
    for seed in 40..44 {
        let (mut world, alice, bob) = pair(seed);
        let backup = world.server.data.clone();
        world.set_offline(alice, true);
        move_on(&mut world, bob);
        restore(&mut world, &backup, 2);
        world.set_offline(alice, false);
        world.run_for(60 * SECOND);
        world.send(alice, "@bob", "three");
        world.run_for(60 * SECOND);
        assert_eq!(state_of(&mut world, alice, "three"), MessageState::Delivered);
        // What Alice never had is lost with the server.
        assert_eq!(world.texts(alice), ["one", "two", "three"], "{seed}");
        assert_eq!(world.texts(bob), ["one", "two", "after a commit", "three"], "{seed}");
    }
}

#[test]
fn a_crash_in_the_middle_of_the_check_forgets_nothing() {
    // The process dies after each so many steps of its way through check and reset.
    for steps in 0..60 {
        let (mut world, alice, bob) = pair(100 + steps);
        let backup = world.server.data.clone();
        move_on(&mut world, alice);
        let thread = world.chats(alice)[0].conversation_id;
        restore(&mut world, &backup, 2);
        // By its id, nobody has to be asked who is meant: it is stored before anything is said to the server.
        world.tell(
            alice,
            Command::SendText {
                to: thread.to_string(),
                text: "three".into(),
                reply_to: None,
                wait: false,
            },
        );
        world.run_steps(steps);
        world.restart(alice);
        world.run_steps(steps / 2);
        world.restart(bob);
        world.run_for(300 * SECOND);
        world.send(bob, "@alice", "four");
        world.run_for(60 * SECOND);
        both_see(
            &mut world,
            [alice, bob],
            &["one", "two", "after a commit", "three", "four"],
        );
    }
}

#[test]
fn what_was_heard_of_is_checked_after_a_crash() {
    let (mut world, alice, bob) = pair(7);
    let backup = world.server.data.clone();
    world.set_offline(bob, true);
    restore(&mut world, &backup, 2);
    world.run();
    world.send(alice, "@bob", "three");
    world.run();
    world.server.requests.clear();
    world.set_offline(bob, false);
    // Its queue is stored; the check is not answered.
    world.server.silent = Some("group_info");
    for _ in 0..200 {
        if world.server.requests.contains(&"group_info") {
            break;
        }
        world.run_for(SECOND);
    }
    assert!(
        world.server.requests.contains(&"group_info"),
        "{:?}",
        world.server.requests
    );
    world.server.silent = None;
    world.server.requests.clear();
    world.restart(bob);
    world.run();
    assert!(
        world.server.requests.contains(&"group_info"),
        "{:?}",
        world.server.requests
    );
    both_see(&mut world, [alice, bob], &["one", "two", "three"]);
}

#[test]
fn a_check_that_is_never_answered_does_not_block() {
    let (mut world, alice, bob) = pair(8);
    let backup = world.server.data.clone();
    restore(&mut world, &backup, 2);
    world.server.silent = Some("group_info");
    world.send(alice, "@bob", "three");
    world.run_for(300 * SECOND);
    both_see(&mut world, [alice, bob], &["one", "two", "three"]);
}

#[test]
fn connections_that_break_do_not_pass_for_a_silent_server() {
    let (mut world, alice, bob) = pair(9);
    let backup = world.server.data.clone();
    move_on(&mut world, alice);
    restore(&mut world, &backup, 2);
    world.server.silent = Some("group_info");
    world.send(alice, "@bob", "three");
    for _ in 0..6 {
        world.server.requests.clear();
        while !world.server.requests.contains(&"group_info") {
            world.run_for(SECOND);
        }
        world.cut(alice);
        world.event(alice, Event::Disconnected);
    }
    world.server.silent = None;
    world.run_for(200 * SECOND);
    both_see(&mut world, [alice, bob], &["one", "two", "after a commit", "three"]);
}

#[test]
fn a_conversation_that_the_server_does_not_know_is_begun_anew() {
    for (seed, both) in [(20, false), (21, true), (22, true), (23, true)] {
        let mut world = World::new(seed);
        let (alice, bob) = (world.person("Alice"), world.person("Bob"));
        world.run();
        let backup = world.server.data.clone();
        for text in ["one", "two", "three"] {
            world.send(alice, "@bob", text);
            world.run();
        }
        world.send(bob, "@alice", "four");
        world.run();
        read_all(&mut world, alice);
        assert_eq!(state_of(&mut world, bob, "four"), MessageState::Read);
        let before = [alice, bob].map(|person| world.thread(person));
        restore(&mut world, &backup, 2);
        each_writes(&mut world, [(alice, "@bob", "five"), (bob, "@alice", "six")], both);
        both_see(
            &mut world,
            [alice, bob],
            &["one", "two", "three", "four", "five", "six"],
        );
        for (person, before) in [alice, bob].into_iter().zip(before) {
            let after = world.thread(person);
            assert_eq!(
                after[..before.len()],
                before,
                "what was there is as it was, in its order"
            );
        }
        assert_eq!(state_of(&mut world, alice, "five"), MessageState::Delivered);
        assert_eq!(state_of(&mut world, alice, "one"), MessageState::Delivered);
        assert_eq!(world.chats(bob)[0].unread, 4);
        read_all(&mut world, bob);
        assert_eq!(state_of(&mut world, alice, "five"), MessageState::Read);
        assert_eq!(
            state_of(&mut world, bob, "six"),
            MessageState::Delivered,
            "nobody has read it"
        );
        assert_eq!(world.chats(bob)[0].unread, 0);
    }
}

#[test]
fn restored_twice_in_a_row() {
    let (mut world, alice, bob) = pair(40);
    let backup = world.server.data.clone();
    move_on(&mut world, alice);
    let mut expected = vec!["one", "two", "after a commit"];
    let rounds = [("a", "b", "c"), ("d", "e", "f"), ("g", "h", "i")];
    for (timeline, (first, second, third)) in (2..).zip(rounds) {
        // The same backup again: its numbers are given out again.
        restore(&mut world, &backup, timeline);
        world.send(alice, "@bob", first);
        world.run_for(30 * SECOND);
        world.send(bob, "@alice", second);
        world.run_for(30 * SECOND);
        world.send(alice, "@bob", third);
        expected.extend([first, second, third]);
        world.run_for(60 * SECOND);
        both_see(&mut world, [alice, bob], &expected);
        assert_eq!(world.texts(alice), expected, "in their order");
        assert_eq!(
            state_of(&mut world, alice, third),
            MessageState::Delivered,
            "nobody has read it"
        );
        read_all(&mut world, bob);
        assert_eq!(state_of(&mut world, alice, third), MessageState::Read);
    }
}

#[test]
fn restored_twice_before_anybody_writes() {
    let (mut world, alice, bob) = pair(41);
    let backup = world.server.data.clone();
    move_on(&mut world, bob);
    restore(&mut world, &backup, 2);
    world.run();
    restore(&mut world, &backup, 3);
    world.send(bob, "@alice", "three");
    world.run_for(60 * SECOND);
    world.send(alice, "@bob", "four");
    world.run_for(60 * SECOND);
    both_see(
        &mut world,
        [alice, bob],
        &["one", "two", "after a commit", "three", "four"],
    );
}
