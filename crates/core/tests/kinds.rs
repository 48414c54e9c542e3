//! Polls, places, cards; who is spoken to; what is starred and pinned.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{
    Change, ChatView, Command, GroupCommand, GroupRole, Mention, MessageKind, MessageView, Reply, Shown,
};
use kabar_protocol::{
    ids::{ConversationId, MessageId},
    wire,
};
use support::World;

const HOUR_MS: i64 = 3_600_000;

fn send(world: &mut World, from: usize, to: &str, content: Shown, mentions: Vec<Mention>) -> Reply {
    let command = Command::Send {
        to: to.into(),
        content,
        reply_to: None,
        wait: true,
        business: None,
        mentions,
    };
    let reply = world.ask(from, command).unwrap();
    world.run();
    reply
}

fn change(
    world: &mut World,
    by: usize,
    message_id: MessageId,
    change: Change,
) -> Result<Reply, kabar_core::api::ApiError> {
    let command = Command::ChangeMessage {
        message_id,
        change,
        wait: true,
    };
    let reply = world.ask(by, command);
    world.run();
    reply
}

fn last(world: &mut World, person: usize) -> MessageView {
    world.thread(person).pop().unwrap()
}

fn chat(world: &mut World, person: usize) -> ChatView {
    world.chats(person).pop().unwrap()
}

fn group(world: &mut World, owner: usize, members: &[&str]) -> ConversationId {
    let create = Command::CreateGroup {
        name: "Senam".into(),
        description: String::new(),
        members: members.iter().map(ToString::to_string).collect(),
        large: false,
    };
    let Ok(Reply::Group(view)) = world.ask(owner, create) else {
        panic!("a group");
    };
    world.run();
    view.conversation_id
}

fn poll(several: bool) -> wire::Poll {
    wire::Poll {
        question: "Makan di mana?".into(),
        options: vec!["Padang".into(), "Sunda".into(), "Bakmi".into()],
        several,
        closed: false,
    }
}

#[test]
fn a_poll_is_voted_in_and_closed() {
    let mut world = World::new(1);
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    let to = group(&mut world, alice, &["@bob", "@carol"]).to_string();
    send(&mut world, alice, &to, Shown::Poll(poll(false)), Vec::new());
    let asked = last(&mut world, bob);
    assert_eq!(
        (asked.kind, asked.text.as_deref()),
        (MessageKind::Poll, Some("Makan di mana?"))
    );
    let id = asked.message_id;
    let vote = |options: &[u32]| Change::Vote {
        options: options.to_vec(),
    };
    let refused = change(&mut world, bob, id, vote(&[0, 1])).unwrap_err();
    assert_eq!(refused.parameter.as_deref(), Some("options"));
    assert!(change(&mut world, bob, id, vote(&[3])).is_err());
    change(&mut world, bob, id, vote(&[0])).unwrap();
    change(&mut world, bob, id, vote(&[2])).unwrap();
    change(&mut world, carol, id, vote(&[1])).unwrap();
    change(&mut world, carol, id, vote(&[])).unwrap();
    change(&mut world, alice, id, vote(&[2])).unwrap();
    for person in [alice, bob, carol] {
        let votes = last(&mut world, person).changes.votes;
        let cast: Vec<_> = votes
            .iter()
            .map(|vote| (vote.by.name.as_str(), vote.options.as_slice()))
            .collect();
        assert_eq!(cast, [("Bob", &[2][..]), ("Alice", &[2][..])]);
    }
    let edited = |poll: wire::Poll| Change::Edit {
        content: Shown::Poll(poll),
        mentions: Vec::new(),
    };
    let closed = wire::Poll {
        closed: true,
        ..poll(false)
    };
    let other = wire::Poll {
        question: "Pulang?".into(),
        ..closed.clone()
    };
    assert!(
        change(&mut world, alice, id, edited(other)).is_err(),
        "votes were for other words"
    );
    let not_his = change(&mut world, bob, id, edited(closed.clone())).unwrap_err();
    assert_eq!(not_his.code, "not_yours");
    change(&mut world, alice, id, edited(closed)).unwrap();
    assert!(change(&mut world, carol, id, vote(&[0])).is_err(), "too late");
    assert!(matches!(last(&mut world, carol).shown, Some(Shown::Poll(poll)) if poll.closed));
}

