//! What is done to a message after it was sent: reactions, edits, deletion, answers to an event.
//!
//! Each travels as a message of its own, of class REACTION or EDIT, and changes the row of its target. One of ours is applied when it is
//! queued; one that came is kept as a row first, because its target has to be read, and is applied right after. Every client applies the
//! same rules by the server's times, so all come to the same.

use kabar_protocol::{
    event,
    ids::{AccountId, ConversationId, MessageId},
    limits::{DELETE_WINDOW_MS, EDIT_WINDOW_MS},
    policy, poll,
    wire::{self, MessageClass, content::Body},
};
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::{Place, Row, content::Opened, mentions, once};
use crate::{
    api::{
        Change, ChangesView, FeedItem, Mention, MessageKind, Notification, ReactionView, Reply, RsvpAnswer, RsvpGiven,
        RsvpView, Shown, TimeMs, Version, VoteView,
    },
    commands::{Outcomes, invalid, now, refusal},
    state::{State, Work},
    store::{Blob, keys},
    tx::Step,
};

/// Earlier texts of a message that are kept.
const VERSIONS_KEPT: usize = 20;
/// What a message of ours may have been late on its way to the server; others' clocks do not count.
const WINDOW_SLACK_MS: TimeMs = 60_000;

/// What was done to a message, in its row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Changes {
    #[serde(default)]
    reactions: Vec<(AccountId, String)>,
    #[serde(default)]
    answers: Vec<(AccountId, RsvpAnswer, u32)>,
    #[serde(default)]
    votes: Vec<(AccountId, Vec<u32>)>,
    #[serde(default)]
    pub(super) opened: Vec<AccountId>,
    #[serde(default)]
    versions: Vec<Version>,
    #[serde(default)]
    edited_at: Option<TimeMs>,
    /// Of a deleted message, if it was not its author.
    #[serde(default)]
    deleted_by: Option<AccountId>,
}

impl Changes {
    pub(super) fn is_edited(&self) -> bool {
        self.edited_at.is_some()
    }
}

/// A change that has come and is not applied yet. One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingChange {
    pub(crate) number: u64,
    conversation: ConversationId,
    message_id: MessageId,
    by: AccountId,
    /// He was an admin of the group when it came.
    #[serde(default)]
    moderates: bool,
    time: TimeMs,
    /// Encoded Content.
    content: Blob,
}

/// Why a change is refused, for whoever wished it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    NotYours,
    TooLate,
    Kind,
    /// The content itself breaks a rule.
    Rule,
}

/// The message that a content changes; `None` if it is a message of its own.
pub(super) fn target(content: &wire::Content) -> Option<MessageId> {
    let id = match &content.body {
        _ if content.replaces.is_some() => content.replaces.as_ref(),
        Some(Body::Reaction(_) | Body::Rsvp(_) | Body::Vote(_) | Body::Opened(_)) => content.in_reply_to.as_ref(),
        _ => None,
    };
    MessageId::from_slice(id?).ok()
}

/// Changes `row` as `content` says, or says why not; then it is as it was. Whoever `moderates` may delete what others wrote.
fn apply(
    row: &mut Row,
    (by, moderates): (AccountId, bool),
    time: TimeMs,
    content: &wire::Content,
) -> Result<(), Refused> {
    if row.kind == MessageKind::Deleted || row.sub != 0 {
        return Err(Refused::Kind);
    }
    match &content.body {
        Some(Body::Reaction(reaction)) => {
            event::reaction(&reaction.emoji).map_err(|_| Refused::Rule)?;
            row.changes.reactions.retain(|(who, _)| *who != by);
            if !reaction.emoji.is_empty() {
                row.changes.reactions.push((by, reaction.emoji.clone()));
            }
            Ok(())
        }
        Some(Body::Rsvp(rsvp)) => {
            let Some(Shown::Event(invitation)) = &row.shown else {
                return Err(Refused::Kind);
            };
            event::rsvp(rsvp, invitation).map_err(|_| Refused::Rule)?;
            row.changes.answers.retain(|(who, ..)| *who != by);
            if let Some(answer) = RsvpAnswer::of(rsvp.answer()) {
                row.changes.answers.push((by, answer, rsvp.guests));
            }
            Ok(())
        }
        Some(Body::Vote(vote)) => {
            let Some(Shown::Poll(asked)) = &row.shown else {
                return Err(Refused::Kind);
            };
            poll::vote(vote, asked).map_err(|_| Refused::Rule)?;
            row.changes.votes.retain(|(who, _)| *who != by);
            if !vote.options.is_empty() {
                row.changes.votes.push((by, vote.options.clone()));
            }
            Ok(())
        }
        Some(Body::Opened(_)) => once::open(row, by).ok_or(Refused::Kind),
        Some(Body::Deleted(_)) if row.from != by && !moderates => Err(Refused::NotYours),
        Some(Body::Deleted(_)) => {
            if time - row.time > DELETE_WINDOW_MS + WINDOW_SLACK_MS {
                return Err(Refused::TooLate);
            }
            row.kind = MessageKind::Deleted;
            (row.text, row.shown) = (None, None);
            row.mentions.clear();
            row.starred = false;
            row.changes = Changes {
                deleted_by: Some(by).filter(|by| *by != row.from),
                ..Changes::default()
            };
            Ok(())
        }
        _ if row.from != by => Err(Refused::NotYours),
        body => {
            let shown = body.as_ref().and_then(Shown::of).ok_or(Refused::Rule)?;
            edit(row, time, shown)?;
            row.mentions = mentions::of(content);
            Ok(())
        }
    }
}

