//! A rolled-back store: the server has confirmed a higher client_seq than ours, so this home is an older copy.
//!
//! Its ratchets must not be used again. The home becomes a new device: the old key lists the new one and revokes
//! itself, all MLS state is dropped, and every conversation is joined again. The successor's key is stored before
//! anything is said to the server, so that a crash at any point goes on from there.

use kabar_protocol::{
    ids::DeviceId,
    wire::{
        self,
        client_frame::Body,
        device_list_entry_body::{Change, RevokeDevice},
        device_list_outcome::Outcome,
        server_frame,
    },
};

use super::{Secret, register};
use crate::{
    api::Notification,
    connection::{Answer, Purpose},
    messaging::Groups,
    state::{State, Work},
    store::keys,
};

impl State {
    pub(crate) fn roll_back(&mut self) {
        self.notify(Notification::Trouble {
            reason: "rolled_back".into(),
            message: "This device's data is older than what it has already sent, perhaps restored from a backup. It \
                      goes on as a new device; contacts are told that the safety of the chat has changed."
                .into(),
        });
        let secret = Secret::new(self.engine.random());
        if let Some(account) = self.account.as_mut() {
            account.successor.get_or_insert(secret);
        }
        self.save_account();
        self.groups = Groups::default();
        let conversations: Vec<_> = self.chats.keys().copied().collect();
        for conversation in conversations {
            if let Some(chat) = self.chats.get_mut(&conversation) {
                chat.forget_group();
            }
            self.save_chat(conversation);
        }
        self.work.push_back(Work::Purge(keys::GROUP.to_vec()));
        self.work.push_back(Work::Purge(keys::KEY_PACKAGE.to_vec()));
        self.continue_roll_back();
    }

    pub(crate) fn is_rolling_back(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.successor.is_some())
    }

    /// Every step begins with the list as the server has it: it may be newer than ours.
    fn continue_roll_back(&mut self) {
        if let Some(me) = self.my_account() {
            let fetch = wire::FetchDeviceList {
                account_id: me.to_bytes(),
                from_version: 0,
            };
            self.request(Purpose::Rollback, Body::FetchDeviceList(fetch));
        }
    }

    pub(crate) fn roll_back_answered(&mut self, answer: &Answer) {
        match answer {
            Ok(server_frame::Body::DeviceList(wire::DeviceListOutcome {
                outcome: Some(Outcome::List(list)),
            })) => {
                let Some(me) = self.my_account() else {
                    return;
                };
                if self.learn_list(me, list) {
                    self.replace_device();
                }
            }
            Ok(server_frame::Body::AppendDeviceListEntry(_)) => self.continue_roll_back(),
            _ => self.drop_connection(),
        }
    }

    fn replace_device(&mut self) {
        let Some(account) = &self.account else {
            return;
        };
        let (Some(successor), Some(list)) = (&account.successor, account.chain.list()) else {
            return;
        };
        let (old, new) = (account.secret.key(), successor.key());
        let entry = if list.current_device(DeviceId::of_key(&successor.public())).is_none() {
            let add = Change::AddDevice(register::device_key(successor));
            register::next_entry(list, add, self.now, &old, Some(&new))
        } else if list.current_device(account.device).is_some() {
            let revoke = Change::RevokeDevice(RevokeDevice {
                device_id: account.device.to_bytes(),
            });
            register::next_entry(list, revoke, self.now, &old, None)
        } else {
            self.become_successor();
            return;
        };
        let append = wire::AppendDeviceListEntry { entry: Some(entry) };
        self.request(Purpose::Rollback, Body::AppendDeviceListEntry(append));
    }

    /// From here on this home is the new device. False if there is none to become.
    pub(crate) fn become_successor(&mut self) -> bool {
        let Some(account) = self.account.as_mut() else {
            return false;
        };
        let Some(successor) = account.successor.take() else {
            return false;
        };
        account.device = DeviceId::of_key(&successor.public());
        account.secret = successor;
        self.save_account();
        self.cursor.inbox = 0;
        self.cursor.client_seq = 0;
        self.cursor.publish_key_packages = true;
        self.save_cursor();
        self.say_account();
        self.drop_connection();
        true
    }
}
