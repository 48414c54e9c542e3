//! The inbox: the device's queue at the server, item by item in cursor order.
//!
//! An item is taken in with everything that follows from it in one batch, and acknowledged after that batch. An item
//! that cannot be read never blocks the queue: it is set aside, and the thread says that something is missing.

use std::collections::btree_map::Entry;

use kabar_protocol::{
    content,
    ids::{AccountId, ConversationId, DeviceId, MessageId},
    limits::CIPHERTEXT_BYTES_MAX,
    mls_header::{self, ContentType},
    policy::{self, GroupFacts},
    wire::{self, MessageClass, content::Body, deliver::Kind},
};
use sha2::{Digest as _, Sha256};

use super::{
    Chat, Envelope, GroupRef, Place, Quarantined, changes,
    commits::Taken,
    content::{Forged, Opened, open},
};
use crate::{
    accounts::Peer,
    api::{MessageKind, MessageState},
    mls::{self, Group, Storage},
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
        match item.kind() {
            Kind::Welcome | Kind::Reset => self.take_welcome(conversation, item),
            Kind::Commit => self.take_queued_commit(conversation, item),
            Kind::Message => self.take_message(conversation, item),
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

    /// A Welcome into a new conversation, into the next generation of one, or into one that a restored server begins
    /// anew: then our group is of an earlier timeline, and whatever generation it had does not count.
    fn take_welcome(&mut self, conversation: ConversationId, item: &wire::Deliver) -> Step {
        let chat = self.chats.get(&conversation);
        let known = chat.and_then(|chat| chat.group);
        let again = known.is_some_and(|group| group.generation >= item.generation);
        // The same Welcome again would bring used keys back.
        let had = chat.is_some_and(|chat| chat.welcome == Some(digest(&item.payload)));
        if had || (again && !self.is_unchecked(conversation)) {
            if known.is_none() {
                self.lose(conversation);
            }
            return Ok(());
        }
        let last = match self.load_group(conversation)? {
            Some(group) if !again => group.facts().ok(),
            _ => None,
        };
        let mut packages = Vec::new();
        for key in mls::welcome_keys(&item.payload).unwrap_or_default() {
            if let Some(value) = self.read_raw(key.clone())? {
                packages.push((key, value));
            }
        }
        let slot = self.chats.get(&conversation).map_or(0, |chat| chat.next_slot) + 1;
        let mut missing = Vec::new();
        let storage = Storage::new(keys::group_slot(conversation, slot), packages);
        let joined = Group::join(&self.engine, storage, &item.payload, |id, generation, facts| {
            if id != conversation || generation != item.generation {
                return Err(policy::PolicyError::GroupPolicy);
            }
            if let Some(last) = &last {
                policy::check_reset(last, facts)?;
            }
            self.check_entered(conversation, generation, facts, &mut missing)
        });
        match (joined, missing.first().copied()) {
            (Ok(group), _) => self.welcomed(conversation, slot, group, item),
            // Not for us any more, or an old one: the group that we have will be compared with the server's.
            (Err(_), None) if again => {}
            (Err(_), Some(account)) => {
                self.ask_device_list(account);
                if !self.inbox_waits_for(Wait::DeviceList(account))? {
                    self.not_welcomed(conversation, item);
                }
            }
            (Err(_), None) => self.not_welcomed(conversation, item),
        }
        Ok(())
    }

    fn welcomed(&mut self, conversation: ConversationId, slot: u32, group: Group, item: &wire::Deliver) {
        let known = self.chats.get(&conversation).is_some_and(|chat| chat.group.is_some());
        let reset = known && item.kind() == Kind::Reset;
        let Some(peer) = group.facts().ok().and_then(|facts| self.other_account(&facts)) else {
            return self.not_welcomed(conversation, item);
        };
        self.open_chat_with(conversation, peer, true);
        self.keep_group(conversation, slot, group);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.next_slot = slot;
            chat.welcome = Some(digest(&item.payload));
        }
        if item.kind() == Kind::Welcome {
            self.begins(conversation);
        }
        // A group of our own making lost against this one.
        self.drop_candidate(conversation);
        let group = GroupRef {
            slot,
            generation: item.generation,
            timeline: self.cursor.timelines,
        };
        self.adopt(conversation, group, item.seq);
        if reset {
            self.add_notice(conversation, MessageKind::NoticeReset);
        }
    }

    /// A Welcome that we cannot use: the server counts us in all the same, so we join by ourselves.
    fn not_welcomed(&mut self, conversation: ConversationId, item: &wire::Deliver) {
        self.quarantine(conversation, item);
        let sender = item
            .sender
            .as_ref()
            .and_then(|sender| AccountId::from_slice(&sender.account_id).ok());
        self.meet(conversation, sender);
        self.lose(conversation);
    }

    fn other_account(&self, facts: &GroupFacts) -> Option<AccountId> {
        let me = self.my_account()?;
        facts.roster().into_iter().find(|account| *account != me)
    }

    /// Makes the chat with `sender` if `conversation` is the direct one with him.
    fn meet(&mut self, conversation: ConversationId, sender: Option<AccountId>) {
        if let (Some(me), Some(peer)) = (self.my_account(), sender)
            && me != peer
            && [ConversationId::direct(me, peer), ConversationId::business(me, peer)].contains(&conversation)
        {
            self.open_chat_with(conversation, peer, true);
        }
    }

    /// `by_peer`: he began it, which makes it a request unless we know it already.
    pub(crate) fn open_chat_with(&mut self, conversation: ConversationId, peer: AccountId, by_peer: bool) {
        if let Entry::Vacant(unknown) = self.peers.entry(peer) {
            unknown.insert(Peer::new(peer));
            self.save_peer(peer);
        }
        if !self.chats.contains_key(&conversation) {
            let mut chat = Chat::new(conversation, peer, self.now);
            chat.request = by_peer;
            self.chats.insert(conversation, chat);
            self.save_chat(conversation);
        }
        if self.conversation_kind(conversation, peer) == wire::ConversationKind::Business {
            self.ask_card(peer);
        }
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
        let class = item.class();
        let opened = if (decrypted.sender.account, decrypted.sender.device) != (account, device) {
            Err(Forged::Sender)
        } else if content::authenticated_data(&decrypted.authenticated_data).map(|(id, _)| id)
            != Some(outside.message_id)
            || outside.bound.class() != class
        {
            Err(Forged::Class)
        } else if self.is_forked(account, &outside.bound) {
            Err(Forged::Fork)
        } else {
            open(account, conversation, class, outside.message_id, &decrypted.content)
        };
        match opened {
            Ok(opened) => {
                self.owe_receipt(conversation, account, item, outside.message_id);
                self.received(conversation, account, item, &opened);
            }
            Err(_) => self.quarantine(conversation, item),
        }
        Ok(())
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
        if changes::target(&opened.content).is_some() {
            self.seen_up_to(conversation, item.seq);
            return self.change_came(conversation, account, item.time_ms, opened);
        }
        let row = opened.row(item.seq, account, item.time_ms);
        let envelope = Envelope {
            device: sender(item).map_or(DeviceId([0; 16]), |(_, device)| device),
            class: item.class,
            payload: item.payload.to_vec().into(),
            stamp: item.stamp.to_vec().into(),
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
    fn quarantine(&mut self, conversation: ConversationId, item: &wire::Deliver) {
        let payload = item.payload.get(..QUARANTINED_BYTES_MAX).unwrap_or(&item.payload);
        let quarantined = Quarantined {
            conversation,
            seq: item.seq,
            envelope: Envelope {
                device: sender(item).map_or(DeviceId([0; 16]), |(_, device)| device),
                class: item.class,
                payload: payload.to_vec().into(),
                stamp: item.stamp.to_vec().into(),
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

fn digest(welcome: &[u8]) -> Blob {
    Sha256::digest(welcome).to_vec().into()
}

fn sender(item: &wire::Deliver) -> Option<(AccountId, DeviceId)> {
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
