//! The server was put back from a backup, as docs/operating.md says: nothing that is shown goes, what waits goes out,
//! and nobody writes into a group that the other cannot read.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Command, Event, MessageKind, MessageState, MessageView};
use support::{Faults, World, server::Data};

const SECOND: i64 = 1_000;

fn pair(seed: u64) -> (World, usize, usize) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    world.send(bob, "@alice", "two");
    world.run();
    (world, alice, bob)
}

/// The statements of docs/operating.md, and a server that starts over them.
fn restore(world: &mut World, backup: &Data, timeline: u8) {
    world.server.data = backup.clone();
    world.server.data.timeline = timeline;
    for conversation in world.server.data.conversations.values_mut() {
        conversation.seq += 1_000_000;
    }
    for (single, _) in world.server.data.key_packages.values_mut() {
        single.clear();
    }
    for client in 0..world.clients.len() {
        if world.clients[client].socket.is_some() {
            world.cut(client);
            world.event(client, Event::Disconnected);
        }
    }
}

/// Comes back into the group by a commit, so that both are in an epoch that an older backup has not.
fn move_on(world: &mut World, client: usize) {
    world.clients[client].store.retain(|key, _| !key.starts_with(b"g/"));
    world.restart(client);
    let to = if client == 0 { "@bob" } else { "@alice" };
    world.send(client, to, "after a commit");
    world.run_for(30 * SECOND);
}

fn state_of(world: &mut World, client: usize, text: &str) -> MessageState {
    let thread = world.thread(client);
    let message = thread.iter().find(|message| message.text.as_deref() == Some(text));
    message.unwrap_or_else(|| panic!("no {text}")).state
}

