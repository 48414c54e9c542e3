//! The sealed envelope between this gateway and a business's endpoint: a fresh AES-128-GCM key for each question, sealed
//! to the business's RSA key; the answer comes under the same key and the inverted initial vector.
//!
//! What SDKs expect, to the byte: the tag follows the ciphertext, the vector has 16 bytes, OAEP uses SHA-256 throughout.

use aes_gcm::{
    AesGcm, KeyInit as _,
    aead::{Aead as _, consts::U16},
    aes::Aes128,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{TryRngCore as _, rngs::OsRng};
use rsa::{Oaep, RsaPublicKey, pkcs8::DecodePublicKey as _, traits::PublicKeyParts as _};
use serde_json::{Value, json};
use sha2::Sha256;

const KEY_BITS: usize = 2048;
const KEY_PEM_BYTES_MAX: usize = 4096;
const KEY_BYTES: usize = 16;
const IV_BYTES: usize = 16;

type Cipher = AesGcm<Aes128, U16>;

/// What went wrong on this side, or what is wrong with an answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum EnvelopeError {
    #[error("the question could not be sealed")]
    Seal,
    #[error("the answer is not base64 of something sealed under the question's key")]
    Open,
    #[error("the answer is not a JSON object")]
    Json,
}

/// One question's key: opens its answer.
pub(crate) struct Answering {
    key: [u8; KEY_BYTES],
    iv: [u8; IV_BYTES],
}

/// A business's key as it is registered: PEM of an RSA key of 2048 bits.
pub(crate) fn public_key(pem: &str) -> Option<RsaPublicKey> {
    if pem.len() > KEY_PEM_BYTES_MAX {
        return None;
    }
    // Keys pass through environments and forms that write line breaks as \n.
    let pem = pem.replace("\\n", "\n");
    let key = RsaPublicKey::from_public_key_pem(pem.trim()).ok()?;
    (key.size() * 8 == KEY_BITS).then_some(key)
}

fn random<const N: usize>() -> Result<[u8; N], EnvelopeError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| EnvelopeError::Seal)?;
    Ok(bytes)
}

/// The body to post, and what opens the answer to it.
pub(crate) fn seal(to: &RsaPublicKey, question: &Value) -> Result<(Vec<u8>, Answering), EnvelopeError> {
    let answering = Answering {
        key: random()?,
        iv: random()?,
    };
    let sealed = Cipher::new(&answering.key.into())
        .encrypt(&answering.iv.into(), question.to_string().as_bytes())
        .map_err(|_| EnvelopeError::Seal)?;
    let key = to
        .encrypt(&mut rsa::rand_core::OsRng, Oaep::new::<Sha256>(), &answering.key)
        .map_err(|_| EnvelopeError::Seal)?;
    let body = json!({
        "encrypted_flow_data": STANDARD.encode(sealed),
        "encrypted_aes_key": STANDARD.encode(key),
        "initial_vector": STANDARD.encode(answering.iv),
    });
    Ok((body.to_string().into_bytes(), answering))
}

impl Answering {
    /// The answer's text is base64; some frameworks put it in quotes, as JSON.
    pub(crate) fn open(&self, answer: &[u8]) -> Result<Value, EnvelopeError> {
        let trimmed = answer.trim_ascii();
        let text = trimmed.strip_prefix(b"\"").unwrap_or(trimmed);
        let text = text.strip_suffix(b"\"").unwrap_or(text);
        let sealed = STANDARD.decode(text).map_err(|_| EnvelopeError::Open)?;
        let iv = self.iv.map(|byte| !byte);
        let plain = Cipher::new(&self.key.into())
            .decrypt(&iv.into(), sealed.as_slice())
            .map_err(|_| EnvelopeError::Open)?;
        let value: Value = serde_json::from_slice(&plain).map_err(|_| EnvelopeError::Json)?;
        if value.is_object() {
            Ok(value)
        } else {
            Err(EnvelopeError::Json)
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rsa::{RsaPrivateKey, pkcs8::EncodePublicKey as _};

    use super::*;

    /// A business's endpoint, as far as the envelope goes.
    pub(in crate::flows) struct Peer {
        key: RsaPrivateKey,
    }

    impl Peer {
        pub(in crate::flows) fn new() -> Self {
            let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, KEY_BITS).expect("a key");
            Self { key }
        }

        pub(in crate::flows) fn public_pem(&self) -> String {
            let public = self.key.to_public_key();
            public.to_public_key_pem(rsa::pkcs8::LineEnding::LF).expect("PEM")
        }

        /// The question, and how to answer it.
        pub(in crate::flows) fn open(&self, body: &[u8]) -> (Value, impl Fn(&Value) -> String + use<>) {
            let body: Value = serde_json::from_slice(body).expect("JSON");
            let field = |name: &str| STANDARD.decode(body[name].as_str().expect("text")).expect("base64");
            let key = self.key.decrypt(Oaep::new::<Sha256>(), &field("encrypted_aes_key"));
            let key: [u8; KEY_BYTES] = key.expect("a key").try_into().expect("16 bytes");
            let iv: [u8; IV_BYTES] = field("initial_vector").try_into().expect("16 bytes");
            let plain = Cipher::new(&key.into()).decrypt(&iv.into(), field("encrypted_flow_data").as_slice());
            let question = serde_json::from_slice(&plain.expect("opens")).expect("JSON");
            let answer = move |answer: &Value| {
                let flipped = iv.map(|byte| byte ^ 0xff);
                let sealed = Cipher::new(&key.into()).encrypt(&flipped.into(), answer.to_string().as_bytes());
                STANDARD.encode(sealed.expect("sealed"))
            };
            (question, answer)
        }
    }

    #[test]
    fn the_endpoint_opens_the_question_and_nobody_else_its_answer() {
        let peer = Peer::new();
        let key = public_key(&peer.public_pem()).expect("a key");
        let question = json!({ "action": "INIT", "flow_token": "t" });
        let (body, answering) = seal(&key, &question).expect("sealed");
        let (opened, answer) = peer.open(&body);
        assert_eq!(opened, question);
        let text = answer(&json!({ "screen": "A", "data": {} }));
        assert_eq!(answering.open(text.as_bytes()).expect("opens")["screen"], "A");
        assert!(answering.open(format!("\"{text}\"\n").as_bytes()).is_ok(), "quoted");
        let (_, other) = seal(&key, &question).expect("sealed");
        assert_eq!(other.open(text.as_bytes()), Err(EnvelopeError::Open));
        assert_eq!(answering.open(b"not base64!"), Err(EnvelopeError::Open));
        assert_eq!(answering.open(answer(&json!([1])).as_bytes()), Err(EnvelopeError::Json));
    }

    #[test]
    fn a_key_is_rsa_with_2048_bits() {
        let pem = Peer::new().public_pem();
        assert!(public_key(&pem).is_some());
        assert!(public_key(&pem.replace('\n', "\\n")).is_some());
        let short = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).expect("a key");
        let short = short.to_public_key().to_public_key_pem(rsa::pkcs8::LineEnding::LF);
        assert!(public_key(&short.expect("PEM")).is_none());
        assert!(public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----").is_none());
    }
}
