//! What only whoever has a link's secret may read: the preview of the group, and the note of somebody who asks to be let in.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use kabar_protocol::invite::{InviteCode, InviteSecret};
use prost::Message;

use crate::mls::Engine;

const NONCE_BYTES: usize = 12;

fn cipher(secret: &InviteSecret) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&secret.preview_key().into())
}

/// Nonce, then ciphertext; the code is authenticated with it.
pub(super) fn seal(engine: &Engine, secret: &InviteSecret, code: InviteCode, message: &impl Message) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = engine.random();
    let (msg, aad) = (message.encode_to_vec(), code.to_vec());
    let payload = Payload { msg: &msg, aad: &aad };
    // It fails for messages of 256 GiB only.
    let sealed = cipher(secret).encrypt(&Nonce::from(nonce), payload).unwrap_or_default();
    [&nonce[..], &sealed].concat()
}

/// `None` of what was not sealed with this secret for this code.
pub(crate) fn open<M: Message + Default>(secret: &InviteSecret, code: InviteCode, sealed: &[u8]) -> Option<M> {
    let (nonce, msg) = sealed.split_at_checked(NONCE_BYTES)?;
    let aad = code.to_vec();
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let opened = cipher(secret)
        .decrypt(&Nonce::from(nonce), Payload { msg, aad: &aad })
        .ok()?;
    M::decode(&opened[..]).ok()
}

#[cfg(test)]
mod tests {
    use kabar_protocol::{ids::ConversationId, wire::JoinNote};

    use super::*;

    #[test]
    fn it_opens_with_the_same_link_only() {
        let engine = Engine::new(Some([1; 32]));
        let (secret, other) = (InviteSecret::new([1; 24]), InviteSecret::new([2; 24]));
        let code = secret.code(ConversationId([3; 16]));
        let note = JoinNote { name: "Ani".into() };
        let sealed = seal(&engine, &secret, code, &note);
        assert_eq!(open(&secret, code, &sealed), Some(note));
        assert_eq!(open::<JoinNote>(&other, code, &sealed), None);
        assert_eq!(open::<JoinNote>(&secret, other.code(code.conversation), &sealed), None);
        assert_eq!(open::<JoinNote>(&secret, code, &sealed[..20]), None);
        assert_eq!(open::<JoinNote>(&secret, code, &[]), None);
    }
}