fn edit(row: &mut Row, time: TimeMs, shown: Shown) -> Result<(), Refused> {
    match (&shown, &row.shown) {
        (Shown::Text(_), None) if time - row.time > EDIT_WINDOW_MS + WINDOW_SLACK_MS => return Err(Refused::TooLate),
        (Shown::Text(_), None) if row.kind == MessageKind::Text => {}
        // Until it is over, and longer, an invitation may change.
        (Shown::Event(_), Some(Shown::Event(_))) => {}
        (Shown::Poll(new), Some(Shown::Poll(old))) if closes(new, old) => {
            row.shown = Some(shown);
            return Ok(());
        }
        _ => return Err(Refused::Kind),
    }
    let text = shown.text();
    if let Some(before) = row.text.replace(text.clone()).filter(|before| *before != text) {
        let since = row.changes.edited_at.unwrap_or(row.time);
        row.changes.versions.push(Version {
            text: before,
            time: since,
        });
        if row.changes.versions.len() > VERSIONS_KEPT {
            row.changes.versions.remove(0);
        }
    }
    row.changes.edited_at = Some(time);
    row.shown = shown.beside_text();
    Ok(())
}

/// The same poll, closed: whoever has voted has voted for these words.
fn closes(new: &wire::Poll, old: &wire::Poll) -> bool {
    let closed = wire::Poll {
        closed: true,
        ..old.clone()
    };
    *new == closed
}

impl State {
    /// Does something to a message; replied to when it is queued, or with `wait` after the server's acknowledgement.
    pub(crate) fn change_message(
        &mut self,
        command_id: u64,
        message_id: MessageId,
        change: &Change,
        wait: bool,
    ) -> Outcomes {
        let rule = "message_id must be the id of a message that the server has and that is on this device";
        let Some((place, mut row)) = self.row_of(message_id)? else {
            return Ok(Err(invalid("message_id", rule)));
        };
        let mentions = match change {
            Change::Edit { content, mentions } => {
                let checked = content.check();
                match checked.and_then(|()| self.check_mentions(place.conversation, mentions, content)) {
                    Ok(()) => mentions.as_slice(),
                    Err(error) => return Ok(Err(error)),
                }
            }
            _ => &[],
        };
        let (Some(me), body) = (self.my_account(), body_of(change)) else {
            return Ok(Err(refusal("no_account", "register first")));
        };
        let probe = wire::Content {
            body: Some(body.clone()),
            mentions: mentions.iter().map(Mention::wire).collect(),
            ..wire::Content::default()
        };
        let moderates = self.moderates(place.conversation, me);
        let before = row.clone();
        if let Err(refused) = apply(&mut row, (me, moderates), self.now, &probe) {
            return Ok(Err(explained(refused, change)));
        }
        let order = match self.queue_change(place.conversation, message_id, body, mentions) {
            Ok(order) => order,
            Err(error) => return Ok(Err(error)),
        };
        if matches!(change, Change::Delete) {
            self.leave_server(place, &before);
        }
        self.put_changed(&place, row);
        if wait {
            self.waiting.sends.insert(order, command_id);
            return Ok(Ok(None));
        }
        now(Ok(Reply::Done))
    }

