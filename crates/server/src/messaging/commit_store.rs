//! SQL of handshakes: a conversation's beginning, its next epoch, its next generation.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kabar_protocol::{
    ids::{ConversationId, DeviceId},
    wire::{ConversationKind, GroupPolicy, deliver::Kind},
};
use prost::Message as _;

use super::{
    batch_store::insert_log,
    envelope::{RETENTION_MS, inline},
    inbox,
    queue::{self, Counters, Delivery, Entry},
};
use crate::{
    db::{DbError, Rows, Tx, params},
    socket::Identity,
};

/// The group's public side as it is stored.
pub(super) struct StoredGroup {
    pub(super) generation: u32,
    pub(super) epoch: u64,
    pub(super) kind: ConversationKind,
    pub(super) last_seq: u64,
    pub(super) group_info: Bytes,
    pub(super) public_state: Bytes,
    pub(super) reset_ms: i64,
}

pub(super) async fn stored_group(tx: &mut Tx, id: ConversationId) -> Result<Option<StoredGroup>, DbError> {
    let sql = "SELECT c.generation, c.epoch, c.kind, c.last_seq, g.group_info, g.public_state, g.reset_ms \
               FROM conversation AS c JOIN conversation_group AS g ON g.conversation_id = c.conversation_id \
               WHERE c.conversation_id = $1";
    let Some(row) = tx.fetch_optional(sql, params![id]).await? else {
        return Ok(None);
    };
    let kind: i64 = row.get(2)?;
    Ok(Some(StoredGroup {
        generation: row.get(0)?,
        epoch: row.get(1)?,
        kind: i32::try_from(kind)
            .ok()
            .and_then(|kind| kind.try_into().ok())
            .unwrap_or_default(),
        last_seq: row.get(3)?,
        group_info: row.get(4)?,
        public_state: row.get(5)?,
        reset_ms: row.get(6)?,
    }))
}

/// False if the conversation exists.
pub(super) async fn insert_conversation(
    tx: &mut Tx,
    id: ConversationId,
    kind: ConversationKind,
    epoch: u64,
) -> Result<bool, DbError> {
    let sql = "INSERT INTO conversation (conversation_id, kind, generation, epoch, last_seq) \
               VALUES ($1, $2, 0, $3, 1) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![id, i64::from(kind as i32), epoch]).await? == 1)
}

pub(super) async fn insert_group(
    tx: &mut Tx,
    id: ConversationId,
    now_ms: i64,
    group_info: &Bytes,
    public_state: &Bytes,
) -> Result<(), DbError> {
    let sql = "INSERT INTO conversation_group (conversation_id, created_ms, reset_ms, group_info, public_state) \
               VALUES ($1, $2, 0, $3, $4)";
    tx.execute(sql, params![id, now_ms, group_info, public_state]).await?;
    Ok(())
}

pub(super) async fn update_group(
    tx: &mut Tx,
    id: ConversationId,
    group_info: &Bytes,
    public_state: &Bytes,
) -> Result<(), DbError> {
    let sql = "UPDATE conversation_group SET group_info = $2, public_state = $3 WHERE conversation_id = $1";
    tx.execute(sql, params![id, group_info, public_state]).await?;
    Ok(())
}

/// What every send into a group of people has to know; nothing is kept of other kinds.
pub(super) async fn put_policy(tx: &mut Tx, id: ConversationId, policy: Option<&GroupPolicy>) -> Result<(), DbError> {
    if let Some(policy) = policy {
        let sql = "INSERT INTO group_policy (conversation_id, policy) VALUES ($1, $2) \
                   ON CONFLICT (conversation_id) DO UPDATE SET policy = excluded.policy";
        tx.execute(sql, params![id, Bytes::from(policy.encode_to_vec())])
            .await?;
    }
    Ok(())
}

/// The policy to keep: that of a group of people.
pub(super) fn kept_policy(policy: &GroupPolicy) -> Option<GroupPolicy> {
    (policy.kind() == ConversationKind::Group).then(|| policy.clone())
}

