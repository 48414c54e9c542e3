//! The inbox: the device's queue at the server, item by item in cursor order.
//!
//! An item is taken in with everything that follows from it in one batch, and acknowledged after that batch. An item
//! that cannot be read never blocks the queue: it is set aside, and the thread says that something is missing.

use kabar_protocol::{
    content,
    ids::{AccountId, ConversationId, DeviceId, MessageId},
    limits::CIPHERTEXT_BYTES_MAX,
    mls_header::{self, ContentType},
    policy,
    wire::{self, MessageClass, content::Body, deliver::Kind},
};

use super::{
    Envelope, Place, Quarantined, changes,
    commits::Taken,
    content::{Forged, Opened, open},
    settings::is_setting,
};
use crate::{
    api::MessageState,
    mls::{Decrypted, Group},
    state::{State, Wait},
    store::{Blob, keys},
    tx::Step,
};

/// Quarantined envelopes that are kept, of all conversations together; a hostile server names as many as it likes.
const QUARANTINED_KEPT: u64 = 100;
/// Of each, so many bytes are kept: enough for any message, and for the head of a handshake.
const QUARANTINED_BYTES_MAX: usize = CIPHERTEXT_BYTES_MAX;

/// The clear part of an application message, read before anything is decrypted.
struct Outside {
    message_id: MessageId,
    bound: wire::AuthenticatedData,
    generation: u32,
    epoch: u64,
}

impl State {
    pub(crate) fn deliver(&mut self, item: &wire::Deliver) -> Step {
        // A device that is being replaced acknowledges nothing: the server drops its queue with it.
        if self.is_rolling_back() {
            return Ok(());
        }
        if item.cursor <= self.cursor.inbox {
            self.connection.ack_due = true;
            return Ok(());
        }
        if let Ok(conversation) = ConversationId::from_slice(&item.conversation_id) {
            self.take_in(conversation, &self.placed(item))?;
            self.heard_of(conversation);
        }
        self.inbox_waits = 0;
        self.cursor.inbox = item.cursor;
        self.save_cursor();
        self.connection.ack_due = true;
        Ok(())
    }

    /// The item with its place in our thread for the server's number.
    pub(super) fn placed(&self, item: &wire::Deliver) -> wire::Deliver {
        wire::Deliver {
            seq: self.local_seq(item.seq),
            ..item.clone()
        }
    }

    fn take_in(&mut self, conversation: ConversationId, item: &wire::Deliver) -> Step {
        // Out of a group, only a new invitation counts: what was on its way is not for us any more.
        if !self.takes_part(conversation) && item.kind() != Kind::Welcome {
            return Ok(());
        }
        match item.kind() {
            Kind::Welcome | Kind::Reset => self.take_welcome(conversation, item),
            Kind::Commit => self.take_queued_commit(conversation, item),
            Kind::Message => self.take_message(conversation, item),
            Kind::Withdrawn => self.take_withdrawn(conversation, item),
            Kind::Gone => {
                self.missed(conversation, item);
                self.lose(conversation);
                Ok(())
            }
            Kind::Unspecified => {
                self.quarantine(conversation, item);
                Ok(())
            }
        }
    }

    fn take_queued_commit(&mut self, conversation: ConversationId, item: &wire::Deliver) -> Step {
        match self.take_commit(conversation, item)? {
            Taken::Done => {}
            Taken::Needs(account) => {
                self.ask_device_list(account);
                if !self.inbox_waits_for(Wait::DeviceList(account))? {
                    self.lose(conversation);
                }
            }
            Taken::Ahead => self.catch_up(conversation)?,
            Taken::Bad => {
                self.quarantine(conversation, item);
                self.lose(conversation);
            }
        }
        Ok(())
    }

    /// The group is behind this item: a commit of ours may be on its way, or one of the others' was missed.
    fn catch_up(&mut self, conversation: ConversationId) -> Step {
        let Some(chat) = self.chats.get(&conversation) else {
            return Ok(());
        };
        if chat.lost {
            return Ok(());
        }
        let live = self.live.get(&conversation);
        let submitted = live
            .and_then(|live| live.busy)
            .is_some_and(|busy| matches!(busy, super::Control::Candidate | super::Control::Commit));
        let wait = if submitted {
            Wait::Outcome(conversation)
        } else {
            self.fetch_log(conversation);
            Wait::Log(conversation)
        };
        if !self.inbox_waits_for(wait)? {
            self.lose(conversation);
        }
        Ok(())
    }

