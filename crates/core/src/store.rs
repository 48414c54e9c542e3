//! What core keeps in the shell's store: the keys, and the form of the values.
//!
//! Every value is one format version byte followed by CBOR (postcard cannot read the engine's types back).

use serde::{Serialize, de::DeserializeOwned};

use crate::api::Value;

/// First byte of every value. A later build reads older versions and writes its own.
const FORMAT: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored value is not readable by this version")]
pub(crate) struct StoreError;

pub(crate) fn encode(value: &(impl Serialize + ?Sized)) -> Result<Value, StoreError> {
    let mut out = vec![FORMAT];
    ciborium::into_writer(value, &mut out).map_err(|_| StoreError)?;
    Ok(out)
}

/// In the browser by way of [`ciborium::Value`]: CBOR is then parsed by one function instead of one per type, which makes the module
/// smaller by a tenth. It takes twice the work, so native builds read each type from the bytes.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    let Some((&FORMAT, body)) = bytes.split_first() else {
        return Err(StoreError);
    };
    if is_read_by_value() {
        let value: ciborium::Value = ciborium::from_reader(body).map_err(|_| StoreError)?;
        return value.deserialized().map_err(|_| StoreError);
    }
    ciborium::from_reader(body).map_err(|_| StoreError)
}

#[cfg(not(test))]
fn is_read_by_value() -> bool {
    cfg!(target_arch = "wasm32")
}

#[cfg(test)]
use tests::is_read_by_value;

/// Bytes as CBOR byte strings; serde's default is an array of integers, twice as long.
#[derive(Clone, PartialEq, Default)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Blob;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// Says how long it is, never what it is.
impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl std::ops::Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// The keys. One letter, then fixed-size parts, so that ranges are in order.
///
/// | prefix | then | value | resident |
/// |---|---|---|---|
/// | `a/account` | | identity of this device | always |
/// | `a/cursor` | | inbox cursor, timeline, client_seq, feed position | always |
/// | `a/chat/` | conversation (16) | chat: state of its group, read marks, newest message | always |
/// | `a/team/` | conversation (16) | a group of people: roster, name, marks, what we want changed | always |
/// | `a/peer/` | account (16) | person and verified device list | always |
/// | `a/intent/` | conversation (16), order (8) | a message of ours on its way | always |
/// | `a/receipt/` | conversation (16), seq (8) | a receipt that a business's message is owed | always |
/// | `a/change/` | number (8) | a change of a message, until it is applied | always |
/// | `a/forget/` | number (8) | what the server is to forget, until it has answered | always |
/// | `f/` | position (8) | feed item | no |
/// | `g/` | conversation (16), slot (4), engine's key | MLS value of one group | least recently used leave |
/// | `k/` | hash of reference (16) | a KeyPackage of ours with its private keys | no |
/// | `m/` | conversation (16), place (8), sub (4) | a message or notice in its thread | no |
/// | `i/` | message id (32) | where the message is | no |
/// | `e/` | conversation (16), place (8) | the envelope as the server holds it, newest few | no |
/// | `t/` | message id (32) | a ticket of ours | no |
/// | `o/` | conversation (16), reference | what the seller last said of an order | no |
/// | `s/` | time (8), message id (32) | where a starred message is | no |
/// | `l/` | conversation (16), shelf (1), place (8) | id of a message on it: 1 pictures and films, 2 other files, 3 links | no |
/// | `x/` | time (8), message id (32) | where a message is that vanishes then | no |
/// | `u/` | hash of a file's location (16), message id (32) | a message of ours that names the file | no |
/// | `v/` | message id (32) | the location of a file of ours that may be looked at once | no |
/// | `w/` | message id (32) | whose a message is that was withdrawn before it came | no |
/// | `q/` | number (8) | a quarantined envelope, newest few | no |
///
/// A place is the server's sequence number below a count of its timelines, see `messaging::order`.
pub(crate) mod keys {
    use kabar_protocol::ids::{AccountId, ConversationId, MessageId};
    use sha2::{Digest as _, Sha256};

    use crate::api::{Key, TimeMs};

    pub(crate) const ACCOUNT_LEVEL: &[u8] = b"a/";
    pub(crate) const ACCOUNT: &[u8] = b"a/account";
    pub(crate) const CURSOR: &[u8] = b"a/cursor";
    pub(crate) const CHAT: &[u8] = b"a/chat/";
    pub(crate) const TEAM: &[u8] = b"a/team/";
    pub(crate) const PEER: &[u8] = b"a/peer/";
    pub(crate) const INTENT: &[u8] = b"a/intent/";
    pub(crate) const RECEIPT: &[u8] = b"a/receipt/";
    pub(crate) const CHANGE: &[u8] = b"a/change/";
    pub(crate) const WITHDRAWAL: &[u8] = b"a/forget/";
    pub(crate) const FEED: &[u8] = b"f/";
    pub(crate) const MESSAGES: &[u8] = b"m/";
    pub(crate) const GROUP: &[u8] = b"g/";
    pub(crate) const KEY_PACKAGE: &[u8] = b"k/";

