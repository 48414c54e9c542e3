//! What is done to messages: by whom, until when, across races and restarts.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{Change, Command, MessageKind, MessageView, Reply, RsvpAnswer, Shown};
use kabar_protocol::{ids::MessageId, wire};
use support::World;

const MINUTE_MS: i64 = 60_000;

fn change(message_id: MessageId, change: Change) -> Command {
    Command::ChangeMessage {
        message_id,
        change,
        wait: false,
    }
}

fn react(message: MessageId, emoji: &str) -> Command {
    let emoji = emoji.to_owned();
    change(message, Change::React { emoji })
}

fn edit(message: MessageId, text: &str) -> Command {
    let content = Shown::Text(text.into());
    change(
        message,
        Change::Edit {
            content,
            mentions: Vec::new(),
        },
    )
}

fn invitation() -> wire::Event {
    wire::Event {
        title: "Syukuran".into(),
        place: "Rumah Ibu".into(),
        starts_ms: 1_900_000_000_000,
        time_zone: "Asia/Jakarta".into(),
        guests_max: 2,
        ..wire::Event::default()
    }
}

/// Reactions as (emoji, mine).
fn reactions(message: &MessageView) -> Vec<(String, bool)> {
    let all = message.changes.reactions.iter();
    all.map(|reaction| (reaction.emoji.clone(), reaction.mine)).collect()
}

#[test]
fn a_reaction_is_one_of_each_person() {
    let mut world = World::new(1);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "Sudah sampai?");
    world.run();
    let message = world.thread(bob)[0].message_id;
    assert_eq!(world.ask(bob, react(message, "👍")), Ok(Reply::Done));
    assert_eq!(
        reactions(&world.thread(bob)[0]),
        [("👍".to_owned(), true)],
        "shown at once"
    );
    world.run();
    assert_eq!(reactions(&world.thread(alice)[0]), [("👍".to_owned(), false)]);
    world.ask(bob, react(message, "❤️")).unwrap();
    world.ask(alice, react(message, "😂")).unwrap();
    world.run();
    for person in [alice, bob] {
        let mut emoji: Vec<_> = reactions(&world.thread(person)[0])
            .into_iter()
            .map(|(emoji, _)| emoji)
            .collect();
        emoji.sort();
        assert_eq!(emoji, ["❤️", "😂"]);
    }
    world.ask(bob, react(message, "")).unwrap();
    world.run();
    assert_eq!(reactions(&world.thread(alice)[0]), [("😂".to_owned(), true)]);
    assert_eq!(world.chats(alice)[0].unread, 0, "a reaction is no message");
    let refused = world.ask(bob, react(message, "jempol")).unwrap_err();
    assert_eq!(refused.parameter.as_deref(), Some("emoji"));
}

#[test]
fn a_text_is_edited_by_its_writer_within_fifteen_minutes() {
    let mut world = World::new(2);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "jam 5");
    world.run();
    let message = world.thread(alice)[0].message_id;
    assert_eq!(world.ask(bob, edit(message, "jam 6")).unwrap_err().code, "not_yours");
    world.ask(alice, edit(message, "jam 7")).unwrap();
    world.run();
    for person in [alice, bob] {
        let seen = &world.thread(person)[0];
        assert_eq!(seen.text.as_deref(), Some("jam 7"));
        assert_eq!(seen.changes.versions[0].text, "jam 5");
        assert!(seen.changes.edited_at.is_some());
    }
    assert_eq!(
        world.chats(bob)[0].last.as_ref().unwrap().text.as_deref(),
        Some("jam 7")
    );
    world.run_for(17 * MINUTE_MS);
    assert_eq!(world.ask(alice, edit(message, "jam 8")).unwrap_err().code, "too_late");
    assert_eq!(
        world.ask(alice, edit(message, "")).unwrap_err().parameter.as_deref(),
        Some("text")
    );
}

