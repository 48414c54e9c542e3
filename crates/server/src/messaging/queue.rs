//! Per-device queues: appending to them, and reading them in pages.
//!
//! A device's cursors are dense: they are allocated by the same UPDATE that locks its inbox row, in the transaction
//! that writes the items. So a gap means that retention took something, and the device is told.

use std::collections::BTreeMap;

use bytes::Bytes;
use kabar_protocol::{
    ids::{ConversationId, DeviceId},
    wire::{Deliver, deliver::Kind},
};
use prost::Message as _;

use crate::{
    app::App,
    db::{DbError, Engine, Rows, Tx, params},
    error::Failure,
    socket::frame,
};

/// Items of one page.
const PAGE_ITEMS_MAX: usize = 100;
/// A page ends after so many bytes; at least one item is in it.
const PAGE_BYTES_MAX: usize = 512 * 1024;
/// Bodies fetched from the log at a time: each may have most of a megabyte.
const LOG_BODIES_MAX: usize = 8;

/// Added to the kind of an item for which a receipt is owed. In the kind, so that whatever else is queued costs no column
/// and no statement more.
const RECEIPTED: i64 = 16;

/// An item on its way into a queue.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) device: DeviceId,
    pub(super) conversation: ConversationId,
    pub(super) seq: u64,
    pub(super) kind: Kind,
    /// A receipt is owed for it: an acknowledgement alone does not delete it.
    pub(super) receipted: bool,
    pub(super) expires_ms: i64,
    pub(super) envelope: Bytes,
    /// False: the body is in the log.
    pub(super) inline: bool,
}

/// What one batch changes of a device's counters, beside its new items.
#[derive(Clone, Copy, Default)]
pub(super) struct Counters {
    pub(super) acked_cursor: u64,
    pub(super) client_seq: u64,
}

/// Something that a session may be told at once: (device, cursor, envelope).
pub(super) type Delivery = (DeviceId, u64, Bytes);

/// Appends `entries`, in their order per device, and applies `counters`; devices are locked in the order of their ids.
pub(super) async fn append(
    tx: &mut Tx,
    entries: &[Entry],
    counters: &BTreeMap<DeviceId, Counters>,
) -> Result<Vec<Delivery>, DbError> {
    let mut changes: BTreeMap<DeviceId, (u64, Counters)> = BTreeMap::new();
    for (device, counters) in counters {
        changes.insert(*device, (0, *counters));
    }
    for entry in entries {
        changes.entry(entry.device).or_default().0 += 1;
    }
    let mut next = allocate(tx, &changes).await?;
    let mut rows = Rows::new(7);
    let mut deliveries = Vec::with_capacity(entries.len());
    for entry in entries {
        // A device without an inbox is no member any more.
        let Some(cursor) = next.get_mut(&entry.device) else {
            continue;
        };
        *cursor += 1;
        rows.push([
            entry.device.into(),
            (*cursor).into(),
            entry.conversation.into(),
            entry.seq.into(),
            (i64::from(entry.kind as i32) + if entry.receipted { RECEIPTED } else { 0 }).into(),
            entry.expires_ms.into(),
            entry.inline.then(|| entry.envelope.clone()).into(),
        ]);
        deliveries.push((entry.device, *cursor, entry.envelope.clone()));
    }
    let sql = "INSERT INTO queue (device_id, cursor, conversation_id, seq, kind, expires_ms, envelope) \
               VALUES {rows} ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &rows).await?;
    Ok(deliveries)
}

/// The cursor before the first new item, by device.
async fn allocate(
    tx: &mut Tx,
    changes: &BTreeMap<DeviceId, (u64, Counters)>,
) -> Result<BTreeMap<DeviceId, u64>, DbError> {
    let mut rows = Rows::new(4);
    let mut locked = Rows::new(1);
    for (device, (count, counters)) in changes {
        rows.push([
            (*device).into(),
            (*count).into(),
            counters.acked_cursor.into(),
            counters.client_seq.into(),
        ]);
        locked.push([(*device).into()]);
    }
    if tx.engine() == Engine::Postgres {
        // UPDATE ... FROM locks in the order of its plan; two batches could then wait for each other.
        let sql = "SELECT device_id FROM inbox WHERE device_id IN (VALUES {rows}) ORDER BY device_id FOR UPDATE";
        tx.fetch_rows(sql, &locked).await?;
    }
    let sql = "UPDATE inbox SET last_cursor = last_cursor + v.column2, \
               acked_cursor = CASE WHEN v.column3 > acked_cursor THEN v.column3 ELSE acked_cursor END, \
               client_seq = CASE WHEN v.column4 > client_seq THEN v.column4 ELSE client_seq END \
               FROM (VALUES {rows}) AS v WHERE device_id = v.column1 RETURNING device_id, last_cursor";
    let mut next = BTreeMap::new();
    for row in tx.fetch_rows(sql, &rows).await? {
        let device: DeviceId = row.get(0)?;
        let last: u64 = row.get(1)?;
        let count = changes.get(&device).map_or(0, |(count, _)| *count);
        next.insert(device, last.saturating_sub(count));
    }
    Ok(next)
}

/// Acknowledged items up to this many are deleted by their keys, all devices in one statement; more by range.
const DELETED_BY_KEY_MAX: u64 = 64;

