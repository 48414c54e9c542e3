//! Files that whoever gets them may look at once. Afterwards nothing on his device opens them; their sender's device keeps nothing
//! of them either.
//!
//! A promise among clients, as vanishing is: whoever builds his own can break it, and a camera breaks it for everybody.

use kabar_protocol::{ids::AccountId, wire};

use super::Row;
use crate::api::Shown;

/// `by` has looked at the file of this message; `None` if there is nothing that he may look at.
pub(super) fn open(row: &mut Row, by: AccountId) -> Option<()> {
    match &row.shown {
        Some(Shown::File(file)) if file.view_once && row.from != by && !row.changes.opened.contains(&by) => {
            row.changes.opened.push(by);
            Some(())
        }
        _ => None,
    }
}

/// Forgets what opens a file that may be looked at once.
pub(super) fn close(shown: &mut Option<Shown>) {
    if let Some(Shown::File(file)) = shown
        && file.view_once
    {
        *file = wire::File {
            key: Vec::new().into(),
            location: String::new(),
            sha256: Vec::new().into(),
            ciphertext_sha256: Vec::new().into(),
            ..std::mem::take(file)
        };
    }
}
