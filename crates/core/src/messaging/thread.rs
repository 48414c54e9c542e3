//! The thread: rows in their order, notices between them, and how both are shown.

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    wire,
};
use sha2::{Digest, Sha256};

use super::{Changes, Chat, Envelope, Intent, Party, Place, Row, once, roster::Notice};
use crate::{
    api::{
        ChangesView, ChatKind, ChatView, FeedItem, MessageKind, MessageState, MessageView, Notification, Seen, Shown,
    },
    state::State,
    store::keys,
    tx::Step,
};

/// Envelopes kept per conversation for "what the server sees".
const ENVELOPES_KEPT: u64 = 50;

impl State {
    pub(crate) fn save_chat(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get(&conversation).cloned() {
            self.put(keys::chat(conversation), &chat);
        }
    }

    pub(crate) fn say_chat(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get(&conversation) {
            let chat = self.chat_view(chat);
            self.notify(Notification::Chat { chat });
        }
    }

    pub(crate) fn chat_view(&self, chat: &Chat) -> ChatView {
        let queued = self
            .queued_messages(chat.conversation)
            .next_back()
            .map(|intent| self.intent_view(intent));
        let last = queued.or_else(|| chat.last.as_ref().map(|row| self.row_view(chat, row)));
        ChatView {
            conversation_id: chat.conversation,
            kind: match chat.party {
                Party::Group => ChatKind::Group,
                Party::Direct(peer) => match self.conversation_kind(chat.conversation, peer) {
                    wire::ConversationKind::Business => ChatKind::Business,
                    _ => ChatKind::Direct,
                },
            },
            peer: self.other_side(chat),
            group: self.group_summary(chat),
            muted_until: chat.muted_until.filter(|until| *until > self.now),
            pinned: chat.arranged.pinned,
            archived: chat.arranged.archived,
            marked_unread: chat.arranged.unread,
            draft: chat.arranged.draft.clone(),
            pins: self.pins_view(chat),
            timer_s: chat.timer_s,
            last,
            unread: chat.unread,
            mentions: chat.mentioned.iter().map(|(_, message)| *message).collect(),
            request: chat.request,
            safety_changed: chat.safety_changed,
            blocked: chat.peer().is_some_and(|peer| self.is_blocked(peer)),
            seen: Seen {
                here: self.is_here(chat.conversation),
                last: self.last_seen(chat),
            },
            lists: chat.arranged.lists.clone(),
            updated_at: chat.updated_at,
        }
    }

    pub(crate) fn row_view(&self, chat: &Chat, row: &Row) -> MessageView {
        let is_message = row.sub == 0 && !is_notice(row.kind);
        let mine = is_message && self.my_account() == Some(row.from);
        let state = if mine {
            self.state_of(chat, row.seq)
        } else {
            MessageState::Received
        };
        MessageView {
            message_id: row.message_id,
            conversation_id: chat.conversation,
            seq: Some(row.seq),
            from: self.person(row.from),
            mine,
            kind: row.kind,
            about: row.about.iter().map(|account| self.person(*account)).collect(),
            text: row.text.clone(),
            shown: row.shown.clone(),
            automated: row.automated,
            forwarded: row.forwarded,
            mentions: row.mentions.clone(),
            mentions_me: self.is_spoken_to(row),
            starred: row.starred,
            expires_at: row.expires_at,
            in_reply_to: row.in_reply_to,
            changes: self.changes_view(row),
            time: row.time,
            state,
            error: None,
        }
    }

    /// A message of any conversation, as it stands now.
    pub(crate) fn message_view(&mut self, message_id: MessageId) -> Step<Option<MessageView>> {
        let mut intents = self.intents.values();
        if let Some(intent) = intents.find(|intent| intent.message_id == message_id && intent.is_message()) {
            return Ok(Some(self.intent_view(intent)));
        }
        let Some(place) = self.read::<Place>(keys::index(message_id))? else {
            return Ok(None);
        };
        let row = self.read::<Row>(keys::message(place.conversation, place.seq, place.sub))?;
        let chat = self.chats.get(&place.conversation);
        Ok(chat.zip(row).map(|(chat, row)| self.row_view(chat, &row)))
    }

