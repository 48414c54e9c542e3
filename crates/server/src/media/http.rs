//! The bytes of files over HTTP: `/v1/media/upload/<upload>` takes them as tus 1.0.0 does, `/v1/media/<location>` gives them.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, BodyDataStream},
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, patch},
};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokio::{fs::File, io::AsyncWriteExt as _};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use super::{address::Upload, disk::Writer, retention, store};
use crate::{app::App, db::DbError, metrics::Metrics};

const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET_TYPE: &str = "application/offset+octet-stream";
/// A sender that is silent for so long has gone; what came is kept.
const CHUNK_WAIT: Duration = Duration::from_secs(30);
const RETRY_AFTER_S: &str = "2";

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/media/upload/{upload}", patch(add).head(asked).delete(taken_back))
        .route("/v1/media/{location}", get(give))
        .with_state(app)
}

/// What does not succeed, as JSON.
enum Refusal {
    Unknown,
    Busy,
    Type,
    Offset(u64),
    TooLong(u64),
    DiskFull,
    Internal,
}

impl Refusal {
    fn io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => {
                tracing::error!(%error, "a file could not be read or written");
                Self::Internal
            }
        }
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        match error {
            DbError::DiskFull => Self::DiskFull,
            DbError::Unavailable => Self::Busy,
            other => {
                tracing::error!(error = %other, "a file's row could not be read or written");
                Self::Internal
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = match &self {
            Self::Unknown => (
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no such file, or no more".to_owned(),
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "the server has more to do than it can, or this upload goes on elsewhere: try again".into(),
            ),
            Self::Type => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid",
                format!("Content-Type must be {OFFSET_TYPE}, and Upload-Offset a number"),
            ),
            Self::Offset(have) => (
                StatusCode::CONFLICT,
                "upload_offset",
                format!("Upload-Offset must be {have}: so many bytes have come"),
            ),
            Self::TooLong(size) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("this upload takes {size} bytes and no more"),
            ),
            Self::DiskFull => (
                StatusCode::INSUFFICIENT_STORAGE,
                "disk_full",
                "the server's disk is full: nothing new is stored until there is space".into(),
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the server failed; its log says why".into(),
            ),
        };
        let body = serde_json::json!({ "error": { "code": code, "message": message } });
        let mut response = (status, Json(body)).into_response();
        match self {
            Self::Busy => {
                let wait = HeaderValue::from_static(RETRY_AFTER_S);
                response.headers_mut().insert(header::RETRY_AFTER, wait);
            }
            Self::Offset(have) => {
                response.headers_mut().insert(UPLOAD_OFFSET, have.into());
            }
            _ => {}
        }
        response
    }
}

/// HEAD: how many bytes have come.
async fn asked(State(app): State<App>, Path(address): Path<String>) -> Result<Response, Refusal> {
    let upload = opened(&app, &address).await?;
    // Whoever asks goes on from the answer: what an old connection still brings would make it wrong.
    let _writer = app.media.disk.writer(upload.file).await.ok_or(Refusal::Busy)?;
    let (come, put_away) = app
        .media
        .disk
        .come(upload.file)
        .await
        .map_err(|error| Refusal::io(&error))?;
    if put_away {
        // Said again where the process died between the two.
        mark_whole(&app, upload).await?;
    }
    let headers = [
        (UPLOAD_OFFSET, HeaderValue::from(come)),
        (UPLOAD_LENGTH, HeaderValue::from(upload.size_bytes)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::OK, headers).into_response())
}

/// PATCH: more bytes, at the end of those that have come.
async fn add(
    State(app): State<App>,
    Path(address): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let upload = opened(&app, &address).await?;
    let transfers = Arc::clone(&app.media.transfers);
    let _transfer = transfers.try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let typed = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == OFFSET_TYPE);
    let offset = headers
        .get(UPLOAD_OFFSET)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(offset) = offset.filter(|_| typed) else {
        return Err(Refusal::Type);
    };
    // In a task of its own: a sender that goes away must not leave a write behind that lands after the next one's.
    let adding = app
        .tasks
        .clone()
        .spawn(async move { append(&app, upload, offset, body.into_data_stream()).await });
    let end = adding.await.unwrap_or(Err(Refusal::Internal))?;
    Ok((StatusCode::NO_CONTENT, [(UPLOAD_OFFSET, HeaderValue::from(end))]).into_response())
}

/// Adds to an upload at its end; where it then ends.
async fn append(app: &App, upload: Upload, offset: u64, body: BodyDataStream) -> Result<u64, Refusal> {
    let failed = |error: io::Error| Refusal::io(&error);
    let writer = app.media.disk.writer(upload.file).await.ok_or(Refusal::Busy)?;
    let (come, put_away) = app.media.disk.come(upload.file).await.map_err(failed)?;
    if offset != come {
        return Err(Refusal::Offset(come));
    }
    let end = if put_away {
        come
    } else {
        receive(app, &upload, &writer, come, body).await?
    };
    if end == upload.size_bytes && !mark_whole(app, upload).await? {
        // Deleted while its last bytes came.
        app.media.disk.delete(upload.file).await.map_err(failed)?;
        return Err(Refusal::Unknown);
    }
    Ok(end)
}

