//! A stand-in of the server: its ordering, its queues, its idempotency. It checks only what clients rely on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kabar_protocol::{
    device_list::DeviceList,
    ids::{AccountId, ConversationId, DeviceId},
    signing, suite,
    wire::{
        self, Deliver, DeviceAddress, ServerFrame, claim_key_packages_outcome, client_frame::Body as Ask,
        create_conversation_outcome, deliver::Kind, device_list_outcome, find_account_outcome, group_info_outcome,
        register_outcome, reset_conversation_outcome, send_outcome, server_frame::Body as Say, submit_commit_outcome,
    },
};

use super::frames::{error, frame, name};

pub type SocketId = u64;

#[derive(Default)]
struct Socket {
    nonce: Vec<u8>,
    device: Option<(AccountId, DeviceId)>,
    out: VecDeque<ServerFrame>,
    /// How far the queue has been sent on this socket.
    sent: u64,
    closed: bool,
}

#[derive(Clone, Default)]
pub struct Queue {
    pub next: u64,
    pub items: VecDeque<Deliver>,
    pub client_seq: u64,
}

#[derive(Clone)]
pub struct Conversation {
    pub generation: u32,
    pub epoch: u64,
    pub group_info: bytes::Bytes,
    pub members: BTreeMap<DeviceId, AccountId>,
    /// As listed in the group's policy: an account stays when its last leaf goes.
    roster: BTreeSet<AccountId>,
    pub seq: u64,
    pub log: Vec<Deliver>,
    sends: BTreeMap<(DeviceId, Vec<u8>), send_outcome::Sent>,
    last_commit: Option<(bytes::Bytes, u64)>,
}

#[derive(Clone, Default)]
pub struct Data {
    pub chains: BTreeMap<AccountId, Vec<wire::DeviceListEntry>>,
    pub usernames: BTreeMap<String, AccountId>,
    /// Accounts that were registered with an enrolment code.
    businesses: BTreeSet<AccountId>,
    pub key_packages: BTreeMap<DeviceId, (VecDeque<bytes::Bytes>, Option<bytes::Bytes>)>,
    pub conversations: BTreeMap<ConversationId, Conversation>,
    pub queues: BTreeMap<DeviceId, Queue>,
    delivered: BTreeMap<(ConversationId, AccountId), u64>,
    pub timeline: u8,
}

pub struct Server {
    pub data: Data,
    sockets: BTreeMap<SocketId, Socket>,
    next_socket: SocketId,
    /// Changes items on their way, as a hostile server would.
    pub tamper: Option<fn(&mut Deliver)>,
    /// Receipts of acknowledgements, as they came.
    pub signed: Vec<wire::DeliveryReceipt>,
    /// Acknowledgements change nothing, and are answered by an error.
    pub refuse_acks: bool,
    /// Answers every CreateConversation and drops the answer, once.
    pub lose_answers: u32,
    /// Does what these requests ask, and never answers them.
    pub silent: Option<&'static str>,
    pub requests: Vec<&'static str>,
    /// Sends and commits that came for an epoch that was over.
    pub conflicts: u32,
}

impl Server {
    pub fn new() -> Self {
        Self {
            data: Data {
                timeline: 1,
                ..Data::default()
            },
            sockets: BTreeMap::new(),
            next_socket: 0,
            tamper: None,
            signed: Vec::new(),
            refuse_acks: false,
            lose_answers: 0,
            silent: None,
            requests: Vec::new(),
            conflicts: 0,
        }
    }

    pub fn open(&mut self, _now: i64) -> SocketId {
        self.next_socket += 1;
        let nonce = vec![u8::try_from(self.next_socket % 251).unwrap(); 32];
        let challenge = wire::Challenge {
            nonce: nonce.clone().into(),
            versions: vec![1],
            registration: wire::RegistrationMode::Open.into(),
        };
        let mut socket = Socket {
            nonce,
            ..Socket::default()
        };
        socket.out.push_back(frame(0, Say::Challenge(challenge)));
        self.sockets.insert(self.next_socket, socket);
        self.next_socket
    }

    pub fn close(&mut self, socket: SocketId) {
        self.sockets.remove(&socket);
    }

    pub fn is_closed(&self, socket: SocketId) -> bool {
        self.sockets
            .get(&socket)
            .is_none_or(|socket| socket.closed && socket.out.is_empty())
    }

    pub fn next_frame(&mut self, socket: SocketId) -> Option<ServerFrame> {
        self.sockets.get_mut(&socket)?.out.pop_front()
    }

    fn list(&self, account: AccountId) -> Option<DeviceList> {
        DeviceList::from_entries(self.data.chains.get(&account)?).ok()
    }

