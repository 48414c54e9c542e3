//! Sealing and opening the bytes of a file, chunk after chunk, so that one of 2 GiB needs no more memory than a small one.
//!
//! Apart from the client's state: a shell reads, seals and uploads beside it, and only the message that tells of the file goes through
//! [`crate::Core`]. `proto/kabar/v1/content.proto` (File) says how the bytes lie.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _,
    aead::{
        Payload,
        stream::{NewStream as _, StreamBE32, StreamPrimitive as _},
    },
};
use kabar_protocol::{
    file::{KEY_BYTES, Layout},
    wire,
};
use sha2::{Digest as _, Sha256};

/// The key is the file's own and seals nothing else, so the nonce needs no chance of its own.
const NONCE_PREFIX: [u8; 7] = [0; 7];

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("the size is not 1 byte to 2 GiB, or the key has not 32 bytes")]
    Description,
    /// The file has become longer or shorter while it was read.
    #[error("the file has changed while it was read")]
    Changed,
    /// Not the bytes that the sender sealed.
    #[error("the file is damaged: it does not open with the key in its message")]
    Damaged,
}

/// What a message says of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHashes {
    pub sha256: [u8; 32],
    pub ciphertext_sha256: [u8; 32],
}

/// The part that both directions have in common.
struct Stream {
    cipher: StreamBE32<ChaCha20Poly1305>,
    layout: Layout,
    next: u32,
    plain: Sha256,
    sealed: Sha256,
}

impl Stream {
    fn new(key: &[u8], size_bytes: u64) -> Result<Self, FileError> {
        let key = <[u8; KEY_BYTES]>::try_from(key).map_err(|_| FileError::Description)?;
        let layout = Layout::of(size_bytes).ok_or(FileError::Description)?;
        let cipher = ChaCha20Poly1305::new(&key.into());
        Ok(Self {
            cipher: StreamBE32::from_aead(cipher, &NONCE_PREFIX.into()),
            layout,
            next: 0,
            plain: Sha256::new(),
            sealed: Sha256::new(),
        })
    }

    fn is_done(&self) -> bool {
        self.next == self.layout.chunks()
    }

    fn hashes(self) -> FileHashes {
        FileHashes {
            sha256: self.plain.finalize().into(),
            ciphertext_sha256: self.sealed.finalize().into(),
        }
    }
}

/// Seals a file from its first chunk to its last. What it gave out is to be sent as it is: a chunk is never sealed twice, because the
/// file may have changed in between and a nonce must not serve two texts.
pub struct FileSealer(Stream);

impl FileSealer {
    pub fn new(key: &[u8], size_bytes: u64) -> Result<Self, FileError> {
        Stream::new(key, size_bytes).map(Self)
    }

    /// Bytes of the file that the next chunk takes; 0 where only filling is left, `None` at the end.
    pub fn wants(&self) -> Option<usize> {
        (!self.0.is_done()).then(|| self.0.layout.file_bytes(self.0.next))
    }

    /// Seals exactly as many bytes as [`Self::wants`].
    pub fn seal(&mut self, bytes: &[u8]) -> Result<Vec<u8>, FileError> {
        let Stream { layout, next, .. } = self.0;
        if self.0.is_done() || bytes.len() != layout.file_bytes(next) {
            return Err(FileError::Changed);
        }
        self.0.plain.update(bytes);
        let mut chunk = bytes.to_vec();
        chunk.resize(layout.plain_bytes(next), 0);
        let sealed = self
            .0
            .cipher
            .encrypt(next, layout.is_last(next), Payload::from(&chunk[..]))
            .map_err(|_| FileError::Description)?;
        self.0.sealed.update(&sealed);
        self.0.next += 1;
        Ok(sealed)
    }

    pub fn finish(self) -> Result<FileHashes, FileError> {
        if self.0.is_done() {
            Ok(self.0.hashes())
        } else {
            Err(FileError::Changed)
        }
    }
}

/// Opens what a [`FileSealer`] made, from its first chunk to its last.
pub struct FileOpener {
    stream: Stream,
    expected: FileHashes,
}

