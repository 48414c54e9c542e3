//! What goes wrong: races, lost state, lies, and a world in which everything fails now and then.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use kabar_core::api::{Command, MessageKind, MessageState, Notification, Reply};
use support::{Faults, World};

fn pair(seed: u64) -> (World, usize, usize) {
    pair_renewing(seed, None)
}

fn pair_renewing(seed: u64, messages_per_update: Option<u32>) -> (World, usize, usize) {
    let mut world = World::new(seed);
    world.messages_per_update = messages_per_update;
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    world.send(bob, "@alice", "two");
    world.run();
    (world, alice, bob)
}

fn troubles(world: &World, client: usize) -> Vec<String> {
    let notes = world.clients[client].notes.iter();
    notes
        .filter_map(|note| match note {
            Notification::Trouble { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_rolled_back_store_becomes_a_new_device_that_is_let_in_again() {
    let (mut world, alice, bob) = pair(1);
    let old = world.clients[alice].store.clone();
    world.send(alice, "@bob", "three");
    world.run();
    let before = match world.ask(alice, Command::Whoami) {
        Ok(Reply::Me(me)) => me.device_id,
        other => panic!("{other:?}"),
    };
    world.clients[alice].store = old;
    world.restart(alice);
    world.run_for(60_000);
    assert!(troubles(&world, alice).contains(&"rolled_back".to_owned()));
    let after = match world.ask(alice, Command::Whoami) {
        Ok(Reply::Me(me)) => me.device_id,
        other => panic!("{other:?}"),
    };
    assert_ne!(before, after);
    world.send(bob, "@alice", "are you there?");
    world.run_for(60_000);
    assert!(
        world.texts(alice).contains(&"are you there?".to_owned()),
        "{:?}",
        world.thread(alice)
    );
    world.send(alice, "@bob", "yes");
    world.run_for(60_000);
    assert_eq!(world.texts(bob), ["one", "two", "three", "are you there?", "yes"]);
    assert!(
        world.chats(bob)[0].safety_changed,
        "the peer is told that the devices changed"
    );
    let notices: Vec<_> = world.thread(bob).into_iter().map(|message| message.kind).collect();
    assert!(notices.contains(&MessageKind::NoticeSafetyChanged));
}

#[test]
fn a_new_timeline_takes_nothing_away_and_sends_again_what_was_lost() {
    let (mut world, alice, bob) = pair(2);
    let backup = world.server.data.clone();
    world.set_offline(bob, true);
    world.send(alice, "@bob", "lost with the server");
    world.run();
    world.server.data = backup;
    world.server.data.timeline = 2;
    world.cut(alice);
    world.event(alice, kabar_core::api::Event::Disconnected);
    world.set_offline(bob, false);
    world.run_for(60_000);
    world.send(alice, "@bob", "after the restore");
    world.send(bob, "@alice", "yes");
    world.run_for(60_000);
    assert!(
        world.texts(bob).contains(&"after the restore".to_owned()),
        "{:?}",
        world.thread(bob)
    );
    assert!(
        world.texts(alice).contains(&"yes".to_owned()),
        "{:?}",
        world.thread(alice)
    );
}

#[test]
fn a_changed_class_is_dropped_and_the_queue_goes_on() {
    let (mut world, alice, bob) = pair(3);
    world.server.tamper = Some(|item| {
        if item.class == 1 {
            item.class = 2;
        }
    });
    world.send(alice, "@bob", "as a receipt?");
    world.run();
    world.server.tamper = None;
    world.send(alice, "@bob", "three");
    world.run();
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
}

#[test]
fn a_poisoned_envelope_is_set_aside_and_leaves_a_line() {
    let (mut world, alice, bob) = pair(4);
    world.server.tamper = Some(|item| {
        let mut payload = item.payload.to_vec();
        if let Some(last) = payload.last_mut() {
            *last ^= 1;
        }
        item.payload = payload.into();
    });
    world.send(alice, "@bob", "poison");
    world.run();
    world.server.tamper = None;
    world.send(alice, "@bob", "three");
    world.run();
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
    let kinds: Vec<_> = world.thread(bob).into_iter().map(|message| message.kind).collect();
    assert!(kinds.contains(&MessageKind::NoticeGap), "{kinds:?}");
}

#[test]
fn of_many_poisoned_envelopes_the_newest_hundred_are_kept() {
    let (mut world, alice, bob) = pair(4);
    world.server.tamper = Some(|item| {
        let mut payload = item.payload.to_vec();
        if let Some(last) = payload.last_mut().filter(|_| item.class == 1) {
            *last ^= 1;
        }
        item.payload = payload.into();
    });
    let kept = |world: &World| {
        let keys = world.clients[bob].store.keys().filter(|key| key.starts_with(b"q/"));
        keys.cloned().collect::<Vec<_>>()
    };
    for n in 0..100 {
        world.send(alice, "@bob", &format!("poison {n}"));
    }
    world.run();
    let before = kept(&world);
    assert_eq!(before.len(), 100);
    for n in 0..30 {
        world.send(alice, "@bob", &format!("more poison {n}"));
    }
    world.run();
    let after = kept(&world);
    assert_eq!(after.len(), 100);
    assert_eq!(after[..70], before[30..], "the oldest have gone");
    world.server.tamper = None;
    world.send(alice, "@bob", "three");
    world.run();
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
}

#[test]
fn lost_mls_state_is_joined_again() {
    let (mut world, alice, bob) = pair(5);
    world.clients[bob].store.retain(|key, _| !key.starts_with(b"g/"));
    world.restart(bob);
    world.run_for(30_000);
    world.send(bob, "@alice", "I lost something");
    world.run_for(30_000);
    world.send(alice, "@bob", "welcome back");
    world.run_for(30_000);
    assert_eq!(world.texts(alice), ["one", "two", "I lost something", "welcome back"]);
    assert_eq!(world.texts(bob), ["one", "two", "I lost something", "welcome back"]);
}

#[test]
fn a_missed_commit_is_fetched_from_the_log() {
    let (mut world, alice, bob) = pair(6);
    // Bob joins anew, and the item that tells Alice never arrives.
    world.set_offline(alice, true);
    world.clients[bob].store.retain(|key, _| !key.starts_with(b"g/"));
    world.restart(bob);
    world.send(bob, "@alice", "three");
    world.run_for(30_000);
    for queue in world.server.data.queues.values_mut() {
        queue.items.retain(|item| item.kind != 2);
    }
    world.set_offline(alice, false);
    world.run_for(60_000);
    assert_eq!(world.texts(alice), ["one", "two", "three"]);
    assert_eq!(world.texts(bob), ["one", "two", "three"]);
}

#[test]
fn a_group_that_nobody_can_enter_is_begun_anew() {
    let (mut world, alice, bob) = pair(7);
    for conversation in world.server.data.conversations.values_mut() {
        // The GroupInfo of a group that is not there any more: external commits on it are of no use.
        let mut broken = conversation.group_info.to_vec();
        let last = broken.len() - 1;
        broken[last] ^= 1;
        conversation.group_info = broken.into();
    }
    world.clients[bob].store.retain(|key, _| !key.starts_with(b"g/"));
    world.restart(bob);
    world.send(bob, "@alice", "from the next generation");
    world.run_for(300_000);
    world.send(alice, "@bob", "received");
    world.run_for(60_000);
    assert!(world.server.requests.contains(&"reset"));
    assert_eq!(
        world.texts(alice),
        ["one", "two", "from the next generation", "received"]
    );
    assert_eq!(world.texts(bob), ["one", "two", "from the next generation", "received"]);
    let kinds: Vec<_> = world.thread(alice).into_iter().map(|message| message.kind).collect();
    assert!(kinds.contains(&MessageKind::NoticeReset), "{kinds:?}");
}

/// Three people, each with each, while everything fails now and then. Returns how many commits were submitted.
fn storm(seed: u64, faults: Faults, messages_per_update: Option<u32>) -> usize {
    let mut world = World::new(seed);
    world.messages_per_update = messages_per_update;
    let names = ["ana", "bela", "citra"];
    let people: Vec<usize> = names.iter().map(|name| world.person(name)).collect();
    world.run();
    world.faults = faults;
    let mut expected: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for round in 0..12 {
        for &from in &people {
            for &to in people.iter().filter(|to| **to != from) {
                if world.dice.roll(3) == 0 {
                    continue;
                }
                let text = format!("{} to {} #{round}", names[from], names[to]);
                let id = world.tell(
                    from,
                    Command::SendText {
                        to: format!("@{}", names[to]),
                        text: text.clone(),
                        reply_to: None,
                        wait: false,
                    },
                );
                world.run_for(200);
                // Only what was promised counts: a crash may take the wish with it.
                if let Some(Ok(Reply::Sent(_))) = world.clients[from].replies.get(&id) {
                    expected.entry((from, to)).or_default().push(text);
                }
            }
        }
        let wait = i64::try_from(world.dice.roll(3000)).unwrap();
        world.run_for(wait);
    }
    world.faults = Faults::default();
    world.run_for(600_000);
    for ((from, to), texts) in expected {
        let chats = world.chats(to);
        let chat = chats
            .iter()
            .find(|chat| chat.peer.username.as_deref() == Some(names[from]) || chat.peer.name == names[from]);
        let chat = chat.unwrap_or_else(|| panic!("seed {seed}: {} has no chat with {}", names[to], names[from]));
        let list = Command::ListMessages {
            conversation_id: chat.conversation_id,
            before: None,
            limit: 200,
        };
        let Ok(Reply::Messages { mut messages, .. }) = world.ask(to, list) else {
            panic!()
        };
        messages.reverse();
        let got: Vec<_> = messages
            .iter()
            .filter(|message| !message.mine && message.kind == MessageKind::Text)
            .collect();
        let promised: Vec<_> = got
            .iter()
            .filter_map(|message| message.text.clone())
            .filter(|text| texts.contains(text))
            .collect();
        assert_eq!(promised, texts, "seed {seed}: {} to {}", names[from], names[to]);
        let unsent = messages
            .iter()
            .filter(|message| message.mine && message.state < MessageState::Sent)
            .count();
        assert_eq!(unsent, 0, "seed {seed}: nobody is stuck");
    }
    let commits = world.server.requests.iter().filter(|request| **request == "commit");
    commits.count()
}

const BROKEN_CONNECTIONS: Faults = Faults {
    disconnect: 25,
    failed_batch: 0,
    crash_before: 0,
    crash_after: 0,
};
const EVERYTHING: Faults = Faults {
    disconnect: 60,
    failed_batch: 40,
    crash_before: 50,
    crash_after: 50,
};

#[test]
fn every_promised_message_is_read_once_although_connections_break() {
    for seed in 0..6 {
        storm(seed, BROKEN_CONNECTIONS, None);
    }
}

#[test]
fn every_promised_message_is_read_once_although_stores_fail_and_processes_die() {
    for seed in 10..16 {
        storm(seed, EVERYTHING, None);
    }
}

#[test]
fn every_promised_message_is_read_once_although_everybody_renews_keys_all_the_time() {
    let commits: usize = (20..26)
        .map(|seed| storm(seed, BROKEN_CONNECTIONS, Some(2)) + storm(seed, EVERYTHING, Some(2)))
        .sum();
    assert!(commits > 100, "{commits} commits");
}

#[test]
fn a_copied_home_is_refused_once_its_copy_has_become_a_new_device() {
    let (mut world, alice, _) = pair(8);
    let bob_id = world.chats(alice)[0].conversation_id.to_string();
    let copy = world.clients[alice].store.clone();
    world.send(alice, "@bob", "three");
    world.run();
    world.clients[alice].store = copy.clone();
    world.restart(alice);
    world.run_for(60_000);
    world.clients[alice].store = copy;
    world.restart(alice);
    world.run();
    assert!(troubles(&world, alice).contains(&"device_revoked".to_owned()));
    assert_eq!(world.ask(alice, Command::WaitIdle).unwrap_err().code, "device_revoked");
    let find = Command::OpenChat { who: "@nobody".into() };
    assert_eq!(world.ask(alice, find).unwrap_err().code, "device_revoked");
    let send = Command::SendText {
        to: bob_id,
        text: "from a dead device".into(),
        reply_to: None,
        wait: true,
    };
    assert_eq!(world.ask(alice, send).unwrap_err().code, "device_revoked");
    assert!(
        world.texts(alice).starts_with(&["one".to_owned(), "two".to_owned()]),
        "what is here stays readable"
    );
}

fn reads_once_and_is_not_stuck(world: &mut World, person: usize, from: &str, seed: u64) {
    let thread = world.thread(person);
    let texts: Vec<_> = thread
        .iter()
        .filter(|message| !message.mine)
        .filter_map(|m| m.text.clone())
        .collect();
    let mut once = texts.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), texts.len(), "seed {seed}: nothing is read twice: {texts:?}");
    assert!(
        texts.contains(&format!("{from} at last")),
        "seed {seed}: nobody is stuck: {texts:?}"
    );
    let unsent = thread
        .iter()
        .filter(|message| message.mine && message.state < MessageState::Sent)
        .count();
    assert_eq!(unsent, 0, "seed {seed}");
}

/// Two people who keep losing their MLS state, or come back with an old store, while both write.
fn forgetful(seed: u64, old_stores: bool, messages_per_update: Option<u32>) -> u32 {
    let (mut world, alice, bob) = pair_renewing(seed, messages_per_update);
    let names = ["@bob", "@alice"];
    let mut old: BTreeMap<usize, _> = BTreeMap::new();
    for round in 0..10 {
        let who = if world.dice.roll(2) == 0 { alice } else { bob };
        match world.dice.roll(4) {
            0 => {
                world.clients[who].store.retain(|key, _| !key.starts_with(b"g/"));
                world.restart(who);
            }
            1 if old_stores => {
                let store = world.clients[who].store.clone();
                old.insert(who, store);
            }
            2 => {
                if let Some(store) = old.remove(&who) {
                    world.clients[who].store = store;
                    world.restart(who);
                }
            }
            _ => {}
        }
        for (person, to) in [(alice, names[0]), (bob, names[1])] {
            let command = Command::SendText {
                to: to.into(),
                text: format!("{to} #{round}"),
                reply_to: None,
                wait: false,
            };
            world.tell(person, command);
        }
        if world.dice.roll(2) == 0 {
            let steps = world.dice.roll(20);
            world.run_steps(steps);
        } else {
            let wait = i64::try_from(world.dice.roll(1500)).unwrap();
            world.run_for(wait);
        }
    }
    world.run_for(900_000);
    if [alice, bob]
        .iter()
        .any(|person| troubles(&world, *person).contains(&"device_revoked".to_owned()))
    {
        // A store of a device that its successor has revoked: it says so, and that is all it can do.
        return world.server.conflicts;
    }
    for (person, to) in [(alice, names[0]), (bob, names[1])] {
        world.send(person, to, &format!("{to} at last"));
        world.run_for(60_000);
    }
    for (person, from) in [(alice, "@alice"), (bob, "@bob")] {
        reads_once_and_is_not_stuck(&mut world, person, from, seed);
    }
    world.server.conflicts
}

#[test]
fn lost_state_is_joined_again_whoever_loses_it_and_when() {
    let conflicts: u32 = (0..40).map(|seed| forgetful(seed, false, None)).sum();
    assert!(conflicts > 10, "epochs were raced for: {conflicts}");
}

#[test]
fn old_stores_become_new_devices_whoever_has_them_and_when() {
    let conflicts: u32 = (0..40).map(|seed| forgetful(seed, true, None)).sum();
    assert!(conflicts > 10, "epochs were raced for: {conflicts}");
}

#[test]
fn keys_are_renewed_whoever_loses_state_and_when() {
    let conflicts: u32 = (100..120)
        .map(|seed| forgetful(seed, false, Some(2)) + forgetful(seed, true, Some(2)))
        .sum();
    assert!(conflicts > 20, "epochs were raced for: {conflicts}");
}
