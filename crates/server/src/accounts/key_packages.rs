//! KeyPackages: published by a device, claimed by those who want to write to it.
//!
//! A single-use package is handed out exactly once; the last-resort one stays. Claims are budgeted twice, because a
//! stranger who claims them all makes every new conversation start with the last-resort one.

use bytes::Bytes;
use kabar_protocol::{
    ids::{AccountId, DeviceId},
    limits::{KEY_PACKAGES_LOW, KEY_PACKAGES_MAX},
    wire::{
        self, DeviceKeyPackage,
        claim_key_packages_outcome::{Claimed, NotFound, Outcome},
        server_frame::Body,
    },
};

use crate::{
    app::App,
    db::{DbError, Rows, Tx, params},
    error::{Failure, reason},
    limits::RateLimit,
    mls::{ValidKeyPackage, validate_key_package},
    socket::{Identity, frame},
};

/// Another claimer may take a package between our look and our claim; then we look again.
const CLAIM_ATTEMPTS_MAX: usize = 3;

pub(crate) async fn publish_key_packages(
    app: &App,
    identity: Identity,
    request: wire::PublishKeyPackages,
) -> Result<u32, Failure> {
    app.limits
        .check(RateLimit::Reads, identity.device.as_slice(), app.now_ms())?;
    if request.key_packages.len() > KEY_PACKAGES_MAX as usize {
        let rule = format!("at most {KEY_PACKAGES_MAX} packages");
        return Err(Failure::invalid("publish_key_packages.key_packages", rule));
    }
    // Two signatures each: not on a thread that serves sockets.
    let checked = tokio::task::spawn_blocking(move || check_all(identity, request))
        .await
        .map_err(|error| Failure::internal(&error))??;
    let input = Publish {
        identity,
        packages: checked,
        now_ms: app.now_ms(),
    };
    Ok(app.db.write(input, |tx, input| Box::pin(insert(tx, input))).await?)
}

struct Package {
    valid: ValidKeyPackage,
    last_resort: bool,
    body: Bytes,
}

struct Publish {
    identity: Identity,
    packages: Vec<Package>,
    now_ms: i64,
}

fn check_all(identity: Identity, request: wire::PublishKeyPackages) -> Result<Vec<Package>, Failure> {
    let single = request.key_packages.into_iter().map(|body| (body, false));
    let last = request.last_resort.into_iter().map(|body| (body, true));
    single
        .chain(last)
        .map(|(body, last_resort)| check(identity, body, last_resort))
        .collect()
}

fn check(identity: Identity, body: Bytes, last_resort: bool) -> Result<Package, Failure> {
    let parameter = if last_resort {
        "publish_key_packages.last_resort"
    } else {
        "publish_key_packages.key_packages"
    };
    let refused = |rule: String| Failure {
        reason: reason::KEY_PACKAGE,
        ..Failure::invalid(parameter, rule)
    };
    let valid = validate_key_package(&body).map_err(refused)?;
    if (valid.credential.account, valid.credential.device) != (identity.account, identity.device) {
        return Err(refused("its credential is not that of this session's device".into()));
    }
    Ok(Package {
        valid,
        last_resort,
        body,
    })
}

async fn insert(tx: &mut Tx, input: &Publish) -> Result<u32, DbError> {
    let Identity { account, device } = input.identity;
    let held = single_use_left(tx, account, device, input.now_ms).await?;
    let room = KEY_PACKAGES_MAX.saturating_sub(held) as usize;
    let single = input.packages.iter().filter(|package| !package.last_resort).take(room);
    let last = input.packages.iter().filter(|package| package.last_resort);
    let mut rows = Rows::new(7);
    for package in single.chain(last) {
        if package.last_resort {
            let sql = "DELETE FROM key_package \
                       WHERE account_id = $1 AND device_id = $2 AND suite = $3 AND last_resort = 1";
            tx.execute(sql, params![account, device, u32::from(package.valid.suite)])
                .await?;
        }
        rows.push([
            account.into(),
            device.into(),
            u32::from(package.valid.suite).into(),
            package.last_resort.into(),
            package.valid.hash.into(),
            package.valid.not_after_ms.into(),
            (&package.body).into(),
        ]);
    }
    let sql = "INSERT INTO key_package (account_id, device_id, suite, last_resort, package_hash, not_after_ms, body) \
               VALUES {rows} ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &rows).await?;
    single_use_left(tx, account, device, input.now_ms).await
}

