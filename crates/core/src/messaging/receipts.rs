//! How far messages got: delivered (said by the server), read (said by the peer, encrypted), unread.

use kabar_protocol::{
    ids::{AccountId, ClientMessageId, ConversationId},
    limits::{DELIVERY_RECEIPTS_PER_ACK_MAX, RECEIPTS_PER_REQUEST_MAX},
    wire::{self, MessageClass, client_frame::Body, send_outcome, server_frame},
};

use super::{
    Chat, Place, Row,
    content::About,
    order::{covers, rows_between, server_seq},
};
use crate::{
    api::{ApiError, FeedItem, Key, MessageState, Notification, Reply, TimeMs, Value},
    commands::refusal,
    connection::{Answer, Purpose},
    state::{State, Work},
    store::{self, keys},
    tx::{Range, Rows, Step},
};

/// Read receipts of one conversation go out at most this often; each says everything up to its place.
const READ_RECEIPT_PAUSE_MS: TimeMs = 1_000;
/// In a group, the pause is as many times longer as it has so many other members.
const MEMBERS_PER_PAUSE: usize = 8;
/// Rows looked through for one change of marks.
const ROWS_PER_MARK: u32 = 200;
/// Conversations in one acknowledgement.
const DELIVERED_PER_ACK: usize = 500;

impl State {
    /// Sends one acknowledgement for everything that the last batch made durable.
    pub(crate) fn acknowledge(&mut self) {
        if !self.connection.ack_due || !self.connection.has_session() {
            return;
        }
        self.connection.ack_due = false;
        let due = self.chats.values().filter(|chat| self.owes_delivery(chat));
        let delivered: Vec<_> = due
            .map(|chat| (chat.conversation, chat.received_seq))
            .take(DELIVERED_PER_ACK)
            .collect();
        let ack = wire::Ack {
            cursor: self.cursor.inbox,
            delivered: delivered
                .iter()
                .map(|(conversation, seq)| wire::DeliveredUpTo {
                    conversation_id: conversation.to_bytes(),
                    seq: server_seq(*seq),
                })
                .collect(),
            client_seq: self.cursor.client_seq,
            receipts: self.signed_receipts(),
        };
        let places = ack.receipts.iter().filter_map(|receipt| {
            let conversation = ConversationId::from_slice(&receipt.conversation_id).ok()?;
            Some((conversation, receipt.seq))
        });
        let receipts = places.collect();
        self.connection.enqueue(crate::connection::Request {
            purpose: Purpose::Ack { delivered, receipts },
            body: Body::Ack(ack),
            serial: self.connection.serial,
            deadline: TimeMs::MAX,
        });
    }

    pub(crate) fn has_unacknowledged(&self) -> bool {
        !self.owed.is_empty() || self.chats.values().any(|chat| self.owes_delivery(chat))
    }

    /// What came in an earlier timeline has no number that this server knows.
    fn owes_delivery(&self, chat: &Chat) -> bool {
        chat.received_seq > chat.received_acked_seq && self.is_of_this_timeline(chat.received_seq)
    }

    /// Remembered in the chat, and written with its next change: saying it twice does no harm.
    pub(crate) fn ack_answered(
        &mut self,
        delivered: &[(ConversationId, u64)],
        receipts: &[(ConversationId, u64)],
        answer: &Answer,
    ) {
        if answer.is_err() {
            return;
        }
        self.receipts_taken(receipts);
        for (conversation, seq) in delivered {
            if let Some(chat) = self.chats.get_mut(conversation) {
                chat.received_acked_seq = chat.received_acked_seq.max(*seq);
            }
        }
        // More than one acknowledgement holds.
        let full = delivered.len() == DELIVERED_PER_ACK || receipts.len() == DELIVERY_RECEIPTS_PER_ACK_MAX;
        self.connection.ack_due |= full;
    }

    /// After an absence: how far our messages got in the meantime.
    pub(crate) fn fetch_receipts(&mut self) {
        let waiting = self
            .chats
            .values()
            .filter(|chat| chat.own_seq > 0 && self.state_of(chat, chat.own_seq) == MessageState::Sent);
        let ids: Vec<_> = waiting.map(|chat| chat.conversation.to_bytes()).collect();
        for page in ids.chunks(RECEIPTS_PER_REQUEST_MAX) {
            let fetch = wire::FetchReceipts {
                conversation_ids: page.to_vec(),
            };
            self.request(Purpose::Receipts, Body::FetchReceipts(fetch));
        }
    }

