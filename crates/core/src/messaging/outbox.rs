//! The outbox: intents from the wish to the server's acknowledgement.

use kabar_protocol::{
    ids::{ClientMessageId, ConversationId, MessageId},
    limits::IDEMPOTENCY_RETENTION_DAYS,
    policy,
    wire::{self, MessageClass, client_frame::Body, send_outcome, server_frame},
};

use prost::Message as _;

use super::{Changes, Envelope, Intent, Row, not_in_group};
use crate::{
    api::{ApiError, BusinessSend, MessageKind, MessageState, Notification, Reply, Shown, TimeMs},
    commands::refusal,
    connection::{Answer, Failure, Purpose},
    state::State,
    store::{Blob, keys},
    tx::Step,
};

/// Messages of one conversation that may be on their way at a time.
const WINDOW: usize = 8;
const INTENT_AGE_MAX_MS: TimeMs = IDEMPOTENCY_RETENTION_DAYS as TimeMs * 86_400_000;
/// First pause after a failure that may pass; doubles up to a minute.
const RETRY_MS: TimeMs = 1_000;
const RETRY_MAX_MS: TimeMs = 60_000;
/// How long the commit that makes our epoch stale may take to arrive before it is fetched.
const BEHIND_MS: TimeMs = 3_000;

impl State {
    /// Encrypts and sends what the window allows. The group is loaded.
    pub(super) fn publish(&mut self, conversation: ConversationId) -> Step {
        self.fail_old_intents(conversation);
        self.fail_forbidden_intents(conversation);
        let Some(group) = self.chats.get(&conversation).and_then(|chat| chat.group) else {
            return Ok(());
        };
        let live = self.live.entry(conversation).or_default();
        if live.draining {
            return Ok(());
        }
        let free = WINDOW.saturating_sub(live.in_flight.len());
        let in_flight: Vec<u64> = live.in_flight.keys().copied().collect();
        let ready: Vec<Intent> = self
            .queued(conversation)
            .filter(|intent| intent.failed.is_none() && !in_flight.contains(&intent.order))
            .take(free)
            .cloned()
            .collect();
        for intent in ready {
            let content = intent.content.clone();
            let Some(mut send) = self.seal(
                conversation,
                group.slot,
                intent.message_id,
                intent.client_message_id,
                intent.class(),
                &content,
            ) else {
                self.lose(conversation);
                return Ok(());
            };
            send.business = intent.business.map(BusinessSend::wire);
            send.ttl_s = intent.ttl_s(self.now);
            let live = self.live.entry(conversation).or_default();
            live.in_flight.insert(intent.order, send.ciphertext.to_vec());
            self.request(Purpose::Send(conversation, intent.order), Body::Send(send));
        }
        Ok(())
    }

    /// What we may not write in this group, now that everything that waited for us is known.
    fn fail_forbidden_intents(&mut self, conversation: ConversationId) {
        let Some((team, me)) = self.teams.get(&conversation).zip(self.my_account()) else {
            return;
        };
        let Err(rule) = policy::check_post(&team.policy, me, MessageClass::Content) else {
            return;
        };
        let waiting = self
            .queued(conversation)
            .filter(|intent| intent.failed.is_none() && intent.is_message());
        let orders: Vec<u64> = waiting.map(|intent| intent.order).collect();
        for order in orders {
            self.fail_intent(conversation, order, refusal("not_allowed", &rule.to_string()));
        }
    }