    /// What a member of a group was shown of it: taken in as changes are.
    pub(super) fn keep_change(&mut self, conversation: ConversationId, by: AccountId, content: Vec<u8>) {
        self.cursor.changes += 1;
        self.save_cursor();
        self.put_change(PendingChange {
            number: self.cursor.changes,
            conversation,
            message_id: MessageId([0; 32]),
            by,
            moderates: false,
            time: self.now,
            content: content.into(),
        });
    }

    fn put_change(&mut self, change: PendingChange) {
        self.put(keys::change(change.number), &change);
        self.work.push_back(Work::Change(change.number));
        self.changes.insert(change.number, change);
    }

    /// A change that came: kept with everything else of its item, applied right after.
    pub(super) fn change_came(&mut self, conversation: ConversationId, by: AccountId, time: TimeMs, opened: &Opened) {
        self.cursor.changes += 1;
        self.save_cursor();
        self.put_change(PendingChange {
            number: self.cursor.changes,
            conversation,
            message_id: opened.message_id,
            by,
            moderates: self.moderates(conversation, by),
            time,
            content: opened.bytes.clone(),
        });
    }

    pub(crate) fn apply_change(&mut self, number: u64) -> Step {
        let Some(change) = self.changes.get(&number).cloned() else {
            return Ok(());
        };
        let content = wire::Content::decode(&change.content[..]).unwrap_or_default();
        if let Some(Body::History(history)) = &content.body {
            self.take_told(change.conversation, history)?;
            self.changes.remove(&number);
            self.delete(keys::change(number));
            return Ok(());
        }
        let found = match target(&content) {
            Some(target) => self.row_or_missing(target, &content)?,
            None => None,
        };
        self.changes.remove(&number);
        self.delete(keys::change(number));
        // A message that never came here, or a rule that is broken: every client leaves it at that.
        let Some((place, mut row)) = found.filter(|(place, _)| place.conversation == change.conversation) else {
            return Ok(());
        };
        let before = row.clone();
        if apply(&mut row, (change.by, change.moderates), change.time, &content).is_ok() {
            self.deletion_came(place, &before, &row);
            self.hear_mentions(change.conversation, &mut row);
            self.feed_change(&change, &row, &content);
            self.note_expiry(place, &row, change.message_id);
            self.put_changed(&place, row);
        }
        Ok(())
    }

    fn moderates(&self, conversation: ConversationId, account: AccountId) -> bool {
        let team = self.teams.get(&conversation);
        team.is_some_and(|team| policy::may_moderate(&team.policy, account))
    }

    /// A message in its thread.
    pub(super) fn row_of(&mut self, message_id: MessageId) -> Step<Option<(Place, Row)>> {
        let Some(place) = self.read::<Place>(keys::index(message_id))? else {
            return Ok(None);
        };
        let row = self.read(keys::message(place.conversation, place.seq, place.sub))?;
        Ok(row.map(|row| (place, row)))
    }

    pub(super) fn put_changed(&mut self, place: &Place, mut row: Row) {
        let Place { conversation, seq, sub } = *place;
        if self.my_account().is_some_and(|me| row.changes.opened.contains(&me)) {
            once::close(&mut row.shown);
        }
        self.put(keys::message(conversation, seq, sub), &row);
        self.put_on_shelf(place, &row);
        let deleted = row.kind == MessageKind::Deleted;
        if deleted {
            self.delete(keys::envelope(conversation, seq));
            self.delete(keys::star(row.time, row.message_id));
        }
        let mine = self.my_account() == Some(row.from);
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        if deleted && !mine && seq > chat.read_seq {
            chat.unread = chat.unread.saturating_sub(1);
        }
        if deleted {
            chat.forget(row.message_id);
        }
        if let Some(last) = chat.last.as_mut().filter(|last| (last.seq, last.sub) == (seq, sub)) {
            *last = row.clone();
        }
        if let Some(chat) = self.chats.get(&conversation) {
            let message = self.row_view(chat, &row);
            self.notify(Notification::Message { message });
        }
        self.save_chat(conversation);
        self.say_chat(conversation);
    }

