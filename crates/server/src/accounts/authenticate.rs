//! A known device proves that the socket is its own.

use kabar_protocol::{
    VERSIONS,
    ids::{AccountId, DeviceId},
    signing,
    wire::{self, error::Code},
};

use crate::{
    app::App,
    error::{Failure, reason},
    limits::RateLimit,
    metrics::Metrics,
    socket::{Identity, Session},
};

/// Checks the signature over this socket's nonce by a device that is current now.
pub(crate) async fn authenticate(
    app: &App,
    session: &Session,
    request: &wire::Authenticate,
) -> Result<Identity, Failure> {
    if !VERSIONS.contains(&request.version) {
        return Err(version_unsupported());
    }
    let account =
        AccountId::from_slice(&request.account_id).map_err(|rule| Failure::invalid("authenticate.account_id", rule))?;
    let device =
        DeviceId::from_slice(&request.device_id).map_err(|rule| Failure::invalid("authenticate.device_id", rule))?;
    match check(app, session, account, device, &request.signature).await {
        Ok(()) => {
            Metrics::count(&app.metrics.accounts_authentications);
            Ok(Identity { account, device })
        }
        Err(failure) => {
            // Only failures cost: a household behind one address may well reconnect often.
            app.limits
                .check_address(RateLimit::Authentications, session.address, app.now_ms())?;
            Err(failure)
        }
    }
}

async fn check(
    app: &App,
    session: &Session,
    account: AccountId,
    device: DeviceId,
    signature: &[u8],
) -> Result<(), Failure> {
    let list = super::device_list(app, account)
        .await?
        .ok_or_else(|| Failure::unauthenticated(reason::ACCOUNT_UNKNOWN, "there is no such account"))?;
    let known = list.devices.iter().find(|known| known.id == device);
    let known = known
        .ok_or_else(|| Failure::unauthenticated(reason::DEVICE_UNKNOWN, "the account's list has no such device"))?;
    let signed = signing::authenticate_bytes(&session.nonce, account, device);
    if !signing::verify(&known.public_key, &signed, signature) {
        return Err(Failure::unauthenticated(
            reason::SIGNATURE_INVALID,
            "authenticate.signature is not by the device over this socket's nonce",
        ));
    }
    if known.revoked.is_some() {
        return Err(device_revoked());
    }
    Ok(())
}

pub(crate) fn device_revoked() -> Failure {
    Failure::unauthenticated(reason::DEVICE_REVOKED, "this device was removed from its account")
}

pub(super) fn version_unsupported() -> Failure {
    Failure::new(
        Code::Invalid,
        reason::VERSION_UNSUPPORTED,
        format!("version must be one of {VERSIONS:?}"),
    )
}
