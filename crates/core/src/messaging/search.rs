//! Finding messages by their words, in all chats of this device.
//!
//! A search reads the rows page by page, one page whenever nothing else is to be done, so that messages come and go meanwhile. Most
//! rows are left aside by their bytes alone, without being decoded: 100,000 of them take under half a second natively. Must not: change anything.

use std::collections::BTreeMap;

use kabar_protocol::ids::{ConversationId, MessageId};

use super::{Place, Row};
use crate::{
    api::{FoundMessage, Key, MessageKind, Reply, Shown, TimeMs},
    commands::{Outcomes, invalid, refusal},
    state::{Job, State, Work},
    store::{self, keys},
    tx::{Range, Step},
};

const LIMIT_MAX: u32 = 200;
const QUERY_CHARS_MAX: usize = 200;
const PAGE_ROWS: u32 = 1000;
/// Searches at a time: whoever types on has a new one with each letter, and waits for the last.
const SEARCHES_MAX: usize = 4;

/// Newest last.
type At = (TimeMs, ConversationId, u64);

/// A search that is going on.
pub(crate) struct Search {
    words: Vec<String>,
    limit: usize,
    before: Option<At>,
    /// What is still to be read begins here.
    from: Key,
    /// The newest that were found: one more than are asked for, to know whether there are more.
    found: BTreeMap<At, Row>,
}

impl Search {
    fn look_at(&mut self, conversation: ConversationId, value: &[u8], folded: &mut String) {
        if time_of(value).is_some_and(|time| self.is_too_old(time)) {
            return;
        }
        folded.clear();
        fold_into(&String::from_utf8_lossy(value), folded);
        if !self.words.iter().all(|word| folded.contains(word.as_str())) {
            return;
        }
        let Ok(row) = store::decode::<Row>(value) else {
            return;
        };
        let at = (row.time, conversation, row.seq);
        if self.before.is_some_and(|before| at >= before) || !self.fits(&row) {
            return;
        }
        self.found.insert(at, row);
        if self.found.len() > self.limit + 1 {
            self.found.pop_first();
        }
    }

    fn is_too_old(&self, time: TimeMs) -> bool {
        let full = self.found.len() > self.limit;
        full && self
            .found
            .first_key_value()
            .is_some_and(|((oldest, ..), _)| time < *oldest)
    }

    /// Each word begins a word of the message.
    fn fits(&self, row: &Row) -> bool {
        if row.sub != 0 || row.kind == MessageKind::Deleted {
            return false;
        }
        let file = match &row.shown {
            Some(Shown::File(file)) => file.name.as_str(),
            _ => "",
        };
        let said = [words_of(row.text.as_deref().unwrap_or_default()), words_of(file)].concat();
        let mut wanted = self.words.iter();
        wanted.all(|word| said.iter().any(|said| said.starts_with(word.as_str())))
    }
}

impl State {
    pub(crate) fn search(&mut self, command_id: u64, text: &str, limit: u32, before: Option<MessageId>) -> Outcomes {
        if limit == 0 || limit > LIMIT_MAX {
            return Ok(Err(invalid("limit", &format!("limit must be 1 to {LIMIT_MAX}"))));
        }
        let words = words_of(text);
        if words.is_empty() || text.chars().count() > QUERY_CHARS_MAX {
            let rule = format!("text must have a letter or a digit, and at most {QUERY_CHARS_MAX} characters");
            return Ok(Err(invalid("text", &rule)));
        }
        let before = match before {
            Some(id) => match self.place_in_time(id)? {
                Some(at) => Some(at),
                None => {
                    return Ok(Err(invalid(
                        "before",
                        "before must be the id of a message on this device",
                    )));
                }
            },
            None => None,
        };
        let search = Search {
            words,
            limit: limit as usize,
            before,
            from: keys::MESSAGES.to_vec(),
            found: BTreeMap::new(),
        };
        if self.waiting.searches.len() >= SEARCHES_MAX
            && let Some((oldest, _)) = self.waiting.searches.pop_first()
        {
            let message = "newer searches took its place";
            self.reply(oldest, Err(refusal("superseded", message)));
        }
        self.waiting.searches.insert(command_id, search);
        Ok(Ok(None))
    }

