//! A plain client of the socket: frames out, frames in, no rules of its own.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use kabar_protocol::wire::{
    self, ClientFrame, ServerFrame, client_frame::Body as Request, server_frame::Body as Response,
};
use kabar_server::Server;
use prost::Message as _;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Connector, MaybeTlsStream, Message, WebSocketStream};

const WAIT: std::time::Duration = std::time::Duration::from_secs(10);

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_request_id: u64,
    /// Pushed frames that nobody has asked for yet.
    pushed: VecDeque<Response>,
    pub(crate) challenge: wire::Challenge,
    pub(crate) key_packages_low: Option<u32>,
}

impl Socket {
    pub(crate) async fn open(server: &Server) -> Self {
        Self::open_by(&format!("ws://{}", server.local_addr()), &Connector::Plain).await
    }

    /// Opens the socket at `scheme://host:port`.
    pub(crate) async fn open_by(origin: &str, connector: &Connector) -> Self {
        let uri = format!("{origin}/v1/socket").parse().expect("a URI");
        let builder = ClientBuilder::from_uri(uri).connector(connector);
        let (stream, _) = builder.connect().await.expect("a socket");
        let mut socket = Self {
            stream,
            next_request_id: 1,
            pushed: VecDeque::new(),
            challenge: wire::Challenge::default(),
            key_packages_low: None,
        };
        match socket.read().await.expect("the challenge").body {
            Some(Response::Challenge(challenge)) => socket.challenge = challenge,
            other => panic!("expected the challenge, got {other:?}"),
        }
        socket
    }

    pub(crate) async fn send_bytes(&mut self, bytes: impl Into<Bytes>) {
        self.stream.send(Message::binary(bytes.into())).await.expect("a write");
    }

    /// Sends a request without waiting for its answer.
    pub(crate) async fn post(&mut self, body: Request) -> u64 {
        let request_id = self.next_request_id;
        self.next_request_id += 1;
        let frame = ClientFrame {
            request_id,
            body: Some(body),
        };
        self.send_bytes(frame.encode_to_vec()).await;
        request_id
    }

    pub(crate) async fn request(&mut self, body: Request) -> Response {
        let request_id = self.post(body).await;
        self.answer(request_id).await
    }

    pub(crate) async fn answer(&mut self, request_id: u64) -> Response {
        loop {
            let frame = self.read().await.expect("an answer before the end");
            let body = frame.body.expect("a body");
            if frame.request_id == request_id {
                return body;
            }
            assert_eq!(frame.request_id, 0, "an answer to another request");
            self.pushed.push_back(body);
        }
    }

    /// The next frame that the server pushes by itself; how few KeyPackages are left is kept aside.
    pub(crate) async fn pushed(&mut self) -> Response {
        loop {
            match self.any_pushed().await {
                Response::KeyPackagesLow(low) => self.key_packages_low = Some(low.left),
                body => return body,
            }
        }
    }

    async fn any_pushed(&mut self) -> Response {
        match self.pushed.pop_front() {
            Some(body) => body,
            None => {
                let frame = self.read().await.expect("a push before the end");
                assert_eq!(frame.request_id, 0, "{frame:?}");
                frame.body.expect("a body")
            }
        }
    }

    pub(crate) async fn delivered(&mut self) -> wire::Deliver {
        match self.pushed().await {
            Response::Deliver(deliver) => deliver,
            other => panic!("expected a delivery, got {other:?}"),
        }
    }

    pub(crate) async fn queue_empty(&mut self) {
        match self.pushed().await {
            Response::QueueEmpty(_) => {}
            other => panic!("expected the end of the queue, got {other:?}"),
        }
    }

    /// The next frame, or `None` at the end.
    pub(crate) async fn read(&mut self) -> Option<ServerFrame> {
        loop {
            let message = tokio::time::timeout(WAIT, self.stream.next())
                .await
                .expect("a frame in time")?;
            let Ok(message) = message else { return None };
            if message.is_binary() {
                let bytes: Bytes = message.into_payload().into();
                return Some(ServerFrame::decode(bytes).expect("a ServerFrame"));
            }
        }
    }

    /// The reason of the error that ends the connection.
    pub(crate) async fn last_error(&mut self) -> String {
        let mut last = String::new();
        while let Some(frame) = self.read().await {
            if let Some(Response::Error(error)) = frame.body {
                last = error.reason;
            }
        }
        last
    }
}