impl FileOpener {
    pub fn new(file: &wire::File) -> Result<Self, FileError> {
        let hash = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| FileError::Description);
        Ok(Self {
            stream: Stream::new(&file.key, file.size_bytes)?,
            expected: FileHashes {
                sha256: hash(&file.sha256)?,
                ciphertext_sha256: hash(&file.ciphertext_sha256)?,
            },
        })
    }

    /// Bytes of ciphertext that the next chunk takes; `None` at the end.
    pub fn wants(&self) -> Option<usize> {
        (!self.stream.is_done()).then(|| self.stream.layout.sealed_bytes(self.stream.next))
    }

    /// Opens exactly as many bytes as [`Self::wants`]; what comes back belongs to the file.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, FileError> {
        let Stream { layout, next, .. } = self.stream;
        if self.stream.is_done() || sealed.len() != layout.sealed_bytes(next) {
            return Err(FileError::Damaged);
        }
        let opened = self
            .stream
            .cipher
            .decrypt(next, layout.is_last(next), Payload::from(sealed));
        let mut chunk = opened.map_err(|_| FileError::Damaged)?;
        chunk.truncate(layout.file_bytes(next));
        self.stream.plain.update(&chunk);
        self.stream.sealed.update(sealed);
        self.stream.next += 1;
        Ok(chunk)
    }

    /// Nothing may be used before this says that it is whole.
    pub fn finish(self) -> Result<(), FileError> {
        if self.stream.is_done() && self.stream.hashes() == self.expected {
            Ok(())
        } else {
            Err(FileError::Damaged)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn sealed(bytes: &[u8]) -> (Vec<Vec<u8>>, FileHashes) {
        let mut sealer = FileSealer::new(&KEY, bytes.len() as u64).expect("a size");
        let (mut rest, mut chunks) = (bytes, Vec::new());
        while let Some(wanted) = sealer.wants() {
            let (chunk, left) = rest.split_at(wanted);
            chunks.push(sealer.seal(chunk).expect("sealed"));
            rest = left;
        }
        assert!(rest.is_empty());
        (chunks, sealer.finish().expect("whole"))
    }

    fn opener(size: usize, hashes: FileHashes) -> FileOpener {
        let file = wire::File {
            size_bytes: size as u64,
            key: KEY.to_vec().into(),
            sha256: hashes.sha256.to_vec().into(),
            ciphertext_sha256: hashes.ciphertext_sha256.to_vec().into(),
            ..wire::File::default()
        };
        FileOpener::new(&file).expect("a description")
    }

    #[test]
    fn what_was_sealed_comes_back() {
        for size in [1, 1000, 65_535, 65_536, 65_537, 200_000] {
            let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
            let (chunks, hashes) = sealed(&bytes);
            assert_eq!(hashes.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
            let layout = Layout::of(size as u64).expect("a size");
            let length: usize = chunks.iter().map(Vec::len).sum();
            assert_eq!(length as u64, layout.ciphertext_bytes());
            let mut opener = opener(size, hashes);
            let opened: Vec<u8> = chunks
                .iter()
                .flat_map(|chunk| {
                    assert_eq!(opener.wants(), Some(chunk.len()));
                    opener.open(chunk).expect("opened")
                })
                .collect();
            assert_eq!(opener.finish(), Ok(()));
            assert_eq!(opened, bytes);
        }
    }

    /// Computed independently, with Python's cryptography: ChaCha20Poly1305(b"\x07" * 32).encrypt(bytes(11) + b"\x01", b"halo" + bytes(1020), b"")
    #[test]
    fn the_bytes_are_the_same_in_every_version() {
        let (chunks, hashes) = sealed(b"halo");
        assert_eq!(chunks.len(), 1);
        assert_eq!(hex::encode(&chunks[0][..8]), "81763f79c66d6644");
        assert_eq!(
            hex::encode(hashes.ciphertext_sha256),
            "ede98e9815b8b2926f12a9de7df780ed8fc3231a3cb99068809b64c834a54f57"
        );
    }

    #[test]
    fn a_changed_a_missing_and_a_swapped_chunk_are_noticed() {
        let bytes = vec![1; 150_000];
        let (chunks, hashes) = sealed(&bytes);
        let mut flipped = chunks[0].clone();
        flipped[5] ^= 1;
        assert_eq!(opener(bytes.len(), hashes).open(&flipped), Err(FileError::Damaged));
        assert_eq!(opener(bytes.len(), hashes).open(&chunks[1]), Err(FileError::Damaged));
        let mut half = opener(bytes.len(), hashes);
        half.open(&chunks[0]).expect("opened");
        assert_eq!(half.finish(), Err(FileError::Damaged));
        let shorter = Layout::of(65_536).expect("a size");
        assert_eq!(shorter.chunks(), 1);
        let cut = opener(65_536, hashes).open(&chunks[0]);
        assert_eq!(cut, Err(FileError::Damaged), "the first of several is not the last");
    }

    #[test]
    fn a_file_that_changed_is_not_sent() {
        let mut sealer = FileSealer::new(&KEY, 100).expect("a size");
        assert_eq!(sealer.seal(&[0; 99]), Err(FileError::Changed));
        assert_eq!(
            FileSealer::new(&KEY, 100).expect("a size").finish(),
            Err(FileError::Changed)
        );
        assert!(FileSealer::new(&KEY, 0).is_err());
        assert!(FileSealer::new(&[0; 31], 1).is_err());
    }
}
