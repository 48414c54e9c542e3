//! Put back again and again while everything else fails, too.

use kabar_core::api::{Command, MessageState};

use crate::{
    SECOND, restore, sorted, state_of,
    support::{Faults, World},
};

/// Two people who write while the server is put back again and again, and everything else fails, too.
fn restless(seed: u64, faults: Faults) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.run();
    let mut backups = vec![world.server.data.clone()];
    world.faults = faults;
    for round in 0..8_u8 {
        for (person, to) in [(alice, "@bob"), (bob, "@alice")] {
            let text = Command::SendText {
                to: to.into(),
                text: format!("{to} #{round}"),
                reply_to: None,
                wait: false,
            };
            world.tell(person, text);
        }
        let steps = world.dice.roll(60);
        world.run_steps(steps);
        match world.dice.roll(3) {
            0 => backups.push(world.server.data.clone()),
            1 => {
                let which = usize::try_from(world.dice.roll(backups.len() as u64)).unwrap();
                let backup = backups[which].clone();
                restore(&mut world, &backup, round + 2);
            }
            _ => {
                let wait = i64::try_from(world.dice.roll(5_000)).unwrap();
                world.run_for(wait);
            }
        }
    }
    world.faults = Faults::default();
    world.run_for(900 * SECOND);
    let mut expected = [Vec::new(), Vec::new()];
    for (person, to) in [(alice, "@bob"), (bob, "@alice")] {
        world.send(person, to, &format!("{to} at last"));
        world.run_for(60 * SECOND);
        expected[person].push(format!("{to} at last"));
    }
    for (person, other) in [(alice, bob), (bob, alice)] {
        let thread = world.thread(person);
        let texts = sorted(world.texts(person));
        let mut once = texts.clone();
        once.dedup();
        assert_eq!(once, texts, "seed {seed}: nothing is shown twice");
        let last = &expected[other][0];
        assert!(texts.contains(last), "seed {seed}: {person} reads {last}: {thread:#?}");
        let stuck = thread
            .iter()
            .filter(|message| message.mine && message.state < MessageState::Sent);
        assert_eq!(stuck.count(), 0, "seed {seed}: {thread:#?}");
        let last = format!("{} at last", if person == alice { "@bob" } else { "@alice" });
        assert_eq!(
            state_of(&mut world, person, &last),
            MessageState::Delivered,
            "seed {seed}"
        );
    }
}

#[test]
fn nothing_is_stuck_or_shown_twice_however_often_the_server_is_put_back() {
    for seed in 0..40 {
        restless(seed, Faults::default());
    }
    for seed in 100..120 {
        let faults = Faults {
            disconnect: 60,
            failed_batch: 40,
            crash_before: 50,
            crash_after: 50,
        };
        restless(seed, faults);
    }
}
