//! What somebody who comes into a group is shown of it, if the group has it so.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Command, GroupCommand, MessageKind, MessageView, Reply, Shown};
use kabar_protocol::{ids::ConversationId, wire};
use support::World;

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

fn ask(world: &mut World, who: usize, conversation_id: ConversationId, request: GroupCommand) {
    let request = Command::Group {
        conversation_id,
        request,
    };
    world.ask(who, request).unwrap();
    world.run();
}

fn show(world: &mut World, who: usize, id: ConversationId, history: bool) {
    let settings = GroupCommand::Settings {
        post: None,
        add: None,
        edit: None,
        history: Some(history),
    };
    ask(world, who, id, settings);
}

fn add(world: &mut World, who: usize, id: ConversationId, whom: &str) {
    let who_is = vec![whom.into()];
    ask(world, who, id, GroupCommand::Add { who: who_is });
}

fn of_kind(world: &mut World, who: usize, kind: MessageKind) -> Vec<MessageView> {
    let thread = world.thread(who).into_iter();
    thread.filter(|message| message.kind == kind).collect()
}

/// A picture that may be looked at once.
fn send_once(world: &mut World, who: usize, to: String) {
    let content = Shown::File(wire::File {
        name: "sekali.jpg".into(),
        mime_type: "image/jpeg".into(),
        size_bytes: 10,
        key: vec![7; 32].into(),
        location: "AbC".into(),
        sha256: vec![2; 32].into(),
        ciphertext_sha256: vec![3; 32].into(),
        view_once: true,
        ..wire::File::default()
    });
    let send = Command::Send {
        to,
        content,
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    world.ask(who, send).unwrap();
    world.run();
}

#[test]
fn whoever_comes_in_is_shown_the_last_messages_and_all_are_told() {
    let mut world = World::new(1);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let id = group(&mut world, alice, &["@bob"]);
    show(&mut world, alice, id, true);
    let to = id.to_string();
    for number in 0..120 {
        let who = if number % 2 == 0 { alice } else { bob };
        world.send(who, &to, &format!("{number} {}", "x".repeat(900)));
    }
    world.run();
    let answered = of_kind(&mut world, bob, MessageKind::Text).pop().unwrap();
    send_once(&mut world, bob, to);
    let before = world.thread(bob).len();

    let carol = world.person("Carol");
    add(&mut world, alice, id, "@carol");
    let told: Vec<MessageView> = of_kind(&mut world, carol, MessageKind::Text);
    let here: Vec<MessageView> = of_kind(&mut world, bob, MessageKind::Text);
    let ids = |messages: &[MessageView]| messages.iter().map(|message| message.message_id).collect::<Vec<_>>();
    assert_eq!(ids(&told), ids(&here[20..]), "the last hundred, in their order");
    let last = told.last().unwrap();
    assert_eq!(
        (last.message_id, last.from.account_id),
        (answered.message_id, answered.from.account_id)
    );
    assert!(of_kind(&mut world, carol, MessageKind::File).is_empty());
    let chat = world.chats(carol).pop().unwrap();
    assert_eq!((chat.unread, chat.peer.name.as_str()), (0, "Senam"));
    for person in [alice, bob, carol] {
        let notices = of_kind(&mut world, person, MessageKind::NoticeHistory);
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].text.as_deref(), Some("100"));
        assert_eq!(notices[0].from.account_id, world.me(alice).account_id);
    }
    assert_eq!(world.thread(bob).len(), before + 2, "he has it all: two notices");

    // What was shown can be answered like anything else.
    let react = Command::ChangeMessage {
        message_id: last.message_id,
        change: kabar_core::api::Change::React { emoji: "👍".into() },
        wait: true,
    };
    world.ask(carol, react).unwrap();
    world.run();
    let seen = world.thread(bob).into_iter();
    let seen: Vec<MessageView> = seen.filter(|message| message.message_id == last.message_id).collect();
    assert_eq!(seen[0].changes.reactions.len(), 1);
    world.restart(carol);
    assert_eq!(of_kind(&mut world, carol, MessageKind::Text).len(), 100);
}

#[test]
fn nothing_is_shown_unless_the_group_has_it_so() {
    let mut world = World::new(2);
    let (alice, _bob) = (world.person("Alice"), world.person("Bob"));
    let id = group(&mut world, alice, &["@bob"]);
    world.send(alice, &id.to_string(), "rahasia kami");
    world.run();
    let carol = world.person("Carol");
    add(&mut world, alice, id, "@carol");
    assert!(of_kind(&mut world, carol, MessageKind::Text).is_empty());
    assert!(of_kind(&mut world, carol, MessageKind::NoticeHistory).is_empty());
    show(&mut world, alice, id, true);
    assert!(
        of_kind(&mut world, carol, MessageKind::Text).is_empty(),
        "whoever is in already is shown nothing"
    );
    let settings = of_kind(&mut world, carol, MessageKind::NoticeGroupSettings);
    assert_eq!(settings.last().unwrap().text.as_deref(), Some("history: on"));
}

#[test]
fn who_comes_back_keeps_what_he_had() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let id = group(&mut world, alice, &["@bob"]);
    show(&mut world, alice, id, true);
    let to = id.to_string();
    world.send(alice, &to, "satu");
    world.run();
    let who = "@bob".into();
    ask(&mut world, alice, id, GroupCommand::Remove { who });
    world.send(alice, &to, "tanpa Bob");
    world.run();
    add(&mut world, alice, id, "@bob");
    let texts: Vec<String> = of_kind(&mut world, bob, MessageKind::Text)
        .into_iter()
        .map(|message| message.text.unwrap())
        .collect();
    assert_eq!(texts, ["satu", "tanpa Bob"]);
}
