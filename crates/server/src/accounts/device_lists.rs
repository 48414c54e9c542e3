//! Reading device lists: verified once, then kept in memory.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use kabar_protocol::{
    device_list::DeviceList,
    ids::AccountId,
    wire::{self, device_list_outcome::Outcome},
};

use super::store;
use crate::{app::App, error::Failure, socket::Identity};

/// The verified chain of an account; `None` if there is no such account.
pub(crate) async fn device_list(app: &App, account: AccountId) -> Result<Option<Arc<DeviceList>>, Failure> {
    if let Some(list) = app.accounts.lists.get(&account) {
        return Ok(Some(list));
    }
    let entries = store::entries(&mut app.db.reader().await?, account, 0).await?;
    if entries.is_empty() {
        return Ok(None);
    }
    let list = DeviceList::from_entries(&entries).map_err(|error| Failure::internal(&error))?;
    let list = Arc::new(list);
    remember(app, Arc::clone(&list));
    Ok(Some(list))
}

/// Keeps a verified chain, unless a longer one is known.
pub(super) fn remember(app: &App, list: Arc<DeviceList>) {
    let version = list.version;
    app.accounts
        .lists
        .insert_unless(list.account, list, |known| known.version > version);
}

/// True if the device may speak for its account now.
pub(crate) async fn is_current(app: &App, identity: Identity) -> Result<bool, Failure> {
    let list = device_list(app, identity.account).await?;
    Ok(list.is_some_and(|list| list.current_device(identity.device).is_some()))
}

/// The chains of several accounts; those that do not exist are missing.
pub(crate) async fn device_lists(
    app: &App,
    accounts: &BTreeSet<AccountId>,
) -> Result<HashMap<AccountId, Arc<DeviceList>>, Failure> {
    let mut lists = HashMap::with_capacity(accounts.len());
    for account in accounts {
        if let Some(list) = device_list(app, *account).await? {
            lists.insert(*account, list);
        }
    }
    Ok(lists)
}

pub(crate) async fn fetch_device_list(app: &App, request: &wire::FetchDeviceList) -> Result<Outcome, Failure> {
    let account = AccountId::from_slice(&request.account_id)
        .map_err(|rule| Failure::invalid("fetch_device_list.account_id", rule))?;
    if device_list(app, account).await?.is_none() {
        return Ok(Outcome::NotFound(wire::device_list_outcome::NotFound {}));
    }
    Ok(Outcome::List(entries_from(app, account, request.from_version).await?))
}

pub(super) async fn entries_from(app: &App, account: AccountId, from: u32) -> Result<wire::DeviceList, Failure> {
    Ok(wire::DeviceList {
        account_id: account.to_bytes(),
        entries: store::entries(&mut app.db.reader().await?, account, from).await?,
    })
}
