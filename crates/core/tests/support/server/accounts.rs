//! Accounts of the stand-in: who they are, their device lists, their key packages. Conversations are not here.

use kabar_protocol::{
    device_list::DeviceList,
    ids::{AccountId, DeviceId},
    signing,
    wire::{
        self, claim_key_packages_outcome, device_list_outcome, find_account_outcome, register_outcome,
        server_frame::Body as Say,
    },
};

use super::{Server, SocketId, error};

impl Server {
    pub(super) fn list(&self, account: AccountId) -> Option<DeviceList> {
        DeviceList::from_entries(self.data.chains.get(&account)?).ok()
    }

    pub(super) fn current(&self, account: AccountId) -> Vec<DeviceId> {
        self.list(account)
            .map(|list| list.current().map(|device| device.id).collect())
            .unwrap_or_default()
    }

    fn session(
        &mut self,
        socket: SocketId,
        account: AccountId,
        device: DeviceId,
        resume: u64,
        now: i64,
    ) -> wire::Session {
        for other in self
            .sockets
            .values_mut()
            .filter(|other| other.device == Some((account, device)))
        {
            other.closed = true;
            other.out.clear();
        }
        let queue = self.data.queues.entry(device).or_default();
        let client_seq = queue.client_seq;
        if let Some(open) = self.sockets.get_mut(&socket) {
            open.device = Some((account, device));
            open.sent = resume;
        }
        let left = self
            .data
            .key_packages
            .get(&device)
            .map_or(0, |(single, _)| single.len());
        wire::Session {
            version: 1,
            server_time_ms: now,
            timeline: vec![self.data.timeline; 16].into(),
            client_seq,
            key_packages_left: u32::try_from(left).unwrap(),
            limits: None,
            device_list_version: self.list(account).map(|list| list.version).unwrap_or_default(),
            username: self
                .data
                .usernames
                .iter()
                .find(|(_, owner)| **owner == account)
                .map(|(name, _)| name.clone()),
            phone_verified: false,
        }
    }

    pub(super) fn register(&mut self, socket: SocketId, ask: wire::Register, now: i64) -> Say {
        let entry = ask.genesis.unwrap();
        let list = DeviceList::from_genesis(&entry).expect("a valid genesis");
        if self.data.chains.contains_key(&list.account) {
            return Say::Register(wire::RegisterOutcome {
                outcome: Some(register_outcome::Outcome::Refused(register_outcome::Refused {
                    reason: register_outcome::refused::Reason::AccountExists.into(),
                })),
            });
        }
        self.data.chains.insert(list.account, vec![entry]);
        if ask.enrolment_code.is_some() {
            self.data.businesses.insert(list.account);
        }
        if let Some(name) = ask.username {
            self.data.usernames.insert(name, list.account);
        }
        let session = self.session(socket, list.account, list.devices[0].id, 0, now);
        Say::Register(wire::RegisterOutcome {
            outcome: Some(register_outcome::Outcome::Session(session)),
        })
    }

    pub(super) fn authenticate(&mut self, socket: SocketId, ask: wire::Authenticate, now: i64) -> Say {
        let account = AccountId::from_slice(&ask.account_id).unwrap();
        let device = DeviceId::from_slice(&ask.device_id).unwrap();
        let Some(list) = self.list(account) else {
            return error(wire::error::Code::Unauthenticated, "account_unknown");
        };
        let Some(listed) = list.current_device(device) else {
            return error(wire::error::Code::Unauthenticated, "device_revoked");
        };
        let signed = signing::authenticate_bytes(&self.sockets[&socket].nonce, account, device);
        assert!(signing::verify(&listed.public_key, &signed, &ask.signature));
        Say::Session(self.session(socket, account, device, ask.resume_cursor, now))
    }

    pub(super) fn find(&self, ask: wire::FindAccount) -> Say {
        use find_account_outcome::{Found, NotFound, Outcome};
        let account = match ask.who.unwrap() {
            wire::find_account::Who::Username(name) => self.data.usernames.get(&name).copied(),
            wire::find_account::Who::AccountId(id) => AccountId::from_slice(&id)
                .ok()
                .filter(|id| self.data.chains.contains_key(id)),
            wire::find_account::Who::Phone(_) => None,
        };
        let outcome = match account {
            Some(account) => Outcome::Found(Found {
                business: self.data.businesses.contains(&account).then(|| wire::BusinessCard {
                    phone_number_id: 1,
                    name: "Toko".into(),
                    ..wire::BusinessCard::default()
                }),
                account_id: account.to_bytes(),
                username: self
                    .data
                    .usernames
                    .iter()
                    .find(|(_, owner)| **owner == account)
                    .map(|(name, _)| name.clone()),
            }),
            None => Outcome::NotFound(NotFound {}),
        };
        Say::FindAccount(wire::FindAccountOutcome { outcome: Some(outcome) })
    }

    pub(super) fn device_list(&self, account: &[u8]) -> Say {
        use device_list_outcome::{NotFound, Outcome};
        let account = AccountId::from_slice(account).unwrap();
        let outcome = match self.data.chains.get(&account) {
            Some(entries) => Outcome::List(wire::DeviceList {
                account_id: account.to_bytes(),
                entries: entries.clone(),
            }),
            None => Outcome::NotFound(NotFound {}),
        };
        Say::DeviceList(wire::DeviceListOutcome { outcome: Some(outcome) })
    }

    pub(super) fn append(&mut self, account: AccountId, ask: wire::AppendDeviceListEntry) -> Say {
        use wire::append_device_list_entry_outcome::{Appended, Outcome};
        let entry = ask.entry.unwrap();
        let mut list = self.list(account).unwrap();
        list.append(&entry).expect("a valid entry");
        self.data.chains.get_mut(&account).unwrap().push(entry);
        let current = self.current(account);
        for socket in self.sockets.values_mut() {
            if socket
                .device
                .is_some_and(|(owner, device)| owner == account && !current.contains(&device))
            {
                socket.closed = true;
            }
        }
        Say::AppendDeviceListEntry(wire::AppendDeviceListEntryOutcome {
            outcome: Some(Outcome::Appended(Appended { version: list.version })),
        })
    }

    pub(super) fn claim(&mut self, account: &[u8]) -> Say {
        use claim_key_packages_outcome::{Claimed, NotFound, Outcome};
        let account = AccountId::from_slice(account).unwrap();
        let Some(entries) = self.data.chains.get(&account).cloned() else {
            return Say::ClaimKeyPackages(wire::ClaimKeyPackagesOutcome {
                outcome: Some(Outcome::NotFound(NotFound {})),
            });
        };
        let mut claimed = Claimed {
            device_list: Some(wire::DeviceList {
                account_id: account.to_bytes(),
                entries,
            }),
            ..Claimed::default()
        };
        for device in self.current(account) {
            let packages = self.data.key_packages.entry(device).or_default();
            match packages.0.pop_front().or(packages.1.clone()) {
                Some(key_package) => claimed.key_packages.push(wire::DeviceKeyPackage {
                    device_id: device.to_bytes(),
                    key_package,
                    last_resort: false,
                }),
                None => claimed.devices_without.push(device.to_bytes()),
            }
        }
        Say::ClaimKeyPackages(wire::ClaimKeyPackagesOutcome {
            outcome: Some(Outcome::Claimed(claimed)),
        })
    }
}
