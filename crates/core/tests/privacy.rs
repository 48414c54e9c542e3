//! Who is there, who types, what was read: said as its owner allows. Whoever is blocked is not heard.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{
    ApiError, Audience, Change, ChatView, Command, GroupCommand, MessageKind, MessageState, Notification, Privacy,
    Reply, Standing,
};
use kabar_protocol::ids::ConversationId;
use support::World;

const MINUTE_MS: i64 = 60_000;

/// Two people who know each other, and their conversation.
fn pair(seed: u64) -> (World, usize, usize, ConversationId) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let id = world.send(alice, "@bob", "Halo").conversation_id;
    world.run();
    world.send(bob, "@alice", "Halo juga");
    world.run();
    (world, alice, bob, id)
}

fn set(world: &mut World, who: usize, change: Command) -> Privacy {
    match world.ask(who, change) {
        Ok(Reply::Privacy(privacy)) => privacy,
        other => panic!("{other:?}"),
    }
}

fn nothing() -> Command {
    Command::SetPrivacy {
        read_receipts: None,
        typing: None,
        presence: None,
        timer_s: None,
    }
}

fn presence(audience: Audience) -> Command {
    let Command::SetPrivacy {
        read_receipts,
        typing,
        timer_s,
        ..
    } = nothing()
    else {
        unreachable!()
    };
    Command::SetPrivacy {
        read_receipts,
        typing,
        presence: Some(audience),
        timer_s,
    }
}

fn chat(world: &mut World, who: usize) -> ChatView {
    world.chats(who).pop().unwrap()
}

fn watch(world: &mut World, who: usize, conversation_id: ConversationId) {
    world.ask(who, Command::Watch { conversation_id }).unwrap();
    world.run_for(1_000);
}

fn here(world: &mut World, who: usize, here: bool) {
    world.ask(who, Command::SetHere { here }).unwrap();
    world.run_for(1_000);
}

fn typed(world: &World, who: usize) -> usize {
    let notes = world.clients[who].notes.iter();
    notes
        .filter(|note| matches!(note, Notification::Typing { active: true, .. }))
        .count()
}

#[test]
fn who_is_there_is_seen_while_he_says_so() {
    let (mut world, alice, bob, id) = pair(1);
    watch(&mut world, alice, id);
    assert!(!chat(&mut world, alice).seen.here, "his screen is dark");
    here(&mut world, bob, true);
    assert!(chat(&mut world, alice).seen.here, "whoever asked is told");
    assert_eq!(chat(&mut world, alice).seen.last, None);
    here(&mut world, bob, false);
    let seen = chat(&mut world, alice).seen;
    assert!(!seen.here && seen.last.is_some());
    world.restart(alice);
    assert_eq!(chat(&mut world, alice).seen, seen, "the last time stays");

    here(&mut world, bob, true);
    watch(&mut world, alice, id);
    assert!(chat(&mut world, alice).seen.here);
    world.run_for(3 * MINUTE_MS);
    assert!(!chat(&mut world, alice).seen.here, "not said for a while");
    here(&mut world, bob, false);
    here(&mut world, bob, true);
    assert!(!chat(&mut world, alice).seen.here, "who asked long ago is not told");
}

#[test]
fn what_one_keeps_to_oneself_one_is_not_told() {
    let (mut world, alice, bob, id) = pair(2);
    here(&mut world, alice, true);
    here(&mut world, bob, true);
    set(&mut world, bob, presence(Audience::Nobody));
    watch(&mut world, alice, id);
    assert!(!chat(&mut world, alice).seen.here);
    watch(&mut world, bob, id);
    assert!(!chat(&mut world, bob).seen.here, "Bob is not told either");
    set(&mut world, bob, presence(Audience::Contacts));
    watch(&mut world, alice, id);
    assert!(chat(&mut world, alice).seen.here);
    watch(&mut world, bob, id);
    assert!(chat(&mut world, bob).seen.here);
    set(&mut world, bob, presence(Audience::Nobody));
    world.run_for(1_000);
    for person in [alice, bob] {
        assert!(!chat(&mut world, person).seen.here, "at once, for both");
    }

    let quiet = Command::SetPrivacy {
        read_receipts: None,
        typing: Some(false),
        presence: None,
        timer_s: None,
    };
    set(&mut world, bob, quiet);
    let active = true;
    for person in [alice, bob] {
        let typing = Command::SetTyping {
            conversation_id: id,
            active,
        };
        world.ask(person, typing).unwrap();
        world.run_for(1_000);
    }
    assert_eq!((typed(&world, alice), typed(&world, bob)), (0, 0));
}

