//! The server's side of WebSocket framing (RFC 6455): binary messages in, binary messages out.
//!
//! Own code, because an idle connection must hold no buffer: bytes are read into a buffer that all connections of a
//! thread share, and what is left of an incomplete frame is kept only while it is incomplete. Knows no protocol above.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use base64::Engine as _;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// What one read takes at most; large frames take several.
const READ_BYTES: usize = 32 * 1024;
/// Control frames carry at most this (RFC 6455 section 5.5).
const CONTROL_BYTES_MAX: usize = 125;
/// Pongs that may wait unsent: a peer that only pings is not answered without bound.
const WRITE_BYTES_PONG_MAX: usize = 64 * 1024;
/// After our close, what the peer still sends is read away up to here, so that it sees the reason and no reset.
const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;

const OPCODE_CONTINUATION: u8 = 0x0;
const OPCODE_TEXT: u8 = 0x1;
const OPCODE_BINARY: u8 = 0x2;
const OPCODE_CLOSE: u8 = 0x8;
const OPCODE_PING: u8 = 0x9;
const OPCODE_PONG: u8 = 0xA;

thread_local! {
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// Close codes (RFC 6455 section 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCode {
    Normal = 1000,
    GoingAway = 1001,
    Malformed = 1007,
    Policy = 1008,
    TooLarge = 1009,
    Internal = 1011,
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the peer closed the connection")]
    Closed,
    #[error("a message has more than {0} bytes")]
    TooLarge(usize),
    #[error("{0}")]
    Protocol(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A connection after the handshake.
pub(crate) struct WebSocket<S> {
    io: S,
    message_bytes_max: usize,
    /// An incomplete frame, as it came.
    partial: Vec<u8>,
    /// The fragments so far of a message in several frames.
    fragments: Option<Vec<u8>>,
    write: Vec<u8>,
    written: usize,
}

struct Header {
    opcode: u8,
    last: bool,
    mask: [u8; 4],
    /// Where the payload begins and ends.
    payload: std::ops::Range<usize>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(crate) fn new(io: S, message_bytes_max: usize) -> Self {
        Self {
            io,
            message_bytes_max,
            partial: Vec::new(),
            fragments: None,
            write: Vec::new(),
            written: 0,
        }
    }

    /// Waits for at least one message and appends all that came with it. Cancel safe.
    ///
    /// After an error, messages that came before it are in `messages` all the same.
    pub(crate) async fn read(&mut self, messages: &mut Vec<Bytes>) -> Result<(), ReadError> {
        poll_fn(|cx| self.poll_read(cx, messages)).await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, messages: &mut Vec<Bytes>) -> Poll<Result<(), ReadError>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            loop {
                let mut buffer = ReadBuf::new(buffer);
                ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
                if buffer.filled().is_empty() {
                    return Poll::Ready(Err(ReadError::Closed));
                }
                self.take_in(buffer.filled(), messages)?;
                if !messages.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
    }

    fn take_in(&mut self, input: &[u8], messages: &mut Vec<Bytes>) -> Result<(), ReadError> {
        if self.partial.is_empty() {
            let used = self.parse(input, messages)?;
            self.partial.extend_from_slice(&input[used..]);
            return Ok(());
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(input);
        let used = self.parse(&partial, messages)?;
        if used < partial.len() {
            partial.drain(..used);
            self.partial = partial;
        }
        Ok(())
    }

    /// Takes every complete frame from `input`; how many bytes that were.
    fn parse(&mut self, input: &[u8], messages: &mut Vec<Bytes>) -> Result<usize, ReadError> {
        let mut used = 0;
        while let Some(header) = header(&input[used..])? {
            let so_far = self.fragments.as_ref().map_or(0, Vec::len);
            if so_far + header.payload.len() > self.message_bytes_max {
                return Err(ReadError::TooLarge(self.message_bytes_max));
            }
            let end = used + header.payload.end;
            let Some(payload) = input.get(used + header.payload.start..end) else {
                break;
            };
            self.frame(&header, payload, messages)?;
            used = end;
        }
        Ok(used)
    }

    fn frame(&mut self, header: &Header, payload: &[u8], messages: &mut Vec<Bytes>) -> Result<(), ReadError> {
        let payload = unmask(payload, header.mask);
        match (header.opcode, self.fragments.take()) {
            (OPCODE_BINARY, None) if header.last => messages.push(payload.into()),
            (OPCODE_BINARY, None) => self.fragments = Some(payload),
            (OPCODE_CONTINUATION, Some(mut fragments)) => {
                fragments.extend_from_slice(&payload);
                if header.last {
                    messages.push(fragments.into());
                } else {
                    self.fragments = Some(fragments);
                }
            }
            (OPCODE_PING, fragments) => {
                self.fragments = fragments;
                if self.write.len() < WRITE_BYTES_PONG_MAX {
                    self.queue(OPCODE_PONG, &payload);
                }
            }
            (OPCODE_PONG, fragments) => self.fragments = fragments,
            (OPCODE_CLOSE, _) => {
                self.queue(OPCODE_CLOSE, payload.get(..2).unwrap_or_default());
                return Err(ReadError::Closed);
            }
            (OPCODE_TEXT, _) => return Err(ReadError::Protocol("messages are binary, this one is text")),
            _ => {
                return Err(ReadError::Protocol(
                    "a fragment is out of place, or its opcode is unknown",
                ));
            }
        }
        Ok(())
    }

    /// Queues a binary message; [`Self::flush`] sends it.
    pub(crate) fn feed(&mut self, message: &[u8]) {
        self.queue(OPCODE_BINARY, message);
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.write.len() - self.written
    }

    fn queue(&mut self, opcode: u8, payload: &[u8]) {
        let length = payload.len();
        self.write.reserve(length + 10);
        self.write.push(0x80 | opcode);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ 0..=125), _) => self.write.push(short),
            (_, Ok(medium)) => {
                self.write.push(126);
                self.write.extend_from_slice(&medium.to_be_bytes());
            }
            _ => {
                self.write.push(127);
                self.write.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        self.write.extend_from_slice(payload);
    }

    /// Sends everything queued. Cancel safe.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.write.len() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.write[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        self.write = Vec::new();
        self.written = 0;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Sends what is queued and a close frame, then reads the rest away until the peer closes too.
    /// The caller bounds the time.
    pub(crate) async fn close(mut self, code: CloseCode) -> io::Result<()> {
        self.queue(OPCODE_CLOSE, &(code as u16).to_be_bytes());
        self.flush().await?;
        self.io.shutdown().await?;
        let mut read = 0;
        while read < LINGER_BYTES_MAX {
            let count = poll_fn(|cx| self.poll_discard(cx)).await?;
            if count == 0 {
                break;
            }
            read += count;
        }
        Ok(())
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }
}

/// The header at the start of `input` (RFC 6455 section 5.2); `None` if it is not complete.
fn header(input: &[u8]) -> Result<Option<Header>, ReadError> {
    let &[first, second, ..] = input else {
        return Ok(None);
    };
    let (last, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
    if reserved != 0 {
        return Err(ReadError::Protocol("reserved bits are set"));
    }
    if second & 0x80 == 0 {
        return Err(ReadError::Protocol("a client's frames must be masked"));
    }
    let (length, at): (u64, usize) = match second & 0x7f {
        126 => match input.get(2..4) {
            Some(&[a, b]) => (u64::from(u16::from_be_bytes([a, b])), 4),
            _ => return Ok(None),
        },
        127 => match input.get(2..10).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => (u64::from_be_bytes(bytes), 10),
            None => return Ok(None),
        },
        short => (short.into(), 2),
    };
    let length = usize::try_from(length).map_err(|_| ReadError::TooLarge(usize::MAX))?;
    if opcode >= OPCODE_CLOSE && (!last || length > CONTROL_BYTES_MAX) {
        return Err(ReadError::Protocol("a control frame is fragmented or too long"));
    }
    let start = at + 4;
    let end = start.checked_add(length).ok_or(ReadError::TooLarge(usize::MAX))?;
    let Some(mask) = input.get(at..start).and_then(|mask| mask.try_into().ok()) else {
        // Even so, a length over the limit is refused before its bytes are awaited.
        return Ok(None);
    };
    Ok(Some(Header {
        opcode,
        last,
        mask,
        payload: start..end,
    }))
}

fn unmask(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut out = payload.to_vec();
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let mut chunks = out.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_ne_bytes(word) ^ wide).to_ne_bytes());
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
    out
}

