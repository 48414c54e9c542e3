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
                accept: false,
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

#[test]
fn typing_is_shown_and_ends_by_itself() {
    use kabar_core::api::Notification;
    let mut world = World::new(8);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let conversation_id = world.send(alice, "@bob", "one").conversation_id;
    world.run();
    world.send(bob, "@alice", "two");
    world.run();
    world.clients[bob].notes.clear();
    world
        .ask(
            alice,
            Command::SetTyping {
                conversation_id,
                active: true,
            },
        )
        .unwrap();
    world.run();
    let seen: Vec<_> = world.clients[bob]
        .notes
        .iter()
        .filter_map(|note| match note {
            Notification::Typing { active, .. } => Some(*active),
            _ => None,
        })
        .collect();
    assert_eq!(seen, [true, false]);
}

#[test]
fn a_thread_is_read_page_by_page_and_unread_survives_a_restart() {
    let mut world = World::new(9);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    for n in 0..25 {
        world.send(alice, "@bob", &format!("{n}"));
    }
    world.run();
    world.restart(bob);
    world.run();
    let chat = world.chats(bob).remove(0);
    assert_eq!(chat.unread, 25);
    let mut before = None;
    let mut texts = Vec::new();
    loop {
        let list = Command::ListMessages {
            conversation_id: chat.conversation_id,
            before,
            limit: 10,
        };
        let Ok(Reply::Messages { messages, more }) = world.ask(bob, list) else {
            panic!()
        };
        before = messages.last().map(|message| message.message_id);
        texts.extend(messages.into_iter().filter_map(|message| message.text));
        if !more {
            break;
        }
    }
    texts.reverse();
    assert_eq!(texts, (0..25).map(|n| n.to_string()).collect::<Vec<_>>());
    let tenth = world.thread(bob)[9].message_id;
    world
        .ask(
            bob,
            Command::MarkRead {
                conversation_id: None,
                up_to: tenth,
                accept: false,
            },
        )
        .unwrap();
    world.restart(bob);
    world.run();
    assert_eq!(world.chats(bob)[0].unread, 15);
}

#[test]
fn a_reply_names_its_message_and_wrong_input_names_its_rule() {
    let mut world = World::new(10);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let first = world.send(alice, "@bob", "question");
    world.run();
    let reply = |to: &str, text: &str, reply_to| Command::SendText {
        to: to.into(),
        text: text.into(),
        reply_to,
        wait: true,
    };
    let sent = world.ask(bob, reply("@alice", "answer", Some(first.message_id)));
    assert!(
        matches!(&sent, Ok(Reply::Sent(view)) if view.state == MessageState::Sent && view.seq == Some(3)),
        "{sent:?}"
    );
    world.run();
    assert_eq!(world.thread(alice)[1].in_reply_to, Some(first.message_id));

    let other = kabar_protocol::ids::MessageId([1; 32]);
    let wrong = [
        (reply("@alice", " ", None), "invalid", Some("text")),
        (reply("@alice", &"x".repeat(5000), None), "invalid", Some("text")),
        (reply("@alice", "x", Some(other)), "invalid", Some("reply_to")),
        (reply("@bob", "to myself", None), "invalid", Some("to")),
        (reply("not a name!", "x", None), "invalid", Some("to")),
        (reply("@nobody", "x", None), "not_found", None),
        (Command::SetName { name: " ".into() }, "invalid", Some("name")),
        (Command::VerifyPhone { code: "123456".into() }, "no_phone_pending", None),
        (
            Command::Register {
                name: "Bob".into(),
                username: None,
                invite: None,
                enrolment: None,
            },
            "account_exists",
            None,
        ),
    ];
    for (command, code, parameter) in wrong {
        let error = world.ask(bob, command).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.parameter.as_deref()),
            (code, parameter),
            "{}",
            error.message
        );
    }
}

