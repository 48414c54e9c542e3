//! One connection's task: reads frames, hands them on, writes what waits. One task, no timer, no idle buffer.
//!
//! Everything large is boxed or spawned, so that a waiting connection is small.

use std::sync::Arc;

use bytes::Bytes;
use kabar_protocol::{VERSIONS, limits::FRAME_BYTES_MAX, wire};
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    CloseCode, Session, dispatch, frame,
    outbox::Work,
    websocket::{ReadError, WebSocket},
};
use crate::{
    app::App,
    config::RegistrationMode,
    error::{Failure, reason},
    messaging,
    metrics::Metrics,
};

/// How long a close may take, from the last frame to the end of the peer's.
const CLOSE_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// Serves a connection to its end.
pub(super) async fn run<S>(app: App, session: Arc<Session>, io: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = WebSocket::new(io, FRAME_BYTES_MAX);
    socket.feed(&challenge(&app, &session));
    let (code, failure) = serve(&app, &session, &mut socket).await;
    if let Some(identity) = session.identity() {
        app.bus.detach(identity.device, &session);
    }
    if let Some(failure) = failure {
        socket.feed(&frame::failure(0, failure));
    }
    // The peer may be gone already: nothing to tell then.
    let _ = tokio::time::timeout(CLOSE_WAIT, Box::pin(socket.close(code))).await;
}

fn challenge(app: &App, session: &Session) -> Bytes {
    let registration = match app.config.registration_mode() {
        RegistrationMode::Open | RegistrationMode::Auto => wire::RegistrationMode::Open,
        RegistrationMode::Invite => wire::RegistrationMode::Invite,
        RegistrationMode::Closed => wire::RegistrationMode::Closed,
    };
    frame::push(wire::server_frame::Body::Challenge(wire::Challenge {
        nonce: Bytes::copy_from_slice(&session.nonce),
        versions: VERSIONS.to_vec(),
        registration: registration.into(),
    }))
}

/// How a connection ended.
type End = (CloseCode, Option<Failure>);

async fn serve<S>(app: &App, session: &Arc<Session>, socket: &mut WebSocket<S>) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut messages = Vec::new();
    loop {
        if let Err(end) = write_all(app, session, socket).await {
            return end;
        }
        let read = tokio::select! {
            biased;
            () = session.woken() => continue,
            read = socket.read(&mut messages), if session.may_read() => read,
        };
        if !messages.is_empty() {
            session.heard(app.now_ms());
        }
        for message in messages.drain(..) {
            Metrics::count(&app.metrics.socket_frames_received);
            if let Err(end) = receive(app, session, message).await {
                // What was answered before the bad frame is still sent.
                let _ = write_all(app, session, socket).await;
                return end;
            }
        }
        // An idle connection keeps no buffer.
        messages = Vec::new();
        if let Err(error) = read {
            return read_end(&error);
        }
    }
}

fn read_end(error: &ReadError) -> End {
    match error {
        ReadError::TooLarge(max) => {
            let rule = format!("a frame has at most {max} bytes");
            (
                CloseCode::TooLarge,
                Some(Failure::new(wire::error::Code::Invalid, reason::FRAME_TOO_LARGE, rule)),
            )
        }
        ReadError::Protocol(rule) => (CloseCode::Malformed, Some(malformed(*rule))),
        ReadError::Closed | ReadError::Io(_) => (CloseCode::Normal, None),
    }
}

fn malformed(rule: impl Into<String>) -> Failure {
    Failure::new(wire::error::Code::Invalid, reason::FRAME_MALFORMED, rule)
}

async fn receive(app: &App, session: &Arc<Session>, message: Bytes) -> Result<(), End> {
    let frame = wire::ClientFrame::decode(message)
        .map_err(|_| (CloseCode::Malformed, Some(malformed("the frame is not a ClientFrame"))))?;
    let Some(body) = frame.body else {
        let failure = Failure::new(
            wire::error::Code::Invalid,
            reason::FRAME_UNKNOWN,
            "the frame has no body that this server knows",
        );
        return Err((CloseCode::Policy, Some(failure)));
    };
    if frame.request_id == 0 {
        return Err((
            CloseCode::Malformed,
            Some(malformed("request_id must be greater than 0")),
        ));
    }
    dispatch::request(app, session, frame.request_id, body).await;
    Ok(())
}

/// Writes until nothing waits: frames first, then pages of the queue, then the close.
async fn write_all<S>(app: &App, session: &Arc<Session>, socket: &mut WebSocket<S>) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match session.next_work() {
            Work::Frames(frames) => {
                app.metrics
                    .socket_frames_sent
                    .fetch_add(frames.len() as u64, std::sync::atomic::Ordering::Relaxed);
                frames.iter().for_each(|frame| socket.feed(frame));
            }
            Work::Page(cursor) => Box::pin(send_page(app, session, socket, cursor)).await?,
            Work::Close(code, failure) => return Err((code, failure)),
            Work::Wait => {}
        }
        if socket.queued_bytes() == 0 {
            return Ok(());
        }
        flush(app, session, socket).await?;
    }
}

/// Flushes; a sweep closes the session if the peer does not take it in time.
async fn flush<S>(app: &App, session: &Session, socket: &mut WebSocket<S>) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    session.writing(app.now_ms());
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = socket.flush() => break outcome,
            () = session.woken() => if session.closing() {
                return Err((CloseCode::GoingAway, None));
            },
        }
    };
    session.writing(0);
    outcome.map_err(|_| (CloseCode::Normal, None))
}

async fn send_page<S>(app: &App, session: &Session, socket: &mut WebSocket<S>, behind: u64) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(identity) = session.identity() else {
        return Ok(());
    };
    Metrics::count(&app.metrics.socket_catch_ups);
    let page = messaging::read_queue(app, identity.device, behind)
        .await
        .map_err(|failure| (CloseCode::Internal, Some(failure)))?;
    page.frames.iter().for_each(|frame| socket.feed(frame));
    if session.page_sent(page.up_to, page.more) {
        socket.feed(&frame::push(wire::server_frame::Body::QueueEmpty(wire::QueueEmpty {})));
    }
    Ok(())
}
