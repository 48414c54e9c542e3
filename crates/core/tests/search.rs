//! Messages found by their words.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use kabar_core::api::{ApiError, Change, Command, Key, MessageKind, Reply, Shown, Value};
use kabar_protocol::ids::{ConversationId, MessageId};
use support::World;

/// What is looked for, in a release build, in 200 chats of 500 messages.
const ANSWER_MAX: Duration = Duration::from_secs(1);

fn search(
    world: &mut World,
    person: usize,
    text: &str,
    limit: u32,
    before: Option<MessageId>,
) -> Result<(Vec<kabar_core::api::FoundMessage>, bool), ApiError> {
    let text = text.to_owned();
    match world.ask(person, Command::Search { text, limit, before })? {
        Reply::Found { messages, more } => Ok((messages, more)),
        other => panic!("{other:?}"),
    }
}

fn found(world: &mut World, person: usize, text: &str) -> Vec<String> {
    let (messages, _) = search(world, person, text, 50, None).unwrap();
    let text = messages.into_iter().map(|found| found.message.text.unwrap());
    text.collect()
}

fn change(world: &mut World, person: usize, message_id: MessageId, change: Change) {
    let wait = true;
    world
        .ask(
            person,
            Command::ChangeMessage {
                message_id,
                change,
                wait,
            },
        )
        .unwrap();
    world.run();
}

#[test]
fn messages_are_found_by_the_beginnings_of_their_words() {
    let mut world = World::new(1);
    let (alice, bob, carol) = (world.person("Alice"), world.person("Bob"), world.person("Carol"));
    for (person, to, text) in [
        (bob, "@alice", "Kopi di Café Méliès, jam 7?"),
        (alice, "@bob", "Kopinya enak di sana"),
        (carol, "@alice", "Jangan lupa KOPI!"),
        (carol, "@alice", "Kereta jam delapan"),
    ] {
        world.send(person, to, text);
        world.run();
    }
    let newest_first = [
        "Jangan lupa KOPI!",
        "Kopinya enak di sana",
        "Kopi di Café Méliès, jam 7?",
    ];
    assert_eq!(found(&mut world, alice, "kopi"), newest_first);
    assert_eq!(found(&mut world, alice, "CAFE melies"), newest_first[2..]);
    assert_eq!(found(&mut world, alice, "sana kop"), newest_first[1..2]);
    assert_eq!(found(&mut world, alice, "opi"), [""; 0], "the beginning counts");
    assert_eq!(
        found(&mut world, bob, "kopi"),
        newest_first[1..],
        "what is on this device"
    );
    let (page, more) = search(&mut world, alice, "kopi", 2, None).unwrap();
    assert!(more);
    assert_eq!(page[0].chat.name, "Carol");
    let before = Some(page[1].message.message_id);
    let (rest, more) = search(&mut world, alice, "kopi", 2, before).unwrap();
    assert_eq!((rest.len(), more), (1, false));
    assert_eq!(rest[0].message.text.as_deref(), Some(newest_first[2]));
    world.restart(alice);
    world.run();
    assert_eq!(found(&mut world, alice, "kopi"), newest_first);
    let refused = |world: &mut World, text: &str, limit, before| {
        search(world, alice, text, limit, before)
            .unwrap_err()
            .parameter
            .unwrap()
    };
    assert_eq!(refused(&mut world, " ?! ", 5, None), "text");
    assert_eq!(refused(&mut world, "kopi", 0, None), "limit");
    assert_eq!(refused(&mut world, "kopi", 5, Some(MessageId([9; 32]))), "before");
}