/// Deletes what each device acknowledged: (device, after, up to and including).
pub(super) async fn delete_acked(tx: &mut Tx, acked: &[(DeviceId, u64, u64)]) -> Result<(), DbError> {
    let mut keys = Rows::new(2);
    for (device, after, up_to) in acked {
        if up_to.saturating_sub(*after) <= DELETED_BY_KEY_MAX {
            (after + 1..=*up_to).for_each(|cursor| keys.push([(*device).into(), cursor.into()]));
        } else {
            let sql = "DELETE FROM queue WHERE device_id = $1 AND cursor <= $2 AND kind < 16";
            tx.execute(sql, params![*device, *up_to]).await?;
        }
    }
    let sql = "DELETE FROM queue WHERE (device_id, cursor) IN (SELECT column1, column2 FROM (VALUES {rows}) AS v) \
               AND kind < 16";
    tx.execute_rows(sql, &keys).await?;
    Ok(())
}

/// Deletes items for which a receipt has come: (device, cursor, conversation, seq).
pub(super) async fn delete_receipted(
    tx: &mut Tx,
    items: &[(DeviceId, u64, ConversationId, u64)],
) -> Result<(), DbError> {
    let mut keys = Rows::new(4);
    for (device, cursor, conversation, seq) in items {
        keys.push([
            (*device).into(),
            (*cursor).into(),
            (*conversation).into(),
            (*seq).into(),
        ]);
    }
    let sql = "DELETE FROM queue WHERE (device_id, cursor, conversation_id, seq) IN \
               (SELECT column1, column2, column3, column4 FROM (VALUES {rows}) AS v)";
    tx.execute_rows(sql, &keys).await?;
    Ok(())
}

/// Frames ready for the socket.
pub(crate) struct Page {
    pub(crate) frames: Vec<Bytes>,
    /// Cursor of the last item; the one asked from if there is none.
    pub(crate) up_to: u64,
    pub(crate) more: bool,
}

/// A row of the queue: its body is here or in the log.
struct QueueRow {
    cursor: u64,
    conversation: ConversationId,
    seq: u64,
    kind: i64,
    envelope: Option<Bytes>,
}

/// The items behind `behind`, oldest first. Where retention left a gap, a `GONE` stands for all of it.
pub(crate) async fn read_queue(app: &App, device: DeviceId, behind: u64) -> Result<Page, Failure> {
    let mut tx = app.db.reader().await?;
    // Before the items: whatever is newer than this is found by the next read.
    let sql = "SELECT last_cursor FROM inbox WHERE device_id = $1";
    let row = tx.fetch_optional(sql, params![device]).await?;
    let last_cursor: u64 = row.map_or(Ok(0), |row| row.get(0))?;
    let rows = read_rows(&mut tx, device, behind).await?;
    let full = rows.len() == PAGE_ITEMS_MAX;
    let mut page = Page {
        frames: Vec::with_capacity(rows.len() + 1),
        up_to: behind,
        more: full,
    };
    let mut bytes = 0;
    for chunk in rows.chunks(LOG_BODIES_MAX) {
        if bytes > PAGE_BYTES_MAX {
            page.more = true;
            return Ok(page);
        }
        let mut bodies = log_bodies(&mut tx, chunk).await?;
        for row in chunk {
            if row.cursor > page.up_to + 1 {
                page.frames.push(gone(row.cursor - 1, None));
            }
            let body = row.envelope.clone();
            let body = body.or_else(|| bodies.remove(&(row.conversation, row.seq, row.kind)));
            let frame = match body {
                Some(envelope) => frame::deliver(row.cursor, &envelope),
                None => gone(row.cursor, Some(row)),
            };
            bytes += frame.len();
            page.frames.push(frame);
            page.up_to = row.cursor;
        }
    }
    if !full && last_cursor > page.up_to {
        page.frames.push(gone(last_cursor, None));
        page.up_to = last_cursor;
    }
    Ok(page)
}

async fn read_rows(tx: &mut Tx, device: DeviceId, behind: u64) -> Result<Vec<QueueRow>, DbError> {
    let sql = "SELECT cursor, conversation_id, seq, kind, envelope FROM queue \
               WHERE device_id = $1 AND cursor > $2 ORDER BY cursor LIMIT 100";
    let rows = tx.fetch(sql, params![device, behind]).await?;
    rows.iter()
        .map(|row| {
            Ok(QueueRow {
                cursor: row.get(0)?,
                conversation: row.get(1)?,
                seq: row.get(2)?,
                kind: row.get::<i64>(3)? % RECEIPTED,
                envelope: row.get(4)?,
            })
        })
        .collect()
}

type BodyKey = (ConversationId, u64, i64);

async fn log_bodies(tx: &mut Tx, rows: &[QueueRow]) -> Result<BTreeMap<BodyKey, Bytes>, DbError> {
    let mut keys = Rows::new(3);
    for row in rows.iter().filter(|row| row.envelope.is_none()) {
        keys.push([row.conversation.into(), row.seq.into(), row.kind.into()]);
    }
    let sql = "SELECT conversation_id, seq, kind, envelope FROM conversation_log \
               WHERE (conversation_id, seq, kind) IN (SELECT column1, column2, column3 FROM (VALUES {rows}) AS v)";
    let bodies = tx.fetch_rows(sql, &keys).await?;
    bodies
        .iter()
        .map(|row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)))
        .collect()
}

/// The end of what is missing; the item's place if that is known.
fn gone(cursor: u64, row: Option<&QueueRow>) -> Bytes {
    let deliver = Deliver {
        kind: Kind::Gone.into(),
        conversation_id: row.map(|row| row.conversation.to_bytes()).unwrap_or_default(),
        seq: row.map_or(0, |row| row.seq),
        ..Deliver::default()
    };
    frame::deliver(cursor, &deliver.encode_to_vec())
}
