//! Proof of a phone number: a code is held until the number's owner types it.
//!
//! Nothing is sent from here yet: the operator reads the code (`kabar admin registration-code`). The number is kept as
//! a keyed hash only; neither number nor code reaches a log.

use kabar_protocol::{
    ids::AccountId,
    names,
    wire::{self, request_phone_code_outcome as requested, verify_phone_outcome as verified},
};
use subtle::ConstantTimeEq as _;

use super::store;
use crate::{
    app::App,
    db::{DbError, Tx, columns, params},
    error::Failure,
    limits::RateLimit,
    socket::Identity,
};

const RESEND_AFTER_S: u32 = 60;
const EXPIRES_AFTER_S: u32 = 600;
const WRONG_GUESSES_MAX: u32 = 5;
const LOCKED_S: u32 = 3_600;
const CODES: u64 = 1_000_000;

/// A pending code.
struct Pending {
    account: AccountId,
    code: String,
    sent_ms: i64,
    expires_ms: i64,
    wrong_guesses: u32,
    locked_until_ms: i64,
}

pub(crate) async fn request_phone_code(
    app: &App,
    identity: Identity,
    request: wire::RequestPhoneCode,
) -> Result<requested::Outcome, Failure> {
    let phone = names::phone(&request.phone).map_err(|rule| Failure::invalid("request_phone_code.phone", rule))?;
    app.limits
        .check(RateLimit::PhoneCodes, identity.account.as_slice(), app.now_ms())?;
    let code = format!("{:06}", u64::from_be_bytes(app.random()) % CODES);
    let input = (
        app.secrets.directory_key("phone", &phone),
        identity.account,
        code.clone(),
        app.now_ms(),
    );
    let outcome = app
        .db
        .write(input, |tx, (phone, account, code, now_ms)| {
            Box::pin(keep_code(tx, *phone, *account, code, *now_ms))
        })
        .await?;
    Ok(match outcome {
        requested::Outcome::Sent(sent) => requested::Outcome::Sent(requested::Sent {
            code: app.config.server.dev.then_some(code),
            ..sent
        }),
        other => other,
    })
}

async fn keep_code(
    tx: &mut Tx,
    phone: [u8; 32],
    account: AccountId,
    code: &str,
    now_ms: i64,
) -> Result<requested::Outcome, DbError> {
    let before = pending(tx, phone).await?;
    let mut wrong_guesses = 0;
    if let Some(before) = before {
        if before.locked_until_ms > now_ms {
            let retry_after_s = seconds(before.locked_until_ms - now_ms);
            return Ok(requested::Outcome::Locked(requested::Locked { retry_after_s }));
        }
        let resend_ms = before.sent_ms + i64::from(RESEND_AFTER_S) * 1_000;
        if resend_ms > now_ms {
            let resend_after_s = seconds(resend_ms - now_ms);
            return Ok(requested::Outcome::TooSoon(requested::TooSoon { resend_after_s }));
        }
        // A new code does not buy new guesses; the end of a lockout does.
        wrong_guesses = if before.locked_until_ms == 0 {
            before.wrong_guesses
        } else {
            0
        };
    }
    let sql = "INSERT INTO phone_code (phone_hmac, account_id, code, sent_ms, expires_ms, wrong_guesses, locked_until_ms) \
               VALUES ($1, $2, $3, $4, $5, $6, 0) \
               ON CONFLICT (phone_hmac) DO UPDATE SET account_id = excluded.account_id, code = excluded.code, \
               sent_ms = excluded.sent_ms, expires_ms = excluded.expires_ms, wrong_guesses = excluded.wrong_guesses, \
               locked_until_ms = 0";
    let expires_ms = now_ms + i64::from(EXPIRES_AFTER_S) * 1_000;
    tx.execute(sql, params![phone, account, code, now_ms, expires_ms, wrong_guesses])
        .await?;
    Ok(requested::Outcome::Sent(requested::Sent {
        resend_after_s: RESEND_AFTER_S,
        expires_after_s: EXPIRES_AFTER_S,
        code: None,
    }))
}

