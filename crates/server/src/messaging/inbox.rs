//! A device's inbox: opened with its session, dropped with its revocation.

use kabar_protocol::ids::DeviceId;

use crate::{
    app::App,
    db::{DbError, Rows, Tx, columns, params},
    error::Failure,
};

/// A device's counters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Inbox {
    pub(crate) last_cursor: u64,
    pub(crate) acked_cursor: u64,
    pub(crate) client_seq: u64,
}

/// The inbox of a device that has just authenticated; made if it is new.
pub(crate) async fn open_inbox(app: &App, device: DeviceId) -> Result<Inbox, Failure> {
    if let Some(inbox) = read(&mut app.db.reader().await?, device).await? {
        return Ok(inbox);
    }
    app.db.write(device, |tx, device| Box::pin(make(tx, *device))).await?;
    Ok(Inbox::default())
}

async fn read(tx: &mut Tx, device: DeviceId) -> Result<Option<Inbox>, DbError> {
    let sql = "SELECT last_cursor, acked_cursor, client_seq FROM inbox WHERE device_id = $1";
    let Some(row) = tx.fetch_optional(sql, params![device]).await? else {
        return Ok(None);
    };
    Ok(Some(columns!(row => Inbox { last_cursor, acked_cursor, client_seq })))
}

async fn make(tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
    make_all(tx, [device]).await
}

/// Inboxes of devices that are about to receive something for the first time.
pub(super) async fn make_all(tx: &mut Tx, devices: impl IntoIterator<Item = DeviceId>) -> Result<(), DbError> {
    let mut rows = Rows::new(4);
    for device in devices {
        rows.push([device.into(), 0_i64.into(), 0_i64.into(), 0_i64.into()]);
    }
    let sql = "INSERT INTO inbox (device_id, last_cursor, acked_cursor, client_seq) VALUES {rows} \
               ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &rows).await?;
    Ok(())
}

/// A revoked device receives nothing any more, and its conversations wait for its removal.
pub(crate) async fn drop_device(app: &App, device: DeviceId) -> Result<(), Failure> {
    app.messaging.count_revocation();
    let cached = &app.messaging.conversations;
    cached.retain(|conversation| conversation.members.iter().all(|member| member.device != device));
    app.db.write(device, |tx, device| Box::pin(empty(tx, *device))).await?;
    Ok(())
}

async fn empty(tx: &mut Tx, device: DeviceId) -> Result<(), DbError> {
    tx.execute("DELETE FROM queue WHERE device_id = $1", params![device])
        .await?;
    // Without an inbox nothing can be queued for it.
    tx.execute("DELETE FROM inbox WHERE device_id = $1", params![device])
        .await?;
    Ok(())
}
