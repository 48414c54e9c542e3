//! Who has written lately in each group: whom it concerns that a member has received something.
//!
//! Without it, one message to a hundred people is a hundred receipts to a hundred people. Marks are cumulative, so only authors of what
//! a receipt newly covers have to hear of it. Memory of this process only, as sessions are: where it does not reach back far enough,
//! everybody is told, as in a conversation of two.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use kabar_protocol::ids::{AccountId, ConversationId};

use crate::cache::Cache;

/// Groups that are remembered, and messages of each.
const GROUPS_MAX: usize = 8_192;
const MESSAGES_MAX: usize = 256;

pub(super) struct Authors(Cache<ConversationId, Arc<Mutex<Recent>>>);

#[derive(Default)]
struct Recent {
    /// By sequence: every message from `known_from` on.
    messages: BTreeMap<u64, AccountId>,
    known_from: u64,
    /// Up to where each account's receipt is known.
    marks: BTreeMap<AccountId, u64>,
}

/// Whom a receipt concerns.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Concerned {
    Everybody,
    Only(BTreeSet<AccountId>),
}

impl Concerned {
    pub(super) fn includes(&self, account: AccountId) -> bool {
        match self {
            Self::Everybody => true,
            Self::Only(accounts) => accounts.contains(&account),
        }
    }
}

impl Authors {
    pub(super) fn new() -> Self {
        Self(Cache::new(GROUPS_MAX))
    }

    pub(super) fn wrote(&self, id: ConversationId, author: AccountId, seq: u64) {
        let recent = self.0.get(&id).unwrap_or_else(|| {
            let recent = Arc::<Mutex<Recent>>::default();
            self.0.insert(id, Arc::clone(&recent));
            recent
        });
        recent.lock().unwrap_or_else(PoisonError::into_inner).wrote(author, seq);
    }

    /// `reader` has everything up to `seq`.
    pub(super) fn concerned(&self, id: ConversationId, reader: AccountId, seq: u64) -> Concerned {
        let Some(recent) = self.0.get(&id) else {
            return Concerned::Everybody;
        };
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.concerned(reader, seq)
    }
}

impl Recent {
    fn wrote(&mut self, author: AccountId, seq: u64) {
        if self.messages.is_empty() {
            self.known_from = seq;
        }
        // Below that, it repeats an earlier send.
        if seq >= self.known_from {
            self.messages.insert(seq, author);
        }
        if self.messages.len() > MESSAGES_MAX
            && let Some((oldest, _)) = self.messages.pop_first()
        {
            self.known_from = oldest + 1;
        }
    }

    fn concerned(&mut self, reader: AccountId, seq: u64) -> Concerned {
        let mark = self.marks.entry(reader).or_default();
        let after = *mark + 1;
        *mark = seq.max(*mark);
        if after < self.known_from || self.messages.is_empty() {
            return Concerned::Everybody;
        }
        if after > seq {
            return Concerned::Only(BTreeSet::new());
        }
        let newly = self.messages.range(after..=seq).map(|(_, author)| *author);
        Concerned::Only(newly.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANI: AccountId = AccountId([1; 16]);
    const BUDI: AccountId = AccountId([2; 16]);
    const CITRA: AccountId = AccountId([3; 16]);
    const GROUP: ConversationId = ConversationId([9; 16]);

    fn only<const N: usize>(accounts: [AccountId; N]) -> Concerned {
        Concerned::Only(BTreeSet::from(accounts))
    }

    #[test]
    fn a_receipt_concerns_those_whose_messages_it_newly_covers() {
        let authors = Authors::new();
        assert_eq!(
            authors.concerned(GROUP, CITRA, 3),
            Concerned::Everybody,
            "nothing is known"
        );
        authors.wrote(GROUP, ANI, 4);
        authors.wrote(GROUP, BUDI, 6);
        assert_eq!(
            authors.concerned(GROUP, CITRA, 4),
            Concerned::Everybody,
            "what came before 4 is not known"
        );
        assert_eq!(authors.concerned(GROUP, CITRA, 6), only([BUDI]));
        assert_eq!(authors.concerned(GROUP, CITRA, 6), only([]), "nothing new");
        authors.wrote(GROUP, ANI, 7);
        authors.wrote(GROUP, BUDI, 8);
        authors.wrote(GROUP, ANI, 7);
        assert_eq!(authors.concerned(GROUP, CITRA, 9), only([ANI, BUDI]));
    }

    #[test]
    fn who_has_been_away_for_longer_than_memory_reaches_is_told_of_to_everybody() {
        let authors = Authors::new();
        for seq in 1..=MESSAGES_MAX as u64 + 10 {
            authors.wrote(GROUP, ANI, seq);
        }
        assert_eq!(authors.concerned(GROUP, CITRA, 11), Concerned::Everybody);
        assert_eq!(authors.concerned(GROUP, CITRA, 12), only([ANI]));
        assert_eq!(
            authors.concerned(GROUP, BUDI, MESSAGES_MAX as u64 + 10),
            Concerned::Everybody
        );
    }
}
