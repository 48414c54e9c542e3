//! Invite codes: who has one may register where the mode is `invite`. Kept as a hash; shown once, when made.

use sha2::{Digest as _, Sha256};

use crate::{
    app::App,
    db::{DbError, Tx, params},
    error::Failure,
};

/// Random bytes of a code; it is shown as 20 letters and digits.
const CODE_BYTES: usize = 20;
/// No 0/O, 1/I/L: codes are read aloud.
const ALPHABET: &[u8; 31] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
const DAY_MS: i64 = 86_400_000;

/// SHA-256 of the code as typed, without spaces and dashes, in upper case. The code itself has 99 bits.
pub(crate) fn code_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    Sha256::digest(plain.to_ascii_uppercase()).into()
}

/// A random code that can be read aloud.
pub(crate) fn readable_code(app: &App) -> String {
    let random: [u8; CODE_BYTES] = app.random();
    let letters = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    letters.collect()
}

/// Makes a code for `uses` registrations within `expires_days`.
pub(crate) async fn create_invite(app: &App, uses: u32, expires_days: u32) -> Result<String, Failure> {
    let code = readable_code(app);
    let expires_ms = app.now_ms() + i64::from(expires_days) * DAY_MS;
    let input = (code_hash(&code), uses, expires_ms);
    app.db
        .write(input, |tx, (hash, uses, expires_ms)| {
            Box::pin(insert(tx, *hash, *uses, *expires_ms))
        })
        .await?;
    Ok(code)
}

async fn insert(tx: &mut Tx, hash: [u8; 32], uses: u32, expires_ms: i64) -> Result<(), DbError> {
    let sql = "INSERT INTO invite (code_hash, uses_left, expires_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![hash, uses, expires_ms]).await?;
    Ok(())
}

/// Uses the invite once; false if it is unknown, used up or expired.
pub(super) async fn use_invite(tx: &mut Tx, hash: [u8; 32], now_ms: i64) -> Result<bool, DbError> {
    let sql = "UPDATE invite SET uses_left = uses_left - 1 WHERE code_hash = $1 AND uses_left > 0 AND expires_ms > $2";
    Ok(tx.execute(sql, params![hash, now_ms]).await? == 1)
}

/// Deletes what can no longer be used.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<u64, DbError> {
    let sql = "DELETE FROM invite WHERE uses_left <= 0 OR expires_ms <= $1";
    tx.execute(sql, params![now_ms]).await
}
