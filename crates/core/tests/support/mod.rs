//! A world of clients and one server, without threads, sockets or a clock: every run with a seed is the same run,
//! except for the keys, which the engine always makes at random.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

mod frames;
pub mod liar;
pub mod server;

use std::collections::{BTreeMap, VecDeque};

use kabar_core::{
    Core, CoreConfig,
    api::{ApiError, Command, Event, Key, Me, MessageView, Notification, Output, Reply, Value, Write},
};
use kabar_protocol::wire;

use server::{Server, SocketId};

/// A small generator, good enough to choose faults.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// True once in `sides`; never for 0.
    pub fn hits(&mut self, sides: u64) -> bool {
        sides != 0 && self.roll(sides) == 0
    }
}

/// One in so many events goes wrong in this way; 0 for never.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub disconnect: u64,
    pub failed_batch: u64,
    /// The process dies before the batch is applied.
    pub crash_before: u64,
    /// The process dies after the batch is applied, before its effects.
    pub crash_after: u64,
}

pub struct Client {
    pub core: Core,
    pub store: BTreeMap<Key, Value>,
    pub socket: Option<SocketId>,
    connect_at: Option<i64>,
    wake_at: Option<i64>,
    next_command: u64,
    pub replies: BTreeMap<u64, Result<Reply, ApiError>>,
    pub notes: Vec<Notification>,
    pub to_server: VecDeque<wire::ClientFrame>,
    /// Cut off from the server until it is let back.
    pub offline: bool,
}

