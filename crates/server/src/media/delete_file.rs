//! A file is taken back by the account that sent it: no message of it refers to it any more.

use std::sync::atomic::Ordering;

use kabar_protocol::wire;

use super::{
    retention::{self, Deleted},
    store,
};
use crate::{
    app::App,
    error::{Failure, reason},
    limits::RateLimit,
    socket::Identity,
};

pub(crate) async fn delete_file(
    app: &App,
    identity: Identity,
    request: wire::DeleteFile,
) -> Result<wire::FileDeleted, Failure> {
    let account = identity.account;
    app.limits
        .check(RateLimit::Withdrawals, account.as_slice(), app.now_ms())?;
    let done = Ok(wire::FileDeleted {});
    let Some(file) = app.media.addresses.open_location(&request.location) else {
        return done;
    };
    // First the row: what cannot be deleted now is deleted by the next round, whatever becomes of this request.
    let expired = app
        .db
        .write((account, file), |tx, (account, file)| {
            Box::pin(store::expire(tx, *account, *file))
        })
        .await?;
    if !expired {
        return done;
    }
    match retention::delete(app, account, file).await? {
        Deleted::Gone => {
            app.metrics.media_files_deleted.fetch_add(1, Ordering::Relaxed);
            done
        }
        Deleted::Busy => Err(Failure::overloaded()),
        Deleted::BucketAway => Err(Failure::unavailable(
            reason::BUCKET_AWAY,
            "the store that holds this server's files cannot be reached: the file is deleted when it can",
        )),
        Deleted::Failed => Err(Failure::internal(&"a file could not be deleted")),
    }
}