pub(crate) async fn verify_phone(
    app: &App,
    identity: Identity,
    request: wire::VerifyPhone,
) -> Result<verified::Outcome, Failure> {
    let phone = names::phone(&request.phone).map_err(|rule| Failure::invalid("verify_phone.phone", rule))?;
    let guess = request.code.trim().to_owned();
    let input = (
        app.secrets.directory_key("phone", &phone),
        identity.account,
        guess,
        app.now_ms(),
    );
    let outcome = app
        .db
        .write(input, |tx, (phone, account, guess, now_ms)| {
            Box::pin(try_code(tx, *phone, *account, guess, *now_ms))
        })
        .await?;
    Ok(outcome)
}

async fn try_code(
    tx: &mut Tx,
    phone: [u8; 32],
    account: AccountId,
    guess: &str,
    now_ms: i64,
) -> Result<verified::Outcome, DbError> {
    let expired = verified::Outcome::Expired(verified::Expired {});
    let Some(pending) = pending(tx, phone).await? else {
        return Ok(expired);
    };
    if pending.locked_until_ms > now_ms {
        let retry_after_s = seconds(pending.locked_until_ms - now_ms);
        return Ok(verified::Outcome::Locked(verified::Locked { retry_after_s }));
    }
    if pending.account != account || pending.expires_ms <= now_ms || pending.locked_until_ms != 0 {
        return Ok(expired);
    }
    if !bool::from(pending.code.as_bytes().ct_eq(guess.as_bytes())) {
        return wrong_guess(tx, phone, pending.wrong_guesses + 1, now_ms).await;
    }
    tx.execute("DELETE FROM phone_code WHERE phone_hmac = $1", params![phone])
        .await?;
    // The newest prover takes the number over: numbers change hands.
    store::take_phone(tx, phone, account, now_ms).await?;
    Ok(verified::Outcome::Verified(verified::Verified {}))
}

async fn wrong_guess(tx: &mut Tx, phone: [u8; 32], wrong: u32, now_ms: i64) -> Result<verified::Outcome, DbError> {
    let locked = wrong >= WRONG_GUESSES_MAX;
    let locked_until_ms = if locked {
        now_ms + i64::from(LOCKED_S) * 1_000
    } else {
        0
    };
    let sql = "UPDATE phone_code SET wrong_guesses = $2, locked_until_ms = $3 WHERE phone_hmac = $1";
    tx.execute(sql, params![phone, wrong, locked_until_ms]).await?;
    Ok(if locked {
        verified::Outcome::Locked(verified::Locked {
            retry_after_s: LOCKED_S,
        })
    } else {
        verified::Outcome::WrongCode(verified::WrongCode {
            attempts_left: WRONG_GUESSES_MAX - wrong,
        })
    })
}

/// For the operator: the code that is pending for a number.
pub(crate) async fn pending_code(app: &App, phone: &str) -> Result<Option<String>, Failure> {
    let phone = names::phone(phone).map_err(|rule| Failure::invalid("phone", rule))?;
    let key = app.secrets.directory_key("phone", &phone);
    let pending = pending(&mut app.db.reader().await?, key).await?;
    let now_ms = app.now_ms();
    let usable = pending.filter(|pending| pending.expires_ms > now_ms && pending.locked_until_ms == 0);
    Ok(usable.map(|pending| pending.code))
}

/// Deletes what has expired; a row keeps its wrong guesses until its lockout is over.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<u64, DbError> {
    let sql = "DELETE FROM phone_code WHERE expires_ms <= $1 AND locked_until_ms <= $2";
    let forgotten_ms = now_ms - i64::from(LOCKED_S) * 1_000;
    tx.execute(sql, params![forgotten_ms, now_ms]).await
}

async fn pending(tx: &mut Tx, phone: [u8; 32]) -> Result<Option<Pending>, DbError> {
    let sql = "SELECT account_id, code, sent_ms, expires_ms, wrong_guesses, locked_until_ms FROM phone_code \
               WHERE phone_hmac = $1";
    let Some(row) = tx.fetch_optional(sql, params![phone]).await? else {
        return Ok(None);
    };
    Ok(Some(
        columns!(row => Pending { account, code, sent_ms, expires_ms, wrong_guesses, locked_until_ms }),
    ))
}

/// Milliseconds as whole seconds, rounded up.
fn seconds(ms: i64) -> u32 {
    u32::try_from((ms + 999) / 1_000).unwrap_or(0)
}
