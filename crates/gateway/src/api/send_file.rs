//! A file that a company sends: taken from its uploads or fetched from its link, checked, then sealed for the person.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{StatusCode, header};
use kabar_client::{
    api::Shown,
    files::{self, FileFacts},
};
use kabar_protocol::{
    file::{is_mime_type, safe_name},
    wire,
};
use reqwest::{Response, Url};
use sha2::{Digest as _, Sha256};

use super::{Call, client_refused, media, store_failed};
use crate::{
    graph::GraphError,
    messages::{Media, MediaKind, MediaSource},
    numbers::Line,
    store,
};

/// The whole of a link's file.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);
/// Each address is checked as the first one was.
const REDIRECTS_MAX: usize = 3;
/// Of a file whose name nobody gave.
const NAME: &str = "file";

/// A file in memory: a company's are bounded by their type.
struct Loaded {
    bytes: Bytes,
    mime: String,
    name: Option<String>,
}

/// A file that may be sent, and has not been uploaded for it yet.
pub(super) struct Outgoing {
    bytes: Bytes,
    facts: FileFacts,
}

impl Outgoing {
    /// The message as far as it is the same at every try: key and place are new at every upload.
    pub(super) fn described(&self) -> Shown {
        let FileFacts {
            name,
            mime_type,
            size_bytes,
            caption,
        } = self.facts.clone();
        Shown::File(wire::File {
            name,
            mime_type,
            size_bytes,
            caption,
            sha256: Sha256::digest(&self.bytes).to_vec().into(),
            ..wire::File::default()
        })
    }

    /// Seals the file for one conversation; what comes back is the message.
    pub(super) async fn upload(self, line: &Line) -> Result<Shown, GraphError> {
        let file = files::upload(&line.client, self.facts, &mut &self.bytes[..], &|_, _| {}).await;
        file.map(Shown::File).map_err(|error| match error.code.as_str() {
            "file_gone" | "upload_refused" | "disk_full" | "media_quota" => GraphError::media_upload(error.message),
            _ => client_refused(&error),
        })
    }
}

pub(super) async fn outgoing(call: &Call, media: &Media) -> Result<Outgoing, GraphError> {
    let loaded = match &media.source {
        MediaSource::Id(id) => uploaded(call, id).await?,
        MediaSource::Link(link) => fetched(call, link).await?,
    };
    check_type(media.kind, &loaded.mime)?;
    let name = media.filename.clone().or(loaded.name);
    let facts = FileFacts {
        name: safe_name(name.as_deref().unwrap_or(NAME)),
        mime_type: loaded.mime,
        size_bytes: loaded.bytes.len() as u64,
        caption: media.caption.clone().unwrap_or_default(),
    };
    let bytes = loaded.bytes;
    Ok(Outgoing { bytes, facts })
}

async fn uploaded(call: &Call, id: &str) -> Result<Loaded, GraphError> {
    let media_id = id.parse().map_err(|_| unknown(id))?;
    let found = media::found(call, media_id).await.map_err(|_| unknown(id))?;
    if !matches!(found.source, store::MediaSource::Uploaded) {
        let rule = format!("media {id} came from a person; only what this business has uploaded is sent by id");
        return Err(GraphError::media_upload(rule));
    }
    let bytes = call.parts.store.media_bytes(media_id).await.map_err(store_failed)?;
    Ok(Loaded {
        bytes: bytes.into(),
        mime: found.mime_type,
        name: None,
    })
}

fn unknown(id: &str) -> GraphError {
    GraphError::media_upload(format!(
        "there is no media {id} of this business, or no more: uploads are kept 30 days"
    ))
}

async fn fetched(call: &Call, link: &str) -> Result<Loaded, GraphError> {
    let failed = |why: String| GraphError::media_download(format!("the link could not be fetched: {why}"));
    let fetching = async {
        let answer = follow(call, link).await.map_err(failed)?;
        let mime = answer.headers().get(header::CONTENT_TYPE);
        let mime = media::plain_type(mime.and_then(|value| value.to_str().ok()).unwrap_or_default());
        let bytes_max = media::bytes_max(&mime)
            .filter(|_| is_mime_type(&mime))
            .ok_or_else(|| failed(format!("its Content-Type is \"{mime}\", which no message carries")))?;
        let name = answer
            .url()
            .path_segments()
            .and_then(|mut segments| segments.next_back().map(str::to_owned));
        let bytes = read(answer, bytes_max).await.map_err(failed)?;
        Ok(Loaded {
            bytes,
            mime,
            name: name.filter(|name| !name.is_empty()),
        })
    };
    let late = || failed(format!("it took longer than {} s", FETCH_TIMEOUT.as_secs()));
    tokio::time::timeout(FETCH_TIMEOUT, fetching)
        .await
        .unwrap_or_else(|_| Err(late()))
}

/// The answer behind a link, after a few redirects.
async fn follow(call: &Call, link: &str) -> Result<Response, String> {
    let mut url = Url::parse(link).map_err(|error| error.to_string())?;
    for _ in 0..=REDIRECTS_MAX {
        let client = call
            .parts
            .outbound
            .to(url.as_str())
            .map_err(|error| error.to_string())?;
        let request = client.get(url.clone()).timeout(FETCH_TIMEOUT);
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        match answer.status() {
            StatusCode::OK => return Ok(answer),
            status if status.is_redirection() => {
                let to = answer
                    .headers()
                    .get(header::LOCATION)
                    .and_then(|value| value.to_str().ok());
                let next = to.and_then(|to| url.join(to).ok());
                url = next.ok_or_else(|| format!("it answers {status} and does not say where to"))?;
            }
            status => return Err(format!("it answers {status}")),
        }
    }
    Err(format!("it leads on more than {REDIRECTS_MAX} times"))
}

async fn read(answer: Response, bytes_max: u64) -> Result<Bytes, String> {
    let too_long = || format!("it has more than the {bytes_max} bytes that its type may have");
    if answer.content_length().is_some_and(|length| length > bytes_max) {
        return Err(too_long());
    }
    let mut bytes = BytesMut::new();
    let mut body = answer.bytes_stream();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part.map_err(|error| error.without_url().to_string())?);
        if bytes.len() as u64 > bytes_max {
            return Err(too_long());
        }
    }
    if bytes.is_empty() {
        Err("it is empty".into())
    } else {
        Ok(bytes.freeze())
    }
}

/// An image is an image, whatever it is called; a document may be anything.
fn check_type(kind: MediaKind, mime: &str) -> Result<(), GraphError> {
    let (name, fits) = match kind {
        MediaKind::Document => return Ok(()),
        MediaKind::Image => ("image", ["image/jpeg", "image/png", "image/webp"].contains(&mime)),
        MediaKind::Audio => ("audio", mime.starts_with("audio/")),
        MediaKind::Video => ("video", mime.starts_with("video/")),
    };
    if fits {
        Ok(())
    } else {
        Err(GraphError::media_upload(format!(
            "a file of type {mime} is not sent as {name}; document takes any"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_takes_its_own_types() {
        assert!(check_type(MediaKind::Image, "image/png").is_ok());
        assert!(check_type(MediaKind::Document, "image/svg+xml").is_ok());
        for (kind, mime) in [
            (MediaKind::Image, "image/svg+xml"),
            (MediaKind::Image, "text/html"),
            (MediaKind::Audio, "video/mp4"),
            (MediaKind::Video, "application/pdf"),
        ] {
            let error = check_type(kind, mime).expect_err(mime);
            assert_eq!(error.code(), 131_053);
            assert!(error.details.contains(mime), "{}", error.details);
        }
    }
}
