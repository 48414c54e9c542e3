//! Sealing and sending.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use kabar_core::{
    api::{ApiError, Command, Reply, Upload},
    media::FileSealer,
};
use kabar_protocol::{file::Layout, wire};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{Link, Progress, failure, gone, io_failed};
use crate::Client;

/// Chunks sent in one request: 4 MiB. They stay in memory until the server has them, because none is sealed twice.
const CHUNKS_PER_REQUEST: usize = 64;
/// For the server to give room.
const ROOM_WAIT: Duration = Duration::from_secs(20);
const OFFSET: &str = "upload-offset";

/// What a message says of a file beside its bytes; see `proto/kabar/v1/content.proto`, File.
#[derive(Debug, Clone, Default)]
pub struct FileFacts {
    pub name: String,
    pub mime_type: String,
    pub size_bytes: u64,
    pub caption: String,
}

/// Seals `source` and gives it to the server. What comes back goes into a message, or is forgotten.
pub async fn upload(
    client: &Client,
    facts: FileFacts,
    source: &mut (impl AsyncRead + Unpin + Send),
    progress: Progress<'_>,
) -> Result<wire::File, ApiError> {
    let size_bytes = facts.size_bytes;
    let begun = client.command(Command::BeginUpload { size_bytes }, ROOM_WAIT).await?;
    let Reply::Upload(room) = begun else {
        return Err(failure("internal", "the client answered something else"));
    };
    let key = hex::decode(&room.key).unwrap_or_default();
    let sealer = FileSealer::new(&key, size_bytes).map_err(|error| failure("file_refused", error.to_string()))?;
    let total = Layout::of(size_bytes).map_or(0, |layout| layout.ciphertext_bytes());
    let mut sending = Sending {
        link: Link::new(client),
        room: &room,
        offset: 0,
        total,
        progress,
    };
    let hashes = sending.run(sealer, source).await?;
    Ok(wire::File {
        name: facts.name,
        mime_type: facts.mime_type,
        size_bytes,
        key: key.into(),
        location: room.location,
        sha256: hashes.sha256.to_vec().into(),
        ciphertext_sha256: hashes.ciphertext_sha256.to_vec().into(),
        caption: facts.caption,
        ..wire::File::default()
    })
}

struct Sending<'a> {
    link: Link<'a>,
    room: &'a Upload,
    /// Bytes that the server has.
    offset: u64,
    total: u64,
    progress: Progress<'a>,
}

impl Sending<'_> {
    async fn run(
        &mut self,
        mut sealer: FileSealer,
        source: &mut (impl AsyncRead + Unpin + Send),
    ) -> Result<kabar_core::media::FileHashes, ApiError> {
        let changed = |error: kabar_core::media::FileError| failure("file_changed", error.to_string());
        let mut plain = Vec::new();
        while sealer.wants().is_some() {
            let mut sealed = Vec::new();
            for _ in 0..CHUNKS_PER_REQUEST {
                let Some(wanted) = sealer.wants() else { break };
                plain.resize(wanted, 0);
                source
                    .read_exact(&mut plain)
                    .await
                    .map_err(|error| match error.kind() {
                        std::io::ErrorKind::UnexpectedEof => {
                            failure("file_changed", "the file has become shorter while it was read")
                        }
                        _ => io_failed(&error),
                    })?;
                sealed.extend(sealer.seal(&plain).map_err(changed)?);
            }
            self.send(sealed.into()).await?;
        }
        // One byte more means that the file has grown: what was sent is not the file.
        if source.read(&mut [0; 1]).await.map_err(|error| io_failed(&error))? != 0 {
            return Err(failure("file_changed", "the file has become longer while it was read"));
        }
        sealer.finish().map_err(changed)
    }

    /// Sends bytes that begin at the present offset, in as many requests as it takes.
    async fn send(&mut self, bytes: Bytes) -> Result<(), ApiError> {
        let begin = self.offset;
        let end = begin + bytes.len() as u64;
        while self.offset < end {
            let left = bytes.slice(usize::try_from(self.offset - begin).unwrap_or(bytes.len())..);
            match self.ask(Method::PATCH, left).await {
                Ok(answer) => self.take(&answer, begin, end)?,
                Err(why) => {
                    self.link.failed(why).await?;
                    // What of it arrived, only the server knows.
                    if let Ok(answer) = self.ask(Method::HEAD, Bytes::new()).await {
                        self.take(&answer, begin, end)?;
                    }
                }
            }
            (self.progress)(self.offset, self.total);
        }
        Ok(())
    }

    async fn ask(&mut self, method: Method, bytes: Bytes) -> Result<Response<Incoming>, String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/media/upload/{}", self.room.upload))
            .header(OFFSET, self.offset)
            .header("content-type", "application/offset+octet-stream")
            .body(Full::new(bytes))
            .map_err(|error| error.to_string())?;
        let answer = self.link.connection().await?.ask(request).await?;
        match answer.status() {
            StatusCode::SERVICE_UNAVAILABLE => Err("the server has more to do than it can".into()),
            _ => Ok(answer),
        }
    }

    /// Goes on from where the server says it is.
    fn take(&mut self, answer: &Response<Incoming>, begin: u64, end: u64) -> Result<(), ApiError> {
        let status = answer.status();
        if status == StatusCode::NOT_FOUND {
            return Err(gone());
        }
        if status == StatusCode::INSUFFICIENT_STORAGE {
            return Err(failure("disk_full", "the server's disk is full"));
        }
        let have = answer
            .headers()
            .get(OFFSET)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        match have {
            // Further back than what is still in memory: the server has lost bytes that it had.
            Some(have) if (begin..=end).contains(&have) => {
                if have > self.offset {
                    self.link.moved();
                }
                self.offset = have;
                Ok(())
            }
            _ => Err(failure(
                "upload_refused",
                format!("the server does not take the file: {status}"),
            )),
        }
    }
}