#[test]
fn deletion_wins_whatever_crosses_it() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "rahasia");
    world.run();
    let message = world.thread(alice)[0].message_id;
    world.set_offline(bob, true);
    world.ask(bob, react(message, "👍")).unwrap();
    world.ask(alice, edit(message, "bukan rahasia")).unwrap();
    world.ask(alice, change(message, Change::Delete)).unwrap();
    world.run();
    world.set_offline(bob, false);
    world.run_for(2 * MINUTE_MS);
    for person in [alice, bob] {
        let seen = &world.thread(person)[0];
        assert_eq!((seen.kind, &seen.text), (MessageKind::Deleted, &None));
        assert!(seen.changes.reactions.is_empty() && seen.changes.versions.is_empty());
    }
    assert_eq!(world.chats(bob)[0].unread, 0, "there is nothing left to read");
    assert_eq!(world.ask(alice, edit(message, "lagi")).unwrap_err().code, "invalid");
    world.send(alice, "@bob", "lama");
    world.run();
    let old = world.thread(alice).last().unwrap().message_id;
    world.run_for(49 * 60 * MINUTE_MS);
    assert_eq!(
        world.ask(alice, change(old, Change::Delete)).unwrap_err().code,
        "too_late"
    );
}

#[test]
fn an_invitation_is_answered_changed_and_called_off() {
    let mut world = World::new(4);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let invite = Command::Send {
        to: "@bob".into(),
        content: Shown::Event(invitation()),
        reply_to: None,
        wait: false,
        business: None,
        mentions: Vec::new(),
    };
    world.tell(alice, invite);
    world.run();
    let seen = world.thread(bob)[0].clone();
    assert_eq!(
        (seen.kind, seen.text.as_deref()),
        (MessageKind::Event, Some("Syukuran"))
    );
    let answer = |answer, guests| {
        change(
            seen.message_id,
            Change::Rsvp {
                answer: Some(answer),
                guests,
            },
        )
    };
    let refused = world.ask(bob, answer(RsvpAnswer::Going, 3)).unwrap_err();
    assert_eq!(refused.parameter.as_deref(), Some("guests"));
    world.ask(bob, answer(RsvpAnswer::Maybe, 0)).unwrap();
    world.ask(bob, answer(RsvpAnswer::Going, 2)).unwrap();
    world.run();
    let answers = &world.thread(alice)[0].changes.answers;
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].answer, answers[0].guests, answers[0].mine),
        (RsvpAnswer::Going, 2, false)
    );
    let later = wire::Event {
        canceled: true,
        ..invitation()
    };
    let content = Shown::Event(later);
    world
        .ask(
            alice,
            change(
                seen.message_id,
                Change::Edit {
                    content,
                    mentions: Vec::new(),
                },
            ),
        )
        .unwrap();
    world.run();
    assert!(matches!(&world.thread(bob)[0].shown, Some(Shown::Event(event)) if event.canceled));
    assert!(
        world.ask(bob, answer(RsvpAnswer::No, 0)).is_err(),
        "there is nothing left to answer"
    );
}

#[test]
fn a_change_outlives_restarts_and_lost_batches() {
    for seed in 0..6 {
        let mut world = World::new(10 + seed);
        let (alice, bob) = (world.person("Alice"), world.person("Bob"));
        world.send(alice, "@bob", "satu");
        world.run();
        let message = world.thread(alice)[0].message_id;
        world.set_offline(alice, true);
        world.ask(alice, edit(message, "dua")).unwrap();
        world.ask(alice, react(message, "🎉")).unwrap();
        world.restart(alice);
        world.run();
        world.set_offline(alice, false);
        world.restart(bob);
        world.run_for(2 * MINUTE_MS);
        let seen = &world.thread(bob)[0];
        assert_eq!(seen.text.as_deref(), Some("dua"));
        assert_eq!(reactions(seen), [("🎉".to_owned(), false)]);
        assert_eq!(seen.changes.versions.len(), 1);
    }
}
