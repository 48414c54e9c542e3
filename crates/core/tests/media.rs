//! What may be looked at once, and what of a chat is found on a shelf.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{ApiError, Change, Command, FeedItem, MessageView, Reply, Shelf, Shown};
use kabar_protocol::{
    ids::{ConversationId, MessageId},
    wire,
};
use support::World;

const ALBUM: [u8; 16] = [9; 16];

fn file(name: &str, mime_type: &str) -> wire::File {
    wire::File {
        name: name.into(),
        mime_type: mime_type.into(),
        size_bytes: 2_048,
        key: vec![7; 32].into(),
        location: "AbC-_9".into(),
        sha256: vec![2; 32].into(),
        ciphertext_sha256: vec![3; 32].into(),
        ..wire::File::default()
    }
}

fn send(world: &mut World, from: usize, to: &str, content: Shown) -> Result<MessageView, ApiError> {
    let command = Command::Send {
        to: to.into(),
        content,
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    let reply = world.ask(from, command)?;
    world.run();
    let Reply::Sent(message) = reply else {
        panic!("{reply:?}");
    };
    Ok(message)
}

fn change(world: &mut World, by: usize, message_id: MessageId, change: Change) -> Result<Reply, ApiError> {
    let wait = true;
    let reply = world.ask(
        by,
        Command::ChangeMessage {
            message_id,
            change,
            wait,
        },
    );
    world.run();
    reply
}

fn last(world: &mut World, person: usize) -> MessageView {
    world.thread(person).pop().unwrap()
}

fn file_of(message: &MessageView) -> &wire::File {
    match &message.shown {
        Some(Shown::File(file)) => file,
        other => panic!("no file but {other:?}"),
    }
}

fn opens(message: &MessageView) -> bool {
    let file = file_of(message);
    let parts = [
        file.key.is_empty(),
        file.location.is_empty(),
        file.sha256.is_empty(),
        file.ciphertext_sha256.is_empty(),
    ];
    assert!(parts.iter().all(|empty| *empty == parts[0]), "all of it or nothing");
    !parts[0]
}

fn feed(world: &mut World, person: usize) -> Vec<FeedItem> {
    match world.ask(person, Command::Feed { after: 0, limit: 100 }) {
        Ok(Reply::Feed { items }) => items,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_may_be_looked_at_once_opens_once() {
    let mut world = World::new(1);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let once = wire::File {
        view_once: true,
        caption: "Lihat".into(),
        ..file("rahasia.jpg", "image/jpeg")
    };
    let sent = send(&mut world, alice, "@bob", Shown::File(once)).unwrap();
    assert!(!opens(&sent), "its sender keeps nothing of it");
    assert!(!opens(&last(&mut world, alice)));
    let here = last(&mut world, bob);
    assert!(opens(&here) && here.changes.opened.is_empty());
    assert!(feed(&mut world, bob).iter().all(|item| match &item.shown {
        Some(Shown::File(file)) => file.key.is_empty(),
        _ => true,
    }));
    let id = here.message_id;
    for (who, message_id) in [(alice, sent.message_id), (alice, id)] {
        let refused = change(&mut world, who, message_id, Change::Open).unwrap_err();
        assert_eq!(refused.parameter.as_deref(), Some("message_id"), "not one's own");
    }
    let forward = Command::Forward {
        message_id: id,
        to: vec!["@alice".into()],
    };
    assert_eq!(
        world.ask(bob, forward).unwrap_err().parameter.as_deref(),
        Some("message_id")
    );

    change(&mut world, bob, id, Change::Open).unwrap();
    assert!(!opens(&last(&mut world, bob)));
    world.restart(bob);
    let after = last(&mut world, bob);
    assert!(!opens(&after) && after.text.as_deref() == Some("Lihat"));
    let names: Vec<String> = last(&mut world, alice)
        .changes
        .opened
        .iter()
        .map(|by| by.account_id.to_string())
        .collect();
    assert_eq!(names, [world.me(bob).account_id.to_string()], "its sender learns it");
    assert!(feed(&mut world, alice).iter().any(|item| item.kind == "opened"));
    let again = change(&mut world, bob, id, Change::Open).unwrap_err();
    assert_eq!(again.parameter.as_deref(), Some("message_id"), "once");
}

#[test]
fn only_what_is_shown_may_be_looked_at_once() {
    let mut world = World::new(2);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let paper = wire::File {
        view_once: true,
        ..file("surat.pdf", "application/pdf")
    };
    let refused = send(&mut world, alice, "@bob", Shown::File(paper)).unwrap_err();
    assert_eq!(refused.parameter.as_deref(), Some("file.view_once"));
    let plain = send(
        &mut world,
        alice,
        "@bob",
        Shown::File(file("surat.pdf", "application/pdf")),
    );
    let id = plain.unwrap().message_id;
    assert!(change(&mut world, bob, id, Change::Open).is_err());
    assert!(opens(&last(&mut world, bob)));
}

fn shelf(world: &mut World, who: usize, conversation_id: ConversationId, shelf: Shelf) -> Vec<String> {
    let (limit, before) = (50, None);
    let list = Command::ListShelf {
        conversation_id,
        shelf,
        limit,
        before,
    };
    match world.ask(who, list) {
        Ok(Reply::Messages { messages, more: false }) => {
            messages.into_iter().map(|message| message.text.unwrap()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_message_is_on_its_shelf_newest_first() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let voice = wire::File {
        voice: true,
        ..file("suara.ogg", "audio/ogg")
    };
    let once = wire::File {
        view_once: true,
        ..file("sekali.jpg", "image/jpeg")
    };
    let together = |name| wire::File {
        album: ALBUM.to_vec().into(),
        ..file(name, "image/jpeg")
    };
    for content in [
        Shown::Text("Halo".into()),
        Shown::File(together("satu.jpg")),
        Shown::File(together("dua.jpg")),
        Shown::File(file("film.mp4", "video/mp4")),
        Shown::File(file("lagu.mp3", "audio/mpeg")),
        Shown::File(file("surat.pdf", "application/pdf")),
        Shown::File(voice),
        Shown::File(once),
        Shown::Text("Lihat https://contoh.id/a".into()),
    ] {
        send(&mut world, alice, "@bob", content).unwrap();
    }
    let edited = send(&mut world, alice, "@bob", Shown::Text("http://salah.id".into())).unwrap();
    let content = Shown::Text("sudah".into());
    let mentions = Vec::new();
    change(&mut world, alice, edited.message_id, Change::Edit { content, mentions }).unwrap();
    let conversation = edited.conversation_id;
    for person in [alice, bob] {
        let on = |world: &mut World, kind| shelf(world, person, conversation, kind);
        assert_eq!(on(&mut world, Shelf::Media), ["film.mp4", "dua.jpg", "satu.jpg"]);
        assert_eq!(on(&mut world, Shelf::Documents), ["surat.pdf", "lagu.mp3"]);
        assert_eq!(on(&mut world, Shelf::Links), ["Lihat https://contoh.id/a"]);
    }
    let film = world.thread(bob).into_iter();
    let film = film.filter(|message| message.text.as_deref() == Some("film.mp4"));
    let id = film.map(|message| message.message_id).next().unwrap();
    let page = Command::ListShelf {
        conversation_id: conversation,
        shelf: Shelf::Media,
        limit: 1,
        before: Some(id),
    };
    let Ok(Reply::Messages { messages, more: true }) = world.ask(bob, page) else {
        panic!("a page of one, and more");
    };
    assert_eq!(messages[0].text.as_deref(), Some("dua.jpg"));
    change(&mut world, alice, id, Change::Delete).unwrap();
    assert_eq!(
        shelf(&mut world, bob, conversation, Shelf::Media),
        ["dua.jpg", "satu.jpg"]
    );
    let too_many = Command::ListShelf {
        conversation_id: conversation,
        shelf: Shelf::Media,
        limit: 201,
        before: None,
    };
    assert_eq!(
        world.ask(bob, too_many).unwrap_err().parameter.as_deref(),
        Some("limit")
    );
}
