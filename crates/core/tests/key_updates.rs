//! Keys are renewed while people write, and nobody notices: not in a race, not after a crash, not in the middle of a
//! stream.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Command, MessageKind};
use support::{Faults, World};

const DAY_MS: i64 = 86_400_000;

fn pair(seed: u64, messages_per_update: Option<u32>) -> (World, usize, usize) {
    let mut world = World::new(seed);
    world.messages_per_update = messages_per_update;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    world.send(bob, "@alice", "two");
    world.run();
    (world, alice, bob)
}

fn epoch(world: &World) -> u64 {
    let mut conversations = world.server.data.conversations.values();
    let (Some(only), None) = (conversations.next(), conversations.next()) else {
        panic!("one conversation");
    };
    assert_eq!(only.generation, 0, "nothing was reset");
    only.epoch
}

fn asked(world: &World, what: &str) -> usize {
    world.server.requests.iter().filter(|request| **request == what).count()
}

fn wish(to: &str, text: &str) -> Command {
    Command::SendText {
        to: to.into(),
        text: text.into(),
        reply_to: None,
        wait: false,
    }
}

/// Both write and read; nothing is missing, doubled, out of order or marked.
fn both_chat_on(world: &mut World, (alice, bob): (usize, usize)) {
    let before = [world.texts(alice), world.texts(bob)];
    assert_eq!(before[0], before[1]);
    for round in 0..3 {
        for (person, to) in [(alice, "@bob"), (bob, "@alice")] {
            world.send(person, to, &format!("{to} on and on {round}"));
            world.run();
        }
    }
    for person in [alice, bob] {
        let thread = world.thread(person);
        assert_eq!(thread.len(), before[0].len() + 6);
        assert!(thread.iter().all(|message| message.kind == MessageKind::Text));
        assert!(!world.chats(person)[0].safety_changed);
    }
}

#[test]
fn keys_are_renewed_after_so_many_messages_and_not_before() {
    let (mut world, alice, bob) = pair(1, None);
    let mut renewed_at = Vec::new();
    for n in 1..=190 {
        let before = epoch(&world);
        world.send(alice, "@bob", &format!("message {n}"));
        world.run_for(100);
        if epoch(&world) > before {
            renewed_at.push(n);
        }
    }
    // A quarter of a hundred may be left off at random; the message that began the group is not counted.
    assert!((1..=2).contains(&renewed_at.len()), "{renewed_at:?}");
    let gaps = std::iter::once(&0).chain(&renewed_at).zip(&renewed_at);
    for (last, next) in gaps {
        assert!((75..=101).contains(&(next - last)), "{renewed_at:?}");
    }
    assert_eq!(epoch(&world), 1 + renewed_at.len() as u64);
    assert_eq!(world.texts(bob).len(), 192);
    both_chat_on(&mut world, (alice, bob));
}

#[test]
fn keys_are_renewed_by_whoever_writes_or_reads_after_so_many_days() {
    let (mut world, alice, bob) = pair(2, None);
    world.now += 5 * DAY_MS;
    world.send(alice, "@bob", "not yet");
    world.run();
    assert_eq!(epoch(&world), 1);
    world.now += 2 * DAY_MS;
    world.send(alice, "@bob", "Alice's are old now");
    world.run();
    assert_eq!(epoch(&world), 2, "one commit before her message");
    world.run_for(3 * DAY_MS);
    assert_eq!(epoch(&world), 2, "nothing is renewed while nobody writes");
    world.send(alice, "@bob", "hers are new");
    world.run();
    assert_eq!(epoch(&world), 2);
    let up_to = world.thread(bob).pop().unwrap().message_id;
    let read = Command::MarkRead {
        conversation_id: None,
        up_to,
        accept: false,
    };
    world.ask(bob, read).unwrap();
    world.run();
    assert_eq!(epoch(&world), 3, "Bob's, before his read receipt");
    both_chat_on(&mut world, (alice, bob));
    assert_eq!((epoch(&world), world.server.conflicts), (3, 0));
}

#[test]
fn a_clock_that_was_wrong_does_not_put_renewals_off_for_ever() {
    let (mut world, alice, bob) = pair(8, None);
    world.now += 400 * DAY_MS;
    world.send(alice, "@bob", "from the future");
    world.run();
    assert_eq!(epoch(&world), 2);
    world.now -= 400 * DAY_MS;
    for person in [alice, bob] {
        world.restart(person);
    }
    world.run();
    for (text, expected) in [("from today", 3), ("and again", 3)] {
        world.send(alice, "@bob", text);
        world.run();
        assert_eq!(epoch(&world), expected);
    }
    both_chat_on(&mut world, (alice, bob));
}

#[test]
fn who_only_reads_renews_keys_too() {
    let (mut world, alice, bob) = pair(7, Some(4));
    for n in 0..12 {
        world.send(alice, "@bob", &format!("{n}"));
        world.run();
        let up_to = world.thread(bob).pop().unwrap().message_id;
        let read = Command::MarkRead {
            conversation_id: None,
            up_to,
            accept: false,
        };
        world.ask(bob, read).unwrap();
        world.run();
    }
    // Each has sent some 13, most of Bob's being receipts, and renewed after three or four.
    assert!((6..=9).contains(&epoch(&world)), "{}", epoch(&world));
    both_chat_on(&mut world, (alice, bob));
}