#[test]
fn what_was_edited_or_deleted_is_found_as_it_is_now() {
    let mut world = World::new(2);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(bob, "@alice", "Rapat jam sepuluh");
    world.run();
    let message = world.thread(alice)[0].message_id;
    let content = Shown::Text("Rapat jam sebelas".into());
    change(
        &mut world,
        bob,
        message,
        Change::Edit {
            content,
            mentions: Vec::new(),
        },
    );
    for person in [alice, bob] {
        assert_eq!(found(&mut world, person, "rapat"), ["Rapat jam sebelas"]);
        assert_eq!(found(&mut world, person, "sepuluh"), [""; 0], "only what it says now");
    }
    change(&mut world, bob, message, Change::Delete);
    assert_eq!(world.thread(alice)[0].kind, MessageKind::Deleted);
    for person in [alice, bob] {
        assert_eq!(found(&mut world, person, "rapat"), [""; 0]);
    }
}

#[test]
fn whoever_types_on_waits_for_the_last_search_only() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "Selamat pagi");
    world.run();
    let asked: Vec<_> = ["s", "se", "sel", "sela", "selam", "selama"]
        .map(|text| {
            let (text, limit, before) = (text.into(), 10, None);
            world.tell(bob, Command::Search { text, limit, before })
        })
        .into();
    world.run();
    let answers = asked.iter().map(|command| world.clients[bob].replies[command].clone());
    let found = |answer: &Result<Reply, ApiError>| match answer {
        Ok(Reply::Found { messages, .. }) => messages.len() == 1,
        Err(error) => {
            assert_eq!(error.code, "superseded");
            false
        }
        other => panic!("{other:?}"),
    };
    let found: Vec<_> = answers.map(|answer| found(&answer)).collect();
    assert_eq!(found.last(), Some(&true));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The rows of one message, copied into as many chats and places as asked.
fn many(world: &mut World, person: usize, chats: u8, messages: u64) {
    let store = &mut world.clients[person].store;
    let row = |prefix: &[u8]| -> (Key, Value) {
        let found = store.iter().find(|(key, _)| key.starts_with(prefix)).unwrap();
        (found.0.clone(), found.1.clone())
    };
    let (chat, message) = (row(b"a/chat/"), row(b"m/"));
    let id = chat.0[7..].to_vec();
    let replaced = |value: &[u8], id: &[u8], new: &[u8]| {
        let at = value.windows(id.len()).position(|window| window == id);
        let mut value = value.to_vec();
        if let Some(at) = at {
            value[at..at + id.len()].copy_from_slice(new);
        }
        value
    };
    for n in 1..=chats {
        let conversation = ConversationId([n; 16]);
        let new = conversation.as_slice();
        let value = replaced(&chat.1, hex(&id).as_bytes(), hex(new).as_bytes());
        store.insert([b"a/chat/", new].concat(), value);
        for seq in 1..=messages {
            let key = [b"m/", new, &seq.to_be_bytes(), &[0; 4]].concat();
            let text = format!("Pesan {:06} dari", u64::from(n) * 1000 + seq);
            let mut value = replaced(&message.1, b"Pesan 000000 dari", text.as_bytes());
            // The time is what a row ends with: chats are as old as each other.
            let time = value.len() - 8;
            value[time..].copy_from_slice(&(1_600_000_000_000 + seq * 1000 + u64::from(n)).to_be_bytes());
            store.insert(key, value);
        }
    }
}

/// `cargo test --release -p kabar-core --test search -- --nocapture`
#[test]
fn a_hundred_thousand_messages_are_searched_within_a_second() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let text = "Pesan 000000 dari stasiun, jangan lupa bawa payung karena sore nanti hujan lagi";
    world.send(bob, "@alice", text);
    world.run();
    let messages = if cfg!(debug_assertions) { 20 } else { 500 };
    many(&mut world, alice, 200, messages);
    world.restart(alice);
    world.run();
    for (query, some) in [("101005", true), ("payung", true), ("tidak ada", false), ("p", true)] {
        let begun = Instant::now();
        let (messages, _) = search(&mut world, alice, query, 50, None).unwrap();
        let took = begun.elapsed();
        println!("{query}: {} found in {took:?}", messages.len());
        assert_eq!(!messages.is_empty(), some, "{query}");
        assert!(took < ANSWER_MAX, "{query} took {took:?}");
    }
}