    /// Encrypts content into a Send of the group in `slot`, which is loaded.
    pub(super) fn seal(
        &mut self,
        conversation: ConversationId,
        slot: u32,
        message: MessageId,
        client_message: ClientMessageId,
        class: MessageClass,
        content: &[u8],
    ) -> Option<wire::Send> {
        let key = self.account.as_ref()?.secret.key();
        let data = self.authenticated_data(message, class);
        let sealed = self.on_group(conversation, slot, |state, group| {
            let ciphertext = group.encrypt(&state.engine, &key, data, content)?;
            Ok((ciphertext, group.epoch(), group.generation()))
        });
        let (ciphertext, epoch, generation) = sealed.ok()?;
        if let Some(chat) = self.chats.get_mut(&conversation) {
            // Written with the chat's next change: a few that a crash takes do no harm.
            chat.key_update.count_message();
        }
        Some(wire::Send {
            conversation_id: conversation.to_bytes(),
            generation,
            epoch,
            client_message_id: client_message.to_bytes(),
            class: class.into(),
            ciphertext: ciphertext.into(),
            ttl_s: 0,
            client_seq: self.cursor.client_seq,
            business: None,
        })
    }

    pub(crate) fn send_answered(&mut self, conversation: ConversationId, order: u64, answer: &Answer) {
        let ciphertext = self.live.entry(conversation).or_default().in_flight.remove(&order);
        match answer {
            Ok(server_frame::Body::Send(wire::SendOutcome {
                outcome: Some(send_outcome::Outcome::Sent(sent)),
            })) => {
                self.live.entry(conversation).or_default().failures = 0;
                self.sent(conversation, order, sent, ciphertext);
            }
            Ok(server_frame::Body::Send(wire::SendOutcome {
                outcome: Some(send_outcome::Outcome::BusinessRefused(refused)),
            })) => {
                // What follows was encrypted after it and is judged by itself.
                self.fail_intent(conversation, order, business_refusal(refused));
            }
            Ok(server_frame::Body::Send(wire::SendOutcome { outcome: Some(outcome) })) => {
                self.live.entry(conversation).or_default().draining = true;
                self.not_sent(conversation, outcome);
            }
            Ok(_) => self.pause(conversation, None),
            Err(failure) => self.send_failed(conversation, order, failure),
        }
        let live = self.live.entry(conversation).or_default();
        if live.in_flight.is_empty() {
            live.draining = false;
        }
        self.due.insert(conversation);
    }

    /// The server has it: the intent becomes a row at its place.
    pub(super) fn sent(
        &mut self,
        conversation: ConversationId,
        order: u64,
        sent: &wire::send_outcome::Sent,
        ciphertext: Option<Vec<u8>>,
    ) {
        let (Some(me), Some(device)) = (self.my_account(), self.my_device()) else {
            return;
        };
        let Some(intent) = self.intents.remove(&(conversation, order)) else {
            return;
        };
        self.delete(keys::intent(conversation, order));
        let seq = self.local_seq(sent.seq);
        if !intent.is_message() {
            return self.passed_on(conversation, &intent, seq);
        }
        self.enter_timeline(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.own_seq = chat.own_seq.max(seq);
            chat.in_gap = false;
        }
        let row = Row {
            message_id: intent.message_id,
            seq,
            sub: 0,
            from: me,
            kind: intent.shown.as_ref().map_or(MessageKind::Text, Shown::kind),
            about: Vec::new(),
            text: Some(intent.text),
            shown: intent.shown,
            automated: self.is_business(),
            forwarded: intent.forwarded,
            mentions: intent.mentions,
            starred: false,
            expires_at: intent.expires_at,
            in_reply_to: intent.in_reply_to,
            changes: Changes::default(),
            time: sent.time_ms,
        };
        let envelope = ciphertext.map(|payload| Envelope {
            device,
            class: MessageClass::Content.into(),
            payload: payload.into(),
            stamp: sent.stamp.to_vec().into(),
            content: Blob::default(),
        });
        self.add_row(conversation, row.clone(), envelope);
        if self.is_business() {
            self.feed_state(conversation, &row, MessageState::Sent);
        }
        self.show_early_marks(conversation, seq);
        if let Some(command_id) = self.waiting.sends.remove(&order)
            && let Some(chat) = self.chats.get(&conversation)
        {
            let view = self.row_view(chat, &row);
            self.reply(command_id, Ok(Reply::Sent(view)));
        }
    }

