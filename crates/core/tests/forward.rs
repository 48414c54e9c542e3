//! Passing messages on: to whom, how often, and what says so.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{ApiError, Command, MessageView, Reply};
use kabar_protocol::ids::MessageId;
use support::World;

fn forward(world: &mut World, client: usize, message_id: MessageId, to: &[&str]) -> Result<Vec<MessageView>, ApiError> {
    let to = to.iter().map(|who| (*who).to_owned()).collect();
    match world.ask(client, Command::Forward { message_id, to })? {
        Reply::Messages { messages, .. } => {
            world.run();
            Ok(messages)
        }
        other => panic!("{other:?}"),
    }
}

/// The newest message that this one has, and how often it was passed on.
fn newest(world: &mut World, client: usize) -> (MessageId, Option<String>, u32) {
    let chats = world.chats(client);
    let last = chats
        .into_iter()
        .filter_map(|chat| chat.last)
        .max_by_key(|message| message.time)
        .unwrap();
    (last.message_id, last.text, last.forwarded)
}

#[test]
fn a_message_says_how_often_it_was_passed_on_and_then_goes_slowly() {
    let mut world = World::new(1);
    let names = ["Ani", "Budi", "Citra", "Dewi", "Eka", "Fajar", "Gita", "Hana"];
    let people: Vec<usize> = names.iter().map(|name| world.person(name)).collect();
    world.send(people[0], "@budi", "kabar baik");
    world.run();
    let mut last = newest(&mut world, people[1]);
    assert_eq!(last.2, 0);
    for times in 1..=6 {
        let (from, to) = (people[times], format!("@{}", names[times + 1].to_lowercase()));
        let sent = forward(&mut world, from, last.0, &[&to]).unwrap();
        assert_eq!((sent.len(), sent[0].forwarded), (1, u32::try_from(times).unwrap()));
        world.run_for(60_000);
        last = newest(&mut world, people[times + 1]);
        assert_eq!(
            (last.1.as_deref(), last.2),
            (Some("kabar baik"), u32::try_from(times).unwrap())
        );
    }
    let refused = forward(&mut world, people[7], last.0, &["@ani", "@budi"]).unwrap_err();
    assert_eq!(refused.parameter.as_deref(), Some("to"));
    assert_eq!(
        forward(&mut world, people[7], last.0, &["@ani"]).unwrap()[0].forwarded,
        7
    );
}

#[test]
fn it_goes_to_five_chats_at_a_time_or_to_none() {
    let mut world = World::new(2);
    let names = ["Ani", "Budi", "Citra", "Dewi", "Eka", "Fajar", "Gita"];
    let people: Vec<usize> = names.iter().map(|name| world.person(name)).collect();
    world.send(people[0], "@budi", "undangan");
    world.run();
    let (id, ..) = newest(&mut world, people[1]);
    let all = ["@ani", "@citra", "@dewi", "@eka", "@fajar", "@gita"];
    for (to, parameter) in [
        (&all[..], "to"),
        (&[][..], "to"),
        (&["@citra", "nobody at all"][..], "to"),
    ] {
        assert_eq!(
            forward(&mut world, people[1], id, to).unwrap_err().parameter.as_deref(),
            Some(parameter)
        );
    }
    assert!(world.chats(people[2]).is_empty(), "nothing went out");
    assert_eq!(forward(&mut world, people[1], id, &all[..5]).unwrap().len(), 5);
    world.run_for(60_000);
    for person in [2, 3, 4, 5] {
        assert_eq!(newest(&mut world, people[person]).2, 1);
    }
    assert_eq!(
        forward(&mut world, people[1], id, &["@citra", "@CITRA"]).unwrap().len(),
        1,
        "each chat once"
    );
    let unknown = forward(&mut world, people[1], MessageId([9; 32]), &["@ani"]).unwrap_err();
    assert_eq!(unknown.parameter.as_deref(), Some("message_id"));
}