    pub(crate) const TICKET: &[u8] = b"t/";

    pub(crate) fn ticket(message: MessageId) -> Key {
        [TICKET, message.as_slice()].concat()
    }

    pub(crate) fn order(conversation: ConversationId, reference_id: &str) -> Key {
        [b"o/", conversation.as_slice(), reference_id.as_bytes()].concat()
    }

    pub(crate) fn chat(conversation: ConversationId) -> Key {
        [CHAT, conversation.as_slice()].concat()
    }

    pub(crate) fn team(conversation: ConversationId) -> Key {
        [TEAM, conversation.as_slice()].concat()
    }

    pub(crate) fn peer(account: AccountId) -> Key {
        [PEER, account.as_slice()].concat()
    }

    pub(crate) fn intent(conversation: ConversationId, order: u64) -> Key {
        [INTENT, conversation.as_slice(), &order.to_be_bytes()].concat()
    }

    pub(crate) fn receipt(conversation: ConversationId, seq: u64) -> Key {
        [RECEIPT, conversation.as_slice(), &seq.to_be_bytes()].concat()
    }

    pub(crate) fn change(number: u64) -> Key {
        [CHANGE, &number.to_be_bytes()[..]].concat()
    }

    pub(crate) fn withdrawal(number: u64) -> Key {
        [WITHDRAWAL, &number.to_be_bytes()[..]].concat()
    }

    /// Of all messages of ours that name this file.
    pub(crate) fn file_uses(location: &str) -> Key {
        [&b"u/"[..], &Sha256::digest(location)[..16]].concat()
    }

    pub(crate) fn file_use(location: &str, message: MessageId) -> Key {
        [&file_uses(location)[..], message.as_slice()].concat()
    }

    pub(crate) fn file_once(message: MessageId) -> Key {
        [b"v/", message.as_slice()].concat()
    }

    pub(crate) fn missing(message: MessageId) -> Key {
        [b"w/", message.as_slice()].concat()
    }

    pub(crate) fn feed(position: u64) -> Key {
        [FEED, &position.to_be_bytes()[..]].concat()
    }

    pub(crate) fn group_slot(conversation: ConversationId, slot: u32) -> Key {
        [GROUP, conversation.as_slice(), &slot.to_be_bytes()].concat()
    }

    pub(crate) fn key_package(reference: &[u8]) -> Key {
        [KEY_PACKAGE, reference].concat()
    }

    pub(crate) fn messages(conversation: ConversationId) -> Key {
        [MESSAGES, conversation.as_slice()].concat()
    }

    /// Of the key of a message.
    pub(crate) fn conversation_of(message: &[u8]) -> Option<ConversationId> {
        ConversationId::from_slice(message.get(MESSAGES.len()..)?.get(..16)?).ok()
    }

    pub(crate) fn message(conversation: ConversationId, seq: u64, sub: u32) -> Key {
        [&messages(conversation)[..], &seq.to_be_bytes(), &sub.to_be_bytes()].concat()
    }

    pub(crate) fn index(message: MessageId) -> Key {
        [b"i/", message.as_slice()].concat()
    }

    pub(crate) fn envelopes(conversation: ConversationId) -> Key {
        [b"e/", conversation.as_slice()].concat()
    }

    pub(crate) fn envelope(conversation: ConversationId, seq: u64) -> Key {
        [&envelopes(conversation)[..], &seq.to_be_bytes()].concat()
    }

    pub(crate) const STAR: &[u8] = b"s/";
    pub(crate) const EXPIRY: &[u8] = b"x/";

    /// In the order of time: none of ours is before 1970.
    pub(crate) fn star(time: TimeMs, message: MessageId) -> Key {
        [STAR, &time.to_be_bytes(), message.as_slice()].concat()
    }

    /// Where messages of one kind are found, see `messaging::shelf`.
    pub(crate) fn shelf(conversation: ConversationId, number: u8) -> Key {
        [&b"l/"[..], conversation.as_slice(), &[number]].concat()
    }

    pub(crate) fn shelved(conversation: ConversationId, number: u8, seq: u64) -> Key {
        [&shelf(conversation, number)[..], &seq.to_be_bytes()].concat()
    }

    pub(crate) fn expiry(at: TimeMs, message: MessageId) -> Key {
        [EXPIRY, &at.to_be_bytes(), message.as_slice()].concat()
    }

    pub(crate) fn expires_at(key: &[u8]) -> Option<TimeMs> {
        let time = key.get(EXPIRY.len()..)?.first_chunk::<8>()?;
        Some(TimeMs::from_be_bytes(*time))
    }

    pub(crate) fn quarantine(number: u64) -> Key {
        [&b"q/"[..], &number.to_be_bytes()].concat()
    }
}

#[cfg(test)]
pub(crate) mod tests;
