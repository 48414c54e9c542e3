//! Continuing an account's chain: add a device, revoke one, set the recovery key.

use std::sync::Arc;

use kabar_protocol::{
    device_list::{DeviceList, DeviceListError},
    ids::{AccountId, DeviceId},
    wire::{
        self, DeviceListEntry,
        append_device_list_entry_outcome::{self as outcome, Outcome},
    },
};

use super::store;
use crate::{
    app::App,
    db::{DbError, Tx, params},
    error::{Failure, reason},
    socket::Identity,
};

/// The outcome, and the devices that the entry revoked.
pub(crate) struct Appended {
    pub(crate) outcome: Outcome,
    pub(crate) revoked: Vec<DeviceId>,
}

/// Appends to the session's own account. The loser of a race is told the head.
pub(crate) async fn append_entry(
    app: &App,
    identity: Identity,
    request: wire::AppendDeviceListEntry,
) -> Result<Appended, Failure> {
    let entry = request
        .entry
        .ok_or_else(|| Failure::invalid("append_device_list_entry.entry", "is missing"))?;
    let before = super::device_list(app, identity.account)
        .await?
        .ok_or_else(|| Failure::internal(&"an authenticated account has no chain"))?;
    let mut after = DeviceList::clone(&before);
    match after.append(&entry) {
        Ok(()) => {}
        Err(DeviceListError::Version { .. }) => return Ok(conflict(before.version)),
        Err(rule) => {
            return Err(Failure {
                parameter: Some("append_device_list_entry.entry"),
                ..Failure::denied(reason::DEVICE_LIST, rule.to_string())
            });
        }
    }
    let revoked = newly_revoked(&before, &after);
    let input = Input {
        account: identity.account,
        version: after.version,
        entry,
        revoked: revoked.clone(),
    };
    let stored = app.db.write(input, |tx, input| Box::pin(insert(tx, input))).await?;
    if !stored {
        // Somebody else's entry is the head: memory is behind.
        app.accounts.lists.remove(&identity.account);
        return Ok(conflict(after.version));
    }
    let version = after.version;
    super::device_lists::remember(app, Arc::new(after));
    Ok(Appended {
        outcome: Outcome::Appended(outcome::Appended { version }),
        revoked,
    })
}

fn conflict(version: u32) -> Appended {
    Appended {
        outcome: Outcome::Conflict(outcome::Conflict { version }),
        revoked: Vec::new(),
    }
}

fn newly_revoked(before: &DeviceList, after: &DeviceList) -> Vec<DeviceId> {
    let was_current = |id| before.current_device(id).is_some();
    let gone = after
        .devices
        .iter()
        .filter(|device| device.revoked.is_some() && was_current(device.id));
    gone.map(|device| device.id).collect()
}

struct Input {
    account: AccountId,
    version: u32,
    entry: DeviceListEntry,
    revoked: Vec<DeviceId>,
}

async fn insert(tx: &mut Tx, input: &Input) -> Result<bool, DbError> {
    if !store::advance_head(tx, input.account, input.version).await? {
        return Ok(false);
    }
    store::insert_entry(tx, input.account, input.version, &input.entry).await?;
    for device in &input.revoked {
        let sql = "DELETE FROM key_package WHERE account_id = $1 AND device_id = $2";
        tx.execute(sql, params![input.account, *device]).await?;
    }
    Ok(true)
}
