//! The bytes of everything that outlives a connection: what is signed, hashed, or kept in a database or a home.
//!
//! A sample of each, byte for byte. If one of these tests fails, accounts, messages and groups made by an earlier
//! version would no longer verify or be read. So undo the change; or, if it is on purpose:
//! - a new field gets a new number, and its absence means what its absence meant before. No sample changes; add one.
//! - anything else is a new version: a new label (`kabar/v2/...`) or version byte beside the old one, code that reads
//!   both, a line in CHANGELOG.md. The old sample stays here as one that is still read.
//!
//! Frames that only travel are not here: both sides name their protocol version at the start of a connection.

mod businesses;
mod contents;
mod devices;
mod groups;
mod stored;

use std::fmt::Debug;

use ed25519_dalek::{Signer as _, SigningKey};
use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    signing,
    wire::{
        AuthenticatedData, Content, DeviceListEntry, DeviceListEntryBody, MessageClass,
        content::Body,
        device_list_entry_body::{Change, DeviceKey, Genesis},
    },
};
use prost::Message;

const ACCOUNT: AccountId = AccountId([0xa1; 16]);
const PEER: AccountId = AccountId([0xb2; 16]);
const DEVICE: DeviceId = DeviceId([0xd3; 16]);
const CONVERSATION: ConversationId = ConversationId([0xc4; 16]);

#[track_caller]
fn is(name: &str, bytes: &[u8], pinned: &str) {
    let bytes = hex::encode(bytes);
    assert!(
        bytes == pinned,
        "{name} has other bytes than before; tests/pinned_bytes/main.rs says what to do.\n now: {bytes}\nthen: {pinned}"
    );
}

/// Encoded as ever, and what was encoded before is still read.
#[track_caller]
fn encodes<M: Message + Default + PartialEq + Debug>(name: &str, message: &M, pinned: &str) {
    is(name, &message.encode_to_vec(), pinned);
    let bytes = hex::decode(pinned).expect("hex");
    assert_eq!(M::decode(bytes.as_slice()).as_ref(), Ok(message), "{name}");
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> bytes::Bytes {
    key.verifying_key().to_bytes().to_vec().into()
}

fn genesis() -> DeviceListEntryBody {
    DeviceListEntryBody {
        version: 0,
        previous_hash: Default::default(),
        time_ms: 1_790_000_000_000,
        change: Some(Change::Genesis(Genesis {
            account_key: public(&key(1)),
            first_device: Some(DeviceKey {
                public_key: public(&key(2)),
            }),
            salt: vec![5; 16].into(),
        })),
    }
}

fn genesis_entry() -> DeviceListEntry {
    let body = genesis().encode_to_vec();
    let sign = |key: &SigningKey, label| key.sign(&signing::labelled(label, &body)).to_vec().into();
    DeviceListEntry {
        signature: sign(&key(1), signing::DEVICE_LIST),
        signer: public(&key(1)),
        device_proof: sign(&key(2), signing::DEVICE_PROOF),
        body: body.into(),
    }
}

fn authenticated_data() -> AuthenticatedData {
    AuthenticatedData {
        message_id: vec![1; 32].into(),
        class: MessageClass::Content.into(),
        timeline: vec![2; 16].into(),
        device_list_version: 3,
        device_list_hash: vec![4; 32].into(),
    }
}

fn content_of(body: Body) -> Content {
    Content {
        salt: vec![1; 16].into(),
        sent_at_ms: 1_790_000_000_000,
        body: Some(body),
        ..Content::default()
    }
}
