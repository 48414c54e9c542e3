//! Files: `POST /<phone number>/media`, `GET` and `DELETE /<media>`, and the bytes themselves. A business's uploads are kept here; what a
//! person sent is fetched from the server, and opened, each time that somebody asks for it.

use std::sync::Arc;

use axum::body::Body;
use kabar_client::files;
use kabar_protocol::wire;
use serde_json::json;
use tokio_util::io::ReaderStream;

use super::{Answer, Call, store_failed, success};
use crate::{
    Parts,
    clock::now_ms,
    graph::GraphError,
    numbers::Line,
    store::{Media, MediaSource},
};

/// Types that a message may carry, with the greatest size in bytes.
const MIB: u64 = 1024 * 1024;
const TYPES: [(&str, u64); 5] = [
    ("image/", 5 * MIB),
    ("audio/", 16 * MIB),
    ("video/", 16 * MIB),
    ("application/", 100 * MIB),
    ("text/", 100 * MIB),
];
/// Opened bytes that may wait for a slow reader.
const PIPE_BYTES: usize = 256 * 1024;

/// How large a file of this type may be; `None` for a type that no message carries.
pub(super) fn bytes_max(mime: &str) -> Option<u64> {
    let fits = TYPES.iter().find(|(prefix, _)| mime.starts_with(prefix));
    fits.map(|(_, bytes_max)| *bytes_max)
}

/// `type/subtype` in lower case, without parameters.
pub(super) fn plain_type(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(super) async fn upload(call: &Call) -> Result<Answer, GraphError> {
    let params = &call.params;
    if params.required("messaging_product")? != "whatsapp" {
        return Err(params.refused("messaging_product", "must be whatsapp"));
    }
    let file = params.file("file")?;
    let named = params.string("type")?.filter(|mime| mime.contains('/'));
    let mime = plain_type(&named.or_else(|| file.mime.clone()).unwrap_or_default());
    let Some(bytes_max) = bytes_max(&mime) else {
        let rule = "must be a type of image, audio, video, application or text, such as image/png";
        return Err(params.refused("type", rule));
    };
    let size = file.bytes.len() as u64;
    if size == 0 || size > bytes_max {
        let rule = format!("must have 1 to {bytes_max} bytes for {mime}, has {size}");
        return Err(GraphError::media_upload(format!("file {rule}")));
    }
    let store = &call.parts.store;
    let media = store
        .put_media(call.app.waba_id, &mime, &file.bytes, now_ms())
        .await
        .map_err(store_failed)?;
    Ok(json!({ "id": media.media_id.to_string() }).into())
}

pub(super) async fn found(call: &Call, media_id: u64) -> Result<Media, GraphError> {
    let store = &call.parts.store;
    let media = store
        .media(call.app.waba_id, media_id, now_ms())
        .await
        .map_err(store_failed)?;
    media.ok_or_else(|| GraphError::unknown_node(&media_id.to_string()))
}

pub(super) async fn get(call: &Call, media_id: u64) -> Result<Answer, GraphError> {
    let media = found(call, media_id).await?;
    Ok(json!({
        // The same token opens it; nothing in it is a secret.
        "url": url(&call.parts, media_id),
        "mime_type": media.mime_type,
        "sha256": media.sha256,
        "file_size": media.file_size,
        "id": media_id.to_string(),
        "messaging_product": "whatsapp",
    })
    .into())
}

/// Where the bytes of a file are.
pub(crate) fn url(parts: &Parts, media_id: u64) -> String {
    format!("{}/v23.0/{media_id}/bytes", parts.public_url)
}

pub(super) async fn bytes(call: &Call, media_id: u64) -> Result<Answer, GraphError> {
    let media = found(call, media_id).await?;
    let body = match media.source {
        MediaSource::Uploaded => {
            let bytes = call.parts.store.media_bytes(media_id).await.map_err(store_failed)?;
            Body::from(bytes)
        }
        MediaSource::FromPerson { phone_number_id, file } => {
            let line = call.parts.lines.get(phone_number_id);
            let away = || GraphError::unavailable("the number is not connected to its server at the moment");
            opened(line.ok_or_else(away)?, file)
        }
    };
    Ok(Answer::File {
        body,
        mime: media.mime_type,
        size: media.file_size,
    })
}

/// The file as it is fetched and opened. One that turns out to be damaged or gone ends before its length, which its reader notices.
fn opened(line: Arc<Line>, file: wire::File) -> Body {
    let (reader, mut writer) = tokio::io::duplex(PIPE_BYTES);
    tokio::spawn(async move {
        if let Err(error) = files::download(&line.client, &file, &mut writer, &|_, _| {}).await {
            tracing::warn!(code = error.code, "a person's file could not be handed on");
        }
    });
    Body::from_stream(ReaderStream::new(reader))
}

pub(super) async fn delete(call: &Call, media_id: u64) -> Result<Answer, GraphError> {
    found(call, media_id).await?;
    call.parts.store.delete_media(media_id).await.map_err(store_failed)?;
    Ok(success())
}
