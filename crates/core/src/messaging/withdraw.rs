//! What is deleted leaves the server: messages that somebody has not fetched yet, and files that no message of ours uses any more.
//!
//! Each is a wish in a row of its own: asked on every connection until the server has answered. A file goes with the last of our messages
//! that names it, since a message that is passed on names the same one. Must not: delay or fail what the person did, which holds already.

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    limits::QUEUE_RETENTION_DAYS,
    wire::{self, client_frame::Body, content},
};
use serde::{Deserialize, Serialize};

use super::{Changes, Place, Row, inbox::sender, order::server_seq};
use crate::{
    api::{MessageKind, Shown, TimeMs},
    connection::{Answer, Purpose},
    state::{State, Work},
    store::keys,
    tx::Step,
};

/// Wishes that are kept; beyond, the oldest is left to the server's own retention.
const WISHES_MAX: usize = 2_000;
/// Wishes that are asked at a time: what people wait for goes on between them.
const ASKED_MAX: usize = 8;
/// After the server said that it cannot now.
const PAUSE_MS: TimeMs = 30_000;
/// A server that has not answered so often does not know the question: one of an earlier version ends the connection over it.
const TRIES_MAX: u32 = 20;
/// Then the server has forgotten the message by itself.
const FORGOTTEN_MS: TimeMs = QUEUE_RETENTION_DAYS as TimeMs * 86_400_000;

/// Something that the server is to forget. One row, until it has answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Withdrawal {
    pub(crate) number: u64,
    what: What,
    /// Times that it was asked, and no answer came.
    tries: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum What {
    Message {
        conversation: ConversationId,
        seq: u64,
        time: TimeMs,
    },
    File {
        /// Empty: of a file that may be looked at once, and is kept apart.
        location: String,
        message_id: MessageId,
        /// It was looked: no other message of ours uses it.
        unused: bool,
    },
}

/// What is on its way in this connection, and when the next may go.
#[derive(Default)]
pub(crate) struct Withdrawing {
    asked: Vec<u64>,
    pub(crate) retry_at: Option<TimeMs>,
}

impl Withdrawing {
    pub(crate) fn is_quiet(&self) -> bool {
        self.asked.is_empty()
    }
}

/// A message that was withdrawn before it came: where it would stand, if its deletion is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Missing {
    from: AccountId,
    time: TimeMs,
}

fn file(shown: Option<&Shown>) -> Option<&wire::File> {
    match shown {
        Some(Shown::File(file)) => Some(file),
        _ => None,
    }
}

impl State {
    /// A message of ours names this file, from now on.
    pub(super) fn note_file_use(&mut self, message_id: MessageId, shown: Option<&Shown>) {
        let Some(file) = file(shown).filter(|file| !file.location.is_empty()) else {
            return;
        };
        self.put(keys::file_use(&file.location, message_id), &());
        if file.view_once {
            // Its message forgets it; a location without its key opens nothing.
            self.put(keys::file_once(message_id), &file.location);
        }
    }

    /// A message is deleted for everyone, by us or of ours, or one of ours has vanished: `row` as it was before.
    pub(super) fn leave_server(&mut self, place: Place, row: &Row) {
        if row.kind == MessageKind::Deleted || row.sub != 0 {
            return;
        }
        self.wish_forgotten(What::Message {
            conversation: place.conversation,
            seq: place.seq,
            time: row.time,
        });
        if self.my_account() == Some(row.from) {
            self.file_unused(row.message_id, row.shown.as_ref());
        }
    }

    /// A message of ours is no more. A business's files are its gateway's, which sends one as often as it is asked to.
    pub(super) fn file_unused(&mut self, message_id: MessageId, shown: Option<&Shown>) {
        if let Some(file) = file(shown).filter(|_| !self.is_business()) {
            let location = file.location.clone();
            self.wish_forgotten(What::File {
                location,
                message_id,
                unused: false,
            });
        }
    }

    fn wish_forgotten(&mut self, what: What) {
        while self.withdrawals.len() >= WISHES_MAX
            && let Some((number, _)) = self.withdrawals.pop_first()
        {
            self.delete(keys::withdrawal(number));
        }
        self.cursor.withdrawals += 1;
        self.save_cursor();
        let number = self.cursor.withdrawals;
        let tries = 0;
        let wish = Withdrawal { number, what, tries };
        self.put(keys::withdrawal(number), &wish);
        self.withdrawals.insert(number, wish);
        self.ask_to_forget();
    }

    /// A new session: whatever was on its way in the last one is asked again.
    pub(crate) fn withdraw_again(&mut self) {
        self.withdrawing = Withdrawing::default();
        self.ask_to_forget();
    }

    pub(crate) fn withdraw_timer(&mut self) {
        if self.withdrawing.retry_at.is_some_and(|at| at <= self.now) {
            self.withdrawing.retry_at = None;
            self.ask_to_forget();
        }
    }

    /// Calls for as many as may go.
    fn ask_to_forget(&mut self) {
        if !self.connection.is_online() || self.withdrawing.retry_at.is_some() {
            return;
        }
        let free = ASKED_MAX.saturating_sub(self.withdrawing.asked.len());
        let asked = &self.withdrawing.asked;
        let next: Vec<u64> = self
            .withdrawals
            .keys()
            .filter(|number| !asked.contains(number))
            .take(free)
            .copied()
            .collect();
        for number in next {
            self.withdrawing.asked.push(number);
            self.work.push_back(Work::Forget(number));
        }
    }

