//! SQL of links and of those who ask to be let in.

use bytes::Bytes;
use kabar_protocol::{
    ids::{AccountId, ConversationId},
    invite::InviteCode,
    limits::JOIN_REQUESTS_MAX,
    wire::{JoinRequest, PublishInvite},
};

use crate::db::{DbError, Rows, Tx, params};

/// Links of one group, spent and expired ones among them.
const INVITES_STORED_MAX: i64 = 64;

pub(super) struct StoredInvite {
    pub(super) public_key: Bytes,
    pub(super) expires_ms: i64,
    uses_max: i64,
    uses: i64,
    pub(super) approval: bool,
    pub(super) preview: Bytes,
}

impl StoredInvite {
    pub(super) fn is_open(&self, now_ms: i64) -> bool {
        now_ms < self.expires_ms && (self.uses_max == 0 || self.uses < self.uses_max)
    }
}

pub(super) async fn invite(tx: &mut Tx, code: InviteCode) -> Result<Option<StoredInvite>, DbError> {
    let sql = "SELECT public_key, expires_ms, uses_max, uses, approval, preview FROM group_invite \
               WHERE conversation_id = $1 AND key_hash = $2";
    let Some(row) = tx
        .fetch_optional(sql, params![code.conversation, code.key_hash()])
        .await?
    else {
        return Ok(None);
    };
    let approval: i64 = row.get(4)?;
    Ok(Some(StoredInvite {
        public_key: row.get(0)?,
        expires_ms: row.get(1)?,
        uses_max: row.get(2)?,
        uses: row.get(3)?,
        approval: approval != 0,
        preview: row.get(5)?,
    }))
}

/// Whether somebody could come in by a link now.
pub(super) async fn has_open(tx: &mut Tx, id: ConversationId, now_ms: i64) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM group_invite WHERE conversation_id = $1 AND approval = 0 AND expires_ms > $2 \
               AND (uses_max = 0 OR uses < uses_max)";
    Ok(tx.fetch_optional(sql, params![id, now_ms]).await?.is_some())
}

/// False if the group has too many. Those that have expired make room.
pub(super) async fn put_invite(
    tx: &mut Tx,
    code: InviteCode,
    invite: &PublishInvite,
    now_ms: i64,
) -> Result<bool, DbError> {
    let id = code.conversation;
    let sql = "DELETE FROM group_invite WHERE conversation_id = $1 AND expires_ms <= $2";
    tx.execute(sql, params![id, now_ms]).await?;
    let sql = "SELECT COUNT(*) FROM group_invite WHERE conversation_id = $1 AND key_hash <> $2";
    let others = tx.fetch_optional(sql, params![id, code.key_hash()]).await?;
    let others: i64 = others.map_or(Ok(0), |row| row.get(0))?;
    if others >= INVITES_STORED_MAX {
        return Ok(false);
    }
    let sql = "INSERT INTO group_invite \
               (conversation_id, key_hash, public_key, expires_ms, uses_max, uses, approval, preview) \
               VALUES ($1, $2, $3, $4, $5, 0, $6, $7) ON CONFLICT (conversation_id, key_hash) DO UPDATE SET \
               expires_ms = excluded.expires_ms, uses_max = excluded.uses_max, approval = excluded.approval, \
               preview = excluded.preview";
    let values = params![
        id,
        code.key_hash(),
        &invite.public_key,
        invite.expires_ms,
        invite.uses_max,
        i64::from(invite.approval),
        &invite.preview,
    ];
    tx.execute(sql, values).await?;
    Ok(true)
}

pub(super) async fn delete_invite(tx: &mut Tx, code: InviteCode) -> Result<(), DbError> {
    let sql = "DELETE FROM group_invite WHERE conversation_id = $1 AND key_hash = $2";
    tx.execute(sql, params![code.conversation, code.key_hash()]).await?;
    let sql = "DELETE FROM join_request WHERE conversation_id = $1 AND key_hash = $2";
    tx.execute(sql, params![code.conversation, code.key_hash()]).await?;
    Ok(())
}

pub(super) async fn count_use(tx: &mut Tx, code: InviteCode) -> Result<(), DbError> {
    let sql = "UPDATE group_invite SET uses = uses + 1 WHERE conversation_id = $1 AND key_hash = $2";
    tx.execute(sql, params![code.conversation, code.key_hash()]).await?;
    Ok(())
}

/// False if too many are waiting already.
pub(super) async fn put_request(
    tx: &mut Tx,
    code: InviteCode,
    account: AccountId,
    note: &Bytes,
    now_ms: i64,
) -> Result<bool, DbError> {
    let sql = "SELECT COUNT(*) FROM join_request WHERE conversation_id = $1 AND account_id <> $2";
    let others = tx.fetch_optional(sql, params![code.conversation, account]).await?;
    let others: i64 = others.map_or(Ok(0), |row| row.get(0))?;
    if usize::try_from(others).is_ok_and(|others| others >= JOIN_REQUESTS_MAX) {
        return Ok(false);
    }
    let sql = "INSERT INTO join_request (conversation_id, account_id, key_hash, note, asked_ms) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (conversation_id, account_id) DO UPDATE SET \
               key_hash = excluded.key_hash, note = excluded.note";
    tx.execute(sql, params![code.conversation, account, code.key_hash(), note, now_ms])
        .await?;
    Ok(true)
}

pub(super) async fn requests(tx: &mut Tx, id: ConversationId) -> Result<Vec<JoinRequest>, DbError> {
    let sql = "SELECT account_id, key_hash, note, asked_ms FROM join_request WHERE conversation_id = $1 \
               ORDER BY asked_ms, account_id LIMIT 100";
    let mut requests = Vec::new();
    for row in tx.fetch(sql, params![id]).await? {
        let key_hash: Vec<u8> = row.get(1)?;
        requests.push(JoinRequest {
            account_id: row.get::<AccountId>(0)?.to_bytes(),
            code: [id.as_slice(), &key_hash].concat().into(),
            note: row.get(2)?,
            time_ms: row.get(3)?,
        });
    }
    Ok(requests)
}

pub(super) async fn delete_requests(tx: &mut Tx, id: ConversationId, accounts: &[AccountId]) -> Result<(), DbError> {
    let mut rows = Rows::new(2);
    accounts
        .iter()
        .for_each(|account| rows.push([id.into(), (*account).into()]));
    let sql = "DELETE FROM join_request \
               WHERE (conversation_id, account_id) IN (SELECT column1, column2 FROM (VALUES {rows}) AS v)";
    tx.execute_rows(sql, &rows).await?;
    Ok(())
}