#[test]
fn strangers_do_not_see_who_is_there_unless_everyone_may() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    here(&mut world, bob, true);
    let id = world.send(alice, "@bob", "Kenal?").conversation_id;
    world.run();
    watch(&mut world, alice, id);
    assert!(!chat(&mut world, alice).seen.here);
    set(&mut world, bob, presence(Audience::Everyone));
    watch(&mut world, alice, id);
    assert!(chat(&mut world, alice).seen.here);
}

#[test]
fn without_read_receipts_neither_side_learns_what_was_read() {
    let (mut world, alice, bob, id) = pair(4);
    let off = |on| Command::SetPrivacy {
        read_receipts: Some(on),
        typing: None,
        presence: None,
        timer_s: None,
    };
    assert!(!set(&mut world, bob, off(false)).read_receipts);
    world.restart(bob);
    let read = |world: &mut World, who: usize| {
        let up_to = world.thread(who).pop().unwrap().message_id;
        let read = Command::MarkRead {
            conversation_id: Some(id),
            up_to,
            accept: true,
        };
        world.ask(who, read).unwrap();
        world.run();
    };
    world.send(alice, "@bob", "Sudah makan?");
    world.run();
    read(&mut world, bob);
    assert_eq!(
        (world.thread(alice).pop().unwrap().state, chat(&mut world, bob).unread),
        (MessageState::Delivered, 0)
    );
    world.send(bob, "@alice", "Sudah");
    world.run();
    read(&mut world, alice);
    assert_eq!(world.thread(bob).pop().unwrap().state, MessageState::Delivered);
    assert!(set(&mut world, bob, off(true)).read_receipts);
    world.run_for(MINUTE_MS);
    let asked = world.thread(alice).into_iter();
    let asked = asked.filter(|message| message.text.as_deref() == Some("Sudah makan?"));
    assert_eq!(
        asked.last().unwrap().state,
        MessageState::Delivered,
        "nor is it said later"
    );
    world.send(alice, "@bob", "Lagi?");
    world.run();
    read(&mut world, bob);
    assert_eq!(world.thread(alice).pop().unwrap().state, MessageState::Read);
}

fn block(world: &mut World, who: usize, whom: &str, blocked: bool) -> Result<Reply, ApiError> {
    let who_is = whom.into();
    let reply = world.ask(who, Command::Block { who: who_is, blocked });
    world.run();
    reply
}

#[test]
fn whoever_is_blocked_is_not_heard_and_does_not_learn_it() {
    let (mut world, alice, bob, id) = pair(5);
    here(&mut world, bob, true);
    let early = world.send(alice, "@bob", "hapus nanti");
    world.run();
    block(&mut world, bob, "@alice", true).unwrap();
    world.restart(bob);
    assert!(chat(&mut world, bob).blocked);
    let before = world.texts(bob);
    let unread = chat(&mut world, bob).unread;
    world.send(alice, "@bob", "Kamu di sana?");
    world.run();
    watch(&mut world, alice, id);
    assert_eq!((world.texts(bob), chat(&mut world, bob).unread), (before, unread));
    assert_eq!(world.thread(alice).pop().unwrap().state, MessageState::Sent);
    let seen = chat(&mut world, alice);
    assert!(!seen.blocked && !seen.seen.here);
    let back = Command::SendText {
        to: "@alice".into(),
        text: "Tidak".into(),
        reply_to: None,
        wait: true,
    };
    assert_eq!(world.ask(bob, back).unwrap_err().code, "blocked");

    // What he takes back is taken back.
    let delete = Command::ChangeMessage {
        message_id: early.message_id,
        change: Change::Delete,
        wait: true,
    };
    world.ask(alice, delete).unwrap();
    world.run();
    let kinds: Vec<_> = world.thread(bob).into_iter().map(|message| message.kind).collect();
    assert!(kinds.contains(&MessageKind::Deleted));

    block(&mut world, bob, "@alice", false).unwrap();
    world.send(alice, "@bob", "Halo lagi");
    world.run();
    let texts = world.texts(bob);
    assert_eq!(texts.last().map(String::as_str), Some("Halo lagi"));
    assert!(!texts.contains(&"Kamu di sana?".into()), "it does not come back");
    assert_eq!(world.thread(alice).pop().unwrap().state, MessageState::Delivered);
}

