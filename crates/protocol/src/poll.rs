//! The rules of polls and of votes in them: run before sending and on what is received.

use std::collections::BTreeSet;

use crate::{
    interactive::{FieldError, broken, chars},
    limits::{POLL_OPTION_CHARS_MAX, POLL_OPTIONS_MAX, POLL_OPTIONS_MIN, POLL_QUESTION_CHARS_MAX},
    wire::{Poll, Vote},
};

/// # Errors
/// Names the field and the rule.
pub fn poll(poll: &Poll) -> Result<(), FieldError> {
    chars("poll.question", &poll.question, POLL_QUESTION_CHARS_MAX)?;
    if !(POLL_OPTIONS_MIN..=POLL_OPTIONS_MAX).contains(&poll.options.len()) {
        let rule = format!("must be {POLL_OPTIONS_MIN} to {POLL_OPTIONS_MAX}");
        return Err(broken("poll.options", rule));
    }
    for option in &poll.options {
        chars("poll.options", option, POLL_OPTION_CHARS_MAX)?;
    }
    let different: BTreeSet<&str> = poll.options.iter().map(|option| option.trim()).collect();
    if different.len() != poll.options.len() {
        return Err(broken("poll.options", "must not have two alike"));
    }
    Ok(())
}

/// # Errors
/// Names the field and the rule: indexes of the poll's options in their order, one only unless the poll takes several.
pub fn vote(vote: &Vote, poll: &Poll) -> Result<(), FieldError> {
    if poll.closed {
        return Err(broken("options", "come too late: the poll is closed"));
    }
    let ascending = vote.options.is_sorted_by(|a, b| a < b);
    let known = |option: &u32| usize::try_from(*option).is_ok_and(|option| option < poll.options.len());
    if !ascending || !vote.options.iter().all(known) {
        return Err(broken(
            "options",
            "must be indexes of the poll's options, in their order",
        ));
    }
    if vote.options.len() > 1 && !poll.several {
        return Err(broken("options", "must be one at most: this poll takes one answer"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Poll {
        Poll {
            question: "Makan di mana?".into(),
            options: vec!["Padang".into(), "Sunda".into(), "Bakmi".into()],
            ..Poll::default()
        }
    }

    #[test]
    fn a_poll_names_what_is_wrong() {
        assert_eq!(poll(&example()), Ok(()));
        type Change = fn(&mut Poll);
        let changes: [(Change, &str); 6] = [
            (|poll| poll.question = " ".into(), "poll.question"),
            (|poll| poll.question = "x".repeat(301), "poll.question"),
            (|poll| poll.options.truncate(1), "poll.options"),
            (
                |poll| poll.options = (0..13).map(|n| n.to_string()).collect(),
                "poll.options",
            ),
            (|poll| poll.options[1] = String::new(), "poll.options"),
            (|poll| poll.options[1] = "Padang ".into(), "poll.options"),
        ];
        for (change, field) in changes {
            let mut changed = example();
            change(&mut changed);
            assert_eq!(poll(&changed).expect_err(field).field, field);
        }
    }

    #[test]
    fn a_vote_is_for_options_that_there_are() {
        let cast = |options: &[u32], poll: &Poll| {
            let options = options.to_vec();
            vote(&Vote { options }, poll)
        };
        let several = Poll {
            several: true,
            ..example()
        };
        let closed = Poll {
            closed: true,
            ..example()
        };
        assert!(cast(&[], &example()).is_ok(), "taken back");
        assert!(cast(&[2], &example()).is_ok());
        assert!(cast(&[0, 2], &several).is_ok());
        assert!(cast(&[0, 2], &example()).is_err(), "one answer");
        assert!(cast(&[3], &several).is_err(), "no such option");
        assert!(cast(&[2, 0], &several).is_err() && cast(&[1, 1], &several).is_err());
        assert!(cast(&[0], &closed).is_err());
    }
}
