//! What is deleted leaves the server: asked for until it is done, and no file that another message of ours still names.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Change, Command, MessageKind, MessageView, Reply, Shown};
use kabar_protocol::wire::{self, deliver::Kind};
use support::World;

fn file(location: &str, view_once: bool) -> Shown {
    Shown::File(wire::File {
        name: "salah.jpg".into(),
        mime_type: "image/jpeg".into(),
        size_bytes: 2_048,
        key: vec![7; 32].into(),
        location: location.into(),
        sha256: vec![2; 32].into(),
        ciphertext_sha256: vec![3; 32].into(),
        view_once,
        ..wire::File::default()
    })
}

fn send(world: &mut World, from: usize, to: &str, content: Shown) -> MessageView {
    let command = Command::Send {
        to: to.into(),
        content,
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    let reply = world.ask(from, command);
    world.run();
    match reply {
        Ok(Reply::Sent(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn delete(world: &mut World, by: usize, message: &MessageView) {
    let delete = Command::ChangeMessage {
        message_id: message.message_id,
        change: Change::Delete,
        wait: false,
    };
    world.ask(by, delete).unwrap();
    world.run();
}

fn forward(world: &mut World, by: usize, message: &MessageView, to: &str) -> MessageView {
    let forward = Command::Forward {
        message_id: message.message_id,
        to: vec![to.into()],
    };
    let reply = world.ask(by, forward);
    world.run();
    match reply {
        Ok(Reply::Messages { mut messages, .. }) => messages.remove(0),
        other => panic!("{other:?}"),
    }
}

/// Kinds of what waits at the server for anybody.
fn queued(world: &World) -> Vec<Kind> {
    let queues = world.server.data.queues.values();
    queues.flat_map(|queue| &queue.items).map(wire::Deliver::kind).collect()
}

fn asked(world: &World, name: &str) -> usize {
    world.server.requests.iter().filter(|request| **request == name).count()
}

/// Kinds of what a person sees.
fn kinds(world: &mut World, person: usize) -> Vec<MessageKind> {
    world.thread(person).iter().map(|message| message.kind).collect()
}

/// Two people who know each other; the second is away.
fn one_away(seed: u64) -> (World, usize, usize) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "hai");
    world.run();
    world.set_offline(bob, true);
    (world, alice, bob)
}

#[test]
fn what_nobody_fetched_is_withdrawn_and_its_deletion_shown_in_its_place() {
    let (mut world, alice, bob) = one_away(1);
    let wrong = send(&mut world, alice, "@bob", file("satu", false));
    world.send(alice, "@bob", "yang tadi salah");
    delete(&mut world, alice, &wrong);
    assert_eq!(queued(&world), [Kind::Withdrawn, Kind::Message, Kind::Message]);
    assert_eq!(world.server.deleted, ["satu"]);
    world.set_offline(bob, false);
    world.run_for(60_000);
    let [text, deleted] = [MessageKind::Text, MessageKind::Deleted];
    assert_eq!(kinds(&mut world, bob), [text, deleted, text], "no gap");
    let unread = world.chats(bob)[0].unread;
    assert_eq!(unread, 2, "of what can be read");
    world.send(bob, "@alice", "baik");
    world.restart(bob);
    world.run();
    assert_eq!(kinds(&mut world, bob), [text, deleted, text, text]);
    assert_eq!(asked(&world, "withdraw"), 1, "and once");
}

#[test]
fn a_file_goes_with_the_last_message_that_names_it() {
    let mut world = World::new(2);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.person("Citra");
    world.run();
    let first = send(&mut world, alice, "@bob", file("satu", false));
    let second = forward(&mut world, alice, &first, "@citra");
    delete(&mut world, alice, &first);
    assert!(world.server.deleted.is_empty(), "the other message needs it");
    delete(&mut world, alice, &second);
    assert_eq!(world.server.deleted, ["satu"]);
    // Passed on by somebody else it is not his to delete, which the server decides.
    let third = send(&mut world, alice, "@bob", file("dua", false));
    let passed_on = world.thread(bob).pop().unwrap();
    assert_eq!(passed_on.message_id, third.message_id);
    let once = send(&mut world, alice, "@bob", file("tiga", true));
    delete(&mut world, alice, &once);
    assert_eq!(
        world.server.deleted,
        ["satu", "tiga"],
        "though its sender keeps nothing of it"
    );
}

#[test]
fn a_server_that_is_away_or_busy_is_asked_until_it_has_answered() {
    let (mut world, alice, _) = one_away(3);
    let wrong = send(&mut world, alice, "@bob", file("satu", false));
    world.set_offline(alice, true);
    delete(&mut world, alice, &wrong);
    world.restart(alice);
    world.server.busy = Some("delete_file");
    world.set_offline(alice, false);
    world.run_for(20_000);
    assert_eq!(queued(&world), [Kind::Withdrawn, Kind::Message]);
    assert_eq!((asked(&world, "delete_file"), world.server.deleted.len()), (1, 0));
    world.run_for(40_000);
    assert_eq!(asked(&world, "delete_file"), 3, "every half minute");
    world.server.busy = None;
    world.restart(alice);
    world.run();
    assert_eq!(world.server.deleted, ["satu"]);
    world.restart(alice);
    world.run_for(120_000);
    assert_eq!(
        (asked(&world, "withdraw"), asked(&world, "delete_file")),
        (1, 4),
        "and then no more"
    );
}

#[test]
fn a_server_that_refuses_or_never_answers_is_left_alone() {
    let (mut world, alice, _) = one_away(4);
    let wrong = send(&mut world, alice, "@bob", file("satu", false));
    world.server.refuse = Some("withdraw");
    world.server.silent = Some("delete_file");
    delete(&mut world, alice, &wrong);
    world.run_for(24 * 3_600_000);
    assert_eq!(asked(&world, "withdraw"), 1);
    let tries = asked(&world, "delete_file");
    assert!((2..=20).contains(&tries), "{tries}");
}

#[test]
fn what_vanishes_leaves_the_server_and_no_trace_of_a_deletion() {
    let (mut world, alice, bob) = one_away(5);
    let conversation_id = world.chats(alice)[0].conversation_id;
    let timer = Command::SetTimer {
        conversation_id,
        seconds: 3_600,
    };
    world.ask(alice, timer).unwrap();
    send(&mut world, alice, "@bob", file("satu", false));
    world.run_for(2 * 3_600_000);
    assert_eq!(world.server.deleted, ["satu"]);
    assert_eq!(
        queued(&world),
        [Kind::Message, Kind::Withdrawn],
        "the timer, and what it took"
    );
    world.set_offline(bob, false);
    world.run_for(60_000);
    assert_eq!(kinds(&mut world, bob), [MessageKind::Text, MessageKind::NoticeTimer]);
}

#[test]
fn a_message_that_is_never_sent_lets_its_file_go() {
    let (mut world, alice, _) = one_away(6);
    world.server.refuse = Some("send");
    let command = Command::Send {
        to: "@bob".into(),
        content: file("satu", false),
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    world.ask(alice, command).unwrap_err();
    let failed = world.thread(alice).pop().unwrap();
    let message_id = failed.message_id;
    world
        .ask(
            alice,
            Command::ResolveFailed {
                message_id,
                retry: false,
            },
        )
        .unwrap();
    world.run();
    assert_eq!(world.server.deleted, ["satu"]);
}
