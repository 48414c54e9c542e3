//! Identifiers as types: a device id cannot be passed where an account id is meant.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A wire field that should hold an id of `expected` bytes does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {expected} bytes, got {got}")]
pub struct IdLengthError {
    pub what: &'static str,
    pub expected: usize,
    pub got: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            pub const BYTES: usize = $bytes;

            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdLengthError> {
                bytes.try_into().map(Self).map_err(|_| IdLengthError { what: $what, expected: $bytes, got: bytes.len() })
            }

            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(text, &mut bytes).ok()?;
                Some(Self(bytes))
            }

            pub fn as_slice(&self) -> &[u8] {
                &self.0
            }

            pub fn to_bytes(&self) -> Bytes {
                Bytes::copy_from_slice(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::from_hex(&text).ok_or_else(|| {
                    serde::de::Error::custom(concat!($what, " must be ", $bytes, " bytes of lower-case hex"))
                })
            }
        }
    };
}

id!(/** An account: the hash of entry 0 of its device list. */ AccountId, 16, "account_id");
id!(/** A device: the hash of its public key. */ DeviceId, 16, "device_id");
id!(/** A conversation, over all its generations. */ ConversationId, 16, "conversation_id");
id!(/** A message: opens to the sender, the conversation and the content bytes (see [`crate::content`]). */ MessageId, 32, "message_id");
id!(/** A send attempt's stable name, chosen by the client. */ ClientMessageId, 16, "client_message_id");
id!(/** One life of a server's database; a restored backup begins another. */ Timeline, 16, "timeline");

impl AccountId {
    /// `SHA-256("kabar/v1/account-id" || body of entry 0)[..16]`
    pub fn of_genesis(body: &[u8]) -> Self {
        Self(hash16(&[b"kabar/v1/account-id", body]))
    }
}

impl DeviceId {
    /// `SHA-256("kabar/v1/device-id" || Ed25519 public key)[..16]`
    pub fn of_key(public_key: &[u8]) -> Self {
        Self(hash16(&[b"kabar/v1/device-id", public_key]))
    }
}

impl ConversationId {
    /// The one direct conversation of two accounts. Derived, so that two simultaneous starts meet in one row
    /// and both sides know the id before the first message.
    pub fn direct(a: AccountId, b: AccountId) -> Self {
        Self::pair(b"kabar/v1/direct", a, b)
    }

    /// The one conversation of a person and a business account.
    pub fn business(a: AccountId, b: AccountId) -> Self {
        Self::pair(b"kabar/v1/business", a, b)
    }

    /// The group of one account's own devices.
    pub fn own(account: AccountId) -> Self {
        Self(hash16(&[b"kabar/v1/self", &account.0]))
    }

    /// A group of people: a hash too, so that nobody can make one under the id of a conversation of two.
    pub fn group(founder: AccountId, nonce: &[u8; 16]) -> Self {
        Self(hash16(&[b"kabar/v1/group", &founder.0, nonce]))
    }

    fn pair(label: &[u8], a: AccountId, b: AccountId) -> Self {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        Self(hash16(&[label, &low.0, &high.0]))
    }

    /// The MLS group id of one generation: conversation id, then the generation in big-endian.
    pub fn group_id(&self, generation: u32) -> [u8; 20] {
        let mut id = [0; 20];
        id[..16].copy_from_slice(&self.0);
        id[16..].copy_from_slice(&generation.to_be_bytes());
        id
    }

    /// The inverse of [`Self::group_id`].
    pub fn from_group_id(group_id: &[u8]) -> Option<(Self, u32)> {
        let id: [u8; 20] = group_id.try_into().ok()?;
        let (conversation, generation) = id.split_at(16);
        Some((
            Self(conversation.try_into().ok()?),
            u32::from_be_bytes(generation.try_into().ok()?),
        ))
    }
}

fn hash16(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize()[..16]);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_conversation_has_one_id_whoever_starts_it() {
        let (a, b) = (AccountId([1; 16]), AccountId([2; 16]));
        assert_eq!(ConversationId::direct(a, b), ConversationId::direct(b, a));
        assert_ne!(ConversationId::direct(a, b), ConversationId::business(a, b));
    }

    #[test]
    fn a_group_id_gives_back_conversation_and_generation() {
        let conversation = ConversationId([7; 16]);
        assert_eq!(
            ConversationId::from_group_id(&conversation.group_id(3)),
            Some((conversation, 3))
        );
        assert_eq!(ConversationId::from_group_id(b"short"), None);
    }

    #[test]
    fn a_wrong_length_is_named() {
        let error = AccountId::from_slice(&[0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "account_id must be 16 bytes, got 5");
    }
}