#[test]
fn places_and_cards_come_as_they_were_sent_and_are_passed_on() {
    let mut world = World::new(2);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.person("Carol");
    let place = Shown::Location(wire::Location {
        latitude_e7: -61_753_924,
        longitude_e7: 1_068_271_528,
        name: "Monas".into(),
        address: String::new(),
    });
    let card = Shown::Contacts(wire::Contacts {
        people: vec![wire::Contact {
            name: "Dokter Sari".into(),
            phones: vec!["+62 21 555 0101".into()],
            ..wire::Contact::default()
        }],
    });
    let mut seen = Vec::new();
    for (content, text) in [(place, "Monas"), (card, "Dokter Sari")] {
        send(&mut world, alice, "@bob", content.clone(), Vec::new());
        let came = last(&mut world, bob);
        assert_eq!(
            (came.text.as_deref(), came.shown.as_ref()),
            (Some(text), Some(&content))
        );
        seen.push((came.message_id, content));
    }
    for (message_id, content) in seen {
        let to = vec!["@carol".into()];
        let Ok(Reply::Messages { messages, .. }) = world.ask(bob, Command::Forward { message_id, to }) else {
            panic!("passed on");
        };
        assert_eq!(messages[0].shown, Some(content));
    }
    let nowhere = Command::Send {
        to: "@bob".into(),
        content: Shown::Location(wire::Location {
            latitude_e7: i32::MAX,
            ..wire::Location::default()
        }),
        reply_to: None,
        wait: false,
        business: None,
        mentions: Vec::new(),
    };
    assert_eq!(
        world.ask(alice, nowhere).unwrap_err().parameter.as_deref(),
        Some("location.latitude_e7")
    );
}

#[test]
fn whoever_is_spoken_to_finds_it_among_the_unread() {
    let mut world = World::new(3);
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    let to = group(&mut world, alice, &["@bob", "@carol"]).to_string();
    let account = world.me(bob).account_id;
    let at = |start, length, account_id| Mention {
        start,
        length,
        account_id,
    };
    let text = |text: &str| Shown::Text(text.into());
    send(&mut world, alice, &to, text("Halo @Bob"), vec![at(5, 4, Some(account))]);
    send(&mut world, alice, &to, text("Biasa"), Vec::new());
    send(&mut world, carol, &to, text("@all ayo"), vec![at(0, 4, None)]);
    let mentioned = chat(&mut world, bob).mentions;
    assert_eq!(mentioned.len(), 2);
    assert_eq!(chat(&mut world, carol).mentions.len(), 0, "nobody speaks to himself");
    assert_eq!(chat(&mut world, alice).mentions.len(), 1);
    let messages = world.thread(bob);
    let first = messages
        .iter()
        .find(|message| message.message_id == mentioned[0])
        .unwrap();
    assert!(first.mentions_me && first.mentions == [at(5, 4, Some(account))]);
    let read = Command::MarkRead {
        conversation_id: None,
        up_to: mentioned[0],
        accept: true,
    };
    world.ask(bob, read).unwrap();
    assert_eq!(chat(&mut world, bob).mentions, mentioned[1..]);
    // An edit says anew whom it speaks to; deletion speaks to nobody.
    let mine = mentioned[1];
    let edited = |mentions| Change::Edit {
        content: text("@Bob ayo"),
        mentions,
    };
    change(&mut world, carol, mine, edited(Vec::new())).unwrap();
    assert_eq!(chat(&mut world, bob).mentions, []);
    change(&mut world, carol, mine, edited(vec![at(0, 4, Some(account))])).unwrap();
    assert_eq!(chat(&mut world, bob).mentions, [mine]);
    assert_eq!(chat(&mut world, alice).mentions, [], "it speaks to Bob alone now");
    change(&mut world, carol, mine, Change::Delete).unwrap();
    assert_eq!(chat(&mut world, bob).mentions, []);
    let wrong = Command::Send {
        to,
        content: text("Halo @Bob"),
        reply_to: None,
        wait: false,
        business: None,
        mentions: vec![at(4, 5, Some(account))],
    };
    assert_eq!(
        world.ask(alice, wrong).unwrap_err().parameter.as_deref(),
        Some("mentions")
    );
}

