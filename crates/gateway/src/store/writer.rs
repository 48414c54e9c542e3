//! Group commit: what is written while one transaction commits shares the next. For what every message writes.

use sqlx::{Connection as _, SqliteConnection, query::Query, sqlite::SqliteArguments};
use tokio::sync::{mpsc, oneshot};

use super::{SentMessage, StoreError, stored};

/// Writes that wait, and that share a transaction.
const WRITES_MAX: usize = 256;
/// Rows of a statement are rounded up to one of these, so that few texts exist and each is prepared once. What is too
/// much is filled with NULL and left out.
const ROWS: [usize; 4] = [1, 4, 16, ROWS_MAX];
const ROWS_MAX: usize = 64;

/// A delivery as it is stored.
pub(super) struct NewRow {
    pub(super) app_id: u64,
    pub(super) lane: String,
    pub(super) sealed: Vec<u8>,
    pub(super) now_ms: i64,
}

pub(super) enum Write {
    Sent(SentMessage, i64),
    /// A position of a number's feed, and what comes of the items up to it.
    Feed {
        phone_number_id: u64,
        position: u64,
        deliveries: Vec<NewRow>,
    },
    Delivered(Vec<i64>),
}

enum Wish {
    Write(Write, oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<()>),
}

/// The way to the one connection that does these writes.
pub(super) struct Writer {
    wishes: mpsc::Sender<Wish>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (wishes, waiting) = mpsc::channel(WRITES_MAX);
        tokio::spawn(run(connection, waiting));
        Self { wishes }
    }

    /// Durable when it returns.
    pub(super) async fn write(&self, write: Write) -> Result<(), StoreError> {
        let closed = || StoreError::Sql(sqlx::Error::PoolClosed);
        let (done, written) = oneshot::channel();
        self.wishes.send(Wish::Write(write, done)).await.map_err(|_| closed())?;
        written.await.map_err(|_| closed())?
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.wishes.send(Wish::Close(done)).await.is_ok() {
            // An error only says that it has closed already.
            let _ = closed.await;
        }
    }
}

async fn run(mut connection: SqliteConnection, mut wishes: mpsc::Receiver<Wish>) {
    let (mut closing, mut group) = (None, Vec::new());
    while closing.is_none() && wishes.recv_many(&mut group, WRITES_MAX).await > 0 {
        let (mut writes, mut waiting) = (Vec::new(), Vec::new());
        for wish in group.drain(..) {
            match wish {
                Wish::Write(write, done) => {
                    writes.push(write);
                    waiting.push(done);
                }
                Wish::Close(done) => closing = Some(done),
            }
        }
        if let Err(error) = apply(&mut connection, &writes).await {
            tracing::warn!(%error, writes = writes.len(), "a group of writes failed; each is tried by itself");
            for (write, done) in writes.iter().zip(waiting) {
                // Whoever asked may be gone.
                let _ = done.send(apply(&mut connection, std::slice::from_ref(write)).await);
            }
            continue;
        }
        for done in waiting {
            let _ = done.send(Ok(()));
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the gateway's database did not close cleanly");
    }
    if let Some(done) = closing {
        let _ = done.send(());
    }
}

/// All of them or none.
async fn apply(connection: &mut SqliteConnection, writes: &[Write]) -> Result<(), StoreError> {
    let (mut sent, mut rows, mut done) = (Vec::new(), Vec::new(), Vec::new());
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    for write in writes {
        match write {
            Write::Sent(message, now_ms) => sent.push((message, *now_ms)),
            Write::Feed {
                phone_number_id,
                position,
                deliveries,
            } => {
                if advance(&mut tx, *phone_number_id, *position).await? {
                    rows.extend(deliveries);
                }
            }
            Write::Delivered(ids) => done.extend(ids),
        }
    }
    insert_sent(&mut tx, &sent).await?;
    insert_deliveries(&mut tx, &rows).await?;
    delete_deliveries(&mut tx, &done).await?;
    Ok(tx.commit().await?)
}

/// False if the feed was there already: its items are queued.
async fn advance(tx: &mut SqliteConnection, phone_number_id: u64, position: u64) -> Result<bool, StoreError> {
    let moved = sqlx::query("UPDATE number SET feed_position = ?1 WHERE phone_number_id = ?2 AND feed_position < ?1")
        .bind(stored(position))
        .bind(stored(phone_number_id))
        .execute(tx)
        .await?;
    Ok(moved.rows_affected() == 1)
}

async fn insert_sent(tx: &mut SqliteConnection, sent: &[(&SentMessage, i64)]) -> Result<(), StoreError> {
    let begin = "INSERT OR REPLACE INTO sent (message_id, phone_number_id, category, callback_data, window_until_ms, \
                 created_ms) SELECT column1, column2, column3, column4, column5, column6 FROM (VALUES ";
    for chunk in sent.chunks(ROWS_MAX) {
        let sql = listed(begin, "(?,?,?,?,?,?)", chunk.len(), ") WHERE column1 IS NOT NULL");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (sent, now_ms) in chunk {
            query = query
                .bind(sent.message_id.as_slice())
                .bind(stored(sent.phone_number_id))
                .bind(&sent.category)
                .bind(&sent.callback_data)
                .bind(sent.window_until_ms)
                .bind(now_ms);
        }
        filled(query, chunk.len(), 6).execute(&mut *tx).await?;
    }
    Ok(())
}

/// In their order: ids count up along a lane.
pub(super) async fn insert_deliveries(tx: &mut SqliteConnection, rows: &[&NewRow]) -> Result<(), StoreError> {
    let begin = "INSERT INTO delivery (app_id, lane, body, created_ms, next_ms) \
                 SELECT column2, column3, column4, column5, column5 FROM (VALUES ";
    let end = ") WHERE column1 IS NOT NULL ORDER BY column1";
    for chunk in rows.chunks(ROWS_MAX) {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(listed(begin, "(?,?,?,?,?)", chunk.len(), end)));
        for (place, row) in (0_i64..).zip(chunk) {
            query = query
                .bind(place)
                .bind(stored(row.app_id))
                .bind(&row.lane)
                .bind(&row.sealed)
                .bind(row.now_ms);
        }
        filled(query, chunk.len(), 5).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn delete_deliveries(tx: &mut SqliteConnection, ids: &[i64]) -> Result<(), StoreError> {
    for chunk in ids.chunks(ROWS_MAX) {
        let sql = listed("DELETE FROM delivery WHERE id IN (", "?", chunk.len(), ")");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for id in chunk {
            query = query.bind(id);
        }
        filled(query, chunk.len(), 1).execute(&mut *tx).await?;
    }
    Ok(())
}

fn rounded(rows: usize) -> usize {
    ROWS.into_iter().find(|size| *size >= rows).unwrap_or(ROWS_MAX)
}

fn listed(begin: &str, row: &str, rows: usize, end: &str) -> String {
    let more = format!(",{row}").repeat(rounded(rows) - 1);
    format!("{begin}{row}{more}{end}")
}

type Bound<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

fn filled(query: Bound<'_>, rows: usize, columns: usize) -> Bound<'_> {
    let missing = (rounded(rows) - rows) * columns;
    (0..missing).fold(query, |query, _| query.bind(None::<i64>))
}