    pub(crate) fn receipts_answered(&mut self, answer: &Answer) {
        if let Ok(server_frame::Body::Receipts(page)) = answer {
            page.receipts.iter().for_each(|delivered| self.delivered(delivered));
        }
    }

    pub(crate) fn delivered(&mut self, delivered: &wire::Delivered) {
        if let (Ok(conversation), Ok(account)) = (
            ConversationId::from_slice(&delivered.conversation_id),
            AccountId::from_slice(&delivered.account_id),
        ) {
            self.move_mark(conversation, account, delivered.seq, MessageState::Delivered);
        }
    }

    /// Our messages up to the server's number `to` have got one state further with this account.
    pub(super) fn move_mark(&mut self, conversation: ConversationId, account: AccountId, to: u64, state: MessageState) {
        // Who does not say what he has read is not told either.
        let state = if self.privacy().read_receipts {
            state
        } else {
            MessageState::Delivered
        };
        let (timelines, to) = (self.cursor.timelines, self.local_seq(to));
        let moved = self.with_marks(conversation, account, |marks, own_seq| {
            marks.enter_timeline(timelines, own_seq);
            let delivered = marks.delivered_now.max(marks.read_now);
            (delivered, marks.advance(to, state))
        });
        let Some((delivered, from)) = moved.filter(|(_, from)| to > *from) else {
            return;
        };
        self.save_marks(conversation);
        if self.is_business() && state == MessageState::Read && to > delivered {
            self.tell_delivered(conversation, account, delivered, to);
        }
        if self.teams.contains_key(&conversation) {
            return self.group_marks_moved(conversation, Some(account), state);
        }
        self.work.push_back(Work::Marks {
            conversation,
            by: account,
            from,
            to,
            state,
        });
    }

    /// A business is told of each step, although what was read has been delivered.
    fn tell_delivered(&mut self, conversation: ConversationId, by: AccountId, from: u64, to: u64) {
        self.work.push_back(Work::Marks {
            conversation,
            by,
            from,
            to,
            state: MessageState::Delivered,
        });
    }

    /// The peer may have a message before we know that the server has it: the mark was there first.
    pub(super) fn show_early_marks(&mut self, conversation: ConversationId, seq: u64) {
        let Some(chat) = self.chats.get(&conversation) else {
            return;
        };
        let state = self.state_of(chat, seq);
        if state == MessageState::Sent {
            return;
        }
        let Some(peer) = chat.peer() else {
            return self.group_marks_moved(conversation, self.my_account(), state);
        };
        if self.is_business() && state == MessageState::Read {
            self.tell_delivered(conversation, peer, seq.saturating_sub(1), seq);
        }
        self.work.push_back(Work::Marks {
            conversation,
            by: peer,
            from: seq.saturating_sub(1),
            to: seq,
            state,
        });
    }

    /// Shows the own messages that the mark of `by` has reached on its way from `from` to `to`.
    pub(crate) fn show_marks(
        &mut self,
        conversation: ConversationId,
        by: AccountId,
        (from, to): (u64, u64),
        state: MessageState,
    ) -> Step {
        let rows = self.rows_of_marks(conversation, from, to)?;
        let rows = rows.iter().filter_map(|(_, value)| store::decode::<Row>(value).ok());
        let me = self.my_account();
        let Some(chat) = self.chats.get(&conversation) else {
            return Ok(());
        };
        let own = rows.filter(|row| row.sub == 0 && Some(row.from) == me);
        let reached: Vec<Row> = match self.teams.get(&conversation) {
            // With the slowest of those whom it was for; each is shown once.
            Some(team) => {
                let shown = match state {
                    MessageState::Read => team.shown_read,
                    _ => team.shown_delivered,
                };
                own.filter(|row| row.seq > shown && self.state_of(chat, row.seq) >= state)
                    .collect()
            }
            None => {
                let settled = match state {
                    MessageState::Read => chat.peer_read_seq,
                    _ => chat.peer_delivered_seq.max(chat.peer_read_seq),
                };
                let covers = |mark, seq| covers(mark, seq, chat.begun_in);
                own.filter(|row| row.seq > settled && covers(to, row.seq) && !covers(from, row.seq))
                    .collect()
            }
        };
        self.shown_up_to(conversation, reached.iter().map(|row| row.seq).max(), state);
        reached
            .iter()
            .rev()
            .for_each(|row| self.mark_moved(conversation, by, row, state));
        self.say_chat(conversation);
        Ok(())
    }

