//! A database that finds no more space, seen from sockets: what is new is refused, what is there goes on.
//!
//! In here and not in `tests/messenger`, because SQLite's limit is set on the writer's own connection.

use ed25519_dalek::{Signer as _, SigningKey};
use futures_util::{SinkExt as _, StreamExt as _};
use kabar_protocol::{
    content,
    device_list::signed_entry,
    ids::{AccountId, ConversationId, DeviceId},
    mls_header::opaque_private_message,
    signing,
    wire::{
        self, AuthenticatedData, ClientFrame, ConversationKind, DeviceListEntryBody, MessageClass, ServerFrame,
        client_frame::Body as Request,
        device_list_entry_body::{Change, DeviceKey, Genesis},
        error::Code,
        send_outcome,
        server_frame::Body as Response,
    },
};
use prost::Message as _;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};

use super::{commit_store, inbox};
use crate::{App, Config, Server, db::params, socket::Identity};

const WAIT: std::time::Duration = std::time::Duration::from_secs(10);
const ID: ConversationId = ConversationId([3; 16]);
const EPOCH: u64 = 4;

struct Person {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    identity: Identity,
    requests: u64,
}

impl Person {
    /// Registers an account whose keys are made of `seed`.
    async fn register(server: &Server, seed: u8) -> Self {
        let uri = format!("ws://{}/v1/socket", server.local_addr());
        let builder = ClientBuilder::from_uri(uri.parse().expect("a URI"));
        let (stream, _) = builder.connect().await.expect("a socket");
        let (account_key, key) = (
            SigningKey::from_bytes(&[seed; 32]),
            SigningKey::from_bytes(&[!seed; 32]),
        );
        let public = |key: &SigningKey| key.verifying_key().to_bytes();
        let genesis = Genesis {
            account_key: public(&account_key).to_vec().into(),
            first_device: Some(DeviceKey {
                public_key: public(&key).to_vec().into(),
            }),
            salt: vec![seed; 16].into(),
        };
        let body = DeviceListEntryBody {
            change: Some(Change::Genesis(genesis)),
            ..Default::default()
        };
        let entry = signed_entry(&body, &account_key, Some(&key));
        let identity = Identity {
            account: AccountId::of_genesis(&entry.body),
            device: DeviceId::of_key(&public(&key)),
        };
        let mut person = Self {
            stream,
            identity,
            requests: 0,
        };
        let Response::Challenge(challenge) = person.read().await.1 else {
            panic!("no challenge")
        };
        let signed = signing::authenticate_bytes(&challenge.nonce, identity.account, identity.device);
        let register = wire::Register {
            version: 1,
            genesis: Some(entry),
            signature: key.sign(&signed).to_vec().into(),
            ..Default::default()
        };
        let registered = person.request(Request::Register(register)).await;
        assert!(matches!(registered, Response::Register(_)), "{registered:?}");
        assert!(matches!(person.read().await.1, Response::QueueEmpty(_)));
        person
    }

    async fn read(&mut self) -> (u64, Response) {
        let message = tokio::time::timeout(WAIT, self.stream.next()).await.expect("in time");
        let bytes: bytes::Bytes = message.expect("a frame").expect("a message").into_payload().into();
        let frame = ServerFrame::decode(bytes).expect("a ServerFrame");
        (frame.request_id, frame.body.expect("a body"))
    }

    async fn delivered(&mut self) -> wire::Deliver {
        match self.read().await {
            (0, Response::Deliver(item)) => item,
            other => panic!("expected a delivery, got {other:?}"),
        }
    }

    /// Asks, and passes over what the server says by itself meanwhile.
    async fn request(&mut self, body: Request) -> Response {
        self.requests += 1;
        let frame = ClientFrame {
            request_id: self.requests,
            body: Some(body),
        };
        let message = Message::binary(frame.encode_to_vec());
        self.stream.send(message).await.expect("a write");
        loop {
            let (request_id, body) = self.read().await;
            if request_id == self.requests {
                return body;
            }
        }
    }

    async fn send(&mut self, number: u8, bytes: usize) -> Response {
        let data = AuthenticatedData {
            message_id: content::message_id(self.identity.account, ID, &[number]).to_bytes(),
            class: MessageClass::Content.into(),
            ..Default::default()
        };
        let ciphertext = opaque_private_message(&ID.group_id(0), EPOCH, &data.encode_to_vec(), &vec![7; bytes]);
        let send = wire::Send {
            conversation_id: ID.to_bytes(),
            epoch: EPOCH,
            client_message_id: vec![number; 16].into(),
            class: MessageClass::Content.into(),
            ciphertext: ciphertext.into(),
            ..Default::default()
        };
        self.request(Request::Send(send)).await
    }

    async fn sent(&mut self, number: u8, bytes: usize) -> u64 {
        match self.send(number, bytes).await {
            Response::Send(wire::SendOutcome {
                outcome: Some(send_outcome::Outcome::Sent(sent)),
            }) => sent.seq,
            other => panic!("{other:?}"),
        }
    }
}

/// The rows of a conversation of these two.
async fn make_conversation(app: &App, members: Vec<Identity>) {
    let made = app.db.write(members, |tx, members| {
        Box::pin(async move {
            commit_store::insert_conversation(tx, ID, ConversationKind::Direct, EPOCH).await?;
            let mut members = members.clone();
            members.sort_unstable_by_key(|member| member.device);
            commit_store::change_members(tx, ID, &[], &members).await?;
            inbox::make_all(tx, members.iter().map(|member| member.device)).await
        })
    });
    made.await.expect("a conversation");
}

/// As if the disk ended after so many pages of the database, or after those that there are.
async fn pages_at_most(app: &App, pages: u32) {
    let set = app.db.write(pages, |tx, pages| {
        Box::pin(async move {
            let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
            tx.fetch(pragma, params![]).await.map(drop)
        })
    });
    set.await.expect("set");
}

#[tokio::test]
async fn without_space_sends_are_refused_while_queues_and_marks_go_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut config = Config::default();
    config.server.data = directory.path().join("data");
    config.server.listen = ([127, 0, 0, 1], 0).into();
    let server = Server::start(config, crate::not_found()).await.expect("a server");
    let mut ani = Person::register(&server, 1).await;
    let mut budi = Person::register(&server, 2).await;
    make_conversation(server.app(), vec![ani.identity, budi.identity]).await;
    let first = ani.sent(1, 100).await;
    assert_eq!(budi.delivered().await.seq, first);

    pages_at_most(server.app(), 1).await;
    // In one group with what cannot be written, or after it: the acknowledgement goes through.
    let ack = wire::Ack {
        cursor: 1,
        ..Default::default()
    };
    let (refused, acked) = tokio::join!(ani.send(2, 60_000), budi.request(Request::Ack(ack)));
    match refused {
        Response::Error(error) => {
            assert_eq!((error.code(), error.reason.as_str()), (Code::Unavailable, "disk_full"));
            assert!(error.retry_after_ms.is_some());
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(acked, Response::Acked(_)), "{acked:?}");
    let marks = wire::FetchReceipts {
        conversation_ids: vec![ID.to_bytes()],
    };
    let marks = ani.request(Request::FetchReceipts(marks)).await;
    assert!(matches!(marks, Response::Receipts(_)), "{marks:?}");

    pages_at_most(server.app(), 1_000_000).await;
    server.app().db.reserve().restore();
    assert_eq!(ani.sent(2, 60_000).await, first + 1, "the refused one took no number");
    let next = budi.delivered().await;
    assert_eq!((next.cursor, next.seq), (2, first + 1));
    server.shutdown().await;
}
