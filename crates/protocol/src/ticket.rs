//! Tickets that verify offline: `KABAR1.` and the base64url of a TicketBody followed by its Ed25519 signature.

use ed25519_dalek::{Signer as _, SigningKey};
use prost::Message as _;

use crate::{signing, wire::TicketBody};

const PREFIX: &str = "KABAR1.";
const SIGNATURE_BYTES: usize = 64;
/// A QR code of a size that a phone reads from another's screen.
pub const TOKEN_CHARS_MAX: usize = 700;

fn signed(body: &[u8]) -> Vec<u8> {
    signing::labelled(signing::TICKET, body)
}

/// The token of a ticket under the issuer's key.
pub fn issue(key: &SigningKey, body: &TicketBody) -> String {
    let body = body.encode_to_vec();
    let signature = key.sign(&signed(&body));
    let bytes = [body, signature.to_vec()].concat();
    format!("{PREFIX}{}", base64url::encode(&bytes))
}

/// What the token says, whether or not it is genuine: only for showing one's own.
pub fn read(token: &str) -> Option<TicketBody> {
    let (body, _) = split(token)?;
    TicketBody::decode(&body[..]).ok()
}

/// The ticket, if the issuer's key signed it.
pub fn verify(token: &str, issuer_key: &[u8; 32]) -> Option<TicketBody> {
    let (body, signature) = split(token)?;
    signing::verify(issuer_key, &signed(&body), &signature)
        .then(|| TicketBody::decode(&body[..]).ok())
        .flatten()
}

fn split(token: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    if token.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let mut body = base64url::decode(token.trim().strip_prefix(PREFIX)?)?;
    let at = body.len().checked_sub(SIGNATURE_BYTES)?;
    let signature = body.split_off(at);
    Some((body, signature))
}

/// RFC 4648 section 5, without padding.
mod base64url {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    pub(super) fn encode(bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
        for chunk in bytes.chunks(3) {
            let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            for place in 0..=chunk.len() {
                text.push(char::from(ALPHABET[(word >> (18 - 6 * place) & 63) as usize]));
            }
        }
        text
    }

    pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
        for chunk in text.as_bytes().chunks(4) {
            let mut word = 0u32;
            for letter in chunk {
                let value = ALPHABET.iter().position(|known| known == letter)?;
                word = word << 6 | u32::try_from(value).ok()?;
            }
            let count = chunk.len().checked_sub(1).filter(|count| *count > 0)?;
            let word = word << (6 * (4 - chunk.len()));
            bytes.extend(word.to_be_bytes()[1..=count].iter());
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> TicketBody {
        TicketBody {
            ticket_id: "ab".repeat(16),
            issuer: "Bioskop Kota".into(),
            title: "Laskar".into(),
            place: "A1".into(),
            ..TicketBody::default()
        }
    }

    #[test]
    fn a_ticket_verifies_under_its_issuers_key_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let token = issue(&key, &body());
        assert_eq!(verify(&token, &key.verifying_key().to_bytes()), Some(body()));
        assert_eq!(read(&token), Some(body()));
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
        assert_eq!(verify(&token, &other), None);
    }

    #[test]
    fn a_changed_or_cut_ticket_is_none() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let token = issue(&key, &body());
        for length in 0..token.len() {
            assert_eq!(verify(&token[..length], &public), None, "{length}");
        }
        let changed = token.replacen('C', "D", 1);
        assert!(changed == token || verify(&changed, &public).is_none());
        assert_eq!(verify("KABAR1.!!!!", &public), None);
    }

    #[test]
    fn base64url_comes_back_for_every_length() {
        for length in 0..70u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(base64url::decode(&base64url::encode(&bytes)), Some(bytes));
        }
    }
}
