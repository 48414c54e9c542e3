//! Two people talk: from registration to read receipts, and everything that may happen on the way.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Command, MessageKind, MessageState, Reply};
use support::World;

#[test]
fn a_message_goes_there_and_an_answer_comes_back_with_receipts() {
    let mut world = World::new(1);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let queued = world.send(alice, "@bob", "Halo Bob");
    assert_eq!(queued.state, MessageState::Queued);
    world.run();

    let thread = world.thread(bob);
    assert_eq!(thread.len(), 1);
    assert_eq!(
        (thread[0].text.as_deref(), thread[0].state),
        (Some("Halo Bob"), MessageState::Received)
    );
    assert_eq!(thread[0].from.name, "Alice", "the name came inside the message");
    let chat = world.chats(bob).remove(0);
    assert!(chat.request, "a stranger's message is a request");
    assert_eq!(chat.unread, 1);
    assert_eq!(world.thread(alice)[0].state, MessageState::Delivered);
    assert_eq!(world.thread(alice)[0].message_id, queued.message_id);

    world.send(bob, &chat.conversation_id.to_string(), "Halo Alice");
    let seen = world.thread(bob)[0].message_id;
    world
        .ask(
            bob,
            Command::MarkRead {
                conversation_id: None,
                up_to: seen,
            },
        )
        .unwrap();
    world.run();
    assert!(!world.chats(bob)[0].request, "answering accepts");
    assert_eq!(world.chats(bob)[0].unread, 0);
    assert_eq!(world.texts(alice), ["Halo Bob", "Halo Alice"]);
    assert_eq!(world.thread(alice)[0].state, MessageState::Read);
    assert_eq!(world.thread(bob)[1].state, MessageState::Delivered);
    assert_eq!(world.chats(alice)[0].peer.name, "Bob");
    assert_eq!(world.ask(alice, Command::WaitIdle), Ok(Reply::Done));
    assert_eq!(world.ask(bob, Command::WaitIdle), Ok(Reply::Done));
}

#[test]
fn both_see_the_same_safety_number() {
    let mut world = World::new(2);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let number = |reply| match reply {
        Ok(Reply::SafetyNumber { safety_number, .. }) => safety_number,
        other => panic!("{other:?}"),
    };
    let hers = number(world.ask(alice, Command::SafetyNumber { with: "@bob".into() }));
    let his = number(world.ask(bob, Command::SafetyNumber { with: "@alice".into() }));
    assert_eq!(hers.len(), 60);
    assert_eq!(hers, his);
}

#[test]
fn what_was_written_offline_and_before_a_restart_arrives_in_order() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "first");
    world.run();
    world.set_offline(alice, true);
    for n in 0..20 {
        world.send(alice, "@bob", &format!("offline {n}"));
    }
    world.restart(alice);
    world.run();
    let states: Vec<_> = world.thread(alice).iter().map(|message| message.state).collect();
    assert_eq!(
        states.iter().filter(|state| **state == MessageState::Queued).count(),
        20
    );
    world.set_offline(alice, false);
    world.run_for(120_000);
    let mut expected = vec!["first".to_owned()];
    expected.extend((0..20).map(|n| format!("offline {n}")));
    assert_eq!(world.texts(bob), expected);
    assert!(
        world
            .thread(alice)
            .iter()
            .all(|message| message.state == MessageState::Delivered)
    );
    assert!(
        world
            .thread(bob)
            .iter()
            .all(|message| message.kind == MessageKind::Text)
    );
}

#[test]
fn two_who_begin_at_the_same_time_meet_in_one_conversation() {
    for seed in 0..8 {
        let mut world = World::new(seed);
        let (alice, bob) = (world.person("Alice"), world.person("Bob"));
        let send = |to: &str, text: &str| Command::SendText {
            to: to.into(),
            text: text.into(),
            reply_to: None,
            wait: false,
        };
        world.tell(alice, send("@bob", "from alice"));
        world.tell(bob, send("@alice", "from bob"));
        world.run_for(60_000);
        for person in [alice, bob] {
            let mut texts = world.texts(person);
            texts.sort();
            assert_eq!(texts, ["from alice", "from bob"], "seed {seed}");
        }
        assert_eq!(world.server.data.conversations.len(), 1);
    }
}

#[test]
fn a_lost_answer_to_the_first_message_does_not_double_it() {
    let mut world = World::new(5);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.server.lose_answers = 1;
    world.send(alice, "@bob", "once");
    world.run_for(60_000);
    assert_eq!(world.texts(bob), ["once"]);
    assert_eq!(world.texts(alice), ["once"]);
    assert_eq!(world.thread(alice)[0].state, MessageState::Delivered);
}

#[test]
fn commands_that_wait_for_a_connection_are_carried_out_when_there_is_one() {
    let mut world = World::new(6);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    for (person, to) in [(bob, "@alice"), (alice, "@bob")] {
        world.restart(person);
        let idle = world.tell(person, Command::WaitIdle);
        let send = Command::SendText {
            to: to.into(),
            text: "at once".into(),
            reply_to: None,
            wait: true,
        };
        let sent = world.tell(person, send);
        world.run();
        assert!(matches!(world.clients[person].replies.get(&sent), Some(Ok(Reply::Sent(view))) if view.seq.is_some()));
        assert_eq!(world.clients[person].replies.get(&idle), Some(&Ok(Reply::Done)));
    }
}