/// Writes what comes; where the file then ends. What came before the sender broke off stays.
async fn receive(
    app: &App,
    upload: &Upload,
    writer: &Writer,
    come: u64,
    mut body: BodyDataStream,
) -> Result<u64, Refusal> {
    if app.db.reserve().disk_full() {
        return Err(Refusal::DiskFull);
    }
    let failed = |error: io::Error| Refusal::io(&error);
    let mut file = app.media.disk.append(writer).await.map_err(failed)?;
    let mut end = come;
    let received = loop {
        let next = writer.stop.run_until_cancelled(body.next());
        let next = tokio::time::timeout(CHUNK_WAIT, next).await.ok().flatten().flatten();
        match next {
            Some(Ok(bytes)) if end + bytes.len() as u64 > upload.size_bytes => {
                break Err(Refusal::TooLong(upload.size_bytes));
            }
            Some(Ok(bytes)) => match file.write_all(&bytes).await {
                Ok(()) => end += bytes.len() as u64,
                Err(error) => break Err(Refusal::io(&error)),
            },
            // All there is, gone, silent for too long, or another request goes on with it.
            None | Some(Err(_)) => break Ok(end),
        }
    };
    if received.is_ok() && end == upload.size_bytes {
        app.media.disk.finish(writer, file).await.map_err(failed)?;
        Metrics::add(&app.metrics.media_bytes_received, end - come);
        return Ok(end);
    }
    settle(file, end, received.is_err()).await.map_err(failed)?;
    received
}

/// Leaves the file as long as it is said to be: a full disk may have taken half a piece.
async fn settle(mut file: File, end: u64, cut: bool) -> io::Result<()> {
    let _ = file.flush().await;
    if cut {
        file.set_len(end).await?;
    }
    file.sync_data().await
}

/// DELETE: the account takes its file back, whole or not.
async fn taken_back(State(app): State<App>, Path(address): Path<String>) -> Result<Response, Refusal> {
    let upload = app.media.addresses.open_upload(&address).ok_or(Refusal::Unknown)?;
    let _writer = app.media.disk.writer(upload.file).await.ok_or(Refusal::Busy)?;
    if retention::delete(&app, upload.account, upload.file).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Refusal::Internal)
    }
}

/// GET and HEAD of a whole file, with Range.
async fn give(State(app): State<App>, Path(location): Path<String>, request: Request) -> Result<Response, Refusal> {
    let file = app.media.addresses.open_location(&location).ok_or(Refusal::Unknown)?;
    let transfers = Arc::clone(&app.media.transfers);
    let transfer = transfers.try_acquire_owned().map_err(|_| Refusal::Busy)?;
    // Without an extension it is served as application/octet-stream.
    let served = ServeFile::new(app.media.disk.path(file)).oneshot(request).await;
    let mut response = served.map_err(|_| Refusal::Internal)?.map(|body| {
        Body::from_stream(Body::new(body).into_data_stream().map(move |bytes| {
            // It ends with the last byte, or with the reader.
            let _ = &transfer;
            bytes
        }))
    });
    if response.status() == StatusCode::NOT_FOUND {
        return Err(Refusal::Unknown);
    }
    let headers = response.headers_mut();
    for (name, value) in GIVEN_WITH {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// What an upload's address says, if it still holds.
async fn opened(app: &App, address: &str) -> Result<Upload, Refusal> {
    let upload = app.media.addresses.open_upload(address).ok_or(Refusal::Unknown)?;
    let known = upload.until_ms > app.now_ms()
        && store::is_known(&mut app.db.reader().await?, upload.account, upload.file).await?;
    if known { Ok(upload) } else { Err(Refusal::Unknown) }
}

/// From now on the file is kept as long as files are; false if it has been deleted.
async fn mark_whole(app: &App, upload: Upload) -> Result<bool, DbError> {
    let expires_ms = app.now_ms() + app.media.retention_ms;
    let marked = app
        .db
        .write((upload, expires_ms), |tx, (upload, expires_ms)| {
            Box::pin(store::mark_whole(tx, upload.account, upload.file, *expires_ms))
        })
        .await?;
    if marked {
        let size_bytes = i64::try_from(upload.size_bytes).unwrap_or(i64::MAX);
        app.metrics.media_stored_bytes.fetch_add(size_bytes, Ordering::Relaxed);
        return Ok(true);
    }
    store::is_known(&mut app.db.reader().await?, upload.account, upload.file).await
}

/// Ciphertext is nothing to look at: no browser may take it for a page.
const GIVEN_WITH: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_DISPOSITION, "attachment"),
    (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
    (header::CACHE_CONTROL, "private, no-store"),
];