    pub(crate) fn intent_view(&self, intent: &Intent) -> MessageView {
        let me = self.my_account().unwrap_or(kabar_protocol::ids::AccountId([0; 16]));
        let state = if intent.failed.is_some() {
            MessageState::Failed
        } else {
            MessageState::Queued
        };
        MessageView {
            message_id: intent.message_id,
            conversation_id: intent.conversation,
            seq: None,
            from: self.person(me),
            mine: true,
            kind: intent.shown.as_ref().map_or(MessageKind::Text, Shown::kind),
            about: Vec::new(),
            text: Some(intent.text.clone()),
            shown: intent.shown.clone(),
            automated: self.is_business(),
            forwarded: intent.forwarded,
            mentions: intent.mentions.clone(),
            mentions_me: false,
            starred: false,
            expires_at: intent.expires_at,
            in_reply_to: intent.in_reply_to,
            changes: ChangesView::default(),
            time: intent.created_at,
            state,
            error: intent.failed.clone(),
        }
    }

    /// Intents of a conversation, oldest first.
    pub(crate) fn queued(&self, conversation: ConversationId) -> impl DoubleEndedIterator<Item = &Intent> {
        let range = (conversation, 0)..=(conversation, u64::MAX);
        self.intents.range(range).map(|(_, intent)| intent)
    }

    /// The same without what has no row of its own.
    pub(crate) fn queued_messages(&self, conversation: ConversationId) -> impl DoubleEndedIterator<Item = &Intent> {
        self.queued(conversation).filter(|intent| intent.is_message())
    }

    /// Puts a message into the thread and shows it.
    pub(crate) fn add_row(&mut self, conversation: ConversationId, row: Row, envelope: Option<Envelope>) {
        let place = Place {
            conversation,
            seq: row.seq,
            sub: row.sub,
        };
        self.put(keys::message(conversation, row.seq, row.sub), &row);
        self.put(keys::index(row.message_id), &place);
        self.note_expiry(place, &row, row.message_id);
        self.put_on_shelf(&place, &row);
        if self.my_account() == Some(row.from) {
            self.note_file_use(row.message_id, row.shown.as_ref());
        }
        if let Some(envelope) = envelope {
            self.put(keys::envelope(conversation, row.seq), &envelope);
            if let Some(old) = row.seq.checked_sub(ENVELOPES_KEPT) {
                self.delete(keys::envelope(conversation, old));
            }
        }
        self.seen_up_to(conversation, row.seq);
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        let newest = chat
            .last
            .as_ref()
            .is_none_or(|last| (last.seq, last.sub) < (row.seq, row.sub));
        if newest {
            chat.last = Some(row.clone());
            chat.updated_at = chat.updated_at.max(row.time);
        }
        if let Some(chat) = self.chats.get(&conversation) {
            let message = self.row_view(chat, &row);
            self.notify(Notification::Message { message });
        }
        self.save_chat(conversation);
        self.say_chat(conversation);
    }

    /// A line of the client's own after everything seen so far.
    pub(crate) fn add_notice(&mut self, conversation: ConversationId, kind: MessageKind) {
        let peer = self.chats.get(&conversation).and_then(Chat::peer);
        if let Some(from) = peer.or_else(|| self.my_account()) {
            self.add_notice_from(conversation, kind, from);
        }
    }

    pub(crate) fn add_notice_from(&mut self, conversation: ConversationId, kind: MessageKind, from: AccountId) {
        let notice = Notice {
            kind,
            from,
            about: Vec::new(),
            text: None,
            target: None,
        };
        self.add_notice_about(conversation, notice);
    }

    pub(super) fn add_notice_about(&mut self, conversation: ConversationId, notice: Notice) {
        let time = self.now;
        let Some(chat) = self.chats.get_mut(&conversation) else {
            return;
        };
        chat.notices += 1;
        let (seq, sub) = (chat.last_seq, chat.notices);
        let row = Row {
            message_id: notice_id(conversation, seq, sub),
            seq,
            sub,
            from: notice.from,
            kind: notice.kind,
            about: notice.about,
            text: notice.text,
            shown: None,
            automated: false,
            forwarded: 0,
            mentions: Vec::new(),
            starred: false,
            expires_at: None,
            in_reply_to: notice.target,
            changes: Changes::default(),
            time,
        };
        self.feed_row(conversation, &row);
        self.add_row(conversation, row, None);
    }