/// Single-use packages of a device that have not expired.
pub(crate) async fn single_use_left(
    tx: &mut Tx,
    account: AccountId,
    device: DeviceId,
    now_ms: i64,
) -> Result<u32, DbError> {
    let sql = "SELECT COUNT(*) FROM key_package \
               WHERE account_id = $1 AND device_id = $2 AND last_resort = 0 AND not_after_ms > $3";
    let row = tx.fetch_optional(sql, params![account, device, now_ms]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// True if others could add the device to a group of this suite.
pub(crate) async fn has_key_package(
    app: &App,
    account: AccountId,
    device: DeviceId,
    suite: u16,
) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM key_package WHERE account_id = $1 AND device_id = $2 AND suite = $3 \
               AND not_after_ms > $4 LIMIT 1";
    let params = params![account, device, u32::from(suite), app.now_ms()];
    Ok(app.db.reader().await?.fetch_optional(sql, params).await?.is_some())
}

/// One package per current device of the account; among one's own devices, not for the one that asks.
pub(crate) async fn claim_key_packages(
    app: &App,
    identity: Identity,
    request: wire::ClaimKeyPackages,
) -> Result<Outcome, Failure> {
    let account = AccountId::from_slice(&request.account_id)
        .map_err(|rule| Failure::invalid("claim_key_packages.account_id", rule))?;
    let now_ms = app.now_ms();
    let own = identity.account == account;
    app.limits
        .check(RateLimit::KeyPackageClaims, identity.account.as_slice(), now_ms)?;
    if !own {
        app.limits
            .check(RateLimit::KeyPackageClaimsOfTarget, account.as_slice(), now_ms)?;
    }
    let Some(list) = super::device_list(app, account).await? else {
        return Ok(Outcome::NotFound(NotFound {}));
    };
    let devices = list.current().map(|device| device.id);
    let input = Claim {
        account,
        devices: devices.filter(|device| *device != identity.device).collect(),
        suite: request.suite,
        now_ms,
    };
    let claimed = app.db.write(input, |tx, input| Box::pin(claim(tx, input))).await?;
    let mut answer = Claimed {
        device_list: Some(super::device_lists::entries_from(app, account, request.from_version).await?),
        ..Claimed::default()
    };
    for one in claimed {
        if one.left < KEY_PACKAGES_LOW
            && let Some(session) = app.bus.session(one.device)
        {
            session.push(frame::push(Body::KeyPackagesLow(wire::KeyPackagesLow {
                left: one.left,
            })));
        }
        match one.package {
            None => answer.devices_without.push(one.device.to_bytes()),
            Some((key_package, last_resort)) => answer.key_packages.push(DeviceKeyPackage {
                device_id: one.device.to_bytes(),
                key_package,
                last_resort,
            }),
        }
    }
    Ok(Outcome::Claimed(answer))
}

struct Claim {
    account: AccountId,
    devices: Vec<DeviceId>,
    suite: u32,
    now_ms: i64,
}

struct ClaimedPackage {
    device: DeviceId,
    package: Option<(Bytes, bool)>,
    left: u32,
}

async fn claim(tx: &mut Tx, input: &Claim) -> Result<Vec<ClaimedPackage>, DbError> {
    let mut claimed = Vec::with_capacity(input.devices.len());
    for device in &input.devices {
        let package = match claim_single_use(tx, input, *device).await? {
            Some(body) => Some((body, false)),
            None => last_resort(tx, input, *device).await?.map(|body| (body, true)),
        };
        claimed.push(ClaimedPackage {
            device: *device,
            package,
            left: single_use_left(tx, input.account, *device, input.now_ms).await?,
        });
    }
    Ok(claimed)
}

async fn claim_single_use(tx: &mut Tx, input: &Claim, device: DeviceId) -> Result<Option<Bytes>, DbError> {
    for _ in 0..CLAIM_ATTEMPTS_MAX {
        let look = "SELECT package_hash, body FROM key_package WHERE account_id = $1 AND device_id = $2 AND suite = $3 \
                    AND last_resort = 0 AND not_after_ms > $4 ORDER BY package_hash LIMIT 1";
        let params = params![input.account, device, input.suite, input.now_ms];
        let Some(row) = tx.fetch_optional(look, params).await? else {
            return Ok(None);
        };
        let hash: [u8; 16] = row.get(0)?;
        let take = "DELETE FROM key_package WHERE account_id = $1 AND device_id = $2 AND suite = $3 \
                    AND last_resort = 0 AND package_hash = $4";
        if tx
            .execute(take, params![input.account, device, input.suite, hash])
            .await?
            == 1
        {
            return Ok(Some(row.get(1)?));
        }
    }
    Ok(None)
}

async fn last_resort(tx: &mut Tx, input: &Claim, device: DeviceId) -> Result<Option<Bytes>, DbError> {
    let sql = "SELECT body FROM key_package WHERE account_id = $1 AND device_id = $2 AND suite = $3 \
               AND last_resort = 1 AND not_after_ms > $4 LIMIT 1";
    let params = params![input.account, device, input.suite, input.now_ms];
    let row = tx.fetch_optional(sql, params).await?;
    row.map(|row| row.get(0)).transpose()
}
