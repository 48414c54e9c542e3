//! What is to be sent: each intent is a row from the wish to the server's acknowledgement. The outbox takes them from here.

use kabar_protocol::{
    ids::{ClientMessageId, ConversationId, MessageId},
    wire::{MessageClass, content::Body},
};

use super::{Intent, changes::class_of_change, content::About, once};
use crate::{
    api::{ApiError, BusinessSend, Mention, MessageView, Notification, Shown, TimeMs},
    commands::refusal,
    state::State,
    store::keys,
};

impl Intent {
    /// The class that it travels in.
    pub(super) fn class(&self) -> MessageClass {
        match MessageClass::try_from(self.class) {
            Ok(MessageClass::Unspecified) | Err(_) => MessageClass::Content,
            Ok(class) => class,
        }
    }

    /// How long the server tries to deliver it; 0: as long as it does anything else.
    pub(super) fn ttl_s(&self, now: TimeMs) -> u32 {
        let left = self.expires_at.map(|at| (at - now).max(1_000) / 1_000);
        left.map_or(0, |left| u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// False for what has no row of its own in the thread: changes of other messages, and what is for clients alone.
    pub(crate) fn is_message(&self) -> bool {
        self.class() == MessageClass::Content
    }
}

impl State {
    /// Queues a message that has been checked; it is durable with this batch.
    pub(crate) fn queue_message(
        &mut self,
        conversation: ConversationId,
        shown: &Shown,
        about: About,
        business: Option<BusinessSend>,
        mentions: &[Mention],
    ) -> Result<(u64, MessageView), ApiError> {
        self.check_wanted(conversation)?;
        self.begin_with_timer(conversation)?;
        let mut intent = self.intend(conversation, MessageClass::Content, about, shown.body(), mentions)?;
        (intent.text, intent.shown) = (shown.text(), shown.clone().beside_text());
        once::close(&mut intent.shown);
        intent.business = business;
        if let About::Answers(answered) = about {
            intent.in_reply_to = Some(answered);
        }
        let (order, view) = (intent.order, self.intent_view(&intent));
        self.keep_intent(intent);
        self.note_file_use(view.message_id, Some(shown));
        if let Some(chat) = self.chats.get_mut(&conversation) {
            // Answering a stranger accepts him.
            chat.request = false;
            chat.updated_at = self.now;
            chat.arranged.unread = false;
            if matches!(shown, Shown::Text(_)) {
                chat.arranged.draft.clear();
            }
        }
        self.save_chat(conversation);
        self.notify(Notification::Message { message: view.clone() });
        self.say_chat(conversation);
        Ok((order, view))
    }

    /// Queues what is done to another message of the thread; its order.
    pub(super) fn queue_change(
        &mut self,
        conversation: ConversationId,
        target: MessageId,
        body: Body,
        mentions: &[Mention],
    ) -> Result<u64, ApiError> {
        if !matches!(body, Body::Deleted(_)) {
            self.check_wanted(conversation)?;
        }
        let class = class_of_change(&body);
        let about = match class {
            MessageClass::Edit => About::Replaces(target),
            _ => About::Answers(target),
        };
        let intent = self.intend(conversation, class, about, body, mentions)?;
        let order = intent.order;
        self.keep_intent(intent);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            // As an answer does.
            chat.request = false;
        }
        Ok(order)
    }

    /// Queues a message that is not for the thread; with a command, its answer comes when the server has it.
    pub(crate) fn queue_control(
        &mut self,
        conversation: ConversationId,
        body: Body,
        command: Option<u64>,
    ) -> Result<(), ApiError> {
        let intent = self.intend(conversation, MessageClass::Control, About::Nothing, body, &[])?;
        if let Some(command_id) = command {
            self.waiting.sends.insert(intent.order, command_id);
        }
        self.keep_intent(intent);
        self.save_chat(conversation);
        Ok(())
    }

    fn intend(
        &mut self,
        conversation: ConversationId,
        class: MessageClass,
        about: About,
        body: Body,
        mentions: &[Mention],
    ) -> Result<Intent, ApiError> {
        let expires_at = self.expiry_of(conversation, class);
        let Some((message_id, content)) = self.make_content(conversation, about, body, mentions, expires_at) else {
            return Err(refusal("no_account", "register first"));
        };
        self.cursor.next_intent += 1;
        self.save_cursor();
        Ok(Intent {
            conversation,
            order: self.cursor.next_intent,
            client_message_id: ClientMessageId(self.engine.random()),
            message_id,
            content: content.into(),
            text: String::new(),
            shown: None,
            class: class.into(),
            business: None,
            forwarded: match about {
                About::Forwards(times) => times,
                _ => 0,
            },
            mentions: mentions.to_vec(),
            expires_at,
            in_reply_to: None,
            created_at: self.now,
            failed: None,
        })
    }

    fn keep_intent(&mut self, intent: Intent) {
        self.put(keys::intent(intent.conversation, intent.order), &intent);
        self.due.insert(intent.conversation);
        self.intents.insert((intent.conversation, intent.order), intent);
    }
}
