//! Messages that vanish: everywhere, at their time, and with all that the client knew of them.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Allowed, Change, Command, GroupCommand, MessageKind, Reply, Shown};
use kabar_protocol::ids::ConversationId;
use support::World;

const MINUTE_MS: i64 = 60_000;

fn set_timer(world: &mut World, person: usize, conversation_id: ConversationId, seconds: u32) {
    let timer = Command::SetTimer {
        conversation_id,
        seconds,
    };
    world.ask(person, timer).unwrap();
    world.run();
}

/// Texts that a person sees, notices aside.
fn said(world: &mut World, person: usize) -> Vec<String> {
    let texts = world
        .thread(person)
        .into_iter()
        .filter(|message| message.kind == MessageKind::Text);
    texts.filter_map(|message| message.text).collect()
}

#[test]
fn what_is_sent_under_a_timer_vanishes_on_both_sides() {
    let mut world = World::new(1);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let conversation = world.send(alice, "@bob", "bleibt").conversation_id;
    world.run();
    set_timer(&mut world, alice, conversation, 3600);
    let notice = world.thread(bob).pop().unwrap();
    assert_eq!(
        (notice.kind, notice.text.as_deref()),
        (MessageKind::NoticeTimer, Some("3600"))
    );
    assert_eq!(world.chats(bob)[0].timer_s, 3600);
    world.send(bob, "@alice", "geht");
    world.run();
    let going = world.thread(alice).pop().unwrap();
    assert!(going.expires_at.is_some());
    let edit = Change::Edit {
        content: Shown::Text("geht auch".into()),
        mentions: Vec::new(),
    };
    let edit = Command::ChangeMessage {
        message_id: going.message_id,
        change: edit,
        wait: true,
    };
    world.ask(bob, edit).unwrap();
    let star = Command::Star {
        message_id: going.message_id,
        starred: true,
    };
    world.ask(alice, star).unwrap();
    assert_eq!(world.chats(alice)[0].unread, 1);
    world.run_for(59 * MINUTE_MS);
    assert_eq!(said(&mut world, alice), ["bleibt", "geht auch"]);
    world.run_for(2 * MINUTE_MS);
    for (person, unread) in [(alice, 0), (bob, 1)] {
        assert_eq!(said(&mut world, person), ["bleibt"]);
        let chat = world.chats(person).pop().unwrap();
        assert_eq!(chat.unread, unread, "what is gone is not unread");
        assert!(chat.last.is_some_and(|last| last.kind == MessageKind::NoticeTimer));
    }
    let starred = Command::ListStarred {
        limit: 10,
        before: None,
    };
    assert!(matches!(world.ask(alice, starred), Ok(Reply::Found { messages, .. }) if messages.is_empty()));
    let nothing = format!(
        "{:?}",
        world.clients[alice]
            .store
            .values()
            .map(|value| String::from_utf8_lossy(value))
            .collect::<Vec<_>>()
    );
    assert!(
        !nothing.contains("geht") && nothing.contains("bleibt"),
        "it is in no row"
    );
    set_timer(&mut world, bob, conversation, 0);
    world.send(bob, "@alice", "bleibt auch");
    world.run_for(24 * 60 * MINUTE_MS);
    assert_eq!(said(&mut world, alice), ["bleibt", "bleibt auch"]);
}

#[test]
fn many_vanish_at_once_and_after_a_restart() {
    let mut world = World::new(2);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let conversation = world.send(alice, "@bob", "Halo").conversation_id;
    world.run();
    set_timer(&mut world, alice, conversation, 3600);
    for number in 0..150 {
        world.send(alice, "@bob", &number.to_string());
    }
    world.run();
    assert_eq!(said(&mut world, bob).len(), 151);
    world.restart(bob);
    world.run_for(65 * MINUTE_MS);
    assert_eq!(said(&mut world, bob), ["Halo"]);
    assert_eq!(said(&mut world, alice), ["Halo"]);
}

#[test]
fn in_a_group_those_who_may_edit_it_set_the_timer() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let create = Command::CreateGroup {
        name: "Senam".into(),
        description: String::new(),
        members: vec!["@bob".into()],
        large: false,
    };
    let Ok(Reply::Group(group)) = world.ask(alice, create) else {
        panic!("a group");
    };
    let conversation_id = group.conversation_id;
    let settings = GroupCommand::Settings {
        post: None,
        add: None,
        edit: Some(Allowed::Admins),
        history: None,
    };
    let request = Command::Group {
        conversation_id,
        request: settings,
    };
    world.ask(alice, request).unwrap();
    world.run();
    let timer = |seconds| Command::SetTimer {
        conversation_id,
        seconds,
    };
    assert_eq!(world.ask(bob, timer(60)).unwrap_err().code, "not_allowed");
    for wrong in [59, 31_622_401] {
        assert_eq!(
            world.ask(alice, timer(wrong)).unwrap_err().parameter.as_deref(),
            Some("seconds")
        );
    }
    set_timer(&mut world, alice, conversation_id, 60);
    assert_eq!(world.chats(bob)[0].timer_s, 60);
    let carol = world.person("Carol");
    let who = vec!["@carol".into()];
    let request = GroupCommand::Add { who };
    let add = Command::Group {
        conversation_id,
        request,
    };
    world.ask(alice, add).unwrap();
    world.run();
    let group = world.chats(carol).pop().unwrap();
    assert_eq!(
        (group.peer.name.as_str(), group.timer_s),
        ("Senam", 60),
        "whoever comes later keeps to it"
    );
}

#[test]
fn messages_of_businesses_stay() {
    let mut world = World::new(4);
    let (shop, alice) = (world.business("Toko"), world.person("Alice"));
    let to = world.me(shop).account_id.to_string();
    let conversation_id = world.send(alice, &to, "Halo").conversation_id;
    world.run();
    for person in [alice, shop] {
        let timer = Command::SetTimer {
            conversation_id,
            seconds: 60,
        };
        assert_eq!(world.ask(person, timer).unwrap_err().code, "business_chat");
    }
}