    /// The rows up to `to` among which are those that the mark has reached, newest first.
    fn rows_of_marks(&mut self, conversation: ConversationId, from: u64, to: u64) -> Step<Rows> {
        let begun_in = self.chats.get(&conversation).map_or(0, |chat| chat.begun_in);
        let direct = !self.teams.contains_key(&conversation);
        let few = rows_between(begun_in, from, to).filter(|rows| direct && *rows < ROWS_PER_MARK);
        let rows_up_to = |limit| Range {
            prefix: keys::messages(conversation),
            from: keys::message(conversation, to.saturating_add(1), 0),
            limit,
            reverse: true,
        };
        if let Some(few) = few {
            let rows = self.range(rows_up_to(few))?;
            let behind = |(key, _): &(Key, Value)| *key < keys::message(conversation, from.saturating_add(1), 0);
            if rows.len() < few as usize || rows.last().is_some_and(behind) {
                return Ok(rows);
            }
        }
        self.range(rows_up_to(ROWS_PER_MARK))
    }

    fn shown_up_to(&mut self, conversation: ConversationId, newest: Option<u64>, state: MessageState) {
        if let (Some(team), Some(newest)) = (self.teams.get_mut(&conversation), newest) {
            team.shown_delivered = team.shown_delivered.max(newest);
            if state == MessageState::Read {
                team.shown_read = team.shown_read.max(newest);
            }
            self.save_team(conversation);
        }
    }

    fn mark_moved(&mut self, conversation: ConversationId, by: AccountId, row: &Row, state: MessageState) {
        let Some(chat) = self.chats.get(&conversation) else {
            return;
        };
        let message = self.row_view(chat, row);
        self.notify(Notification::Message { message });
        self.feed_mark(conversation, by, row, state);
    }

    /// Tells a script how far a message of ours has come.
    pub(super) fn feed_state(&mut self, conversation: ConversationId, row: &Row, state: MessageState) {
        let by = self.chats.get(&conversation).and_then(Chat::peer);
        if let Some(by) = by.or_else(|| self.my_account()) {
            self.feed_mark(conversation, by, row, state);
        }
    }

    fn feed_mark(&mut self, conversation: ConversationId, by: AccountId, row: &Row, state: MessageState) {
        if !self.feeds() {
            return;
        }
        let by = self.person(by);
        self.add_feed(FeedItem {
            position: 0,
            message_id: row.message_id,
            conversation_id: conversation,
            from: by,
            kind: "receipt".into(),
            about: Vec::new(),
            text: None,
            shown: None,
            automated: false,
            forwarded: 0,
            in_reply_to: None,
            state: Some(state),
            request: false,
            flow: None,
            rsvp: None,
            vote: None,
            mentions_me: false,
            time: self.now,
        });
    }