#[test]
fn a_new_conversation_and_a_new_member_cost_no_update() {
    let (mut world, alice, bob) = pair(3, None);
    both_chat_on(&mut world, (alice, bob));
    assert_eq!((epoch(&world), asked(&world, "commit")), (1, 0));
    // KeyPackages that were made long before they are used.
    world.now += 30 * DAY_MS;
    let carol = world.person("Carol");
    world.send(carol, "@bob", "hello");
    world.run();
    let chat = world.chats(bob).into_iter().find(|chat| chat.request).unwrap();
    world.send(bob, &chat.conversation_id.to_string(), "hello Carol");
    world.run();
    assert_eq!(world.texts(carol), ["hello", "hello Carol"]);
    assert_eq!(asked(&world, "commit"), 0);
}

#[test]
fn a_conversation_that_is_joined_again_has_new_keys_already() {
    let (mut world, alice, bob) = pair(4, None);
    world.clients[bob].store.retain(|key, _| !key.starts_with(b"g/"));
    world.now += 8 * DAY_MS;
    world.restart(bob);
    world.tell(bob, wish("@alice", "three"));
    world.run_for(60_000);
    assert_eq!(
        (epoch(&world), asked(&world, "commit")),
        (2, 1),
        "the resync, and no more"
    );
    assert_eq!(world.texts(alice), ["one", "two", "three"]);
    both_chat_on(&mut world, (alice, bob));
    assert_eq!(epoch(&world), 3, "Alice's own");
}

#[test]
fn of_two_updates_at_once_one_wins_and_the_other_is_not_tried_again_at_once() {
    for seed in 0..8 {
        let (mut world, alice, bob) = pair(seed, None);
        world.now += 8 * DAY_MS;
        let conversation = world.chats(alice)[0].conversation_id.to_string();
        world.tell(alice, wish(&conversation, "from alice"));
        world.tell(bob, wish(&conversation, "from bob"));
        world.run();
        assert_eq!((epoch(&world), asked(&world, "commit")), (2, 2), "seed {seed}: one won");
        for person in [alice, bob] {
            let mut texts = world.texts(person);
            texts.sort();
            assert_eq!(texts, ["from alice", "from bob", "one", "two"], "seed {seed}");
        }
        world.send(alice, "@bob", "at once");
        world.send(bob, "@alice", "at once");
        world.run();
        assert_eq!(
            (epoch(&world), asked(&world, "commit")),
            (2, 2),
            "seed {seed}: no storm"
        );
        world.run_for(30 * 60_000);
        world.send(alice, "@bob", "later");
        world.run();
        world.send(bob, "@alice", "later");
        world.run();
        assert_eq!(
            (epoch(&world), asked(&world, "commit")),
            (3, 3),
            "seed {seed}: the other's turn"
        );
        assert_eq!(world.texts(alice).len(), 8);
        assert_eq!(world.texts(bob).len(), 8);
    }
}

#[test]
fn an_update_survives_a_crash_between_its_batch_and_its_effect() {
    let (mut world, alice, bob) = pair(5, None);
    world.now += 8 * DAY_MS;
    let groups = |world: &World| {
        let rows = world.clients[alice].store.clone();
        rows.into_iter()
            .filter(|(key, _)| key.starts_with(b"g/"))
            .collect::<Vec<_>>()
    };
    let before = groups(&world);
    let conversation = world.chats(alice)[0].conversation_id.to_string();
    world.faults.crash_after = 1;
    world.tell(alice, wish(&conversation, "three"));
    world.faults = Faults::default();
    // Not assert_ne, which would print what is in them.
    assert!(groups(&world) != before, "the commit is stored");
    assert_eq!(asked(&world, "commit"), 0, "and nothing more");
    world.run();
    assert_eq!((epoch(&world), asked(&world, "commit")), (2, 1), "it is submitted");
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
    both_chat_on(&mut world, (alice, bob));
    assert_eq!((epoch(&world), asked(&world, "commit")), (3, 2), "Bob's own");
}

#[test]
fn an_update_whose_answer_is_lost_is_merged_all_the_same() {
    let (mut world, alice, bob) = pair(6, None);
    world.now += 8 * DAY_MS;
    world.tell(alice, wish("@bob", "three"));
    while asked(&world, "commit") == 0 {
        world.run_steps(1);
    }
    world.restart(alice);
    world.run();
    assert_eq!(
        (epoch(&world), asked(&world, "commit")),
        (2, 2),
        "submitted twice, accepted once"
    );
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
    both_chat_on(&mut world, (alice, bob));
    assert_eq!(world.server.conflicts, 0);
}

#[test]
fn a_stream_stays_in_order_while_both_renew_their_keys() {
    let mut renewed = 0;
    for seed in 0..6 {
        let (mut world, alice, bob) = pair(seed, Some(5));
        let mut expected = [Vec::new(), Vec::new()];
        for n in 0..60 {
            for (sender, (person, to)) in [(alice, "@bob"), (bob, "@alice")].into_iter().enumerate() {
                let text = format!("{to} {n}");
                world.tell(person, wish(to, &text));
                expected[sender].push(text);
            }
            world.run_steps(12);
        }
        world.run_for(60_000);
        for (person, texts) in [(alice, &expected[1]), (bob, &expected[0])] {
            let thread = world.thread(person).into_iter().filter(|message| !message.mine);
            let got: Vec<_> = thread.filter_map(|message| message.text).skip(1).collect();
            assert_eq!(&got, texts, "seed {seed}");
        }
        renewed += epoch(&world) - 1;
        assert_eq!(asked(&world, "reset"), 0);
        assert_eq!(asked(&world, "group_info"), 0, "seed {seed}: nobody had to come back");
    }
    // Some 90, fewer the more often they meet.
    assert!(renewed > 40, "{renewed} times");
}
