//! The safety number: 60 digits that two people compare to know that no server stands between their accounts.
//!
//! Each account is represented by entry 0 of its device list, the one entry that never changes:
//! `fingerprint = SHA-512 iterated 5,200 times over (label || account id || entry body)`, each round hashing the last
//! result with the input again, so that a look-alike costs that much more. 30 bytes of it are read as six big-endian
//! groups of five bytes, each modulo 100,000. The two fingerprints are put in order, so that both sides read the same.

use kabar_protocol::ids::AccountId;
use sha2::{Digest, Sha512};

const LABEL: &[u8] = b"kabar/v1/safety-number";
const ROUNDS: usize = 5200;

/// `mine` and `theirs`: account id and body of entry 0.
pub(crate) fn safety_number(mine: (AccountId, &[u8]), theirs: (AccountId, &[u8])) -> String {
    let mut both = [fingerprint(mine), fingerprint(theirs)];
    both.sort();
    both.concat()
}

fn fingerprint((account, genesis): (AccountId, &[u8])) -> String {
    let input = [LABEL, account.as_slice(), genesis].concat();
    let mut hash = Sha512::digest(&input);
    for _ in 1..ROUNDS {
        hash = Sha512::new().chain_update(hash).chain_update(&input).finalize();
    }
    let group = |bytes: &[u8]| bytes.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte)) % 100_000;
    hash[..30]
        .chunks(5)
        .map(|bytes| format!("{:05}", group(bytes)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_read_the_same_stable_sixty_digits() {
        let (a, b) = (AccountId([1; 16]), AccountId([2; 16]));
        let number = safety_number((a, b"genesis of a"), (b, b"genesis of b"));
        assert_eq!(number, safety_number((b, b"genesis of b"), (a, b"genesis of a")));
        assert_eq!(number.len(), 60);
        assert!(number.bytes().all(|b| b.is_ascii_digit()));
        assert_ne!(number, safety_number((a, b"genesis of a"), (b, b"another genesis")));
        // Two versions of the client must agree: never change the computation. The digits are Python's hashlib's.
        assert_eq!(number, "476973625192773536711999119536625084721877532202012322542201");
    }
}
