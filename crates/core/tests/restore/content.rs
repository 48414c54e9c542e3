//! What was written before, meanwhile and after: read once, in its place.

use kabar_core::api::{Command, MessageState};

use crate::{SECOND, both_see, move_on, pair, read_all, restore, state_of, support::World};

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
