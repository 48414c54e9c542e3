//! Finding an account by exact match, and the username by which it is found.
//!
//! Names and numbers are keys of the directory as HMACs only: a stolen database lists nobody's contacts.

use kabar_protocol::{
    ids::AccountId,
    names,
    wire::{self, find_account::Who, set_username_outcome},
};

use super::store;
use crate::{
    app::App,
    db::{DbError, Tx, params},
    error::Failure,
    limits::RateLimit,
    socket::Identity,
};

/// An account that was found.
pub(crate) struct FoundAccount {
    pub(crate) account: AccountId,
    pub(crate) username: Option<String>,
    pub(crate) is_business: bool,
}

pub(crate) async fn find_account(
    app: &App,
    identity: Identity,
    request: wire::FindAccount,
) -> Result<Option<FoundAccount>, Failure> {
    app.limits
        .check(RateLimit::Lookups, identity.account.as_slice(), app.now_ms())?;
    let who = request
        .who
        .ok_or_else(|| Failure::invalid("find_account.who", "is missing"))?;
    lookup(app, who).await
}

/// Who has proved a number.
pub(crate) async fn phone_account(app: &App, phone: &str) -> Result<Option<AccountId>, Failure> {
    let key = app.secrets.directory_key("phone", phone);
    Ok(store::phone_owner(&mut app.db.reader().await?, key).await?)
}

/// True if the account is a business number's.
pub(crate) async fn is_business(app: &App, account: AccountId) -> Result<bool, Failure> {
    if let Some(known) = app.accounts.businesses.get(&account) {
        return Ok(known);
    }
    let row = store::account_row(&mut app.db.reader().await?, account).await?;
    let Some(row) = row else { return Ok(false) };
    app.accounts.businesses.insert(account, row.is_business);
    Ok(row.is_business)
}

async fn lookup(app: &App, who: Who) -> Result<Option<FoundAccount>, Failure> {
    let mut tx = app.db.reader().await?;
    let account = match who {
        Who::Username(name) => {
            let name = names::username(&name).map_err(|rule| Failure::invalid("find_account.username", rule))?;
            store::username_owner(&mut tx, app.secrets.directory_key("username", &name)).await?
        }
        Who::Phone(phone) => {
            let phone = names::phone(&phone).map_err(|rule| Failure::invalid("find_account.phone", rule))?;
            store::phone_owner(&mut tx, app.secrets.directory_key("phone", &phone)).await?
        }
        Who::AccountId(id) => {
            Some(AccountId::from_slice(&id).map_err(|rule| Failure::invalid("find_account.account_id", rule))?)
        }
    };
    let Some(account) = account else { return Ok(None) };
    let row = store::account_row(&mut tx, account).await?;
    Ok(row.map(|row| FoundAccount {
        account,
        username: row.username,
        is_business: row.is_business,
    }))
}

/// Takes a username, changes it, or gives it up.
pub(crate) async fn set_username(
    app: &App,
    identity: Identity,
    request: wire::SetUsername,
) -> Result<set_username_outcome::Outcome, Failure> {
    app.limits
        .check(RateLimit::Lookups, identity.account.as_slice(), app.now_ms())?;
    let username = match request.username {
        None => None,
        Some(name) => Some(names::username(&name).map_err(|rule| Failure::invalid("set_username.username", rule))?),
    };
    let key = |name: &str| app.secrets.directory_key("username", name);
    let old = store::account_row(&mut app.db.reader().await?, identity.account).await?;
    let old = old.and_then(|row| row.username);
    let input = Input {
        account: identity.account,
        old_key: old.as_deref().map(key),
        new_key: username.as_deref().map(key),
        old,
        new: username,
    };
    let done = app.db.write(input, |tx, input| Box::pin(replace(tx, input))).await?;
    Ok(if done {
        set_username_outcome::Outcome::Done(set_username_outcome::Done {})
    } else {
        set_username_outcome::Outcome::Taken(set_username_outcome::Taken {})
    })
}

struct Input {
    account: AccountId,
    old: Option<String>,
    old_key: Option<[u8; 32]>,
    new: Option<String>,
    new_key: Option<[u8; 32]>,
}

async fn replace(tx: &mut Tx, input: &Input) -> Result<bool, DbError> {
    if input.old == input.new {
        return Ok(true);
    }
    if let Some(key) = input.new_key
        && !store::take_username(tx, key, input.account).await?
        && store::username_owner(tx, key).await? != Some(input.account)
    {
        return Ok(false);
    }
    if let Some(key) = input.old_key {
        store::give_up_username(tx, key, input.account).await?;
    }
    let sql = "UPDATE account SET username = $2 WHERE account_id = $1";
    tx.execute(sql, params![input.account, input.new.clone()]).await?;
    Ok(true)
}

/// For the operator: what the server knows of an account. No content, no numbers.
pub(crate) async fn show(app: &App, who: &str) -> Result<Option<serde_json::Value>, Failure> {
    let who = match names::who(who).map_err(|rule| Failure::invalid("who", rule))? {
        names::Who::Phone(phone) => Who::Phone(phone),
        names::Who::Username(name) => Who::Username(name),
        names::Who::Id(account, _) => Who::AccountId(account.to_bytes()),
    };
    let Some(FoundAccount { account, username, .. }) = lookup(app, who).await? else {
        return Ok(None);
    };
    let Some(list) = super::device_list(app, account).await? else {
        return Ok(None);
    };
    let row = store::account_row(&mut app.db.reader().await?, account).await?;
    let devices = list.devices.iter().map(|device| {
        serde_json::json!({
            "device_id": device.id,
            "revoked": device.revoked.is_some(),
            "online": app.bus.session(device.id).is_some(),
        })
    });
    Ok(Some(serde_json::json!({
        "account_id": account,
        "username": username,
        "phone_verified": row.as_ref().is_some_and(|row| row.phone_hmac.is_some()),
        "created_ms": row.map(|row| row.created_ms),
        "device_list_version": list.version,
        "devices": devices.collect::<Vec<_>>(),
    })))
}