    fn place_in_time(&mut self, id: MessageId) -> Step<Option<At>> {
        let Some(place) = self.read::<Place>(keys::index(id))? else {
            return Ok(None);
        };
        let row = self.read::<Row>(keys::message(place.conversation, place.seq, place.sub))?;
        Ok(row.map(|row| (row.time, place.conversation, place.seq)))
    }

    /// The next page of a search. What is to be stored goes first.
    pub(crate) fn next_search(&self) -> Option<Job> {
        let (command_id, _) = self.waiting.searches.first_key_value()?;
        self.tx.is_empty().then_some(Job::Work(Work::Search(*command_id)))
    }

    pub(crate) fn search_on(&mut self, command_id: u64) -> Step {
        let Some(search) = self.waiting.searches.get(&command_id) else {
            return Ok(());
        };
        let rows = self.range(Range {
            prefix: keys::MESSAGES.to_vec(),
            from: search.from.clone(),
            limit: PAGE_ROWS,
            reverse: false,
        })?;
        let Some(search) = self.waiting.searches.get_mut(&command_id) else {
            return Ok(());
        };
        let mut folded = String::new();
        for (key, value) in &rows {
            if let Some(conversation) = keys::conversation_of(key) {
                search.look_at(conversation, value, &mut folded);
            }
        }
        match rows.last() {
            Some((last, _)) if rows.len() == PAGE_ROWS as usize => search.from = [&last[..], &[0]].concat(),
            _ => self.found_all(command_id),
        }
        Ok(())
    }

    fn found_all(&mut self, command_id: u64) {
        let Some(search) = self.waiting.searches.remove(&command_id) else {
            return;
        };
        let more = search.found.len() > search.limit;
        let newest = search.found.iter().rev().take(search.limit);
        let messages = newest.filter_map(|((_, conversation, _), row)| {
            let chat = self.chats.get(conversation)?;
            Some(FoundMessage {
                message: self.row_view(chat, row),
                chat: self.other_side(chat),
            })
        });
        let messages = messages.collect();
        self.reply(command_id, Ok(Reply::Found { messages, more }));
    }
}

/// When a stored row was, without decoding it: the time is its last field, of eight bytes. `None`: it has to be decoded.
fn time_of(value: &[u8]) -> Option<TimeMs> {
    let (rest, time) = value.split_last_chunk::<8>()?;
    rest.ends_with(b"\x64time\x1b").then(|| TimeMs::from_be_bytes(*time))
}

fn words_of(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    let words = folded.split(|char: char| !char.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Small letters without the marks on them. Each character on its own: a text within a text folds as it does alone.
fn fold_into(text: &str, out: &mut String) {
    /// Of U+00E0 and what follows.
    const PLAIN: &[u8; 160] = b"aaaaaaaceeeeiiiidnooooo/ouuuuyty\
        aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll\
        nnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
    for char in text.chars() {
        match char {
            '\0'..='\x7f' => out.push(char.to_ascii_lowercase()),
            '\u{300}'..='\u{36f}' => {}
            _ => out.extend(char.to_lowercase().filter_map(|small| match small {
                '÷' => Some(small),
                'à'..='ſ' => PLAIN.get(small as usize - 0xe0).map(|plain| *plain as char),
                '\u{300}'..='\u{36f}' => None,
                _ => Some(small),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_the_same_without_their_case_and_marks() {
        assert_eq!(words_of("Crème BRÛLÉE, e\u{301}!"), ["creme", "brulee", "e"]);
        assert_eq!(words_of("Łódź Ğ ŷ ž ÿ Ø İ"), ["lodz", "g", "y", "z", "y", "o", "i"]);
        assert_eq!(words_of("МИР 7A"), ["мир", "7a"]);
        assert_eq!(words_of(" ... 😄"), [""; 0]);
    }
}