pub struct World {
    pub now: i64,
    pub server: Server,
    pub clients: Vec<Client>,
    pub dice: Dice,
    pub faults: Faults,
    /// Renew keys more often than in life.
    pub messages_per_update: Option<u32>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            now: 1_700_000_000_000,
            server: Server::new(),
            clients: Vec::new(),
            dice: Dice::new(seed),
            faults: Faults::default(),
            messages_per_update: None,
        }
    }

    /// A registered client.
    pub fn person(&mut self, name: &str) -> usize {
        self.register(name, None)
    }

    /// The client of a business number.
    pub fn business(&mut self, name: &str) -> usize {
        self.register(name, Some("code".into()))
    }

    fn register(&mut self, name: &str, enrolment: Option<String>) -> usize {
        let client = self.device();
        let command = Command::Register {
            name: name.into(),
            username: Some(name.to_lowercase()),
            invite: None,
            enrolment,
        };
        let reply = self.ask(client, command).expect("registered");
        assert!(matches!(reply, Reply::Registered(_)), "{reply:?}");
        client
    }

    /// A client with an empty store.
    pub fn device(&mut self) -> usize {
        let index = self.clients.len();
        self.clients.push(Client {
            core: core(self.messages_per_update),
            store: BTreeMap::new(),
            socket: None,
            connect_at: None,
            wake_at: None,
            next_command: 0,
            replies: BTreeMap::new(),
            notes: Vec::new(),
            to_server: VecDeque::new(),
            offline: false,
        });
        self.start(index);
        index
    }

    fn start(&mut self, index: usize) {
        let outputs = self.clients[index].core.start(self.now);
        self.carry_out(index, outputs);
    }

    /// The process ends and begins again over its store.
    pub fn restart(&mut self, index: usize) {
        self.cut(index);
        let client = &mut self.clients[index];
        client.core = core(self.messages_per_update);
        client.connect_at = None;
        client.wake_at = None;
        self.start(index);
    }

    /// The network loses this client; what was on its way is gone.
    pub fn cut(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.to_server.clear();
        if let Some(socket) = client.socket.take() {
            self.server.close(socket);
        }
    }

    pub fn set_offline(&mut self, index: usize, offline: bool) {
        self.clients[index].offline = offline;
        if offline && self.clients[index].socket.is_some() {
            self.cut(index);
            self.event(index, Event::Disconnected);
        }
    }

    pub fn event(&mut self, index: usize, event: Event) {
        let outputs = self.clients[index].core.handle(event, self.now);
        self.carry_out(index, outputs);
    }

    fn carry_out(&mut self, index: usize, outputs: Vec<Output>) {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            let event = match output {
                Output::Batch { batch_id, writes } => {
                    if self.dice.hits(self.faults.crash_before) {
                        return self.restart(index);
                    }
                    if self.dice.hits(self.faults.failed_batch) {
                        Event::Failed {
                            batch_id,
                            error: "disk full".into(),
                        }
                    } else {
                        apply(&mut self.clients[index].store, writes);
                        if self.dice.hits(self.faults.crash_after) {
                            return self.restart(index);
                        }
                        Event::Committed { batch_id }
                    }
                }
                Output::Scan {
                    scan_id,
                    prefix,
                    from,
                    limit,
                    reverse,
                } => Event::Scanned {
                    scan_id,
                    rows: scan(&self.clients[index].store, &prefix, &from, limit, reverse),
                },
                other => {
                    self.effect(index, other);
                    continue;
                }
            };
            outputs.extend(self.clients[index].core.handle(event, self.now));
        }
    }

    fn effect(&mut self, index: usize, output: Output) {
        let now = self.now;
        let client = &mut self.clients[index];
        match output {
            Output::Connect { delay_ms } => client.connect_at = Some(now + i64::try_from(delay_ms).unwrap()),
            Output::Disconnect => self.cut(index),
            Output::Send(frame) if client.socket.is_some() => client.to_server.push_back(frame),
            Output::Reply { command_id, result } => {
                assert!(
                    client.replies.insert(command_id, result).is_none(),
                    "one reply per command"
                );
            }
            Output::Notify(notification) => client.notes.push(notification),
            Output::WakeAt(at) => client.wake_at = Some(at),
            _ => {}
        }
    }

    /// One frame either way, one connection, or nothing.
    fn step(&mut self, index: usize) -> bool {
        let now = self.now;
        if self.clients[index].socket.is_some() && self.dice.hits(self.faults.disconnect) {
            self.cut(index);
            self.event(index, Event::Disconnected);
            return true;
        }
        let client = &mut self.clients[index];
        if client.connect_at.is_some_and(|at| at <= now) {
            client.connect_at = None;
            if client.offline {
                self.event(index, Event::Disconnected);
            } else {
                client.socket = Some(self.server.open(now));
                self.event(index, Event::Connected);
            }
            return true;
        }
        if client.wake_at.is_some_and(|at| at <= now) {
            client.wake_at = None;
            self.event(index, Event::Wake);
            return true;
        }
        let Some(socket) = client.socket else {
            return false;
        };
        // Which direction is faster, nobody knows.
        let up_first = self.dice.roll(2) == 0;
        for up in [up_first, !up_first] {
            let client = &mut self.clients[index];
            if up {
                if let Some(frame) = client.to_server.pop_front() {
                    self.server.handle(socket, frame, now);
                    return true;
                }
            } else if let Some(frame) = self.server.next_frame(socket) {
                self.event(index, Event::Frame(frame));
                return true;
            }
        }
        if self.server.is_closed(socket) {
            self.cut(index);
            self.event(index, Event::Disconnected);
            return true;
        }
        false
    }

    /// Until nothing happens any more for `ms`.
    pub fn run_for(&mut self, ms: i64) {
        let end = self.now + ms;
        let mut steps = 0;
        loop {
            let mut moved = false;
            for index in 0..self.clients.len() {
                moved |= self.step(index);
            }
            steps += 1;
            assert!(steps < 200_000, "the world does not come to rest");
            if moved {
                continue;
            }
            let next = self
                .clients
                .iter()
                .flat_map(|client| [client.connect_at, client.wake_at])
                .flatten()
                .min();
            match next {
                Some(at) if at <= end => self.now = self.now.max(at),
                _ => break,
            }
        }
        self.now = end;
    }

    /// Gives this client what is on its way to him, and takes nothing from him.
    pub fn hand_over(&mut self, index: usize) {
        let socket = self.clients[index].socket.unwrap();
        while let Some(frame) = self.server.next_frame(socket) {
            self.event(index, Event::Frame(frame));
        }
    }

    /// Only so many frames: what comes next meets the others on their way.
    pub fn run_steps(&mut self, steps: u64) {
        for _ in 0..steps {
            let index = usize::try_from(self.dice.roll(self.clients.len() as u64)).unwrap();
            self.step(index);
        }
    }

    pub fn run(&mut self) {
        self.run_for(10_000);
    }

    pub fn tell(&mut self, index: usize, command: Command) -> u64 {
        let client = &mut self.clients[index];
        client.next_command += 1;
        let command_id = client.next_command;
        self.event(index, Event::Command { command_id, command });
        command_id
    }

    /// Gives a command and waits for its answer.
    pub fn ask(&mut self, index: usize, command: Command) -> Result<Reply, ApiError> {
        let command_id = self.tell(index, command);
        for _ in 0..30 {
            if let Some(reply) = self.clients[index].replies.get(&command_id) {
                return reply.clone();
            }
            self.run_for(1_000);
        }
        panic!("no answer to the command");
    }

    pub fn me(&mut self, index: usize) -> Me {
        match self.ask(index, Command::Whoami) {
            Ok(Reply::Me(me)) => me,
            other => panic!("{other:?}"),
        }
    }

    pub fn send(&mut self, index: usize, to: &str, text: &str) -> MessageView {
        let command = Command::SendText {
            to: to.into(),
            text: text.into(),
            reply_to: None,
            wait: false,
        };
        match self.ask(index, command) {
            Ok(Reply::Sent(view)) => view,
            other => panic!("{other:?}"),
        }
    }

    pub fn chats(&mut self, index: usize) -> Vec<kabar_core::api::ChatView> {
        match self.ask(index, Command::ListChats) {
            Ok(Reply::Chats { chats }) => chats,
            other => panic!("{other:?}"),
        }
    }

    /// The only thread of this client, oldest first.
    pub fn thread(&mut self, index: usize) -> Vec<MessageView> {
        let chats = self.chats(index);
        let [chat] = chats.as_slice() else {
            panic!("one chat, not {}", chats.len());
        };
        let command = Command::ListMessages {
            conversation_id: chat.conversation_id,
            before: None,
            limit: 200,
        };
        match self.ask(index, command) {
            Ok(Reply::Messages { mut messages, .. }) => {
                messages.reverse();
                messages
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn texts(&mut self, index: usize) -> Vec<String> {
        self.thread(index)
            .into_iter()
            .filter_map(|message| message.text)
            .collect()
    }
}

fn core(messages_per_update: Option<u32>) -> Core {
    // A restarted process must not repeat its random choices: only the faults are repeatable.
    let mut core = Core::new(CoreConfig {
        feed: true,
        rng_seed: None,
    });
    if let Some(messages) = messages_per_update {
        core.update_keys_every(messages);
    }
    core
}

pub fn apply(store: &mut BTreeMap<Key, Value>, writes: Vec<Write>) {
    for write in writes {
        match write {
            Write::Put(key, value) => store.insert(key, value),
            Write::Delete(key) => store.remove(&key),
        };
    }
}

pub fn scan(store: &BTreeMap<Key, Value>, prefix: &[u8], from: &[u8], limit: u32, reverse: bool) -> Vec<(Key, Value)> {
    let fits = |(key, _): &(&Key, &Value)| key.starts_with(prefix);
    let row = |(key, value): (&Key, &Value)| (key.clone(), value.clone());
    if reverse {
        store
            .range(..from.to_vec())
            .rev()
            .filter(fits)
            .take(limit as usize)
            .map(row)
            .collect()
    } else {
        store
            .range(from.to_vec()..)
            .filter(fits)
            .take(limit as usize)
            .map(row)
            .collect()
    }
}