#[test]
fn starred_messages_are_found_again_newest_first() {
    let mut world = World::new(4);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    for text in ["satu", "dua", "tiga"] {
        world.send(alice, "@bob", text);
        world.run();
    }
    let ids: Vec<_> = world.thread(bob).iter().map(|message| message.message_id).collect();
    let star = |world: &mut World, message_id, starred| world.ask(bob, Command::Star { message_id, starred }).unwrap();
    for id in &ids {
        star(&mut world, *id, true);
    }
    star(&mut world, ids[1], false);
    let starred = |world: &mut World, limit, before| match world.ask(bob, Command::ListStarred { limit, before }) {
        Ok(Reply::Found { messages, more }) => {
            let texts = messages.into_iter().map(|found| found.message.text.unwrap());
            (texts.collect::<Vec<_>>(), more)
        }
        other => panic!("{other:?}"),
    };
    world.run();
    assert_eq!(
        starred(&mut world, 10, None),
        (vec!["tiga".into(), "satu".into()], false)
    );
    assert_eq!(starred(&mut world, 1, None), (vec!["tiga".into()], true));
    assert_eq!(starred(&mut world, 1, Some(ids[2])), (vec!["satu".into()], false));
    change(&mut world, alice, ids[0], Change::Delete).unwrap();
    assert_eq!(starred(&mut world, 10, None).0, ["tiga"]);
    assert!(
        last(&mut world, bob).starred && !last(&mut world, alice).starred,
        "his alone"
    );
}

#[test]
fn a_pinned_message_stands_for_everybody_until_its_time_is_over() {
    let mut world = World::new(5);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let conversation = group(&mut world, alice, &["@bob"]);
    let to = conversation.to_string();
    for text in ["satu", "dua", "tiga", "empat"] {
        world.send(alice, &to, text);
        world.run();
    }
    let texts = world
        .thread(bob)
        .into_iter()
        .filter(|message| message.kind == MessageKind::Text);
    let ids: Vec<_> = texts.map(|message| message.message_id).collect();
    let pin = |message_id, hours| Command::Pin { message_id, hours };
    for id in &ids {
        world.ask(alice, pin(*id, Some(24))).unwrap();
        world.run();
    }
    let pinned = |world: &mut World| {
        chat(world, bob)
            .pins
            .iter()
            .map(|pin| pin.message_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(pinned(&mut world), ids[1..], "three at a time");
    assert_eq!(last(&mut world, bob).kind, MessageKind::NoticePinned);
    assert_eq!(last(&mut world, bob).in_reply_to, Some(ids[3]));
    world.ask(alice, pin(ids[1], None)).unwrap();
    world.run();
    change(&mut world, alice, ids[2], Change::Delete).unwrap();
    assert_eq!(pinned(&mut world), ids[3..]);
    assert!(world.ask(alice, pin(ids[3], Some(745))).is_err());
    // Only those who may edit the group.
    let admins = GroupCommand::Settings {
        post: None,
        add: None,
        edit: Some(kabar_core::api::Allowed::Admins),
        history: None,
    };
    let settings = Command::Group {
        conversation_id: conversation,
        request: admins,
    };
    world.ask(alice, settings).unwrap();
    world.run();
    assert_eq!(world.ask(bob, pin(ids[0], Some(1))).unwrap_err().code, "not_allowed");
    let promote = GroupCommand::SetRole {
        who: "@bob".into(),
        role: GroupRole::Admin,
    };
    let promote = Command::Group {
        conversation_id: conversation,
        request: promote,
    };
    world.ask(alice, promote).unwrap();
    world.run();
    world.ask(bob, pin(ids[0], Some(1))).unwrap();
    world.run();
    assert_eq!(pinned(&mut world), [ids[3], ids[0]]);
    world.run_for(25 * HOUR_MS);
    assert_eq!(pinned(&mut world), []);
}