    fn feed_change(&mut self, change: &PendingChange, row: &Row, content: &wire::Content) {
        if !self.feeds() {
            return;
        }
        let mut vote = None;
        let (kind, text, rsvp) = match &content.body {
            Some(Body::Reaction(reaction)) => ("reaction", Some(reaction.emoji.clone()), None),
            Some(Body::Vote(cast)) => {
                vote = Some(cast.options.clone());
                ("vote", None, None)
            }
            Some(Body::Rsvp(rsvp)) => {
                let answer = RsvpAnswer::of(rsvp.answer());
                let guests = rsvp.guests;
                ("rsvp", None, Some(RsvpGiven { answer, guests }))
            }
            Some(Body::Deleted(_)) => ("delete", None, None),
            Some(Body::Opened(_)) => ("opened", None, None),
            _ => ("edit", row.text.clone(), None),
        };
        self.add_feed(FeedItem {
            position: 0,
            message_id: change.message_id,
            conversation_id: change.conversation,
            from: self.person(change.by),
            kind: kind.into(),
            about: Vec::new(),
            text,
            shown: if kind == "edit" { row.shown.clone() } else { None },
            automated: content.automated,
            forwarded: 0,
            in_reply_to: Some(row.message_id),
            state: None,
            request: self.chats.get(&change.conversation).is_some_and(|chat| chat.request),
            flow: None,
            rsvp,
            vote,
            mentions_me: false,
            time: change.time,
        });
    }

    pub(super) fn changes_view(&self, row: &Row) -> ChangesView {
        let me = self.my_account();
        let reactions = row.changes.reactions.iter().map(|(by, emoji)| ReactionView {
            emoji: emoji.clone(),
            by: self.person(*by),
            mine: me == Some(*by),
        });
        let answers = row.changes.answers.iter().map(|(by, answer, guests)| RsvpView {
            answer: *answer,
            guests: *guests,
            by: self.person(*by),
            mine: me == Some(*by),
        });
        let votes = row.changes.votes.iter().map(|(by, options)| VoteView {
            options: options.clone(),
            by: self.person(*by),
            mine: me == Some(*by),
        });
        ChangesView {
            opened: row.changes.opened.iter().map(|by| self.person(*by)).collect(),
            votes: votes.collect(),
            reactions: reactions.collect(),
            answers: answers.collect(),
            edited_at: row.changes.edited_at,
            versions: row.changes.versions.clone(),
            deleted_by: row.changes.deleted_by.map(|by| self.person(by)),
        }
    }
}

fn body_of(change: &Change) -> Body {
    match change {
        Change::React { emoji } => Body::Reaction(wire::Reaction { emoji: emoji.clone() }),
        Change::Edit { content, .. } => content.body(),
        Change::Delete => Body::Deleted(wire::Empty {}),
        Change::Open => Body::Opened(wire::Empty {}),
        Change::Rsvp { answer, guests } => {
            let mut rsvp = wire::Rsvp {
                guests: *guests,
                ..wire::Rsvp::default()
            };
            rsvp.set_answer(answer.map_or(wire::rsvp::Answer::Unspecified, RsvpAnswer::wire));
            Body::Rsvp(rsvp)
        }
        Change::Vote { options } => Body::Vote(wire::Vote {
            options: options.clone(),
        }),
    }
}

fn explained(refused: Refused, change: &Change) -> crate::api::ApiError {
    match (refused, change) {
        (Refused::NotYours, _) => refusal(
            "not_yours",
            "only who wrote a message may edit or delete it, or delete it as an admin of the group",
        ),
        (Refused::TooLate, Change::Delete) => {
            refusal("too_late", "a message can be deleted for everyone within two days")
        }
        (Refused::TooLate, _) => refusal("too_late", "a message can be edited within 15 minutes"),
        (Refused::Kind, Change::Rsvp { .. }) => invalid("message_id", "message_id must be the id of an event"),
        (Refused::Kind, Change::Vote { .. }) => invalid("message_id", "message_id must be the id of a poll"),
        (Refused::Kind, Change::Open) => {
            let rule = "message_id must be the id of somebody else's file that may be looked at once, and was not yet";
            invalid("message_id", rule)
        }
        (Refused::Kind, _) => invalid("message_id", "this message cannot be changed in this way"),
        (Refused::Rule, Change::React { .. }) => invalid("emoji", "emoji must be one emoji, or empty to take it back"),
        (Refused::Rule, Change::Rsvp { .. }) => {
            let rule = "guests must not be more than the event allows, and the event must not be canceled";
            invalid("guests", rule)
        }
        (Refused::Rule, Change::Vote { .. }) => {
            let rule = "options must be indexes of the poll's options, one unless it takes several, while it is open";
            invalid("options", rule)
        }
        (Refused::Rule, _) => invalid("content", "content breaks a rule"),
    }
}

/// The class that a change travels in.
pub(super) fn class_of_change(body: &Body) -> MessageClass {
    match body {
        Body::Reaction(_) | Body::Rsvp(_) | Body::Vote(_) | Body::Opened(_) => MessageClass::Reaction,
        _ => MessageClass::Edit,
    }
}