#[test]
fn the_feed_gives_each_item_once_per_home() {
    let mut world = World::new(11);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.send(alice, "@bob", "two");
    world.run();
    let Ok(Reply::Feed { items }) = world.ask(bob, Command::Feed { after: 0, limit: 10 }) else {
        panic!()
    };
    assert_eq!(
        items.iter().filter_map(|item| item.text.as_deref()).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert!(items.iter().all(|item| item.request && item.kind == "text"));
    world
        .ask(
            bob,
            Command::FeedTaken {
                up_to: items[0].position,
            },
        )
        .unwrap();
    world.restart(bob);
    let Ok(Reply::Feed { items }) = world.ask(bob, Command::Feed { after: 0, limit: 10 }) else {
        panic!()
    };
    assert_eq!(
        items.iter().filter_map(|item| item.text.as_deref()).collect::<Vec<_>>(),
        ["two"]
    );
    let Ok(Reply::Feed { items }) = world.ask(alice, Command::Feed { after: 0, limit: 10 }) else {
        panic!()
    };
    assert!(
        items
            .iter()
            .all(|item| item.kind == "receipt" && item.state == Some(MessageState::Delivered))
    );
    assert_eq!(items.len(), 2);
}

#[test]
fn a_changed_name_reaches_the_other_side_with_the_next_message() {
    let mut world = World::new(12);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    world.ask(alice, Command::SetName { name: "Alisa".into() }).unwrap();
    assert_eq!(world.chats(bob)[0].peer.name, "Alice");
    world.send(alice, "@bob", "two");
    world.run();
    assert_eq!(world.chats(bob)[0].peer.name, "Alisa");
}

#[test]
fn the_server_view_is_ciphertext_beside_our_text() {
    let mut world = World::new(13);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let conversation_id = world.send(alice, "@bob", "plain words").conversation_id;
    world.run();
    for person in [alice, bob] {
        let view = world.ask(
            person,
            Command::ServerView {
                conversation_id,
                limit: 10,
            },
        );
        let Ok(Reply::ServerView { items }) = view else {
            panic!("{view:?}")
        };
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].message.text.as_deref(), Some("plain words"));
        assert_eq!(
            (items[0].class.as_str(), items[0].envelope.len()),
            ("content", items[0].bytes * 2)
        );
        let plain: String = b"plain words".iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!items[0].envelope.contains(&plain));
    }
}

#[test]
fn a_message_is_found_by_its_id_alone() {
    let mut world = World::new(16);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let ask = |world: &mut World, person, message_id| world.ask(person, Command::GetMessage { message_id });
    world.send(alice, "@bob", "first");
    world.run();
    world.set_offline(alice, true);
    let queued = world.send(alice, "@bob", "where is it?");
    assert_eq!(
        ask(&mut world, alice, queued.message_id),
        Ok(Reply::Message(queued.clone()))
    );
    let unknown = ask(&mut world, bob, queued.message_id).unwrap_err();
    assert_eq!(
        (unknown.code.as_str(), unknown.parameter.as_deref()),
        ("invalid", Some("message_id"))
    );
    world.set_offline(alice, false);
    world.run_for(120_000);
    for person in [alice, bob] {
        let stored = world.thread(person).remove(1);
        assert_eq!(ask(&mut world, person, queued.message_id), Ok(Reply::Message(stored)));
    }
}

#[test]
fn a_long_absence_is_caught_up_in_few_batches() {
    let mut world = World::new(14);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "0");
    world.run();
    world.set_offline(bob, true);
    for n in 1..=150 {
        world.send(alice, "@bob", &n.to_string());
    }
    world.run();
    let acks = |world: &World| {
        world
            .server
            .requests
            .iter()
            .filter(|request| **request == "ack")
            .count()
    };
    let before = acks(&world);
    world.set_offline(bob, false);
    world.run_for(120_000);
    assert_eq!(world.chats(bob)[0].unread, 151);
    assert!(acks(&world) - before <= 5, "{} acknowledgements", acks(&world) - before);
}

#[test]
fn a_clock_that_is_corrected_does_not_stop_the_client() {
    let mut world = World::new(15);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.now += 400 * 86_400_000;
    world.send(alice, "@bob", "from the future");
    world.run();
    world.now -= 400 * 86_400_000;
    world.restart(bob);
    world.send(alice, "@bob", "from today");
    world.run_for(60_000);
    assert_eq!(world.texts(bob), ["from the future", "from today"]);
}