/// The compare-and-set of a commit: the new sequence, or `None` if the epoch is another.
pub(super) async fn next_epoch(
    tx: &mut Tx,
    id: ConversationId,
    generation: u32,
    epoch: u64,
) -> Result<Option<u64>, DbError> {
    let sql = "UPDATE conversation SET epoch = epoch + 1, last_seq = last_seq + 1 \
               WHERE conversation_id = $1 AND generation = $2 AND epoch = $3 RETURNING last_seq";
    let row = tx.fetch_optional(sql, params![id, generation, epoch]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// The compare-and-set of a reset: the new sequence, or `None` if the generation is another.
pub(super) async fn next_generation(
    tx: &mut Tx,
    id: ConversationId,
    generation: u32,
    epoch: u64,
    now_ms: i64,
) -> Result<Option<u64>, DbError> {
    let sql = "UPDATE conversation SET generation = generation + 1, epoch = $3, last_seq = last_seq + 1 \
               WHERE conversation_id = $1 AND generation = $2 RETURNING last_seq";
    let Some(row) = tx.fetch_optional(sql, params![id, generation, epoch]).await? else {
        return Ok(None);
    };
    let sql = "UPDATE conversation_group SET reset_ms = $2 WHERE conversation_id = $1";
    tx.execute(sql, params![id, now_ms]).await?;
    row.get(0).map(Some)
}

/// (commit hash, sequence) of the commit that ended the epoch.
pub(super) async fn commit_of_epoch(
    tx: &mut Tx,
    id: ConversationId,
    generation: u32,
    epoch: u64,
) -> Result<Option<([u8; 32], u64)>, DbError> {
    let sql = "SELECT commit_hash, seq FROM conversation_commit \
               WHERE conversation_id = $1 AND generation = $2 AND epoch = $3";
    let row = tx.fetch_optional(sql, params![id, generation, epoch]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

pub(super) async fn insert_commit(
    tx: &mut Tx,
    id: ConversationId,
    place: (u32, u64, u64),
    hash: [u8; 32],
    now_ms: i64,
) -> Result<(), DbError> {
    let (generation, epoch, seq) = place;
    let sql = "INSERT INTO conversation_commit (conversation_id, generation, epoch, commit_hash, seq, created_ms) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(sql, params![id, generation, epoch, hash, seq, now_ms])
        .await?;
    Ok(())
}

/// Makes the member rows those of `after`, and inboxes for the newcomers.
pub(super) async fn change_members(
    tx: &mut Tx,
    id: ConversationId,
    before: &[Identity],
    after: &[Identity],
) -> Result<(), DbError> {
    let old: BTreeSet<DeviceId> = before.iter().map(|member| member.device).collect();
    let new: BTreeSet<DeviceId> = after.iter().map(|member| member.device).collect();
    let mut gone = Rows::new(2);
    for device in old.difference(&new) {
        gone.push([id.into(), (*device).into()]);
    }
    let sql =
        "DELETE FROM member WHERE (conversation_id, device_id) IN (SELECT column1, column2 FROM (VALUES {rows}) AS v)";
    tx.execute_rows(sql, &gone).await?;
    let mut come = Rows::new(3);
    for member in after.iter().filter(|member| !old.contains(&member.device)) {
        come.push([id.into(), member.device.into(), member.account.into()]);
    }
    let sql = "INSERT INTO member (conversation_id, device_id, account_id) VALUES {rows} ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &come).await?;
    inbox::make_all(tx, new.difference(&old).copied()).await
}

/// A handshake on its way to devices.
pub(super) struct Parcel<'a> {
    pub(super) conversation: ConversationId,
    pub(super) seq: u64,
    pub(super) kind: Kind,
    pub(super) envelope: Bytes,
    pub(super) devices: &'a [DeviceId],
    /// A commit is always in the log, for those who fetch it.
    pub(super) logged: bool,
}

/// Queues parcels in order, and the committer's counter with them.
pub(super) async fn send_parcels(
    tx: &mut Tx,
    parcels: &[Parcel<'_>],
    committer: Option<(DeviceId, u64)>,
    now_ms: i64,
) -> Result<Vec<Delivery>, DbError> {
    let expires_ms = now_ms + RETENTION_MS;
    let mut log = Rows::new(5);
    let mut entries = Vec::new();
    for parcel in parcels {
        let inline = inline(parcel.envelope.len(), parcel.devices.len());
        if parcel.logged || !inline {
            log.push([
                parcel.conversation.into(),
                parcel.seq.into(),
                i64::from(parcel.kind as i32).into(),
                expires_ms.into(),
                (&parcel.envelope).into(),
            ]);
        }
        entries.extend(parcel.devices.iter().map(|device| Entry {
            device: *device,
            conversation: parcel.conversation,
            seq: parcel.seq,
            kind: parcel.kind,
            receipted: false,
            expires_ms,
            envelope: parcel.envelope.clone(),
            inline,
        }));
    }
    insert_log(tx, &log).await?;
    let counters = committer.map(|(device, client_seq)| {
        let counters = Counters {
            client_seq,
            ..Counters::default()
        };
        (device, counters)
    });
    queue::append(tx, &entries, &counters.into_iter().collect::<BTreeMap<_, _>>()).await
}