#[test]
fn whoever_is_blocked_adds_nobody_to_groups() {
    let (mut world, alice, bob, _) = pair(6);
    block(&mut world, bob, "@alice", true).unwrap();
    let create = Command::CreateGroup {
        name: "Jebakan".into(),
        description: String::new(),
        members: vec!["@bob".into()],
        large: false,
    };
    let Ok(Reply::Group(group)) = world.ask(alice, create) else {
        panic!("a group");
    };
    world.run_for(MINUTE_MS);
    let conversation_id = group.conversation_id;
    let request = GroupCommand::Show;
    let Ok(Reply::Group(view)) = world.ask(
        bob,
        Command::Group {
            conversation_id,
            request,
        },
    ) else {
        panic!("the group");
    };
    assert_eq!(view.standing, Standing::Left);
    let chats = world.chats(bob);
    let chat = chats
        .iter()
        .find(|chat| chat.conversation_id == conversation_id)
        .unwrap();
    assert!(chat.archived);
}

#[test]
fn chats_that_one_begins_have_the_timer_that_one_wishes() {
    let mut world = World::new(7);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let timer = |seconds| Command::SetPrivacy {
        read_receipts: None,
        typing: None,
        presence: None,
        timer_s: Some(seconds),
    };
    let wrong = world.ask(alice, timer(59)).unwrap_err();
    assert_eq!(wrong.parameter.as_deref(), Some("timer_s"));
    assert_eq!(set(&mut world, alice, timer(86_400)).timer_s, 86_400);
    world.send(alice, "@bob", "Halo");
    world.run();
    for person in [alice, bob] {
        let view = chat(&mut world, person);
        assert_eq!(view.timer_s, 86_400);
        let hello = world.thread(person).into_iter();
        let hello = hello.filter(|message| message.text.as_deref() == Some("Halo"));
        assert!(hello.last().unwrap().expires_at.is_some());
    }
    let notices = world.thread(alice).into_iter();
    let notices = notices.filter(|message| message.kind == MessageKind::NoticeTimer);
    assert_eq!(notices.count(), 1, "it is said once");
    set(&mut world, bob, timer(60));
    world.send(bob, "@alice", "Halo juga");
    world.run();
    assert_eq!(
        chat(&mut world, alice).timer_s,
        86_400,
        "a chat that is there keeps its own"
    );
}

#[test]
fn chats_are_sorted_under_names_of_ones_own() {
    let (mut world, alice, bob, id) = pair(8);
    let lists = |names: &[&str]| Command::SetLists {
        conversation_id: id,
        lists: names.iter().map(ToString::to_string).collect(),
    };
    world.ask(alice, lists(&[" Keluarga ", "Arisan", "Arisan"])).unwrap();
    world.restart(alice);
    assert_eq!(chat(&mut world, alice).lists, ["Arisan", "Keluarga"]);
    assert_eq!(chat(&mut world, bob).lists, Vec::<String>::new());
    for wrong in [&[""][..], &["x".repeat(31).as_str()], &["a"; 0]] {
        let reply = world.ask(alice, lists(wrong));
        match wrong.is_empty() {
            true => assert!(reply.is_ok()),
            false => assert_eq!(reply.unwrap_err().parameter.as_deref(), Some("lists")),
        }
    }
    assert!(chat(&mut world, alice).lists.is_empty());
}