    /// Seen up to and including a message; `accept` answers a stranger's request as well.
    pub(crate) fn mark_read(&mut self, place: Place, accept: bool) -> Step<Result<Reply, ApiError>> {
        let conversation = place.conversation;
        let Some(chat) = self.chats.get(&conversation) else {
            return Ok(Err(refusal(
                "conversation_unknown",
                "no such conversation on this device",
            )));
        };
        let accepted = accept && chat.request;
        if place.seq <= chat.read_seq && chat.unread == 0 && !accepted && !chat.arranged.unread {
            return Ok(Ok(Reply::Done));
        }
        let rows = self.range(Range {
            prefix: keys::messages(conversation),
            from: keys::message(conversation, place.seq, u32::MAX),
            limit: 1000,
            reverse: false,
        })?;
        let me = self.my_account();
        let later = rows.iter().filter_map(|(_, value)| store::decode::<Row>(value).ok());
        let unread = later
            .filter(|row| row.seq > place.seq && row.sub == 0 && Some(row.from) != me)
            .count();
        let silent = !self.privacy().read_receipts;
        // Nothing changes before the rows are here: until then this runs again.
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.request &= !accepted;
            chat.arranged.unread = false;
            chat.read_seq = chat.read_seq.max(place.seq);
            if silent {
                // Nor is it said later.
                chat.read_sent_seq = chat.read_sent_seq.max(chat.read_seq.min(chat.received_seq));
            }
            chat.unread = u32::try_from(unread).unwrap_or(u32::MAX).min(chat.unread);
            chat.mentioned.retain(|(seq, _)| *seq > place.seq);
        }
        self.save_chat(conversation);
        self.say_chat(conversation);
        self.due.insert(conversation);
        Ok(Ok(Reply::Done))
    }

    /// True if the peer has to be told how far we have read. Strangers are not told before they are answered.
    pub(crate) fn owes_read_receipt(&self, chat: &Chat) -> bool {
        let seen = chat.read_seq.min(chat.received_seq);
        // A number of an earlier timeline may be another message's by now.
        self.privacy().read_receipts
            && seen > chat.read_sent_seq
            && self.is_of_this_timeline(seen)
            && !chat.request
            && chat.group.is_some()
            && !chat.lost
    }

    /// True if one is owed and nothing has to come before it.
    pub(super) fn may_send_read_receipt(&self, chat: &Chat) -> bool {
        let held = self.live.get(&chat.conversation).is_some_and(|live| {
            let pause = self.receipt_pause(chat);
            live.receipt_in_flight || live.draining || live.receipt_at + pause > self.now
        });
        self.owes_read_receipt(chat) && !held
    }

    /// The group is loaded.
    pub(super) fn send_read_receipt(&mut self, conversation: ConversationId) {
        let Some((seq, slot)) = self
            .chats
            .get(&conversation)
            .filter(|chat| self.may_send_read_receipt(chat))
            .and_then(|chat| Some((chat.read_seq.min(chat.received_seq), chat.group?.slot)))
        else {
            return;
        };
        let body = wire::content::Body::ReadUpTo(wire::ReadUpTo { seq: server_seq(seq) });
        let Some((message, content)) = self.make_content(conversation, About::Nothing, body, &[], None) else {
            return;
        };
        let client = ClientMessageId(self.engine.random());
        if let Some(send) = self.seal(conversation, slot, message, client, MessageClass::Receipt, &content) {
            let live = self.live.entry(conversation).or_default();
            live.receipt_in_flight = true;
            live.receipt_at = self.now;
            self.request(Purpose::ReadReceipt(conversation, seq), Body::Send(send));
        }
    }

    pub(crate) fn read_receipt_answered(&mut self, conversation: ConversationId, seq: u64, answer: &Answer) {
        self.live.entry(conversation).or_default().receipt_in_flight = false;
        match answer {
            Ok(server_frame::Body::Send(wire::SendOutcome { outcome: Some(outcome) })) => match outcome {
                send_outcome::Outcome::Sent(_) => {
                    if let Some(chat) = self.chats.get_mut(&conversation) {
                        chat.read_sent_seq = chat.read_sent_seq.max(seq);
                    }
                    self.save_chat(conversation);
                }
                outcome => self.not_sent(conversation, outcome),
            },
            Ok(_) => self.pause(conversation, None),
            Err(failure) => self.pause(conversation, failure.error.retry_after_ms),
        }
        self.due.insert(conversation);
    }

    pub(super) fn receipt_due_at(&self, chat: &Chat, receipt_at: TimeMs) -> Option<TimeMs> {
        self.owes_read_receipt(chat)
            .then_some(receipt_at + self.receipt_pause(chat))
    }

    /// In a large group each receipt goes to many, and many send one: everybody takes his time.
    fn receipt_pause(&self, chat: &Chat) -> TimeMs {
        let members = self.teams.get(&chat.conversation).map_or(0, |team| team.marks.len());
        let factor = TimeMs::try_from(members / MEMBERS_PER_PAUSE).unwrap_or(1).max(1);
        READ_RECEIPT_PAUSE_MS * factor
    }
}
