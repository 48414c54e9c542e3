//! The server was put back from a backup, as docs/operating.md says: nothing that is shown goes, what waits goes out,
//! and nobody writes into a group that the other cannot read.

#![allow(clippy::unwrap_used)]

mod check;
mod content;
mod restless;
#[path = "../support/mod.rs"]
mod support;

use kabar_core::api::{Command, Event, MessageKind, MessageState, MessageView};

use support::{World, server::Data};

const SECOND: i64 = 1_000;

fn pair(seed: u64) -> (World, usize, usize) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    world.send(bob, "@alice", "two");
    world.run();
    (world, alice, bob)
}

/// The statements of docs/operating.md, and a server that starts over them.
fn restore(world: &mut World, backup: &Data, timeline: u8) {
    world.server.data = backup.clone();
    world.server.data.timeline = timeline;
    for conversation in world.server.data.conversations.values_mut() {
        conversation.seq += 1_000_000;
    }
    for (single, _) in world.server.data.key_packages.values_mut() {
        single.clear();
    }
    for client in 0..world.clients.len() {
        if world.clients[client].socket.is_some() {
            world.cut(client);
            world.event(client, Event::Disconnected);
        }
    }
}

/// Comes back into the group by a commit, so that both are in an epoch that an older backup has not.
fn move_on(world: &mut World, client: usize) {
    world.clients[client].store.retain(|key, _| !key.starts_with(b"g/"));
    world.restart(client);
    let to = if client == 0 { "@bob" } else { "@alice" };
    world.send(client, to, "after a commit");
    world.run_for(30 * SECOND);
}

fn state_of(world: &mut World, client: usize, text: &str) -> MessageState {
    let thread = world.thread(client);
    let message = thread.iter().find(|message| message.text.as_deref() == Some(text));
    message.unwrap_or_else(|| panic!("no {text}")).state
}

fn read_all(world: &mut World, client: usize) {
    let last: MessageView = world.thread(client).into_iter().rfind(|message| !message.mine).unwrap();
    let read = Command::MarkRead {
        conversation_id: Some(last.conversation_id),
        up_to: last.message_id,
        accept: true,
    };
    world.ask(client, read).unwrap();
    world.run_for(5 * SECOND);
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Both show these texts, each once, and nothing is stuck or missing.
fn both_see(world: &mut World, people: [usize; 2], texts: &[&str]) {
    let expected = sorted(texts.iter().map(|text| (*text).to_owned()).collect());
    for person in people {
        let thread = world.thread(person);
        assert_eq!(sorted(world.texts(person)), expected, "{person}: {thread:#?}");
        let stuck = |message: &&MessageView| message.mine && message.state < MessageState::Sent;
        assert_eq!(thread.iter().filter(stuck).count(), 0, "{person}: {thread:#?}");
        assert!(
            thread.iter().all(|message| message.kind != MessageKind::NoticeGap),
            "{person}: {thread:#?}"
        );
    }
}
