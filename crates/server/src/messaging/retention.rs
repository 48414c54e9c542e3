//! What the slice forgets: queue items, bodies and records of commits after 30 days, send records after 60, links when they
//! expire, requests to be let in after 30 days or with their link.
//!
//! In pages over the primary keys: no index on time has to be kept up to date by every message.

use kabar_protocol::limits::IDEMPOTENCY_RETENTION_DAYS;

use super::envelope::{DAY_MS, RETENTION_MS};
use crate::{
    app::App,
    db::{DbError, Tx, params},
};

/// Keys looked at in one transaction: a sweep never holds up the messages behind it for long.
const KEYS_PER_STEP: usize = 256;
/// How long a commit is recognised as a repetition: as long as the log has it. Whoever repeats an older one is told
/// of the conflict and joins again, as a member that has missed more than the log holds.
const COMMIT_RETENTION_MS: i64 = RETENTION_MS;

/// How long somebody who asks to be let into a group waits for a yes; after that he asks again.
const JOIN_REQUEST_RETENTION_MS: i64 = 30 * DAY_MS;

/// A table with rows that expire, by key. `{key}` is its distribution key, `$1` to `$3` are after, up to, time.
struct Table {
    next: &'static str,
    delete: &'static str,
    age_ms: i64,
}

const TABLES: [Table; 6] = [
    Table {
        next: "SELECT DISTINCT device_id FROM queue WHERE device_id > $1 ORDER BY device_id LIMIT 256",
        delete: "DELETE FROM queue WHERE device_id > $1 AND device_id <= $2 AND expires_ms <= $3",
        age_ms: 0,
    },
    Table {
        next: "SELECT DISTINCT conversation_id FROM conversation_log WHERE conversation_id > $1 \
               ORDER BY conversation_id LIMIT 256",
        delete: "DELETE FROM conversation_log WHERE conversation_id > $1 AND conversation_id <= $2 AND expires_ms <= $3",
        age_ms: 0,
    },
    Table {
        next: "SELECT DISTINCT conversation_id FROM send WHERE conversation_id > $1 ORDER BY conversation_id LIMIT 256",
        delete: "DELETE FROM send WHERE conversation_id > $1 AND conversation_id <= $2 AND time_ms <= $3",
        age_ms: IDEMPOTENCY_RETENTION_DAYS as i64 * DAY_MS,
    },
    Table {
        next: "SELECT DISTINCT conversation_id FROM conversation_commit WHERE conversation_id > $1 \
               ORDER BY conversation_id LIMIT 256",
        // The newest stays: its committer may have missed the answer, and finds the group as he left it.
        delete: "DELETE FROM conversation_commit WHERE conversation_id > $1 AND conversation_id <= $2 \
                 AND created_ms <= $3 AND (generation, epoch) < (SELECT newest.generation, newest.epoch \
                 FROM conversation_commit AS newest WHERE newest.conversation_id = conversation_commit.conversation_id \
                 ORDER BY newest.generation DESC, newest.epoch DESC LIMIT 1)",
        age_ms: COMMIT_RETENTION_MS,
    },
    Table {
        next: "SELECT DISTINCT conversation_id FROM group_invite WHERE conversation_id > $1 \
               ORDER BY conversation_id LIMIT 256",
        delete: "DELETE FROM group_invite WHERE conversation_id > $1 AND conversation_id <= $2 AND expires_ms <= $3",
        age_ms: 0,
    },
    // After the links: a request goes with the link it was made by.
    Table {
        next: "SELECT DISTINCT conversation_id FROM join_request WHERE conversation_id > $1 \
               ORDER BY conversation_id LIMIT 256",
        delete: "DELETE FROM join_request WHERE conversation_id > $1 AND conversation_id <= $2 \
                 AND (asked_ms <= $3 OR NOT EXISTS (SELECT 1 FROM group_invite AS link \
                 WHERE link.conversation_id = join_request.conversation_id AND link.key_hash = join_request.key_hash))",
        age_ms: JOIN_REQUEST_RETENTION_MS,
    },
];

/// Deletes everything that has expired; the number of rows.
pub(crate) async fn sweep(app: &App) -> Result<u64, DbError> {
    let mut deleted = 0;
    for table in &TABLES {
        let mut after: Vec<u8> = Vec::new();
        loop {
            let keys = app.db.reader().await?.fetch(table.next, params![after.clone()]).await?;
            let Some(last) = keys.last() else { break };
            let up_to: Vec<u8> = last.get(0)?;
            let input = (table.delete, after, up_to.clone(), app.now_ms() - table.age_ms);
            deleted += app
                .db
                .write(input, |tx, (sql, after, up_to, time_ms)| {
                    Box::pin(delete(tx, sql, after, up_to, *time_ms))
                })
                .await?;
            if keys.len() < KEYS_PER_STEP || app.stop.is_cancelled() {
                break;
            }
            after = up_to;
        }
    }
    Ok(deleted)
}

async fn delete(tx: &mut Tx, sql: &'static str, after: &[u8], up_to: &[u8], time_ms: i64) -> Result<u64, DbError> {
    tx.execute(sql, params![after.to_vec(), up_to.to_vec(), time_ms]).await
}
