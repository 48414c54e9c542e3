//! GET and HEAD of a whole file, with Range: from the disk while it is there, else from the bucket. Either way a piece at a time.

use std::{io, ops::Range, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
    sync::OwnedSemaphorePermit,
};
use tokio_util::io::ReaderStream;

use super::{
    Media,
    bucket::{Bucket, BucketError},
    disk::FileId,
    http::Refusal,
    range::{Wanted, wanted},
};
use crate::app::App;

const PIECE_BYTES: usize = 64 * 1024;

/// Where a file is read from.
enum Source<'a> {
    Disk(File),
    Bucket(&'a Bucket),
}

pub(super) async fn give(
    State(app): State<App>,
    Path(location): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let file = app.media.addresses.open_location(&location).ok_or(Refusal::Unknown)?;
    let transfers = Arc::clone(&app.media.transfers);
    let transfer = transfers.try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let (source, size_bytes) = found(&app, file).await?;
    // The bytes under a location never change, so its name is their tag; the same on the disk and in the bucket.
    let etag = format!("\"{}\"", hex::encode(file.0));
    let (status, range) = match wanted(&headers, size_bytes, &etag) {
        Wanted::Whole => (StatusCode::OK, 0..size_bytes),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Outside => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
    };
    let length = range.end - range.start;
    let content_range = match status {
        StatusCode::PARTIAL_CONTENT => Some(format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1)),
        StatusCode::RANGE_NOT_SATISFIABLE => Some(format!("bytes */{size_bytes}")),
        _ => None,
    };
    let body = if method == Method::HEAD || length == 0 {
        Body::empty()
    } else {
        body(&app, source, file, range, transfer).await?
    };
    let mut response = (status, body).into_response();
    let answer = response.headers_mut();
    for (name, value) in GIVEN_WITH {
        answer.insert(name, HeaderValue::from_static(value));
    }
    answer.insert(header::CONTENT_LENGTH, length.into());
    for (name, value) in [(header::ETAG, Some(etag)), (header::CONTENT_RANGE, content_range)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            answer.insert(name, value);
        }
    }
    Ok(response)
}

async fn found(app: &App, file: FileId) -> Result<(Source<'_>, u64), Refusal> {
    let Media { disk, bucket, .. } = &app.media;
    // The disk first: a file is deleted there once the bucket has it, so whoever misses it here finds it there.
    if let Some((open, size_bytes)) = disk.open_whole(file).await.map_err(|error| Refusal::io(&error))? {
        return Ok((Source::Disk(open), size_bytes));
    }
    let bucket = bucket.as_ref().ok_or(Refusal::Unknown)?;
    match bucket.size(file).await {
        Ok(size_bytes) => Ok((Source::Bucket(bucket), size_bytes)),
        Err(error) => Err(refusal(app, &error)),
    }
}

async fn body(
    app: &App,
    source: Source<'_>,
    file: FileId,
    range: Range<u64>,
    transfer: OwnedSemaphorePermit,
) -> Result<Body, Refusal> {
    match source {
        Source::Disk(mut open) => {
            let failed = |error: io::Error| Refusal::io(&error);
            open.seek(io::SeekFrom::Start(range.start)).await.map_err(failed)?;
            let part = open.take(range.end - range.start);
            Ok(held(ReaderStream::with_capacity(part, PIECE_BYTES), transfer))
        }
        Source::Bucket(bucket) => match bucket.read(file, range).await {
            Ok(bytes) => Ok(held(bytes, transfer)),
            Err(error) => Err(refusal(app, &error)),
        },
    }
}

/// Counts as a transfer until its last byte, or until the reader has gone.
fn held(bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static, transfer: OwnedSemaphorePermit) -> Body {
    Body::from_stream(bytes.map(move |bytes| {
        let _ = &transfer;
        bytes
    }))
}

fn refusal(app: &App, error: &BucketError) -> Refusal {
    match error {
        BucketError::Missing => Refusal::Unknown,
        error => {
            app.media.trouble(app, error);
            Refusal::BucketAway
        }
    }
}

/// Ciphertext is nothing to look at: no browser may take it for a page.
const GIVEN_WITH: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "application/octet-stream"),
    (header::ACCEPT_RANGES, "bytes"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_DISPOSITION, "attachment"),
    (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
    (header::CACHE_CONTROL, "private, no-store"),
];