/// The answer to Sec-WebSocket-Key (RFC 6455 section 4.2.2), which names SHA-1; it protects nothing.
pub(crate) fn accept_key(key: &[u8]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key);
    context.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::engine::general_purpose::STANDARD.encode(context.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut out = vec![first, 0x80 | 126];
        out.extend(u16::try_from(payload.len()).expect("short").to_be_bytes());
        out.extend(mask);
        out.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        out
    }

    async fn read_all(chunks: &[&[u8]]) -> Result<Vec<Bytes>, ReadError> {
        let (mut peer, io) = tokio::io::duplex(64 * 1024);
        for chunk in chunks {
            peer.write_all(chunk).await?;
        }
        drop(peer);
        let mut socket = WebSocket::new(io, 1_000);
        let mut messages = Vec::new();
        loop {
            let before = messages.len();
            let mut more = Vec::new();
            match socket.read(&mut more).await {
                Ok(()) => messages.extend(more),
                Err(ReadError::Closed) => return Ok(messages),
                Err(error) => return Err(error),
            }
            assert!(messages.len() > before);
        }
    }

    #[test]
    fn the_accept_key_is_that_of_the_rfc() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[tokio::test]
    async fn whole_split_and_fragmented_messages_arrive() {
        let whole = masked(0x82, b"one");
        let split = masked(0x82, &[7; 207]);
        let fragments = [masked(0x02, b"fo"), masked(0x89, b"ping"), masked(0x80, b"ur")].concat();
        let messages = read_all(&[&whole, &split[..50], &split[50..], &fragments]).await;
        let messages = messages.expect("valid frames");
        assert_eq!(messages, [&b"one"[..], &[7; 207], b"four"]);
    }

    #[tokio::test]
    async fn an_oversized_message_is_refused_by_its_header() {
        let huge = [&[0x82, 0x80 | 127][..], &u64::to_be_bytes(1 << 40), &[0; 4]].concat();
        assert!(matches!(read_all(&[&huge]).await, Err(ReadError::TooLarge(_))));
        let fragments = [masked(0x02, &[0; 600]), masked(0x80, &[0; 600])].concat();
        assert!(matches!(read_all(&[&fragments]).await, Err(ReadError::TooLarge(_))));
    }

    #[tokio::test]
    async fn text_unmasked_and_misplaced_frames_are_refused() {
        for frame in [
            masked(0x81, b"text"),
            vec![0x82, 0x01, 0],
            masked(0x80, b"x"),
            masked(0xC2, b"x"),
        ] {
            assert!(
                matches!(read_all(&[&frame]).await, Err(ReadError::Protocol(_))),
                "{frame:?}"
            );
        }
    }

    #[tokio::test]
    async fn lengths_are_written_in_their_shortest_form() {
        for (length, header) in [(125, 2), (126, 4), (65_536, 10)] {
            let (io, _peer) = tokio::io::duplex(16);
            let mut socket = WebSocket::new(io, 10);
            socket.feed(&vec![0; length]);
            assert_eq!(socket.queued_bytes(), length + header);
        }
    }
}