fn read_all(world: &mut World, client: usize) {
    let last: MessageView = world.thread(client).into_iter().rfind(|message| !message.mine).unwrap();
    let read = Command::MarkRead {
        conversation_id: Some(last.conversation_id),
        up_to: last.message_id,
        accept: true,
    };
    world.ask(client, read).unwrap();
    world.run_for(5 * SECOND);
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Both show these texts, each once, and nothing is stuck or missing.
fn both_see(world: &mut World, people: [usize; 2], texts: &[&str]) {
    let expected = sorted(texts.iter().map(|text| (*text).to_owned()).collect());
    for person in people {
        let thread = world.thread(person);
        assert_eq!(sorted(world.texts(person)), expected, "{person}: {thread:#?}");
        let stuck = |message: &&MessageView| message.mine && message.state < MessageState::Sent;
        assert_eq!(thread.iter().filter(stuck).count(), 0, "{person}: {thread:#?}");
        assert!(
            thread.iter().all(|message| message.kind != MessageKind::NoticeGap),
            "{person}: {thread:#?}"
        );
    }
}

#[test]
fn a_group_of_the_same_history_is_used_on() {
    let (mut world, alice, bob) = pair(1);
    let backup = world.server.data.clone();
    restore(&mut world, &backup, 2);
    world.run();
    world.server.requests.clear();
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

#[test]
fn whoever_writes_first_brings_everybody_into_one_group() {
    for (seed, both) in [(2, false), (3, true), (4, true), (5, true)] {
        let (mut world, alice, bob) = pair(seed);
        let backup = world.server.data.clone();
        move_on(&mut world, alice);
        restore(&mut world, &backup, 2);
        if !both {
            world.run();
        }
        world.send(alice, "@bob", "three");
        if !both {
            world.run();
        }
        world.send(bob, "@alice", "four");
        world.run_for(60 * SECOND);
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
fn who_comes_back_later_reads_what_was_written_meanwhile() {
    let (mut world, alice, bob) = pair(6);
    let backup = world.server.data.clone();
    move_on(&mut world, alice);
    world.set_offline(bob, true);
    restore(&mut world, &backup, 2);
    world.send(alice, "@bob", "three");
    world.run_for(60 * SECOND);
    world.set_offline(bob, false);
    world.run_for(200 * SECOND);
    both_see(&mut world, [alice, bob], &["one", "two", "after a commit", "three"]);
    assert_eq!(state_of(&mut world, alice, "three"), MessageState::Delivered);
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
    restore(&mut world, &backup, 2);
    world.run();
    world.set_offline(bob, true);
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
        if !both {
            world.run();
        }
        world.send(alice, "@bob", "five");
        if !both {
            world.run();
        }
        world.send(bob, "@alice", "six");
        world.run_for(60 * SECOND);
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
fn pages_go_back_over_a_restore() {
    let mut world = World::new(30);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.run();
    let backup = world.server.data.clone();
    let mut expected = Vec::new();
    for n in 0..12 {
        if n == 6 {
            restore(&mut world, &backup, 2);
        }
        world.send(alice, "@bob", &format!("#{n}"));
        world.run_for(30 * SECOND);
        expected.push(format!("#{n}"));
    }
    let conversation_id = world.chats(bob)[0].conversation_id;
    let (mut before, mut texts) = (None, Vec::new());
    loop {
        let list = Command::ListMessages {
            conversation_id,
            before,
            limit: 5,
        };
        let Ok(kabar_core::api::Reply::Messages { messages, more }) = world.ask(bob, list) else {
            panic!()
        };
        texts.extend(messages.iter().filter_map(|message| message.text.clone()));
        before = messages.last().map(|message| message.message_id);
        if !more {
            break;
        }
    }
    texts.reverse();
    assert_eq!(texts, expected);
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

#[test]
fn a_message_whose_answer_was_lost_with_the_server_is_sent_again_and_shown_once() {
    let (mut world, alice, bob) = pair(50);
    let backup = world.server.data.clone();
    world.server.silent = Some("send");
    world.send(alice, "@bob", "three");
    world.run_for(5 * SECOND);
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
    read_all(&mut world, bob);
    assert_eq!(state_of(&mut world, alice, "three"), MessageState::Queued);
    world.server.silent = None;
    restore(&mut world, &backup, 2);
    world.server.requests.clear();
    world.run_for(60 * SECOND);
    both_see(&mut world, [alice, bob], &["one", "two", "three"]);
    // Under its new number it has been delivered and read as it was under the old one.
    assert_eq!(state_of(&mut world, alice, "three"), MessageState::Read);
    let sends = world.server.requests.iter().filter(|request| **request == "send");
    assert_eq!(sends.count(), 2, "the message, and that it was read");
    world.send(alice, "@bob", "four");
    world.run();
    assert_eq!(state_of(&mut world, alice, "four"), MessageState::Delivered);
    assert_eq!(world.chats(bob)[0].unread, 1);
}

#[test]
fn what_waited_for_its_reader_in_the_backup_is_delivered_once() {
    let (mut world, alice, bob) = pair(51);
    world.set_offline(bob, true);
    world.send(alice, "@bob", "three");
    world.run();
    let backup = world.server.data.clone();
    world.send(alice, "@bob", "lost with the server");
    world.run();
    restore(&mut world, &backup, 2);
    world.run();
    world.set_offline(bob, false);
    world.run_for(200 * SECOND);
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
    assert_eq!(state_of(&mut world, alice, "three"), MessageState::Delivered);
    assert_eq!(state_of(&mut world, alice, "lost with the server"), MessageState::Sent);
    world.send(alice, "@bob", "four");
    world.run();
    assert_eq!(world.texts(bob), ["one", "two", "three", "four"]);
}

/// Two people who write while the server is put back again and again, and everything else fails, too.
fn restless(seed: u64, faults: Faults) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.run();
    let mut backups = vec![world.server.data.clone()];
    world.faults = faults;
    for round in 0..8_u8 {
        for (person, to) in [(alice, "@bob"), (bob, "@alice")] {
            let text = Command::SendText {
                to: to.into(),
                text: format!("{to} #{round}"),
                reply_to: None,
                wait: false,
            };
            world.tell(person, text);
        }
        let steps = world.dice.roll(60);
        world.run_steps(steps);
        match world.dice.roll(3) {
            0 => backups.push(world.server.data.clone()),
            1 => {
                let which = usize::try_from(world.dice.roll(backups.len() as u64)).unwrap();
                let backup = backups[which].clone();
                restore(&mut world, &backup, round + 2);
            }
            _ => {
                let wait = i64::try_from(world.dice.roll(5_000)).unwrap();
                world.run_for(wait);
            }
        }
    }
    world.faults = Faults::default();
    world.run_for(900 * SECOND);
    let mut expected = [Vec::new(), Vec::new()];
    for (person, to) in [(alice, "@bob"), (bob, "@alice")] {
        world.send(person, to, &format!("{to} at last"));
        world.run_for(60 * SECOND);
        expected[person].push(format!("{to} at last"));
    }
    for (person, other) in [(alice, bob), (bob, alice)] {
        let thread = world.thread(person);
        let texts = sorted(world.texts(person));
        let mut once = texts.clone();
        once.dedup();
        assert_eq!(once, texts, "seed {seed}: nothing is shown twice");
        let last = &expected[other][0];
        assert!(texts.contains(last), "seed {seed}: {person} reads {last}: {thread:#?}");
        let stuck = thread
            .iter()
            .filter(|message| message.mine && message.state < MessageState::Sent);
        assert_eq!(stuck.count(), 0, "seed {seed}: {thread:#?}");
        let last = format!("{} at last", if person == alice { "@bob" } else { "@alice" });
        assert_eq!(
            state_of(&mut world, person, &last),
            MessageState::Delivered,
            "seed {seed}"
        );
    }
}

#[test]
fn nothing_is_stuck_or_shown_twice_however_often_the_server_is_put_back() {
    for seed in 0..40 {
        restless(seed, Faults::default());
    }
    for seed in 100..120 {
        let faults = Faults {
            disconnect: 60,
            failed_batch: 40,
            crash_before: 50,
            crash_after: 50,
        };
        restless(seed, faults);
    }
}
