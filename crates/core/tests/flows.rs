//! Flows: a person's device asks a business for a screen and gets it, whatever happens on the way.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{
    ApiError, BusinessCommand, ChatKind, Command, FeedItem, FlowOutcome, MessageKind, Notification, Reply, Shown,
};
use kabar_protocol::{
    ids::MessageId,
    wire::{FlowOffer, Interactive, interactive::Action},
};
use support::World;

fn offer() -> Shown {
    Shown::Interactive(Interactive {
        body: "Pilih kursi".into(),
        action: Some(Action::Flow(FlowOffer {
            flow_id: "1".into(),
            flow_token: "pesanan-7".into(),
            cta: "Pesan".into(),
            flow_json: "{}".into(),
            data_exchange: true,
            ..FlowOffer::default()
        })),
        ..Interactive::default()
    })
}

/// Somebody who has written to a business, and the flow that came back.
fn offered(world: &mut World, person: usize, who: &str, business: usize) -> MessageId {
    let conversation = world.send(person, who, "halo").conversation_id;
    world.run();
    let send = Command::Send {
        to: conversation.to_string(),
        content: offer(),
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    let Ok(Reply::Sent(sent)) = world.ask(business, send) else {
        panic!("not sent")
    };
    world.run();
    drain(world, business);
    sent.message_id
}

fn exchange(message_id: MessageId, data: &str) -> Command {
    Command::FlowExchange {
        message_id,
        action: "data_exchange".into(),
        screen: "KURSI".into(),
        data: data.into(),
    }
}

fn respond(to_message: MessageId, data: &str) -> Command {
    Command::Business {
        request: BusinessCommand::FlowRespond {
            to_message,
            outcome: FlowOutcome::Screen {
                screen: "BAYAR".into(),
                data: data.into(),
            },
        },
    }
}

/// Everything in the feed, which is then empty.
fn drain(world: &mut World, client: usize) -> Vec<FeedItem> {
    let Ok(Reply::Feed { items }) = world.ask(client, Command::Feed { after: 0, limit: 100 }) else {
        panic!()
    };
    if let Some(last) = items.last() {
        let up_to = last.position;
        world.ask(client, Command::FeedTaken { up_to }).unwrap();
    }
    items
}

/// Flow requests since the last look, and that there was nothing else but news of our own messages.
fn requests(world: &mut World, business: usize) -> Vec<FeedItem> {
    let items = drain(world, business);
    let (requests, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.kind == "flow_request");
    assert!(others.iter().all(|item| item.kind == "receipt"), "{others:?}");
    requests
}

fn screen(data: &str) -> Option<Result<Reply, ApiError>> {
    Some(Ok(Reply::FlowScreen {
        screen: "BAYAR".into(),
        data: data.into(),
    }))
}

fn code(reply: Option<Result<Reply, ApiError>>) -> String {
    reply.expect("answered").expect_err("refused").code
}

#[test]
fn a_screen_is_asked_for_and_comes_without_a_trace_in_the_thread() {
    let mut world = World::new(1);
    let (ani, toko) = (world.person("Ani"), world.business("Toko"));
    let message = offered(&mut world, ani, "@toko", toko);
    assert_eq!(world.chats(ani)[0].kind, ChatKind::Business);
    let before = [ani, toko].map(|client| world.chats(client).remove(0));

    let first = world.tell(ani, exchange(message, r#"{"kursi":["A1"]}"#));
    let second = world.tell(ani, exchange(message, r#"{"kursi":["A2"]}"#));
    world.run();
    let asked = requests(&mut world, toko);
    let data: Vec<_> = asked.iter().map(|item| item.flow.clone().unwrap().data).collect();
    assert_eq!(data, [r#"{"kursi":["A1"]}"#, r#"{"kursi":["A2"]}"#], "in order");
    let flow = asked[0].flow.clone().unwrap();
    assert_eq!(
        (flow.action.as_str(), flow.screen.as_str(), flow.flow_token.as_str()),
        ("data_exchange", "KURSI", "pesanan-7")
    );
    assert_eq!(asked[0].in_reply_to, Some(message));

    // The second question is answered first.
    for (item, data) in [(&asked[1], r#"{"n":2}"#), (&asked[0], r#"{"n":1}"#)] {
        assert_eq!(world.ask(toko, respond(item.message_id, data)), Ok(Reply::Done));
    }
    world.run();
    assert_eq!(world.clients[ani].replies.get(&first).cloned(), screen(r#"{"n":1}"#));
    assert_eq!(world.clients[ani].replies.get(&second).cloned(), screen(r#"{"n":2}"#));

    for (client, before) in [(ani, &before[0]), (toko, &before[1])] {
        let after = world.chats(client).remove(0);
        assert_eq!((after.unread, &after.last), (before.unread, &before.last));
        let kinds: Vec<_> = world.thread(client).iter().map(|message| message.kind).collect();
        assert_eq!(kinds, [MessageKind::Text, MessageKind::Interactive]);
    }
    assert!(requests(&mut world, toko).is_empty(), "each once");
    assert!(drain(&mut world, ani).iter().all(|item| item.kind != "flow_response"));
}

#[test]
fn a_business_may_answer_that_it_cannot() {
    let mut world = World::new(2);
    let (ani, toko) = (world.person("Ani"), world.business("Toko"));
    let message = offered(&mut world, ani, "@toko", toko);
    // A code of the client's own would be taken for its own word.
    for (said, heard) in [("token_expired", "token_expired"), ("offline", "endpoint_failed")] {
        let asked = world.tell(ani, exchange(message, ""));
        world.run();
        let item = requests(&mut world, toko).remove(0);
        let refuse = BusinessCommand::FlowRespond {
            to_message: item.message_id,
            outcome: FlowOutcome::Error {
                code: said.into(),
                message: "Pesanan ini sudah selesai".into(),
            },
        };
        world.ask(toko, Command::Business { request: refuse }).unwrap();
        world.run();
        let error = world.clients[ani].replies[&asked].clone().unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            (heard, "Pesanan ini sudah selesai")
        );
    }
}

#[test]
fn a_business_that_does_not_answer_is_not_waited_for_for_ever() {
    let mut world = World::new(3);
    let (ani, toko) = (world.person("Ani"), world.business("Toko"));
    let message = offered(&mut world, ani, "@toko", toko);
    let asked = world.tell(ani, exchange(message, ""));
    world.run_for(29_000);
    assert!(!world.clients[ani].replies.contains_key(&asked));
    world.run_for(2_000);
    assert_eq!(code(world.clients[ani].replies.get(&asked).cloned()), "flow_timeout");
    // Its answer comes too late, and says nothing to anybody.
    let late = requests(&mut world, toko).remove(0);
    world.clients[ani].notes.clear();
    world.ask(toko, respond(late.message_id, "{}")).unwrap();
    world.run();
    let said = |note: &Notification| matches!(note, Notification::Message { .. });
    assert!(!world.clients[ani].notes.iter().any(said));
    assert_eq!(world.thread(ani).len(), 2);
}

#[test]
fn a_connection_that_goes_before_the_server_has_the_question_ends_it() {
    let mut world = World::new(4);
    let (ani, toko) = (world.person("Ani"), world.business("Toko"));
    let message = offered(&mut world, ani, "@toko", toko);
    let lost = world.tell(ani, exchange(message, ""));
    world.set_offline(ani, true);
    world.run();
    assert_eq!(code(world.clients[ani].replies.get(&lost).cloned()), "offline");
    let offline = world.tell(ani, exchange(message, ""));
    world.run_for(31_000);
    assert_eq!(code(world.clients[ani].replies.get(&offline).cloned()), "offline");
    world.set_offline(ani, false);
    world.run_for(60_000);
    assert!(requests(&mut world, toko).is_empty(), "nobody waits for it any more");

    let again = world.tell(ani, exchange(message, ""));
    world.run();
    let item = requests(&mut world, toko).remove(0);
    world.ask(toko, respond(item.message_id, "{}")).unwrap();
    world.run();
    assert_eq!(world.clients[ani].replies.get(&again).cloned(), screen("{}"));
}

#[test]
fn what_the_server_has_is_answered_over_a_new_connection() {
    let mut world = World::new(5);
    let (ani, toko) = (world.person("Ani"), world.business("Toko"));
    let message = offered(&mut world, ani, "@toko", toko);
    world.set_offline(toko, true);
    let asked = world.tell(ani, exchange(message, ""));
    world.run_for(1_000);
    world.set_offline(toko, false);
    world.run_for(20_000);
    let item = requests(&mut world, toko).remove(0);
    // Gone for a moment only: whoever is away for longer tries again after longer and longer, by chance too long for the question.
    world.set_offline(ani, true);
    world.ask(toko, respond(item.message_id, r#"{"n":1}"#)).unwrap();
    assert!(!world.clients[ani].replies.contains_key(&asked));
    world.set_offline(ani, false);
    world.run_for(10_000);
    assert_eq!(world.clients[ani].replies.get(&asked).cloned(), screen(r#"{"n":1}"#));
    // A process that has gone asks for nothing.
    let asked = world.tell(ani, exchange(message, ""));
    world.run_for(1_000);
    world.restart(ani);
    let item = requests(&mut world, toko).remove(0);
    world.ask(toko, respond(item.message_id, "{}")).unwrap();
    world.run();
    assert!(!world.clients[ani].replies.contains_key(&asked));
    assert_eq!(world.thread(ani).len(), 2);
}

/// Another business answers a question that was not put to it: it needs no more for this than to know the id.
#[test]
fn who_answers_for_somebody_else_is_not_heard() {
    let mut world = World::new(6);
    let (ani, toko, maling) = (world.person("Ani"), world.business("Toko"), world.business("Maling"));
    let own = offered(&mut world, ani, "@maling", maling);
    let message = {
        let conversation = world.send(ani, "@toko", "halo").conversation_id;
        world.run();
        let send = Command::Send {
            to: conversation.to_string(),
            content: offer(),
            reply_to: None,
            wait: true,
            business: None,
            mentions: Vec::new(),
        };
        let Ok(Reply::Sent(sent)) = world.ask(toko, send) else {
            panic!("not sent")
        };
        world.run();
        drain(&mut world, toko);
        sent.message_id
    };
    world.tell(ani, exchange(own, ""));
    let asked = world.tell(ani, exchange(message, ""));
    world.run();
    let theirs = requests(&mut world, maling).remove(0).message_id;
    let target = requests(&mut world, toko).remove(0).message_id;
    // Its program would refuse, so its files are changed.
    let store = &mut world.clients[maling].store;
    let (key, place) = store.iter().find(|(key, _)| key.ends_with(&theirs.0)).unwrap();
    let mut forged = key[..key.len() - theirs.0.len()].to_vec();
    forged.extend_from_slice(&target.0);
    let place = place.clone();
    store.insert(forged, place);
    assert_eq!(world.ask(maling, respond(target, r#"{"harga":1}"#)), Ok(Reply::Done));
    world.run();
    assert!(!world.clients[ani].replies.contains_key(&asked), "not from him");
    world.ask(toko, respond(target, r#"{"harga":2}"#)).unwrap();
    world.run();
    assert_eq!(
        world.clients[ani].replies.get(&asked).cloned(),
        screen(r#"{"harga":2}"#)
    );
}

#[test]
fn what_cannot_be_asked_is_refused_by_its_rule() {
    let mut world = World::new(7);
    let (ani, budi, toko) = (world.person("Ani"), world.person("Budi"), world.business("Toko"));
    let message = offered(&mut world, ani, "@toko", toko);
    let no_flow = world.thread(ani)[0].message_id;
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(17_000));
    let with_action = |action: &str| Command::FlowExchange {
        message_id: message,
        action: action.into(),
        screen: String::new(),
        data: String::new(),
    };
    for (client, command, parameter) in [
        (ani, exchange(no_flow, ""), "message_id"),
        (ani, exchange(MessageId([1; 32]), ""), "message_id"),
        (ani, exchange(message, "[]"), "data"),
        (ani, exchange(message, &long), "data"),
        (ani, with_action("ping"), "action"),
        (toko, exchange(message, ""), "message_id"),
        (toko, respond(MessageId([1; 32]), "{}"), "to_message"),
        (toko, respond(message, "nothing"), "data"),
    ] {
        let error = world.ask(client, command).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.parameter.as_deref()),
            ("invalid", Some(parameter)),
            "{}",
            error.message
        );
    }
    // A person is not a business, whatever he sends.
    world.send(ani, "@budi", "halo");
    world.run();
    let sent = world.send(budi, "@ani", "halo").conversation_id;
    let content = offer();
    let send = Command::Send {
        to: sent.to_string(),
        content,
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    let Ok(Reply::Sent(fake)) = world.ask(budi, send) else {
        panic!()
    };
    world.run();
    let error = world.ask(ani, exchange(fake.message_id, "")).unwrap_err();
    assert_eq!(error.parameter.as_deref(), Some("message_id"));
}

/// Whatever goes wrong, every question is answered once, and nothing of it stays.
#[test]
fn faults_leave_no_question_open() {
    let mut screens = 0;
    for seed in 20..28 {
        let mut world = World::new(seed);
        let (ani, toko) = (world.person("Ani"), world.business("Toko"));
        let message = offered(&mut world, ani, "@toko", toko);
        world.faults = support::Faults {
            disconnect: 50,
            failed_batch: 60,
            ..support::Faults::default()
        };
        let mut asked = Vec::new();
        for _ in 0..15 {
            asked.push(world.tell(ani, exchange(message, "")));
            world.run_steps(30);
            world.run_for(300);
            let Ok(Reply::Feed { items }) = world.ask(toko, Command::Feed { after: 0, limit: 100 }) else {
                continue;
            };
            for item in items.iter().filter(|item| item.flow.is_some()) {
                world.tell(toko, respond(item.message_id, "{}"));
            }
            if let Some(last) = items.last() {
                world.tell(toko, Command::FeedTaken { up_to: last.position });
            }
            world.run_steps(20);
        }
        world.faults = support::Faults::default();
        world.run_for(120_000);
        for command_id in asked {
            match world.clients[ani].replies.get(&command_id).expect("answered") {
                Ok(_) => screens += 1,
                Err(error) => {
                    let known = ["offline", "flow_timeout", "storage_failed"];
                    assert!(known.contains(&error.code.as_str()), "{error:?}");
                }
            }
        }
        assert_eq!(world.thread(ani).len(), 2, "seed {seed}");
        assert_eq!(world.ask(ani, Command::WaitIdle), Ok(Reply::Done));
    }
    assert!(screens > 40, "most come through: {screens} of 120");
}