    /// The server has a message that is not for the thread: what it says holds here, too.
    fn passed_on(&mut self, conversation: ConversationId, intent: &Intent, seq: u64) {
        self.seen_up_to(conversation, seq);
        self.save_chat(conversation);
        let command = self.waiting.sends.remove(&intent.order);
        if intent.class() != MessageClass::Control {
            // A change of another message: applied when it was queued.
            if let Some(command_id) = command {
                self.reply(command_id, Ok(Reply::Done));
            }
            return;
        }
        let content = wire::Content::decode(&intent.content[..]).ok();
        if let (Some(me), Some(content)) = (self.my_account(), content) {
            self.take_setting(conversation, me, &content, seq);
            self.answer_setting(conversation, &content, command);
        }
    }

    /// The server wants something first.
    pub(super) fn not_sent(&mut self, conversation: ConversationId, outcome: &send_outcome::Outcome) {
        match outcome {
            send_outcome::Outcome::StaleEpoch(server) => self.behind(conversation, server),
            send_outcome::Outcome::PendingRemoval(pending) => {
                let devices = pending.devices.iter();
                let named =
                    devices.filter_map(|address| kabar_protocol::ids::DeviceId::from_slice(&address.device_id).ok());
                let live = self.live.entry(conversation).or_default();
                live.to_remove.extend(named);
                live.failures = live.failures.saturating_add(1);
                if live.failures > 2 {
                    // Our lists do not say what the server says: no hurry.
                    self.pause(conversation, None);
                }
            }
            // Of messages of the thread only, and answered there.
            send_outcome::Outcome::Sent(_) | send_outcome::Outcome::BusinessRefused(_) => {}
        }
    }

    /// The server's group is in another epoch than ours was when we encrypted or committed.
    pub(super) fn behind(&mut self, conversation: ConversationId, server: &wire::EpochConflict) {
        let Some(group) = self.chats.get(&conversation).and_then(|chat| chat.group) else {
            return;
        };
        let ours = self
            .group_epoch(conversation, group.slot)
            .map(|epoch| (group.generation, epoch));
        match ours {
            Some(ours) if ours < (server.generation, server.epoch) => {
                let until = self.now + BEHIND_MS;
                self.live
                    .entry(conversation)
                    .or_default()
                    .behind_until
                    .get_or_insert(until);
            }
            // The server has gone back: a restored backup. Only its state counts.
            Some(ours) if ours > (server.generation, server.epoch) => self.lose(conversation),
            _ => {}
        }
    }

    pub(super) fn send_failed(&mut self, conversation: ConversationId, order: u64, failure: &Failure) {
        use wire::error::Code;
        self.live.entry(conversation).or_default().draining = true;
        match failure.kind {
            Code::Invalid | Code::Denied => self.fail_intent(conversation, order, failure.error.clone()),
            // The server does not know the group (any more), or not us in it.
            Code::NotFound => self.lose(conversation),
            Code::Unauthenticated => self.drop_connection(),
            _ => self.wait_after(conversation, &failure.error),
        }
    }

    /// The server cannot do it for now. The oldest message that waits says why.
    pub(super) fn wait_after(&mut self, conversation: ConversationId, error: &ApiError) {
        let oldest = self
            .queued_messages(conversation)
            .find(|intent| intent.failed.is_none());
        if let Some(mut message) = oldest.map(|intent| self.intent_view(intent)) {
            message.error = Some(error.clone());
            self.notify(Notification::Message { message });
        }
        self.pause(conversation, error.retry_after_ms);
    }

    /// Tries again later: when the server says so, or with growing pauses.
    pub(super) fn pause(&mut self, conversation: ConversationId, retry_after_ms: Option<u64>) {
        let now = self.now;
        let live = self.live.entry(conversation).or_default();
        live.failures = live.failures.saturating_add(1);
        let growing = (RETRY_MS << live.failures.min(8)).min(RETRY_MAX_MS);
        let asked = retry_after_ms.and_then(|ms| TimeMs::try_from(ms).ok()).unwrap_or(0);
        live.retry_at = Some(now + growing.max(asked));
    }