    fn take_message(&mut self, conversation: ConversationId, item: &wire::Deliver) -> Step {
        let (Some((account, device)), Some(outside)) = (sender(item), outside(conversation, item)) else {
            self.quarantine(conversation, item);
            return Ok(());
        };
        if Some(device) == self.my_device() {
            return Ok(());
        }
        if let Some(place) = self.read::<Place>(keys::index(outside.message_id))? {
            self.owe_receipt_again(&place, account, item, outside.message_id);
            self.received_again(conversation, &place, item);
            return Ok(());
        }
        if self.is_candidate_ahead(conversation, outside.epoch) && !self.chat_reads(conversation, &outside)? {
            // The outcome of our own joining decides whether we can read this.
            if self.live.get(&conversation).is_none_or(|live| live.busy.is_none()) {
                self.submit_candidate(conversation);
            }
            if !self.inbox_waits_for(Wait::Outcome(conversation))? {
                self.missed(conversation, item);
            }
            return Ok(());
        }
        let Some(epoch) = self.load_group(conversation)?.map(Group::epoch) else {
            self.meet(conversation, Some(account));
            self.missed(conversation, item);
            self.lose(conversation);
            return Ok(());
        };
        let Some(group) = self.chats.get(&conversation).and_then(|chat| chat.group) else {
            return Ok(());
        };
        if (outside.generation, outside.epoch) > (group.generation, epoch) {
            self.catch_up(conversation)?;
        }
        self.follow_list_head(account, &outside.bound);
        let decrypted = self.on_group(conversation, group.slot, |state, group| {
            group.decrypt(&state.engine, &item.payload)
        });
        let Ok(decrypted) = decrypted else {
            self.missed(conversation, item);
            return Ok(());
        };
        let opened = self.open_decrypted(conversation, (account, device), item, &outside, &decrypted, epoch);
        match opened {
            Ok(opened) if self.is_unwanted(conversation, account, &opened.content) => {
                self.seen_up_to(conversation, item.seq);
                self.save_chat(conversation);
            }
            Ok(opened) => {
                self.owe_receipt(conversation, account, item, outside.message_id);
                self.received(conversation, account, item, &opened);
            }
            Err(_) => self.quarantine(conversation, item),
        }
        Ok(())
    }

    /// `epoch` is the group's, `from` whom the server names.
    fn open_decrypted(
        &self,
        conversation: ConversationId,
        from: (AccountId, DeviceId),
        item: &wire::Deliver,
        outside: &Outside,
        decrypted: &Decrypted,
        epoch: u64,
    ) -> Result<Opened, Forged> {
        let (account, class) = (from.0, item.class());
        let bound = content::authenticated_data(&decrypted.authenticated_data).map(|(id, _)| id);
        // An earlier epoch may have allowed more; the server took the message in then.
        let may_post = match self.teams.get(&conversation) {
            Some(team) if outside.epoch == epoch => policy::check_post(&team.policy, account, class).is_ok(),
            _ => true,
        };
        if (decrypted.sender.account, decrypted.sender.device) != from {
            Err(Forged::Sender)
        } else if bound != Some(outside.message_id) || outside.bound.class() != class {
            Err(Forged::Class)
        } else if !may_post {
            Err(Forged::Post)
        } else if self.is_forked(account, &outside.bound) {
            Err(Forged::Fork)
        } else {
            open(account, conversation, class, outside.message_id, &decrypted.content)
        }
    }

    fn is_candidate_ahead(&self, conversation: ConversationId, epoch: u64) -> bool {
        let candidate = self.chats.get(&conversation).and_then(|chat| chat.candidate.as_ref());
        candidate.is_some_and(|candidate| candidate.epoch <= epoch)
    }

    /// True if the group that we are in has the message's epoch.
    fn chat_reads(&mut self, conversation: ConversationId, outside: &Outside) -> Step<bool> {
        let Some(epoch) = self.load_group(conversation)?.map(Group::epoch) else {
            return Ok(false);
        };
        let generation = self
            .chats
            .get(&conversation)
            .and_then(|chat| chat.group)
            .map(|group| group.generation);
        Ok(generation == Some(outside.generation) && epoch >= outside.epoch)
    }

    /// The sender names the head of his list as he knows it: a newer one is fetched.
    fn follow_list_head(&mut self, account: AccountId, bound: &wire::AuthenticatedData) {
        if self
            .list_of(account)
            .is_none_or(|list| list.version < bound.device_list_version)
        {
            self.ask_device_list(account);
        }
    }

    /// The sender saw another chain than we did: the server shows different people different lists.
    fn is_forked(&self, account: AccountId, bound: &wire::AuthenticatedData) -> bool {
        let Ok(hash) = <[u8; 32]>::try_from(&bound.device_list_hash[..]) else {
            return true;
        };
        let known = self
            .list_of(account)
            .filter(|list| list.version >= bound.device_list_version);
        known.is_some_and(|list| !list.agrees(bound.device_list_version, &hash))
    }