    pub(crate) fn forget_at_server(&mut self, number: u64) -> Step {
        let Some(mut wish) = self.withdrawals.get(&number).cloned() else {
            return Ok(());
        };
        if !self.connection.is_online() {
            return Ok(());
        }
        let body = match &mut wish.what {
            What::Message {
                conversation,
                seq,
                time,
            } => {
                let known = *time + FORGOTTEN_MS > self.now && self.is_of_this_timeline(*seq);
                known.then(|| {
                    Body::Withdraw(wire::Withdraw {
                        conversation_id: conversation.to_bytes(),
                        seq: server_seq(*seq),
                    })
                })
            }
            What::File {
                location,
                message_id,
                unused,
            } => {
                if location.is_empty() {
                    *location = self.read(keys::file_once(*message_id))?.unwrap_or_default();
                }
                if !*unused {
                    let own = keys::file_use(location, *message_id);
                    let uses = self.rows_under(&keys::file_uses(location), 2)?;
                    // A message of before uses were noted: nobody knows who else names its file.
                    let noted = uses.iter().any(|(key, _)| *key == own);
                    *unused = noted && uses.len() == 1;
                    self.delete(own);
                    self.delete(keys::file_once(*message_id));
                }
                unused.then(|| {
                    Body::DeleteFile(wire::DeleteFile {
                        location: location.clone(),
                    })
                })
            }
        };
        wish.tries += 1;
        let Some(body) = body.filter(|_| wish.tries <= TRIES_MAX) else {
            self.forgotten(number);
            return Ok(());
        };
        self.put(keys::withdrawal(number), &wish);
        self.withdrawals.insert(number, wish);
        self.request(Purpose::Forget(number), body);
        Ok(())
    }

    pub(crate) fn withdraw_answered(&mut self, number: u64, answer: &Answer) {
        use wire::error::Code;
        match answer {
            Ok(_) => self.forgotten(number),
            Err(failure) => match failure.kind {
                // The same request never succeeds: it is not ours, or a server of before does not know the question.
                Code::Invalid | Code::Denied | Code::NotFound => self.forgotten(number),
                Code::Unauthenticated => self.drop_connection(),
                _ => {
                    if let Some(wish) = self.withdrawals.get_mut(&number) {
                        wish.tries = 0;
                    }
                    let asked = failure.error.retry_after_ms.and_then(|ms| TimeMs::try_from(ms).ok());
                    self.withdrawing.asked.retain(|asked| *asked != number);
                    self.withdrawing.retry_at = Some(self.now + PAUSE_MS.max(asked.unwrap_or(0)));
                }
            },
        }
    }

    fn forgotten(&mut self, number: u64) {
        self.withdrawals.remove(&number);
        self.delete(keys::withdrawal(number));
        self.withdrawing.asked.retain(|asked| *asked != number);
        self.ask_to_forget();
    }

    /// The place of a message that was withdrawn before it came here. Nothing is missing, and nothing is shown unless its deletion is
    /// told, which a message that vanished has not.
    pub(super) fn take_withdrawn(&mut self, conversation: ConversationId, item: &wire::Deliver) -> Step {
        if let (Some((from, _)), Ok(message_id)) = (sender(item), MessageId::from_slice(&item.payload))
            && self.read::<Place>(keys::index(message_id))?.is_none()
        {
            let place = Place {
                conversation,
                seq: item.seq,
                sub: 0,
            };
            self.put(keys::index(message_id), &place);
            let time = item.time_ms;
            self.put(keys::missing(message_id), &Missing { from, time });
        }
        self.seen_up_to(conversation, item.seq);
        self.save_chat(conversation);
        Ok(())
    }

    /// What a change is applied to: a message of the thread, or for its deletion the place of one that never came.
    pub(super) fn row_or_missing(
        &mut self,
        message_id: MessageId,
        content: &wire::Content,
    ) -> Step<Option<(Place, Row)>> {
        if let Some(found) = self.row_of(message_id)? {
            return Ok(Some(found));
        }
        if !matches!(content.body, Some(content::Body::Deleted(_))) {
            return Ok(None);
        }
        let Some(place) = self.read::<Place>(keys::index(message_id))? else {
            return Ok(None);
        };
        let Some(missing) = self.read::<Missing>(keys::missing(message_id))? else {
            return Ok(None);
        };
        let row = Row {
            message_id,
            seq: place.seq,
            sub: 0,
            from: missing.from,
            kind: MessageKind::Text,
            about: Vec::new(),
            text: None,
            shown: None,
            automated: false,
            forwarded: 0,
            mentions: Vec::new(),
            starred: false,
            expires_at: None,
            in_reply_to: None,
            changes: Changes::default(),
            time: missing.time,
        };
        Ok(Some((place, row)))
    }

    /// Somebody's change has made `row` of `before`.
    pub(super) fn deletion_came(&mut self, place: Place, before: &Row, row: &Row) {
        if row.kind != MessageKind::Deleted {
            return;
        }
        let mine = self.my_account() == Some(row.from);
        if before.text.is_some() || before.shown.is_some() {
            if mine {
                self.leave_server(place, before);
            }
            return;
        }
        self.delete(keys::missing(row.message_id));
        if let Some(chat) = self.chats.get_mut(&place.conversation) {
            // It was never counted, and is about to be taken off.
            if !mine && row.seq > chat.read_seq {
                chat.unread = chat.unread.saturating_add(1);
            }
            if chat.last.as_ref().is_none_or(|last| last.seq < row.seq) {
                chat.last = Some(row.clone());
            }
        }
    }
}