    fn current(&self, account: AccountId) -> Vec<DeviceId> {
        self.list(account)
            .map(|list| list.current().map(|device| device.id).collect())
            .unwrap_or_default()
    }

    pub fn handle(&mut self, socket: SocketId, frame_in: wire::ClientFrame, now: i64) {
        let id = frame_in.request_id;
        let Some(body) = frame_in.body else { return };
        let device = self.sockets.get(&socket).and_then(|socket| socket.device);
        let name = name(&body);
        self.requests.push(name);
        let creates = matches!(body, Ask::CreateConversation(_));
        let answer = match (body, device) {
            (Ask::Register(ask), None) => self.register(socket, ask, now),
            (Ask::Authenticate(ask), None) => self.authenticate(socket, ask, now),
            (_, None) => error(wire::error::Code::Unauthenticated, "no_session"),
            (body, Some(device)) => self.serve(socket, device, body, now),
        };
        if creates && self.lose_answers > 0 {
            self.lose_answers -= 1;
            if let Some(socket) = self.sockets.get_mut(&socket) {
                socket.closed = true;
                socket.out.clear();
            }
            return;
        }
        let begins = matches!(
            answer,
            Say::Session(_)
                | Say::Register(wire::RegisterOutcome {
                    outcome: Some(register_outcome::Outcome::Session(_))
                })
        );
        let Some(open) = self.sockets.get_mut(&socket) else {
            return;
        };
        if self.silent != Some(name) {
            open.out.push_back(frame(id, answer));
        }
        if begins {
            self.flow(socket);
            let open = self.sockets.get_mut(&socket).unwrap();
            open.out.push_back(frame(0, Say::QueueEmpty(wire::QueueEmpty {})));
        }
        self.flow_all();
    }

