//! Uploaded files: `POST /<phone number>/media`, `GET` and `DELETE /<media>`, and the bytes themselves.

use serde_json::json;

use super::{Answer, Call, store_failed, success};
use crate::{clock::now_ms, graph::GraphError, store::Media};

/// Types that a message may carry, with the greatest size in bytes.
const MIB: u64 = 1024 * 1024;
const TYPES: [(&str, u64); 5] = [
    ("image/", 5 * MIB),
    ("audio/", 16 * MIB),
    ("video/", 16 * MIB),
    ("application/", 100 * MIB),
    ("text/", 100 * MIB),
];

pub(super) async fn upload(call: &Call) -> Result<Answer, GraphError> {
    let params = &call.params;
    if params.required("messaging_product")? != "whatsapp" {
        return Err(params.refused("messaging_product", "must be whatsapp"));
    }
    let file = params.file("file")?;
    let named = params.string("type")?.filter(|mime| mime.contains('/'));
    let mime = named.or_else(|| file.mime.clone()).unwrap_or_default();
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((_, bytes_max)) = TYPES.iter().find(|(prefix, _)| mime.starts_with(prefix)) else {
        let rule = "must be a type of image, audio, video, application or text, such as image/png";
        return Err(params.refused("type", rule));
    };
    let size = file.bytes.len() as u64;
    if size == 0 || size > *bytes_max {
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

async fn found(call: &Call, media_id: u64) -> Result<Media, GraphError> {
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
        "url": format!("{}/v23.0/{media_id}/bytes", call.parts.public_url),
        "mime_type": media.mime_type,
        "sha256": media.sha256,
        "file_size": media.file_size,
        "id": media_id.to_string(),
        "messaging_product": "whatsapp",
    })
    .into())
}

pub(super) async fn bytes(call: &Call, media_id: u64) -> Result<Answer, GraphError> {
    let media = found(call, media_id).await?;
    let bytes = call.parts.store.media_bytes(media_id).await.map_err(store_failed)?;
    Ok(Answer::File(bytes, media.mime_type))
}

pub(super) async fn delete(call: &Call, media_id: u64) -> Result<Answer, GraphError> {
    found(call, media_id).await?;
    call.parts.store.delete_media(media_id).await.map_err(store_failed)?;
    Ok(success())
}
