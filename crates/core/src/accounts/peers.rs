//! Device lists: fetched, verified as a chain, and never older than the highest seen.

use kabar_protocol::{
    credential::Credential,
    device_list::DeviceList,
    ids::{AccountId, DeviceId},
    wire::{self, client_frame::Body, device_list_outcome::Outcome, server_frame},
};

use super::{Chain, Peer};
use crate::{
    api::{MessageKind, Notification},
    connection::{Answer, Purpose},
    messaging::Party,
    state::{State, Wait},
};

/// What our knowledge of an account says about one of its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Current,
    /// Was listed, and is not any more.
    Revoked,
    /// The list that it names is newer than ours, or we have none: fetch it.
    Unknown,
    /// Not of this account, or of a forked chain.
    Wrong,
}

impl State {
    pub(crate) fn list_of(&self, account: AccountId) -> Option<&DeviceList> {
        match &self.account {
            Some(me) if me.account == account => me.chain.list(),
            _ => self.peers.get(&account)?.chain.list(),
        }
    }

    pub(crate) fn judge(&self, credential: &Credential) -> Verdict {
        let Some(list) = self.list_of(credential.account) else {
            return Verdict::Unknown;
        };
        if credential.list_version > list.version {
            return Verdict::Unknown;
        }
        if !list.agrees(credential.list_version, &credential.list_hash) {
            return Verdict::Wrong;
        }
        match list.devices.iter().find(|device| device.id == credential.device) {
            Some(device) if device.revoked.is_none() => Verdict::Current,
            Some(_) => Verdict::Revoked,
            None => Verdict::Wrong,
        }
    }

    pub(crate) fn current_devices(&self, account: AccountId) -> Vec<DeviceId> {
        self.list_of(account)
            .map(|list| list.current().map(|device| device.id).collect())
            .unwrap_or_default()
    }

    pub(crate) fn refresh_own_list(&mut self, version: u32) {
        let Some(me) = self.my_account() else {
            return;
        };
        if self.list_of(me).is_none_or(|list| list.version < version) {
            self.ask_device_list(me);
        }
    }

    pub(crate) fn ask_device_list(&mut self, account: AccountId) {
        if !self.connection.is_asking(&Purpose::DeviceList(account)) {
            let fetch = wire::FetchDeviceList {
                account_id: account.to_bytes(),
                from_version: 0,
            };
            self.request(Purpose::DeviceList(account), Body::FetchDeviceList(fetch));
        }
    }

    /// Asks for all of them; says whose answer is the last to wait for.
    pub(crate) fn ask_device_lists(&mut self, accounts: Vec<AccountId>) -> Option<AccountId> {
        for account in &accounts {
            self.ask_device_list(*account);
        }
        accounts.last().copied()
    }

    /// Somebody whom we may come to write to, of whom nothing is known yet.
    pub(crate) fn know(&mut self, account: AccountId) {
        if self.my_account() != Some(account) && !self.peers.contains_key(&account) {
            self.peers.insert(account, Peer::new(account));
            self.save_peer(account);
        }
    }

    pub(crate) fn device_list_answered(&mut self, account: AccountId, answer: &Answer) {
        if let Ok(server_frame::Body::DeviceList(wire::DeviceListOutcome {
            outcome: Some(Outcome::List(list)),
        })) = answer
        {
            self.learn_list(account, list);
        }
        if self.inbox_wait == Some(Wait::DeviceList(account)) {
            self.inbox_wait = None;
        }
        self.wake_chats_with(account);
    }

    /// Takes over a list if it continues what we know. False if it does not verify: the server's answer is ignored.
    pub(crate) fn learn_list(&mut self, account: AccountId, list: &wire::DeviceList) -> bool {
        let Ok(fresh) = DeviceList::from_entries(&list.entries) else {
            return false;
        };
        if fresh.account != account {
            return false;
        }
        let known = self.list_of(account).cloned();
        if let Some(known) = &known {
            let continues = fresh.version >= known.version && fresh.agrees(known.version, &known.head_hash());
            if !continues {
                self.notify(Notification::Trouble {
                    reason: "device_list_forked".into(),
                    message: format!(
                        "The server showed a device list of account {account} that contradicts an earlier one. It was ignored."
                    ),
                });
                return false;
            }
            if fresh.version == known.version {
                return true;
            }
        }
        let chain = Chain::new(&list.entries);
        if self.my_account() == Some(account) {
            if let Some(me) = self.account.as_mut() {
                me.chain = chain;
            }
            self.save_account();
            return true;
        }
        self.peers.entry(account).or_insert_with(|| Peer::new(account)).chain = chain;
        self.save_peer(account);
        if let Some(known) = known {
            let ids = |list: &DeviceList| list.current().map(|device| device.id).collect::<Vec<_>>();
            if ids(&known) != ids(&fresh) {
                self.devices_changed(account);
            }
        }
        true
    }

    /// A person's devices are others than before: the threads with him say so.
    fn devices_changed(&mut self, account: AccountId) {
        let with = self.chats.values().filter(|chat| self.is_with(chat, account));
        let affected: Vec<_> = with.map(|chat| (chat.conversation, chat.party)).collect();
        for (conversation, party) in affected {
            if party == Party::Group {
                // In a group nobody compares numbers; the line says whose devices are others.
                self.add_notice_from(conversation, MessageKind::NoticeSafetyChanged, account);
                continue;
            }
            if let Some(chat) = self.chats.get_mut(&conversation) {
                chat.safety_changed = true;
            }
            self.add_notice(conversation, MessageKind::NoticeSafetyChanged);
        }
    }

    fn wake_chats_with(&mut self, account: AccountId) {
        let mine = self.my_account() == Some(account);
        let affected: Vec<_> = self
            .chats
            .values()
            .filter(|chat| mine || self.is_with(chat, account))
            .map(|chat| chat.conversation)
            .collect();
        self.due.extend(affected);
    }
}
