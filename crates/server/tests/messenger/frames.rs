//! Frames that no honest client sends, and what else the listener answers.

use kabar_protocol::{
    limits::FRAME_BYTES_MAX,
    wire::{self, ClientFrame, client_frame::Body as Request, error::Code, server_frame::Body as Response},
};
use proptest::{prelude::*, test_runner::Config as Cases};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{device::Device, socket::Socket, start, start_with};

#[tokio::test]
async fn bad_frames_end_the_connection_with_their_reason() {
    let test = start().await;
    let unknown = ClientFrame {
        request_id: 1,
        body: None,
    };
    let unnumbered = ClientFrame {
        request_id: 0,
        body: Some(Request::Ping(wire::Ping {})),
    };
    for (bytes, reason) in [
        (vec![0xff; 40], "frame_malformed"),
        (vec![], "frame_unknown"),
        (unknown.encode_to_vec(), "frame_unknown"),
        (unnumbered.encode_to_vec(), "frame_malformed"),
        (vec![0; FRAME_BYTES_MAX + 1], "frame_too_large"),
    ] {
        let mut socket = Socket::open(&test.server).await;
        socket.send_bytes(bytes).await;
        assert_eq!(socket.last_error().await, reason);
    }
}

#[test]
fn arbitrary_bytes_never_harm_the_server() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (test, ani) = runtime.block_on(async {
        let test = start_with(|config| config.limits.rate_limits = false).await;
        let ani = Device::register(&test.server, None).await;
        (test, tokio::sync::Mutex::new(ani))
    });
    // Any bytes, and any bytes as the body of each known request.
    let tag = prop_oneof![10_u32..=11, 20_u32..=28, 40_u32..=48];
    let body = (tag, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(tag, body)| {
        let mut frame = vec![0x08, 0x07];
        prost::encoding::encode_key(tag, prost::encoding::WireType::LengthDelimited, &mut frame);
        prost::encoding::encode_varint(body.len() as u64, &mut frame);
        frame.extend(body);
        frame
    });
    let frames = prop_oneof![prop::collection::vec(any::<u8>(), 0..300), body];
    let cases = Cases {
        cases: 300,
        failure_persistence: None,
        ..Cases::default()
    };
    proptest!(cases, |(bytes in frames, authenticated in any::<bool>())| {
        runtime.block_on(async {
            let mut ani = ani.lock().await;
            ani.socket = Socket::open(&test.server).await;
            if authenticated {
                ani.authenticate(0).await;
            }
            let socket = &mut ani.socket;
            socket.send_bytes(bytes).await;
            let ping = ClientFrame { request_id: 99, body: Some(Request::Ping(wire::Ping {})) };
            socket.send_bytes(ping.encode_to_vec()).await;
            // Either the frame was answered and the ping as well, or the connection ended.
            while let Some(frame) = socket.read().await {
                if frame.request_id == 99 {
                    break;
                }
                if let Some(Response::Error(error)) = frame.body {
                    assert_ne!(error.code(), Code::Internal, "{}", error.message);
                }
            }
        });
    });
    runtime.block_on(test.server.shutdown());
}

#[tokio::test]
async fn silent_strangers_are_shown_out_by_the_sweep() {
    let test = start().await;
    let mut stranger = Socket::open(&test.server).await;
    let mut ani = Device::register(&test.server, None).await;
    test.clock.advance(20_000);
    assert_eq!(stranger.last_error().await, "session_required");
    assert!(matches!(
        ani.socket.request(Request::Ping(wire::Ping {})).await,
        Response::Pong(_)
    ));
    test.clock.advance(700_000);
    assert_eq!(ani.socket.last_error().await, "idle");
}

async fn http(test: &crate::TestServer, request: &str) -> String {
    let mut stream = TcpStream::connect(test.server.local_addr())
        .await
        .expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("a write");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn health_metrics_pages_and_foreign_origins() {
    let test = start().await;
    assert!(http(&test, &get("/healthz", "")).await.ends_with(r#"{"status":"ok"}"#));
    let metrics = http(&test, &get("/metrics", "")).await;
    assert!(metrics.contains("kabar_db_commit_seconds_count"), "{metrics}");
    assert!(http(&test, &get("/v23.0/me", "")).await.starts_with("HTTP/1.1 404"));
    let page = http(&test, &get("/chats?x=1", "Accept: text/html\r\n")).await;
    let to = format!("location: {}/chats?x=1", test.server.public_url());
    assert!(page.starts_with("HTTP/1.1 307") && page.contains(&to), "{page}");
    let upgrade = "GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   Origin: https://evil.example\r\n\r\n";
    let mut stream = TcpStream::connect(test.server.local_addr())
        .await
        .expect("a connection");
    stream.write_all(upgrade.as_bytes()).await.expect("a write");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 403");
}

#[tokio::test]
async fn shutdown_tells_the_clients_and_is_quick() {
    let test = start().await;
    let mut ani = Device::register(&test.server, None).await;
    let started = std::time::Instant::now();
    test.server.shutdown().await;
    assert_eq!(ani.socket.last_error().await, "shutting_down");
    assert!(started.elapsed() < std::time::Duration::from_secs(8));
}

#[tokio::test]
async fn a_data_directory_has_one_server() {
    let test = start().await;
    let mut config = test.config.clone();
    let error = kabar_server::Server::start(config.clone(), kabar_server::not_found())
        .await
        .err()
        .expect("refused");
    assert!(error.to_string().contains("in use"), "{error}");
    config.server.data = test.directory.path().join("other");
    config.server.listen = test.server.local_addr();
    let error = kabar_server::Server::start(config, kabar_server::not_found())
        .await
        .err()
        .expect("refused");
    assert!(error.to_string().contains("not free"), "{error}");
}
