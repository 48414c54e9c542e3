//! Chats kept in order on one device: pinned, put away, marked, with a text begun.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{ApiError, ChatView, Command, Reply};
use kabar_protocol::{ids::ConversationId, limits::TEXT_CHARS_MAX};
use support::World;

#[derive(Clone, Copy, Default)]
struct Way {
    pinned: Option<bool>,
    archived: Option<bool>,
    unread: Option<bool>,
}

fn arrange(world: &mut World, person: usize, conversation_id: ConversationId, way: Way) -> ChatView {
    let command = Command::Arrange {
        conversation_id,
        pinned: way.pinned,
        archived: way.archived,
        unread: way.unread,
    };
    chat_of(world.ask(person, command))
}

fn draft(world: &mut World, person: usize, conversation_id: ConversationId, text: &str) -> Result<Reply, ApiError> {
    let text = text.to_owned();
    world.ask(person, Command::SetDraft { conversation_id, text })
}

fn chat_of(reply: Result<Reply, ApiError>) -> ChatView {
    match reply {
        Ok(Reply::Chat(chat)) => chat,
        other => panic!("{other:?}"),
    }
}

fn names(world: &mut World, person: usize) -> Vec<String> {
    world.chats(person).into_iter().map(|chat| chat.peer.name).collect()
}

/// Alice with a chat with each of the others, who have written to her in this order; the ids likewise.
fn with_three(world: &mut World) -> (usize, Vec<usize>, Vec<ConversationId>) {
    let alice = world.person("Alice");
    let others: Vec<_> = ["Bob", "Carol", "Dave"].map(|name| world.person(name)).into();
    let mut ids = Vec::new();
    for other in &others {
        ids.push(world.send(*other, "@alice", "Halo").conversation_id);
        world.run();
    }
    (alice, others, ids)
}

#[test]
fn pinned_chats_come_first_and_then_by_time() {
    let mut world = World::new(1);
    let (alice, others, ids) = with_three(&mut world);
    assert_eq!(names(&mut world, alice), ["Dave", "Carol", "Bob"]);
    let pin = |pinned| Way {
        pinned: Some(pinned),
        ..Way::default()
    };
    assert!(arrange(&mut world, alice, ids[0], pin(true)).pinned);
    arrange(&mut world, alice, ids[1], pin(true));
    assert_eq!(names(&mut world, alice), ["Carol", "Bob", "Dave"]);
    world.send(others[2], "@alice", "Masih di sini");
    world.send(others[0], "@alice", "Saya juga");
    world.run();
    assert_eq!(names(&mut world, alice), ["Bob", "Carol", "Dave"]);
    world.restart(alice);
    world.run();
    assert_eq!(
        names(&mut world, alice),
        ["Bob", "Carol", "Dave"],
        "after a restart too"
    );
    arrange(&mut world, alice, ids[1], pin(false));
    assert_eq!(names(&mut world, alice), ["Bob", "Dave", "Carol"]);
    assert!(!world.chats(others[0])[0].pinned, "nobody else learns it");
}

#[test]
fn a_chat_that_was_put_away_stays_away() {
    let mut world = World::new(2);
    let (alice, others, ids) = with_three(&mut world);
    let archive = |archived| Way {
        archived: Some(archived),
        ..Way::default()
    };
    let pin = Way {
        pinned: Some(true),
        ..Way::default()
    };
    arrange(&mut world, alice, ids[0], pin);
    let away = arrange(&mut world, alice, ids[0], archive(true));
    assert!(away.archived && !away.pinned, "what is away is not on top");
    world.send(others[0], "@alice", "Ada orang?");
    world.run();
    let chats = world.chats(alice);
    assert_eq!(chats[0].peer.name, "Bob");
    assert!(chats[0].archived, "a new message leaves it there");
    assert_eq!(chats[0].unread, 2);
    world.send(alice, "@bob", "Ada");
    world.restart(alice);
    world.run();
    assert!(world.chats(alice)[0].archived, "and so does an answer");
    assert!(!arrange(&mut world, alice, ids[0], archive(false)).archived);
    arrange(&mut world, alice, ids[0], archive(true));
    let back = arrange(&mut world, alice, ids[0], pin);
    assert!(back.pinned && !back.archived, "what is put on top is back");
}

#[test]
fn a_mark_stays_until_the_chat_is_read() {
    let mut world = World::new(3);
    let (alice, others, ids) = with_three(&mut world);
    let unread = |unread| Way {
        unread: Some(unread),
        ..Way::default()
    };
    world.send(alice, "@bob", "Halo juga");
    world.run();
    let read = arrange(&mut world, alice, ids[0], unread(false));
    assert_eq!((read.unread, read.marked_unread), (0, false));
    world.run();
    assert_eq!(
        world.thread(others[0])[0].state,
        kabar_core::api::MessageState::Read,
        "the sender learns it"
    );
    let marked = arrange(&mut world, alice, ids[0], unread(true));
    assert_eq!((marked.unread, marked.marked_unread), (0, true));
    world.restart(alice);
    world.run();
    assert!(world.chats(alice).iter().any(|chat| chat.marked_unread));
    let up_to = world.chats(others[0])[0].last.clone().unwrap().message_id;
    let read = Command::MarkRead {
        conversation_id: Some(ids[0]),
        up_to,
        accept: false,
    };
    world.ask(alice, read).unwrap();
    assert!(!world.chats(alice).iter().any(|chat| chat.marked_unread));
    arrange(&mut world, alice, ids[0], unread(true));
    assert!(!arrange(&mut world, alice, ids[0], unread(false)).marked_unread);
}

#[test]
fn a_text_that_was_begun_is_kept_until_one_is_sent() {
    let mut world = World::new(4);
    let (alice, _, ids) = with_three(&mut world);
    assert_eq!(
        chat_of(draft(&mut world, alice, ids[0], "Nanti sore ")).draft,
        "Nanti sore "
    );
    let order = names(&mut world, alice);
    world.restart(alice);
    world.run();
    assert_eq!(names(&mut world, alice), order, "it moves nothing");
    let kept = |world: &mut World| {
        let chats = world.chats(alice);
        let chat = chats.into_iter().find(|chat| chat.conversation_id == ids[0]);
        chat.unwrap().draft
    };
    assert_eq!(kept(&mut world), "Nanti sore ");
    let long = "é".repeat(TEXT_CHARS_MAX);
    assert_eq!(chat_of(draft(&mut world, alice, ids[0], &long)).draft, long);
    let refused = draft(&mut world, alice, ids[0], &format!("{long}e")).unwrap_err();
    assert_eq!(refused.parameter.as_deref(), Some("text"));
    world.send(alice, "@bob", "Nanti sore saja");
    assert_eq!(kept(&mut world), "");
    draft(&mut world, alice, ids[0], "Lagi").unwrap();
    assert_eq!(chat_of(draft(&mut world, alice, ids[0], "")).draft, "");
    let nobody = draft(&mut world, alice, ConversationId([7; 16]), "Halo").unwrap_err();
    assert_eq!(nobody.code, "conversation_unknown");
}