    fn serve(&mut self, socket: SocketId, from: (AccountId, DeviceId), body: Ask, now: i64) -> Say {
        match body {
            Ask::Ping(_) => Say::Pong(wire::Pong { server_time_ms: now }),
            Ask::SetUsername(ask) => {
                if let Some(name) = ask.username {
                    self.data.usernames.insert(name, from.0);
                }
                Say::SetUsername(wire::SetUsernameOutcome {
                    outcome: Some(wire::set_username_outcome::Outcome::Done(
                        wire::set_username_outcome::Done {},
                    )),
                })
            }
            Ask::FindAccount(ask) => self.find(ask),
            Ask::FetchDeviceList(ask) => self.device_list(&ask.account_id),
            Ask::AppendDeviceListEntry(ask) => self.append(from.0, ask),
            Ask::PublishKeyPackages(ask) => {
                let entry = self.data.key_packages.entry(from.1).or_default();
                // Of the suite of small groups only: version (2), suite (2), and so on.
                let small = |package: &bytes::Bytes| package.get(2..4) == Some(&suite::XWING.to_be_bytes());
                entry.0.extend(ask.key_packages.into_iter().filter(small));
                entry.1 = ask.last_resort.filter(small).or(entry.1.take());
                Say::KeyPackagesPublished(wire::KeyPackagesPublished {
                    left: u32::try_from(entry.0.len()).unwrap(),
                })
            }
            Ask::ClaimKeyPackages(ask) => self.claim(&ask.account_id),
            Ask::CreateConversation(ask) => self.create(from, ask, now),
            Ask::SubmitCommit(ask) => self.commit(from, ask, now),
            Ask::Send(ask) => self.send(from, ask, now),
            Ask::Ack(ask) => self.ack(from, ask),
            Ask::FetchLog(ask) => self.log(ask),
            Ask::FetchGroupInfo(ask) => self.group_info(from, &ask.conversation_id),
            Ask::ResetConversation(ask) => self.reset(from, ask, now),
            Ask::FetchReceipts(ask) => self.receipts(from, ask),
            Ask::Typing(ask) => self.typing(from, ask),
            _ => {
                let _ = socket;
                error(wire::error::Code::Invalid, "frame_unknown")
            }
        }
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

    fn register(&mut self, socket: SocketId, ask: wire::Register, now: i64) -> Say {
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

    fn authenticate(&mut self, socket: SocketId, ask: wire::Authenticate, now: i64) -> Say {
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

    fn find(&self, ask: wire::FindAccount) -> Say {
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

    fn device_list(&self, account: &[u8]) -> Say {
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

    fn append(&mut self, account: AccountId, ask: wire::AppendDeviceListEntry) -> Say {
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

    fn claim(&mut self, account: &[u8]) -> Say {
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

    fn welcomed(bundle: &wire::CommitBundle) -> BTreeMap<DeviceId, AccountId> {
        let address = |to: &DeviceAddress| {
            (
                DeviceId::from_slice(&to.device_id).unwrap(),
                AccountId::from_slice(&to.account_id).unwrap(),
            )
        };
        bundle.welcomed.iter().map(address).collect()
    }

    fn create(&mut self, from: (AccountId, DeviceId), ask: wire::CreateConversation, now: i64) -> Say {
        use create_conversation_outcome::{AlreadyExists, Created, Outcome};
        let outcome = |outcome| Say::CreateConversation(wire::CreateConversationOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        if self.data.conversations.contains_key(&id) {
            return outcome(Outcome::AlreadyExists(AlreadyExists {
                conversation_id: ask.conversation_id,
            }));
        }
        let bundle = ask.bundle.unwrap();
        let mut members = Self::welcomed(&bundle);
        let stale: Vec<_> = members
            .values()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|account| {
                self.current(*account)
                    .iter()
                    .any(|device| !members.contains_key(device) && *device != from.1)
            })
            .map(|account| account.to_bytes())
            .collect();
        if !stale.is_empty()
            || members
                .iter()
                .any(|(device, account)| !self.current(*account).contains(device))
        {
            return outcome(Outcome::DeviceListStale(wire::DeviceListStale { account_ids: stale }));
        }
        let others: Vec<DeviceId> = members.keys().copied().collect();
        members.insert(from.1, from.0);
        let conversation = Conversation {
            generation: 0,
            epoch: 1,
            group_info: bundle.group_info,
            roster: members.values().copied().collect(),
            members,
            seq: 1,
            log: Vec::new(),
            sends: BTreeMap::new(),
            last_commit: None,
        };
        self.data.conversations.insert(id, conversation);
        let item = self.item(id, Kind::Welcome, from, bundle.welcome, now);
        self.enqueue(&others, &item);
        let first = ask.first.and_then(|send| match self.send(from, send, now) {
            Say::Send(wire::SendOutcome {
                outcome: Some(send_outcome::Outcome::Sent(sent)),
            }) => Some(sent),
            _ => None,
        });
        outcome(Outcome::Created(Created { seq: 1, first }))
    }

    pub(super) fn item(
        &self,
        id: ConversationId,
        kind: Kind,
        from: (AccountId, DeviceId),
        payload: bytes::Bytes,
        now: i64,
    ) -> Deliver {
        let conversation = &self.data.conversations[&id];
        Deliver {
            cursor: 0,
            conversation_id: id.to_bytes(),
            generation: conversation.generation,
            seq: conversation.seq,
            kind: kind.into(),
            class: 0,
            sender: Some(DeviceAddress {
                account_id: from.0.to_bytes(),
                device_id: from.1.to_bytes(),
            }),
            time_ms: now,
            stamp: vec![7; 32].into(),
            payload,
            conversation_kind: wire::ConversationKind::Direct.into(),
            billable: None,
        }
    }

    pub(super) fn enqueue(&mut self, devices: &[DeviceId], item: &Deliver) {
        for device in devices {
            let queue = self.data.queues.entry(*device).or_default();
            queue.next += 1;
            let mut item = item.clone();
            item.cursor = queue.next;
            if let Some(tamper) = self.tamper {
                tamper(&mut item);
            }
            queue.items.push_back(item);
        }
    }

    fn confirm(&mut self, device: DeviceId, client_seq: u64) {
        let queue = self.data.queues.entry(device).or_default();
        queue.client_seq = queue.client_seq.max(client_seq);
    }

    fn send(&mut self, from: (AccountId, DeviceId), ask: wire::Send, now: i64) -> Say {
        let outcome = |outcome| Say::Send(wire::SendOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let name = (from.1, ask.client_message_id.to_vec());
        self.confirm(from.1, ask.client_seq);
        let current: BTreeSet<DeviceId> = self
            .data
            .conversations
            .get(&id)
            .into_iter()
            .flat_map(|conversation| conversation.members.values().copied().collect::<BTreeSet<_>>())
            .flat_map(|account| self.current(account))
            .collect();
        let Some(conversation) = self.data.conversations.get_mut(&id) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        if let Some(sent) = conversation.sends.get(&name) {
            return outcome(send_outcome::Outcome::Sent(sent.clone()));
        }
        if !conversation.members.contains_key(&from.1) {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        }
        if (ask.generation, ask.epoch) != (conversation.generation, conversation.epoch) {
            self.conflicts += 1;
            return outcome(send_outcome::Outcome::StaleEpoch(wire::EpochConflict {
                generation: conversation.generation,
                epoch: conversation.epoch,
            }));
        }
        let revoked: Vec<_> = conversation
            .members
            .iter()
            .filter(|(device, _)| !current.contains(device))
            .collect();
        if !revoked.is_empty() {
            let devices = revoked.into_iter().map(|(device, account)| DeviceAddress {
                account_id: account.to_bytes(),
                device_id: device.to_bytes(),
            });
            return outcome(send_outcome::Outcome::PendingRemoval(send_outcome::PendingRemoval {
                devices: devices.collect(),
            }));
        }
        conversation.seq += 1;
        let sent = send_outcome::Sent {
            seq: conversation.seq,
            time_ms: now,
            stamp: vec![7; 32].into(),
        };
        conversation.sends.insert(name, sent.clone());
        let others: Vec<DeviceId> = conversation
            .members
            .keys()
            .copied()
            .filter(|device| *device != from.1)
            .collect();
        let mut item = self.item(id, Kind::Message, from, ask.ciphertext, now);
        item.class = ask.class;
        self.enqueue(&others, &item);
        outcome(send_outcome::Outcome::Sent(sent))
    }

    fn commit(&mut self, from: (AccountId, DeviceId), ask: wire::SubmitCommit, now: i64) -> Say {
        use submit_commit_outcome::{Accepted, Outcome};
        let outcome = |outcome| Say::SubmitCommit(wire::SubmitCommitOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        self.confirm(from.1, ask.client_seq);
        let bundle = ask.bundle.unwrap();
        let Some(account_devices) = self.data.conversations.get(&id).map(|conversation| {
            conversation
                .members
                .iter()
                .map(|(device, account)| (*device, *account))
                .collect::<Vec<_>>()
        }) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        let revoked: Vec<DeviceId> = account_devices
            .iter()
            .filter(|(device, account)| !self.current(*account).contains(device))
            .map(|(device, _)| *device)
            .collect();
        let conversation = self.data.conversations.get_mut(&id).unwrap();
        if let Some((_, seq)) = conversation
            .last_commit
            .as_ref()
            .filter(|(last, _)| *last == bundle.commit)
        {
            return outcome(Outcome::Accepted(Accepted { seq: *seq }));
        }
        if (ask.generation, ask.epoch) != (conversation.generation, conversation.epoch) {
            self.conflicts += 1;
            return outcome(Outcome::EpochConflict(wire::EpochConflict {
                generation: conversation.generation,
                epoch: conversation.epoch,
            }));
        }
        let others: Vec<DeviceId> = conversation
            .members
            .keys()
            .copied()
            .filter(|device| *device != from.1)
            .collect();
        // RFC 9420 framing: sender type 4 is new_member_commit. A member's commit with proposals removes who is
        // revoked, one without is a path update; between them are leaf index, no AAD, and the content type.
        let external = conversation.members.insert(from.1, from.0).is_none() || bundle.commit[4 + 21 + 8] == 4;
        let proposes = bundle.commit[4 + 21 + 8 + 1 + 4 + 1 + 1] != 0;
        if !external && proposes {
            conversation.members.retain(|device, _| !revoked.contains(device));
        }
        conversation.epoch += 1;
        conversation.seq += 1;
        conversation.group_info = bundle.group_info;
        conversation.last_commit = Some((bundle.commit.clone(), conversation.seq));
        let seq = conversation.seq;
        let item = self.item(id, Kind::Commit, from, bundle.commit, now);
        self.data.conversations.get_mut(&id).unwrap().log.push(item.clone());
        self.enqueue(&others, &item);
        outcome(Outcome::Accepted(Accepted { seq }))
    }

    fn reset(&mut self, from: (AccountId, DeviceId), ask: wire::ResetConversation, now: i64) -> Say {
        use reset_conversation_outcome::{Accepted, Outcome};
        let outcome = |outcome| Say::ResetConversation(wire::ResetConversationOutcome { outcome: Some(outcome) });
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let bundle = ask.bundle.unwrap();
        let mut members = Self::welcomed(&bundle);
        let others: Vec<DeviceId> = members.keys().copied().collect();
        members.insert(from.1, from.0);
        let Some(conversation) = self.data.conversations.get_mut(&id) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        if ask.generation != conversation.generation {
            return outcome(Outcome::EpochConflict(wire::EpochConflict {
                generation: conversation.generation,
                epoch: conversation.epoch,
            }));
        }
        conversation.generation += 1;
        conversation.epoch = 1;
        conversation.seq += 1;
        conversation.members = members;
        conversation.group_info = bundle.group_info;
        let seq = conversation.seq;
        let item = self.item(id, Kind::Reset, from, bundle.welcome, now);
        self.enqueue(&others, &item);
        outcome(Outcome::Accepted(Accepted { seq }))
    }

    fn ack(&mut self, from: (AccountId, DeviceId), ask: wire::Ack) -> Say {
        self.signed.extend(ask.receipts);
        if self.refuse_acks {
            return error(wire::error::Code::Unavailable, "overloaded");
        }
        self.confirm(from.1, ask.client_seq);
        let queue = self.data.queues.entry(from.1).or_default();
        queue.items.retain(|item| item.cursor > ask.cursor);
        for delivered in ask.delivered {
            let id = ConversationId::from_slice(&delivered.conversation_id).unwrap();
            let seq = self.data.delivered.entry((id, from.0)).or_default();
            *seq = delivered.seq.max(*seq);
            let say = Say::Delivered(wire::Delivered {
                conversation_id: delivered.conversation_id,
                account_id: from.0.to_bytes(),
                seq: delivered.seq,
            });
            self.push_to_others(id, from.0, say);
        }
        Say::Acked(wire::Acked {})
    }

    fn push_to_others(&mut self, id: ConversationId, from: AccountId, say: Say) {
        let Some(conversation) = self.data.conversations.get(&id) else {
            return;
        };
        for socket in self.sockets.values_mut() {
            let member = socket
                .device
                .is_some_and(|(owner, device)| owner != from && conversation.members.contains_key(&device));
            if member {
                socket.out.push_back(frame(0, say.clone()));
            }
        }
    }

    fn log(&self, ask: wire::FetchLog) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let Some(conversation) = self.data.conversations.get(&id) else {
            return error(wire::error::Code::NotFound, "conversation_unknown");
        };
        let items = conversation
            .log
            .iter()
            .filter(|item| item.seq > ask.after_seq)
            .cloned()
            .collect();
        Say::LogPage(wire::LogPage { items, more: false })
    }

    fn group_info(&self, from: (AccountId, DeviceId), id: &[u8]) -> Say {
        use group_info_outcome::{Info, NotFound, Outcome};
        let id = ConversationId::from_slice(id).unwrap();
        let conversation = self
            .data
            .conversations
            .get(&id)
            .filter(|conversation| conversation.roster.contains(&from.0));
        let outcome = match conversation {
            Some(conversation) => Outcome::Info(Info {
                generation: conversation.generation,
                epoch: conversation.epoch,
                kind: wire::ConversationKind::Direct.into(),
                group_info: conversation.group_info.clone(),
                seq: conversation.seq,
            }),
            None => Outcome::NotFound(NotFound {}),
        };
        Say::GroupInfo(wire::GroupInfoOutcome { outcome: Some(outcome) })
    }

    fn receipts(&self, from: (AccountId, DeviceId), ask: wire::FetchReceipts) -> Say {
        let ids: BTreeSet<_> = ask
            .conversation_ids
            .iter()
            .filter_map(|id| ConversationId::from_slice(id).ok())
            .collect();
        let rows = self
            .data
            .delivered
            .iter()
            .filter(|((id, owner), _)| ids.contains(id) && *owner != from.0);
        let receipts = rows.map(|((id, owner), seq)| wire::Delivered {
            conversation_id: id.to_bytes(),
            account_id: owner.to_bytes(),
            seq: *seq,
        });
        Say::Receipts(wire::ReceiptsPage {
            receipts: receipts.collect(),
        })
    }

    fn typing(&mut self, from: (AccountId, DeviceId), ask: wire::Typing) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let notice = wire::TypingNotice {
            conversation_id: ask.conversation_id,
            account_id: from.0.to_bytes(),
            active: ask.active,
        };
        self.push_to_others(id, from.0, Say::Typing(notice));
        Say::TypingAccepted(wire::TypingAccepted {})
    }

    pub(super) fn flow_all(&mut self) {
        let open: Vec<SocketId> = self.sockets.keys().copied().collect();
        open.into_iter().for_each(|socket| self.flow(socket));
    }

    /// Puts what is queued onto the device's socket.
    fn flow(&mut self, socket: SocketId) {
        let Some(open) = self.sockets.get_mut(&socket) else {
            return;
        };
        let Some((_, device)) = open.device else { return };
        let Some(queue) = self.data.queues.get(&device) else {
            return;
        };
        for item in queue.items.iter().filter(|item| item.cursor > open.sent) {
            open.out.push_back(frame(0, Say::Deliver(item.clone())));
        }
        open.sent = open.sent.max(queue.next);
    }
}
