//! A new account with its first device.

use kabar_protocol::{
    VERSIONS,
    device_list::DeviceList,
    ids::AccountId,
    names, signing,
    wire::{self, DeviceListEntry, register_outcome::refused::Reason},
};

use super::{invites, store};
use crate::{
    app::App,
    config::RegistrationMode,
    db::{DbError, Tx},
    error::{Failure, reason},
    limits::RateLimit,
    metrics::Metrics,
    socket::{Identity, Session},
};

/// The outcome of a registration.
pub(crate) enum Registered {
    Account(Identity),
    Refused(Reason),
}

/// Checks the genesis and the signature over this socket's nonce, then the registration mode, then stores.
pub(crate) async fn register(app: &App, session: &Session, request: wire::Register) -> Result<Registered, Failure> {
    app.limits
        .check_address(RateLimit::Registrations, session.address, app.now_ms())?;
    let (identity, entry) = check_genesis(session, &request)?;
    let username = match request.username.filter(|name| !name.is_empty()) {
        None => None,
        Some(name) => Some(names::username(&name).map_err(|rule| Failure::invalid("register.username", rule))?),
    };
    let invite = match (app.config.registration_mode(), request.invite_code) {
        (RegistrationMode::Closed, _) => return Ok(Registered::Refused(Reason::Closed)),
        (RegistrationMode::Invite, None) => return Ok(Registered::Refused(Reason::InviteRequired)),
        (RegistrationMode::Invite, Some(code)) => Some(invites::code_hash(&code)),
        (RegistrationMode::Open | RegistrationMode::Auto, _) => None,
    };
    let input = Input {
        account: identity.account,
        entry,
        username_hmac: username
            .as_deref()
            .map(|name| app.secrets.directory_key("username", name)),
        username,
        invite,
        business_phone: None,
        now_ms: app.now_ms(),
    };
    store_account(app, input, identity).await
}

/// The account of a business number: found by the number, and not subject to the registration mode.
pub(crate) async fn register_business(
    app: &App,
    session: &Session,
    request: wire::Register,
    phone: &str,
) -> Result<Registered, Failure> {
    let (identity, entry) = check_genesis(session, &request)?;
    let input = Input {
        account: identity.account,
        entry,
        username: None,
        username_hmac: None,
        invite: None,
        business_phone: Some(app.secrets.directory_key("phone", phone)),
        now_ms: app.now_ms(),
    };
    store_account(app, input, identity).await
}

/// The device that registers, and the entry that makes its account.
fn check_genesis(session: &Session, request: &wire::Register) -> Result<(Identity, DeviceListEntry), Failure> {
    if !VERSIONS.contains(&request.version) {
        return Err(super::authenticate::version_unsupported());
    }
    let entry = request
        .genesis
        .clone()
        .ok_or_else(|| Failure::invalid("register.genesis", "is missing"))?;
    let list = DeviceList::from_genesis(&entry).map_err(|rule| Failure::invalid("register.genesis", rule))?;
    let device = &list.devices[0];
    let identity = Identity {
        account: list.account,
        device: device.id,
    };
    let signed = signing::authenticate_bytes(&session.nonce, identity.account, identity.device);
    if !signing::verify(&device.public_key, &signed, &request.signature) {
        return Err(Failure::unauthenticated(
            reason::SIGNATURE_INVALID,
            "register.signature is not by the first device over this socket's nonce",
        ));
    }
    Ok((identity, entry))
}

async fn store_account(app: &App, input: Input, identity: Identity) -> Result<Registered, Failure> {
    let refused = app.db.write(input, |tx, input| Box::pin(insert(tx, input))).await?;
    if let Some(reason) = refused {
        return Ok(Registered::Refused(reason));
    }
    Metrics::count(&app.metrics.accounts_registrations);
    Ok(Registered::Account(identity))
}

struct Input {
    account: AccountId,
    entry: DeviceListEntry,
    username: Option<String>,
    username_hmac: Option<[u8; 32]>,
    invite: Option<[u8; 32]>,
    business_phone: Option<[u8; 32]>,
    now_ms: i64,
}

/// All or nothing: what was taken before a refusal is given back.
async fn insert(tx: &mut Tx, input: &Input) -> Result<Option<Reason>, DbError> {
    if store::account_row(tx, input.account).await?.is_some() {
        return Ok(Some(Reason::AccountExists));
    }
    if let Some(username) = input.username_hmac
        && !store::take_username(tx, username, input.account).await?
    {
        return Ok(Some(Reason::UsernameTaken));
    }
    if let Some(invite) = input.invite
        && !invites::use_invite(tx, invite, input.now_ms).await?
    {
        if let Some(username) = input.username_hmac {
            store::give_up_username(tx, username, input.account).await?;
        }
        return Ok(Some(Reason::InviteInvalid));
    }
    let kind = input.business_phone.map_or(0, |_| store::KIND_BUSINESS);
    if !store::insert_account(tx, input.account, kind, input.username.clone(), input.now_ms).await? {
        return Ok(Some(Reason::AccountExists));
    }
    if let Some(phone) = input.business_phone {
        store::take_phone(tx, phone, input.account, input.now_ms).await?;
    }
    store::insert_entry(tx, input.account, 0, &input.entry).await?;
    Ok(None)
}
