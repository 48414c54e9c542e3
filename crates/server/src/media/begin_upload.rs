//! Room for a file, within what its account may keep here.

use kabar_protocol::{file::TAG_BYTES, limits::FILE_CIPHERTEXT_BYTES_MAX, wire};

use super::{address::Upload, disk::FileId, store};
use crate::{
    app::App,
    db::{DbError, Tx},
    error::{Failure, reason},
    limits::RateLimit,
    socket::Identity,
};

/// How long an upload may take, with all its interruptions.
const UPLOAD_MS: i64 = 24 * 3_600_000;

pub(crate) async fn begin_upload(
    app: &App,
    identity: Identity,
    request: wire::BeginUpload,
) -> Result<wire::UploadBegun, Failure> {
    let now_ms = app.now_ms();
    app.limits
        .check(RateLimit::Uploads, identity.account.as_slice(), now_ms)?;
    let size_bytes = request.size_bytes;
    if !(u64::from(TAG_BYTES) + 1..=FILE_CIPHERTEXT_BYTES_MAX).contains(&size_bytes) {
        let rule = format!("must be more than {TAG_BYTES} and at most {FILE_CIPHERTEXT_BYTES_MAX}");
        return Err(Failure::invalid("begin_upload.size_bytes", rule));
    }
    if app.db.reserve().disk_full() {
        return Err(Failure::disk_full());
    }
    let upload = Upload {
        account: identity.account,
        file: FileId(app.random()),
        size_bytes,
        until_ms: now_ms + UPLOAD_MS,
    };
    let quota = app.media.quota_bytes;
    let used = app
        .db
        .write((upload, quota), |tx, (upload, quota)| {
            Box::pin(take_room(tx, *upload, *quota))
        })
        .await?;
    if let Some(used) = used {
        let message = format!("your files take {used} bytes of {quota}; older ones leave after a while");
        return Err(Failure::denied(reason::MEDIA_QUOTA, message));
    }
    Ok(wire::UploadBegun {
        upload: app.media.addresses.upload(&upload),
        location: app.media.addresses.location(upload.file),
        upload_until_ms: upload.until_ms,
        expires_ms: now_ms + app.media.retention_ms,
    })
}

/// Bytes in use where there is no room.
async fn take_room(tx: &mut Tx, upload: Upload, quota: u64) -> Result<Option<u64>, DbError> {
    let Upload {
        account,
        file,
        size_bytes,
        until_ms,
    } = upload;
    let used = store::used_bytes(tx, account).await?;
    if used + size_bytes > quota {
        return Ok(Some(used));
    }
    store::insert(tx, account, file, size_bytes, until_ms).await?;
    Ok(None)
}
