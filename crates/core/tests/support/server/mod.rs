//! A stand-in of the server: its ordering, its queues, its idempotency. It checks only what clients rely on.
//!
//! Here: what it holds, its sockets, and which request goes where. Time is passed in; what a request means is beside.

mod accounts;
mod groups;
mod invites;
mod messages;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    suite,
    wire::{
        self, Deliver, ServerFrame, client_frame::Body as Ask, register_outcome, send_outcome,
        server_frame::Body as Say,
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
    /// Links into groups, by their codes.
    links: BTreeMap<Vec<u8>, wire::PublishInvite>,
    /// Who asks to be let in.
    pub asking: BTreeSet<(ConversationId, AccountId)>,
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
    /// Does not do what these requests ask, and says so.
    pub refuse: Option<&'static str>,
    /// Has no time for these requests now.
    pub busy: Option<&'static str>,
    pub requests: Vec<&'static str>,
    /// Locations of files that were deleted.
    pub deleted: Vec<String>,
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
            refuse: None,
            busy: None,
            requests: Vec::new(),
            deleted: Vec::new(),
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
            _ if self.refuse == Some(name) => error(wire::error::Code::Denied, "policy"),
            _ if self.busy == Some(name) => error(wire::error::Code::Unavailable, "overloaded"),
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
            Ask::Withdraw(ask) => self.withdraw(from, &ask),
            Ask::DeleteFile(ask) => {
                self.deleted.push(ask.location);
                Say::FileDeleted(wire::FileDeleted {})
            }
            Ask::FetchLog(ask) => self.log(ask),
            Ask::FetchGroupInfo(ask) => self.group_info(from, &ask.conversation_id),
            Ask::ResetConversation(ask) => self.reset(from, ask, now),
            Ask::FetchReceipts(ask) => self.receipts(from, ask),
            Ask::Typing(ask) => self.typing(from, ask),
            Ask::Presence(ask) => self.presence(from, ask),
            Ask::PublishInvite(ask) => self.publish_invite(ask),
            Ask::RevokeInvite(ask) => self.revoke_invite(&ask),
            Ask::FetchInvite(ask) => self.invite(&ask.code),
            Ask::RequestJoin(ask) => self.request_join(from.0, &ask.code),
            Ask::DeclineJoinRequest(ask) => self.decline(&ask),
            _ => {
                let _ = socket;
                error(wire::error::Code::Invalid, "frame_unknown")
            }
        }
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
