//! One socket of the generator: frames as they are, no client logic.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kabar_protocol::wire::{self, client_frame, server_frame};
use prost::Message as _;
use tokio::{net::TcpStream, time::timeout};
use tokio_websockets::{ClientBuilder, Limits, MaybeTlsStream, Message, WebSocketStream};

use super::failed;
use crate::output::Failure;

/// Any answer of the server in setup; in the measured part a message that is this late counts as lost.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Connection {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_request: u64,
}

impl Connection {
    /// Opens `http://host:port` and takes the server's challenge.
    pub(crate) async fn open(url: &str) -> Result<(Self, wire::Challenge), Failure> {
        let socket = url.replacen("http", "ws", 1).trim_end_matches('/').to_owned() + "/v1/socket";
        let uri = socket.parse().map_err(|_| failed(format!("{url} is not an address")))?;
        let builder = ClientBuilder::from_uri(uri).limits(Limits::default().max_payload_len(Some(1024 * 1024)));
        let opened = timeout(ANSWER_TIMEOUT, builder.connect())
            .await
            .map_err(|_| failed("connect timed out"))?;
        let (stream, _) = opened.map_err(failed)?;
        if let MaybeTlsStream::Plain(tcp) = stream.get_ref() {
            tcp.set_nodelay(true)?;
        }
        let mut connection = Self {
            stream,
            next_request: 1,
        };
        match connection.receive().await?.body {
            Some(server_frame::Body::Challenge(challenge)) => Ok((connection, challenge)),
            _ => Err(failed("the first frame is not a challenge")),
        }
    }

    /// Queues a request without flushing; returns its id.
    pub(crate) async fn feed(&mut self, body: client_frame::Body) -> Result<u64, Failure> {
        let request_id = self.next_request;
        self.next_request += 1;
        self.feed_frame(wire::ClientFrame {
            request_id,
            body: Some(body),
        })
        .await?;
        Ok(request_id)
    }

    pub(crate) async fn feed_frame(&mut self, frame: wire::ClientFrame) -> Result<(), Failure> {
        self.stream
            .feed(Message::binary(frame.encode_to_vec()))
            .await
            .map_err(failed)
    }

    pub(crate) async fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush().await.map_err(failed)
    }

    /// The next frame; cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<wire::ServerFrame, Failure> {
        loop {
            match self.stream.next().await {
                Some(Ok(message)) if message.is_binary() => {
                    return wire::ServerFrame::decode(Bytes::from(message.into_payload())).map_err(failed);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(failed(error)),
                None => return Err(failed("the server closed the connection")),
            }
        }
    }

    pub(crate) async fn receive(&mut self) -> Result<wire::ServerFrame, Failure> {
        timeout(ANSWER_TIMEOUT, self.next())
            .await
            .map_err(|_| failed("the server does not answer"))?
    }

    /// One request to its answer; pushes that come before it are dropped.
    pub(crate) async fn request(&mut self, body: client_frame::Body) -> Result<server_frame::Body, Failure> {
        let request_id = self.feed(body).await?;
        self.flush().await?;
        loop {
            let frame = self.receive().await?;
            match frame.body {
                Some(server_frame::Body::Error(error)) if frame.request_id == request_id => {
                    return Err(failed(format!("{}: {}", error.reason, error.message)));
                }
                Some(body) if frame.request_id == request_id => return Ok(body),
                _ => {}
            }
        }
    }

    pub(crate) async fn until_queue_empty(&mut self) -> Result<(), Failure> {
        while !matches!(self.receive().await?.body, Some(server_frame::Body::QueueEmpty(_))) {}
        Ok(())
    }

    pub(crate) async fn close(mut self) -> Result<(), Failure> {
        self.stream.close().await.map_err(failed)
    }
}
