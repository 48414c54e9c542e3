//! Fetching and opening.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use kabar_core::{
    api::ApiError,
    media::{FileError, FileOpener},
};
use kabar_protocol::{file::Layout, wire};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

use super::{Link, Progress, failure, gone, io_failed};
use crate::Client;

/// A server that is silent for so long in the middle of a file has gone.
const CHUNK_WAIT: Duration = Duration::from_secs(30);

/// Writes the opened file to `sink`. Its bytes may be used only if this says that all is well.
pub async fn download(
    client: &Client,
    file: &wire::File,
    sink: &mut (impl AsyncWrite + Unpin + Send),
    progress: Progress<'_>,
) -> Result<(), ApiError> {
    let mut fetching = Fetching {
        opener: FileOpener::new(file).map_err(|error| damaged(&error))?,
        buffered: Vec::new(),
        fetched: 0,
        total: Layout::of(file.size_bytes).map_or(0, |layout| layout.ciphertext_bytes()),
    };
    let mut link = Link::new(client);
    while fetching.opener.wants().is_some() {
        let before = fetching.fetched;
        match ask(&mut link, &file.location, before).await {
            Ok(Answer::Body(mut body)) => {
                while let Ok(Some(Ok(frame))) = timeout(CHUNK_WAIT, body.frame()).await {
                    if let Ok(bytes) = frame.into_data() {
                        fetching.take(&bytes, sink).await?;
                        progress(fetching.fetched, fetching.total);
                    }
                }
                if fetching.fetched > before {
                    link.moved();
                }
                if fetching.opener.wants().is_some() {
                    link.failed("the connection broke off".into()).await?;
                }
            }
            Ok(Answer::Gone) => return Err(gone()),
            Ok(Answer::TooShort) => return Err(damaged(&FileError::Damaged)),
            Ok(Answer::Refused(status)) => {
                return Err(failure(
                    "file_refused",
                    format!("the server does not give the file: {status}"),
                ));
            }
            Err(why) => link.failed(why).await?,
        }
    }
    sink.flush().await.map_err(|error| io_failed(&error))?;
    fetching.opener.finish().map_err(|error| damaged(&error))
}

enum Answer {
    Body(Incoming),
    Gone,
    /// There is nothing at this offset, though the message says that there is.
    TooShort,
    Refused(StatusCode),
}

/// Everything from `offset` on.
async fn ask(link: &mut Link<'_>, location: &str, offset: u64) -> Result<Answer, String> {
    let request = Request::get(format!("/v1/media/{location}"))
        .header(header::RANGE, format!("bytes={offset}-"))
        .body(Full::new(Bytes::new()))
        .map_err(|error| error.to_string())?;
    let answer = link.connection().await?.ask(request).await?;
    match answer.status() {
        StatusCode::PARTIAL_CONTENT => Ok(Answer::Body(answer.into_body())),
        // A server or proxy without ranges begins at the beginning.
        StatusCode::OK if offset == 0 => Ok(Answer::Body(answer.into_body())),
        StatusCode::NOT_FOUND => Ok(Answer::Gone),
        StatusCode::RANGE_NOT_SATISFIABLE => Ok(Answer::TooShort),
        StatusCode::SERVICE_UNAVAILABLE => Err("the server has more to do than it can".into()),
        status => Ok(Answer::Refused(status)),
    }
}

struct Fetching {
    opener: FileOpener,
    /// Less than a chunk.
    buffered: Vec<u8>,
    fetched: u64,
    total: u64,
}

impl Fetching {
    async fn take(&mut self, bytes: &[u8], sink: &mut (impl AsyncWrite + Unpin + Send)) -> Result<(), ApiError> {
        self.fetched += bytes.len() as u64;
        let mut rest = bytes;
        while !rest.is_empty() {
            // More than the file has: not what was sealed.
            let wanted = self.opener.wants().ok_or_else(|| damaged(&FileError::Damaged))?;
            let (now, later) = rest.split_at(rest.len().min(wanted - self.buffered.len()));
            self.buffered.extend_from_slice(now);
            rest = later;
            if self.buffered.len() == wanted {
                let opened = self.opener.open(&self.buffered).map_err(|error| damaged(&error))?;
                sink.write_all(&opened).await.map_err(|error| io_failed(&error))?;
                self.buffered.clear();
            }
        }
        Ok(())
    }
}

fn damaged(error: &FileError) -> ApiError {
    failure("file_damaged", error.to_string())
}
