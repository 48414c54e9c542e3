//! Links into a group: what comes out of a link's secret, and the proof of having it.
//!
//! The secret never leaves the people who share the link; the wire is in `proto/kabar/v1/invites.proto`.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    ids::{ConversationId, DeviceId},
    signing, wire,
};

const KEY_HASH_BYTES: usize = 8;

/// A link's public name: the conversation, and the beginning of a hash of the invite's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InviteCode {
    pub conversation: ConversationId,
    key_hash: [u8; KEY_HASH_BYTES],
}

impl InviteCode {
    pub const BYTES: usize = ConversationId::BYTES + KEY_HASH_BYTES;

    /// `public_key` is an Ed25519 key.
    pub fn new(conversation: ConversationId, public_key: &[u8]) -> Self {
        let hash = Sha256::digest(public_key);
        let mut key_hash = [0; KEY_HASH_BYTES];
        key_hash.copy_from_slice(&hash[..KEY_HASH_BYTES]);
        Self { conversation, key_hash }
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let (conversation, key_hash) = bytes.split_at_checked(ConversationId::BYTES)?;
        Some(Self {
            conversation: ConversationId::from_slice(conversation).ok()?,
            key_hash: key_hash.try_into().ok()?,
        })
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?)
    }

    pub fn to_vec(self) -> Vec<u8> {
        [self.conversation.as_slice(), &self.key_hash].concat()
    }

    /// What tells the invites of one conversation apart.
    pub fn key_hash(&self) -> [u8; KEY_HASH_BYTES] {
        self.key_hash
    }

    /// True if it is the code of this key's invite into this conversation.
    pub fn names(self, conversation: ConversationId, public_key: &[u8]) -> bool {
        self == Self::new(conversation, public_key)
    }
}

impl std::fmt::Display for InviteCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.to_vec()))
    }
}

/// What is behind the `#` of a link. Whoever has it may come in, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteSecret([u8; Self::BYTES]);

impl InviteSecret {
    pub const BYTES: usize = 24;

    /// `random` has all the strength there is.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(random)
    }

    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?)
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// As it stands in the link.
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Seals the preview, and the notes of those who ask.
    pub fn preview_key(&self) -> [u8; 32] {
        self.derive(b"kabar/v1/invite-preview")
    }

    pub fn public_key(&self) -> [u8; 32] {
        self.signing_key().verifying_key().to_bytes()
    }

    pub fn code(&self, conversation: ConversationId) -> InviteCode {
        InviteCode::new(conversation, &self.public_key())
    }

    /// What `FetchInvitedGroup` and `RequestJoin` show.
    pub fn open_signature(&self, code: InviteCode, device: DeviceId) -> [u8; 64] {
        self.signing_key().sign(&open_bytes(code, device)).to_bytes()
    }

    /// The authenticated data of the external commit that ends this epoch.
    pub fn join_proof(&self, group_id: &[u8], epoch: u64, device: DeviceId) -> Vec<u8> {
        let signature = self.signing_key().sign(&join_bytes(group_id, epoch, device));
        wire::InviteProof {
            public_key: self.public_key().to_vec().into(),
            signature: signature.to_bytes().to_vec().into(),
        }
        .encode_to_vec()
    }

    fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.derive(b"kabar/v1/invite-key"))
    }

    /// The secret is uniformly random, so that one hash over a label makes independent keys of it.
    fn derive(&self, label: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(label).chain_update(self.0).finalize().into()
    }
}

fn open_bytes(code: InviteCode, device: DeviceId) -> Vec<u8> {
    [signing::INVITE_OPEN, &code.to_vec(), device.as_slice()].concat()
}

fn join_bytes(group_id: &[u8], epoch: u64, device: DeviceId) -> Vec<u8> {
    [signing::INVITE_JOIN, group_id, &epoch.to_be_bytes(), device.as_slice()].concat()
}

/// True if this device has shown that it has the link.
pub fn verify_open(public_key: &[u8], code: InviteCode, device: DeviceId, signature: &[u8]) -> bool {
    signing::verify(public_key, &open_bytes(code, device), signature)
}

/// The key of the invite by which `joiner` comes into the group, if the commit's authenticated data proves one.
pub fn proven(authenticated_data: &[u8], group_id: &[u8], epoch: u64, joiner: DeviceId) -> Option<[u8; 32]> {
    let proof = wire::InviteProof::decode(authenticated_data).ok()?;
    let message = join_bytes(group_id, epoch, joiner);
    let holds = signing::verify(&proof.public_key, &message, &proof.signature);
    holds
        .then(|| <[u8; 32]>::try_from(&proof.public_key[..]).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> (InviteSecret, InviteCode) {
        let secret = InviteSecret::new([7; 24]);
        let code = secret.code(ConversationId([3; 16]));
        (secret, code)
    }

    #[test]
    fn a_link_is_read_back_as_it_was_written() {
        let (secret, code) = link();
        assert_eq!(InviteCode::parse(&code.to_string()), Some(code));
        assert_eq!(InviteCode::from_slice(&code.to_vec()), Some(code));
        assert!(InviteSecret::parse(&secret.text()) == Some(secret.clone()));
        assert_eq!((code.to_string().len(), secret.text().len()), (32, 32));
        for bad in ["", "abc", "ä", &"A".repeat(33), &"=".repeat(32)] {
            assert_eq!(InviteCode::parse(bad), None, "{bad:?}");
            assert!(InviteSecret::parse(bad).is_none(), "{bad:?}");
        }
        assert!(code.names(ConversationId([3; 16]), &secret.public_key()));
        assert!(!code.names(ConversationId([4; 16]), &secret.public_key()));
    }

    #[test]
    fn a_proof_is_of_one_group_epoch_and_device() {
        let (secret, _) = link();
        let group = ConversationId([3; 16]).group_id(0);
        let device = DeviceId([9; 16]);
        let proof = secret.join_proof(&group, 4, device);
        assert_eq!(proven(&proof, &group, 4, device), Some(secret.public_key()));
        assert_eq!(proven(&proof, &group, 5, device), None);
        assert_eq!(proven(&proof, &group, 4, DeviceId([8; 16])), None);
        assert_eq!(proven(&proof, &ConversationId([3; 16]).group_id(1), 4, device), None);
        assert_eq!(proven(b"", &group, 4, device), None);
    }

    #[test]
    fn opening_and_joining_are_signed_apart() {
        let (secret, code) = link();
        let device = DeviceId([9; 16]);
        let open = secret.open_signature(code, device);
        assert!(verify_open(&secret.public_key(), code, device, &open));
        assert!(!verify_open(&secret.public_key(), code, DeviceId([1; 16]), &open));
        assert!(!verify_open(
            &InviteSecret::new([8; 24]).public_key(),
            code,
            device,
            &open
        ));
    }

    #[test]
    fn keys_of_a_secret_differ_from_it_and_from_each_other() {
        let (secret, _) = link();
        assert_ne!(secret.preview_key(), secret.signing_key().to_bytes());
        assert_ne!(secret.preview_key()[..24], secret.as_slice()[..]);
    }
}
