//! Deletes what has expired: the bytes first, then the row that remembers them.

use std::sync::atomic::Ordering;

use kabar_protocol::ids::AccountId;

use super::{disk::FileId, store};
use crate::{app::App, db::DbError};

const PAGE: u32 = 256;

/// The number of files that are gone.
pub(crate) async fn sweep(app: &App) -> Result<u64, DbError> {
    let mut deleted = 0;
    let mut after = (AccountId([0; 16]), FileId([0; 16]));
    loop {
        let page = store::page(&mut app.db.reader().await?, after, PAGE, app.now_ms()).await?;
        let Some((account, file, _)) = page.last() else {
            return Ok(deleted);
        };
        after = (*account, *file);
        for (account, file, _) in page.iter().filter(|(.., expired)| *expired) {
            if delete(app, *account, *file).await? {
                deleted += 1;
            }
        }
        if app.stop.is_cancelled() {
            return Ok(deleted);
        }
    }
}

/// False if the bytes could not be deleted; the row stays, and the next round tries again.
pub(super) async fn delete(app: &App, account: AccountId, file: FileId) -> Result<bool, DbError> {
    if let Err(error) = app.media.disk.delete(file).await {
        tracing::error!(%error, "a file that has expired could not be deleted");
        return Ok(false);
    }
    let forget = (account, file);
    let stored_bytes = app
        .db
        .write(forget, |tx, (account, file)| {
            Box::pin(store::delete(tx, *account, *file))
        })
        .await?;
    app.metrics
        .media_stored_bytes
        .fetch_sub(stored_bytes, Ordering::Relaxed);
    Ok(true)
}
