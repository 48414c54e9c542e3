//! A person with the real core and a store in memory: makes the encrypted conversations that the load runs in.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{SystemTime, UNIX_EPOCH},
};

use kabar_core::{
    Core, CoreConfig,
    api::{Command, Event, Me, Output, Reply, TimeMs, Write},
};
use kabar_protocol::{
    ids::ConversationId,
    limits::XWING_LEAVES_MAX,
    wire::{ServerFrame, client_frame, server_frame},
};

use super::{connection::Connection, failed};
use crate::output::Failure;

const COMMAND: u64 = 1;

/// Where opaque messages go: a group that server and members know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) conversation: ConversationId,
    pub(crate) generation: u32,
    pub(crate) epoch: u64,
}

pub(crate) struct Person {
    core: Core,
    store: BTreeMap<Vec<u8>, Vec<u8>>,
    connection: Connection,
    group: Option<Group>,
    reply: Option<Result<Reply, Failure>>,
}

impl Person {
    /// Signs up over a fresh connection.
    pub(crate) async fn register(url: &str, name: String) -> Result<(Self, Me), Failure> {
        let (connection, challenge) = Connection::open(url).await?;
        let core = Core::new(CoreConfig {
            feed: false,
            rng_seed: None,
        });
        let mut person = Self {
            core,
            store: BTreeMap::new(),
            connection,
            group: None,
            reply: None,
        };
        let outputs = person.core.start(now());
        person.carry_out(outputs).await?;
        person.happen(Event::Connected).await?;
        let body = Some(server_frame::Body::Challenge(challenge));
        person.happen(Event::Frame(ServerFrame { request_id: 0, body })).await?;
        match person
            .ask(Command::Register {
                name,
                username: None,
                invite: None,
                enrolment: None,
            })
            .await?
        {
            Reply::Registered(me) => {
                person.ask(Command::WaitIdle).await?;
                Ok((person, me))
            }
            other => Err(failed(format!("unexpected reply {other:?}"))),
        }
    }

    /// Sends a first message, which makes the group.
    pub(crate) async fn greet(&mut self, peer: &Me) -> Result<Group, Failure> {
        let text = "halo".to_owned();
        self.ask(Command::SendText {
            to: peer.account_id.to_string(),
            text,
            reply_to: None,
            wait: true,
        })
        .await?;
        self.group.ok_or_else(|| failed("no conversation was made"))
    }

    /// Queues a text to an account; [`Self::settle`] waits for it.
    pub(crate) async fn say(&mut self, to: &str, text: String) -> Result<(), Failure> {
        let (to, reply_to, wait) = (to.to_owned(), None, false);
        let send = Command::SendText {
            to,
            text,
            reply_to,
            wait,
        };
        self.ask(send).await.map(drop)
    }

    /// Makes a group with these people.
    pub(crate) async fn gather(&mut self, members: Vec<String>) -> Result<Group, Failure> {
        let large = members.len() >= XWING_LEAVES_MAX;
        self.ask(Command::CreateGroup {
            name: "bench".to_owned(),
            description: String::new(),
            members,
            large,
        })
        .await?;
        self.group.ok_or_else(|| failed("no group was made"))
    }

    /// Takes in and acknowledges what is queued.
    pub(crate) async fn settle(&mut self) -> Result<(), Failure> {
        self.ask(Command::WaitIdle).await.map(drop)
    }

    /// The signed-in socket, for raw frames from now on.
    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    async fn ask(&mut self, command: Command) -> Result<Reply, Failure> {
        self.happen(Event::Command {
            command_id: COMMAND,
            command,
        })
        .await?;
        loop {
            if let Some(reply) = self.reply.take() {
                return reply;
            }
            let frame = self.connection.receive().await?;
            self.happen(Event::Frame(frame)).await?;
        }
    }

    async fn happen(&mut self, event: Event) -> Result<(), Failure> {
        let outputs = self.core.handle(event, now());
        self.carry_out(outputs).await
    }

    async fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), Failure> {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            let event = match output {
                Output::Batch { batch_id, writes } => {
                    self.apply(writes);
                    Event::Committed { batch_id }
                }
                Output::Scan {
                    scan_id,
                    prefix,
                    from,
                    limit,
                    reverse,
                } => Event::Scanned {
                    scan_id,
                    rows: self.scan(&prefix, &from, limit as usize, reverse),
                },
                Output::Send(frame) => {
                    self.note_group(frame.body.as_ref());
                    self.connection.feed_frame(frame).await?;
                    self.connection.flush().await?;
                    continue;
                }
                Output::Reply { result, .. } => {
                    self.reply = Some(result.map_err(Failure::from));
                    continue;
                }
                Output::Connect { .. } | Output::Disconnect | Output::Notify(_) | Output::WakeAt(_) => continue,
            };
            outputs.extend(self.core.handle(event, now()));
        }
        Ok(())
    }

    fn apply(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Put(key, value) => drop(self.store.insert(key, value)),
                Write::Delete(key) => drop(self.store.remove(&key)),
            }
        }
    }

    fn scan(&self, prefix: &[u8], from: &[u8], limit: usize, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = self.store.iter().filter(|(key, _)| key.starts_with(prefix));
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        if reverse {
            let below = |key: &[u8]| from.is_empty() || key < from;
            rows.rev().filter(|(key, _)| below(key)).take(limit).map(copy).collect()
        } else {
            rows.filter(|(key, _)| key.as_slice() >= from)
                .take(limit)
                .map(copy)
                .collect()
        }
    }

    fn note_group(&mut self, body: Option<&client_frame::Body>) {
        let Some(client_frame::Body::CreateConversation(create)) = body else {
            return;
        };
        let Ok(conversation) = ConversationId::from_slice(&create.conversation_id) else {
            return;
        };
        // A group is created at epoch 0; the commit that adds the peer begins epoch 1.
        let epoch = create.first.as_ref().map_or(1, |first| first.epoch);
        self.group = Some(Group {
            conversation,
            generation: 0,
            epoch,
        });
    }
}

/// The generator is no part of the product's clock; core only needs times that go forward.
#[allow(clippy::disallowed_methods)]
fn now() -> TimeMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimeMs::try_from(since.as_millis()).unwrap_or(TimeMs::MAX)
}