    fn received(&mut self, conversation: ConversationId, account: AccountId, item: &wire::Deliver, opened: &Opened) {
        if let Some(Body::ReadUpTo(read)) = &opened.content.body {
            return self.move_mark(conversation, account, read.seq, MessageState::Read);
        }
        match &opened.content.body {
            Some(Body::FlowRequest(_)) => return self.flow_asked(conversation, account, item, opened),
            Some(Body::FlowResponse(_)) => return self.flow_answered(conversation, account, opened),
            _ => {}
        }
        self.take_profile(account, opened.content.profile.as_ref());
        if is_setting(&opened.content) {
            self.seen_up_to(conversation, item.seq);
            self.save_chat(conversation);
            return self.take_setting(conversation, account, &opened.content, item.seq);
        }
        if changes::target(&opened.content).is_some() {
            self.seen_up_to(conversation, item.seq);
            return self.change_came(conversation, account, item.time_ms, opened);
        }
        let mut row = opened.row(item.seq, account, item.time_ms);
        if row.expires_at.is_some_and(|at| at <= self.now) {
            // Its time was over before it came.
            return self.seen_up_to(conversation, item.seq);
        }
        self.hear_mentions(conversation, &mut row);
        let envelope = Envelope {
            device: sender(item).map_or(DeviceId([0; 16]), |(_, device)| device),
            class: item.class,
            payload: item.payload.to_vec().into(),
            stamp: item.stamp.to_vec().into(),
            content: opened.bytes.clone(),
        };
        let mine = self.my_account() == Some(account);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.in_gap = false;
            if item.class() == MessageClass::Content {
                chat.received_seq = chat.received_seq.max(item.seq);
            }
            if !mine && item.seq > chat.read_seq {
                chat.unread = chat.unread.saturating_add(1);
            }
        }
        self.typing_ended(conversation, account);
        if !mine {
            self.note_ticket(conversation, &row);
        }
        self.feed_row(conversation, &row);
        self.add_row(conversation, row, Some(envelope));
    }

    /// A message that is here. In a new timeline it has a new number, under which its sender waits to hear of it.
    fn received_again(&mut self, conversation: ConversationId, place: &Place, item: &wire::Deliver) {
        if item.class() != MessageClass::Content || place.conversation != conversation || item.seq <= place.seq {
            return;
        }
        self.seen_up_to(conversation, item.seq);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.received_seq = chat.received_seq.max(item.seq);
            if chat.unread == 0 && place.seq <= chat.read_seq {
                chat.read_seq = chat.read_seq.max(item.seq);
            }
        }
        self.save_chat(conversation);
        self.due.insert(conversation);
    }

    /// A message that we shall never read. Only what a person would have seen leaves a line in the thread.
    fn missed(&mut self, conversation: ConversationId, item: &wire::Deliver) {
        self.quarantine(conversation, item);
        self.seen_up_to(conversation, item.seq);
        if item.class() == MessageClass::Content || item.kind() == Kind::Gone {
            self.add_gap(conversation);
        }
    }

    /// Sets aside what could not be read; the oldest makes room in the same batch.
    pub(super) fn quarantine(&mut self, conversation: ConversationId, item: &wire::Deliver) {
        let payload = item.payload.get(..QUARANTINED_BYTES_MAX).unwrap_or(&item.payload);
        let quarantined = Quarantined {
            conversation,
            seq: item.seq,
            envelope: Envelope {
                device: sender(item).map_or(DeviceId([0; 16]), |(_, device)| device),
                class: item.class,
                payload: payload.to_vec().into(),
                stamp: item.stamp.to_vec().into(),
                content: Blob::default(),
            },
        };
        self.cursor.quarantined += 1;
        self.save_cursor();
        let number = self.cursor.quarantined;
        self.put(keys::quarantine(number), &quarantined);
        if let Some(old) = number.checked_sub(QUARANTINED_KEPT) {
            self.delete(keys::quarantine(old));
        }
    }
}

pub(super) fn sender(item: &wire::Deliver) -> Option<(AccountId, DeviceId)> {
    let sender = item.sender.as_ref()?;
    Some((
        AccountId::from_slice(&sender.account_id).ok()?,
        DeviceId::from_slice(&sender.device_id).ok()?,
    ))
}

/// Reads the header of the envelope; `None` if it is not an application message of this conversation.
fn outside(conversation: ConversationId, item: &wire::Deliver) -> Option<Outside> {
    let header = mls_header::private_header(&item.payload).ok()?;
    let (named, generation) = ConversationId::from_group_id(header.group_id)?;
    let fits =
        named == conversation && generation == item.generation && header.content_type == ContentType::Application;
    let (message_id, bound) = content::authenticated_data(header.authenticated_data)?;
    fits.then_some(Outside {
        message_id,
        bound,
        generation,
        epoch: header.epoch,
    })
}
