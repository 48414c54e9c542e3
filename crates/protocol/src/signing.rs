//! What is signed outside MLS, and under which label. A signature made for one purpose never verifies for another.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

use crate::ids::{AccountId, DeviceId};

pub const DEVICE_LIST: &[u8] = b"kabar/v1/device-list";
pub const DEVICE_PROOF: &[u8] = b"kabar/v1/device-proof";
pub const TICKET: &[u8] = b"kabar/v1/ticket";
pub const PAYMENT: &[u8] = b"kabar/v1/payment";
pub const DELIVERY_RECEIPT: &[u8] = b"kabar/v1/delivery-receipt";
pub const INVITE_JOIN: &[u8] = b"kabar/v1/invite-join";
pub const INVITE_OPEN: &[u8] = b"kabar/v1/invite-open";
const AUTHENTICATE: &[u8] = b"kabar/v1/authenticate";

/// The bytes that a device signs to own a socket: label, the server's nonce, account, device.
pub fn authenticate_bytes(nonce: &[u8], account: AccountId, device: DeviceId) -> Vec<u8> {
    [AUTHENTICATE, nonce, account.as_slice(), device.as_slice()].concat()
}

/// `label || body`, the form of every other signed thing.
pub fn labelled(label: &[u8], body: &[u8]) -> Vec<u8> {
    [label, body].concat()
}

/// True if `signature` is an Ed25519 signature (RFC 8032, strict) of `message` by `public_key`.
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (<[u8; 32]>::try_from(public_key), Signature::from_slice(signature)) else {
        return false;
    };
    // Strict: no small-order keys, so that a signature commits to one key.
    VerifyingKey::from_bytes(&key).is_ok_and(|key| !key.is_weak() && key.verify(message, &signature).is_ok())
}