    /// Something that the peer sent cannot be read here: one line says so, however many are missing in a row.
    pub(crate) fn add_gap(&mut self, conversation: ConversationId) {
        if let Some(chat) = self.chats.get_mut(&conversation)
            && !chat.in_gap
        {
            chat.in_gap = true;
            self.add_notice(conversation, MessageKind::NoticeGap);
        }
    }

    pub(crate) fn feed_row(&mut self, conversation: ConversationId, row: &Row) {
        if !self.feeds() {
            return;
        }
        let request = self.chats.get(&conversation).is_some_and(|chat| chat.request);
        let mut shown = row.shown.clone();
        // A feed is kept longer than a look lasts.
        once::close(&mut shown);
        self.add_feed(FeedItem {
            position: 0,
            message_id: row.message_id,
            conversation_id: conversation,
            from: self.person(row.from),
            kind: kind_name(row.kind).into(),
            about: row.about.iter().map(|account| self.person(*account)).collect(),
            text: row.text.clone(),
            shown,
            automated: row.automated,
            forwarded: row.forwarded,
            in_reply_to: row.in_reply_to,
            state: None,
            request,
            flow: None,
            rsvp: None,
            vote: None,
            mentions_me: self.is_spoken_to(row),
            time: row.time,
        });
    }
}

/// A name of its own that no message can have: message ids begin with 1.
fn notice_id(conversation: ConversationId, seq: u64, sub: u32) -> MessageId {
    let mut hasher = Sha256::new();
    hasher.update(b"kabar/v1/notice");
    hasher.update(conversation.as_slice());
    hasher.update(seq.to_be_bytes());
    hasher.update(sub.to_be_bytes());
    let mut id: [u8; 32] = hasher.finalize().into();
    id[0] = 0;
    MessageId(id)
}

fn is_notice(kind: MessageKind) -> bool {
    kind_name(kind).starts_with("notice_")
}

fn kind_name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "text",
        MessageKind::Interactive => "interactive",
        MessageKind::InteractiveReply => "interactive_reply",
        MessageKind::Template => "template",
        MessageKind::Ticket => "ticket",
        MessageKind::File => "file",
        MessageKind::Event => "event",
        MessageKind::Poll => "poll",
        MessageKind::Location => "location",
        MessageKind::Contacts => "contacts",
        MessageKind::Deleted => "deleted",
        MessageKind::NoticeSafetyChanged => "notice_safety_changed",
        MessageKind::NoticeReset => "notice_reset",
        MessageKind::NoticeGap => "notice_gap",
        MessageKind::NoticeGroupCreated => "notice_group_created",
        MessageKind::NoticeGroupName => "notice_group_name",
        MessageKind::NoticeGroupDescription => "notice_group_description",
        MessageKind::NoticeGroupPhoto => "notice_group_photo",
        MessageKind::NoticeGroupSettings => "notice_group_settings",
        MessageKind::NoticeAdded => "notice_added",
        MessageKind::NoticeRemoved => "notice_removed",
        MessageKind::NoticeLeft => "notice_left",
        MessageKind::NoticeRole => "notice_role",
        MessageKind::NoticePinned => "notice_pinned",
        MessageKind::NoticeUnpinned => "notice_unpinned",
        MessageKind::NoticeTimer => "notice_timer",
        MessageKind::NoticeHistory => "notice_history",
        MessageKind::Unsupported => "unsupported",
    }
}

pub(crate) fn class_name(class: i32) -> &'static str {
    match wire::MessageClass::try_from(class) {
        Ok(wire::MessageClass::Content) => "content",
        Ok(wire::MessageClass::Receipt) => "receipt",
        Ok(wire::MessageClass::Reaction) => "reaction",
        Ok(wire::MessageClass::Edit) => "edit",
        Ok(wire::MessageClass::Control) => "control",
        _ => "unspecified",
    }
}
