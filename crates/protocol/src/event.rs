//! The rules of invitations, of the answers to them, and of reactions: run before sending and on what is received.

use crate::{
    interactive::FieldError,
    limits::{
        EVENT_GUESTS_MAX, EVENT_PLACE_CHARS_MAX, EVENT_TEXT_CHARS_MAX, EVENT_TITLE_CHARS_MAX, REACTION_BYTES_MAX,
        TIME_ZONE_BYTES_MAX,
    },
    wire::{Event, Rsvp, rsvp::Answer},
};

type Checked = Result<(), FieldError>;

fn broken(field: &'static str, rule: impl Into<String>) -> Checked {
    let rule = rule.into();
    Err(FieldError { field, rule })
}

pub fn event(event: &Event) -> Checked {
    let chars = |text: &str| text.chars().count();
    if event.title.trim().is_empty() || chars(&event.title) > EVENT_TITLE_CHARS_MAX {
        return broken(
            "event.title",
            format!("must have 1 to {EVENT_TITLE_CHARS_MAX} characters"),
        );
    }
    if chars(&event.text) > EVENT_TEXT_CHARS_MAX {
        return broken(
            "event.text",
            format!("must have at most {EVENT_TEXT_CHARS_MAX} characters"),
        );
    }
    if chars(&event.place) > EVENT_PLACE_CHARS_MAX {
        let rule = format!("must have at most {EVENT_PLACE_CHARS_MAX} characters");
        return broken("event.place", rule);
    }
    if event.starts_ms <= 0 {
        return broken("event.starts_ms", "must be a time, in milliseconds since 1970");
    }
    if event.ends_ms != 0 && event.ends_ms <= event.starts_ms {
        return broken("event.ends_ms", "must be later than starts_ms, or 0 for an open end");
    }
    if !is_time_zone(&event.time_zone) {
        return broken("event.time_zone", "must be a name such as Asia/Jakarta");
    }
    if event.guests_max > EVENT_GUESTS_MAX {
        return broken("event.guests_max", format!("must be at most {EVENT_GUESTS_MAX}"));
    }
    Ok(())
}

/// Its form only: the list of names changes every year.
fn is_time_zone(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    first && name.len() <= TIME_ZONE_BYTES_MAX && name.chars().all(rest)
}

pub fn rsvp(rsvp: &Rsvp, event: &Event) -> Checked {
    let most = match rsvp.answer() {
        Answer::Going | Answer::Maybe => event.guests_max,
        Answer::No | Answer::Unspecified => 0,
    };
    if event.canceled {
        return broken("answer", "comes too late: the event was canceled");
    }
    if rsvp.guests > most {
        return broken("guests", format!("must be at most {most} here"));
    }
    Ok(())
}

/// One symbol, which may be made of several characters; none takes a reaction back.
pub fn reaction(emoji: &str) -> Checked {
    let plain = |c: char| c.is_whitespace() || c.is_control() || c.is_ascii_alphabetic();
    if emoji.len() > REACTION_BYTES_MAX || emoji.chars().any(plain) {
        return broken("emoji", "must be one emoji, or empty to take it back");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Event {
        Event {
            title: "Akad nikah".into(),
            place: "Masjid Raya".into(),
            starts_ms: 1_800_000_000_000,
            ends_ms: 1_800_007_200_000,
            time_zone: "Asia/Jakarta".into(),
            guests_max: 2,
            ..Event::default()
        }
    }

    #[test]
    fn an_event_names_what_is_wrong() {
        assert_eq!(event(&example()), Ok(()));
        type Change = fn(&mut Event);
        let changes: [(Change, &str); 7] = [
            (|event| event.title = " ".into(), "event.title"),
            (|event| event.text = "x".repeat(1025), "event.text"),
            (|event| event.place = "x".repeat(201), "event.place"),
            (|event| event.starts_ms = 0, "event.starts_ms"),
            (|event| event.ends_ms = event.starts_ms, "event.ends_ms"),
            (|event| event.time_zone = "../etc".into(), "event.time_zone"),
            (|event| event.guests_max = 21, "event.guests_max"),
        ];
        for (change, field) in changes {
            let mut changed = example();
            change(&mut changed);
            assert_eq!(event(&changed).expect_err(field).field, field);
        }
    }

    #[test]
    fn an_answer_brings_as_many_as_are_invited() {
        let answer = |answer: Answer, guests| Rsvp {
            answer: answer.into(),
            guests,
        };
        assert!(rsvp(&answer(Answer::Going, 2), &example()).is_ok());
        assert_eq!(
            rsvp(&answer(Answer::Going, 3), &example()).expect_err("three").field,
            "guests"
        );
        assert!(
            rsvp(&answer(Answer::No, 1), &example()).is_err(),
            "whoever stays away brings nobody"
        );
        let canceled = Event {
            canceled: true,
            ..example()
        };
        assert_eq!(
            rsvp(&answer(Answer::Going, 0), &canceled).expect_err("canceled").field,
            "answer"
        );
    }

    #[test]
    fn a_reaction_is_a_symbol() {
        for emoji in ["", "👍", "👨‍👩‍👧‍👦", "❤️", "🇮🇩"] {
            assert!(reaction(emoji).is_ok(), "{emoji}");
        }
        for text in ["ok", "👍 👍", "👍👍👍👍👍👍👍👍👍", "\n"] {
            assert!(reaction(text).is_err(), "{text}");
        }
    }
}