    pub(super) fn fail_intent(&mut self, conversation: ConversationId, order: u64, error: ApiError) {
        let key = (conversation, order);
        if self.is_business() || self.intents.get(&key).is_some_and(|intent| !intent.is_message()) {
            // A business's program has been told, and decides by itself whether to send another; of what has no line of its own in
            // the thread, the command is told.
            self.intents.remove(&(conversation, order));
            self.delete(keys::intent(conversation, order));
            if let Some(command_id) = self.waiting.sends.remove(&order) {
                self.reply(command_id, Err(error));
            }
            return;
        }
        let Some(intent) = self.intents.get_mut(&(conversation, order)) else {
            return;
        };
        intent.failed = Some(error.clone());
        let intent = intent.clone();
        self.put(keys::intent(conversation, order), &intent);
        let message = self.intent_view(&intent);
        self.notify(Notification::Message { message });
        self.say_chat(conversation);
        if let Some(command_id) = self.waiting.sends.remove(&order) {
            self.reply(command_id, Err(error));
        }
    }

    /// Everything that waits in a conversation which can never be begun.
    pub(super) fn fail_intents(&mut self, conversation: ConversationId, error: &ApiError) {
        let waiting = self.queued(conversation).filter(|intent| intent.failed.is_none());
        let orders: Vec<u64> = waiting.map(|intent| intent.order).collect();
        for order in orders {
            self.fail_intent(conversation, order, error.clone());
        }
    }

    /// The server forgets send attempts after a while; an older intent could arrive twice, so the person is asked.
    fn fail_old_intents(&mut self, conversation: ConversationId) {
        let too_old = self.now - INTENT_AGE_MAX_MS;
        let old = self
            .queued(conversation)
            .filter(|intent| intent.failed.is_none() && intent.created_at < too_old);
        let orders: Vec<u64> = old.map(|intent| intent.order).collect();
        for order in orders {
            let message = format!(
                "this message has waited for more than {IDEMPOTENCY_RETENTION_DAYS} days; send it again or forget it"
            );
            self.fail_intent(conversation, order, refusal("too_old", &message));
        }
    }

    pub(crate) fn resolve_failed(&mut self, message: MessageId, retry: bool) -> Result<Reply, ApiError> {
        let found = self
            .intents
            .values()
            .find(|intent| intent.message_id == message && intent.failed.is_some());
        let Some((conversation, order)) = found.map(|intent| (intent.conversation, intent.order)) else {
            return Err(refusal("not_failed", "no message with this id has failed to be sent"));
        };
        if retry {
            // Nothing of a group that we are out of is looked at any more: it would wait for ever.
            if !self.takes_part(conversation) {
                return Err(not_in_group());
            }
            if let Some(intent) = self.intents.get_mut(&(conversation, order)) {
                intent.failed = None;
                // A new attempt for a new while.
                intent.created_at = self.now;
                let intent = intent.clone();
                self.put(keys::intent(conversation, order), &intent);
                let message = self.intent_view(&intent);
                self.notify(Notification::Message { message });
            }
            self.due.insert(conversation);
        } else {
            if let Some(intent) = self.intents.remove(&(conversation, order)) {
                self.file_unused(intent.message_id, intent.shown.as_ref());
            }
            self.delete(keys::intent(conversation, order));
        }
        self.say_chat(conversation);
        Ok(Reply::Done)
    }
}

fn business_refusal(refused: &send_outcome::BusinessRefused) -> ApiError {
    use send_outcome::business_refused::Rule;
    let code = match refused.rule() {
        Rule::WindowClosed => "window_closed",
        Rule::Template => "template_refused",
        Rule::Balance => "balance_short",
        Rule::Unspecified => "business_refused",
    };
    refusal(code, &refused.message)
}
