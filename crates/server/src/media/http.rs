//! The bytes of files over HTTP: `/v1/media/upload/<upload>` takes them as tus 1.0.0 does, `/v1/media/<location>` gives them (`give`).

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, BodyDataStream},
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{get, patch},
};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokio::{fs::File, io::AsyncWriteExt as _};

use super::{
    address::Upload,
    disk::Writer,
    give::give,
    retention::{self, Deleted},
    store,
};
use crate::{app::App, db::DbError, metrics::Metrics};

const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET_TYPE: &str = "application/offset+octet-stream";
/// A sender that is silent for so long has gone; what came is kept.
const CHUNK_WAIT: Duration = Duration::from_secs(30);
const RETRY_AFTER_S: &str = "2";
/// A bucket that is away is not back in a moment.
const BUCKET_RETRY_AFTER_S: &str = "10";

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/media/upload/{upload}", patch(add).head(asked).delete(taken_back))
        .route("/v1/media/{location}", get(give))
        .with_state(app)
}

/// What does not succeed, as JSON.
pub(super) enum Refusal {
    Unknown,
    Busy,
    Type,
    Offset(u64),
    TooLong(u64),
    DiskFull,
    BucketAway,
    Internal,
}

impl Refusal {
    pub(super) fn io(error: &io::Error) -> Self {
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
            Self::BucketAway => (
                StatusCode::SERVICE_UNAVAILABLE,
                "bucket_away",
                "the store that holds this server's files cannot be reached: try again".into(),
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
            Self::Busy | Self::BucketAway => {
                let away = matches!(self, Self::BucketAway);
                let wait = HeaderValue::from_static(if away { BUCKET_RETRY_AFTER_S } else { RETRY_AFTER_S });
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
    let (come, put_away) = come(&app, &upload).await?;
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
    let (come, put_away) = come(app, &upload).await?;
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

/// How many bytes have come, and whether they are put away as whole, here or in the bucket.
async fn come(app: &App, upload: &Upload) -> Result<(u64, bool), Refusal> {
    let come = app.media.disk.come(upload.file).await;
    let (come, put_away) = come.map_err(|error| Refusal::io(&error))?;
    if come == 0 && app.media.bucket.is_some() {
        let row = store::row(&mut app.db.reader().await?, upload.account, upload.file).await?;
        if row.is_some_and(|row| row.whole) {
            return Ok((upload.size_bytes, true));
        }
    }
    Ok((come, put_away))
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
    match retention::delete(&app, upload.account, upload.file).await? {
        Deleted::Gone => Ok(StatusCode::NO_CONTENT.into_response()),
        Deleted::Busy => Err(Refusal::Busy),
        Deleted::BucketAway => Err(Refusal::BucketAway),
        Deleted::Failed => Err(Refusal::Internal),
    }
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
    let place = app.media.first_place();
    let marked = app
        .db
        .write((upload, place, expires_ms), |tx, (upload, place, expires_ms)| {
            Box::pin(store::mark_whole(tx, upload.account, upload.file, *place, *expires_ms))
        })
        .await?;
    if marked {
        app.media.to_move.notify_one();
        let size_bytes = i64::try_from(upload.size_bytes).unwrap_or(i64::MAX);
        app.metrics.media_stored_bytes.fetch_add(size_bytes, Ordering::Relaxed);
        return Ok(true);
    }
    store::is_known(&mut app.db.reader().await?, upload.account, upload.file).await
}
