//! Files: what a message says of one, and how its bytes are cut and filled up before they are sealed.
//!
//! The sealing is core's (`core/src/media/file.rs`): a server that depends on this cannot open anything.

use crate::{
    interactive::FieldError,
    limits::{
        FILE_BYTES_MAX, FILE_CAPTION_CHARS_MAX, FILE_LOCATION_BYTES_MAX, FILE_NAME_CHARS_MAX, FILE_PREVIEW_BYTES_MAX,
        MIME_TYPE_BYTES_MAX, WAVEFORM_SAMPLES_MAX,
    },
    wire,
};

/// Plaintext of one chunk.
pub const CHUNK_BYTES: u32 = 64 * 1024;
/// What sealing adds to a chunk (Poly1305).
pub const TAG_BYTES: u32 = 16;
/// Smaller files are filled up to this.
const PADDED_BYTES_MIN: u64 = 1024;
/// A key for ChaCha20-Poly1305.
pub const KEY_BYTES: usize = 32;
/// What the files of one album have in common.
pub const ALBUM_BYTES: usize = 16;

/// How a file of a given size lies in its ciphertext. All sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    size: u64,
    padded: u64,
}

impl Layout {
    /// `None` unless `size` is 1 to [`FILE_BYTES_MAX`].
    pub fn of(size: u64) -> Option<Self> {
        (1..=FILE_BYTES_MAX).contains(&size).then(|| Self {
            size,
            padded: padded(size),
        })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn chunks(&self) -> u32 {
        // At most 2 GiB and an eighth of it, in 64 KiB: far below u32.
        u32::try_from(self.padded.div_ceil(CHUNK_BYTES.into())).unwrap_or(u32::MAX)
    }

    pub fn is_last(&self, chunk: u32) -> bool {
        chunk == self.chunks() - 1
    }

    /// Plaintext of a chunk, filling included.
    pub fn plain_bytes(&self, chunk: u32) -> usize {
        self.cut(chunk, self.padded)
    }

    /// Plaintext of a chunk that belongs to the file.
    pub fn file_bytes(&self, chunk: u32) -> usize {
        self.cut(chunk, self.size)
    }

    pub fn sealed_bytes(&self, chunk: u32) -> usize {
        self.plain_bytes(chunk) + TAG_BYTES as usize
    }

    /// Where a chunk begins in the ciphertext.
    pub fn sealed_offset(&self, chunk: u32) -> u64 {
        u64::from(chunk) * u64::from(CHUNK_BYTES + TAG_BYTES)
    }

    /// The whole ciphertext.
    pub fn ciphertext_bytes(&self) -> u64 {
        self.padded + u64::from(self.chunks()) * u64::from(TAG_BYTES)
    }

    /// What of the first `end` bytes lies in `chunk`.
    fn cut(&self, chunk: u32, end: u64) -> usize {
        let from = u64::from(chunk) * u64::from(CHUNK_BYTES);
        let bytes = end.saturating_sub(from).min(CHUNK_BYTES.into());
        usize::try_from(bytes).unwrap_or_default()
    }
}

/// Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", 2019): lengths of which few exist, at most 12 % longer.
fn padded(size: u64) -> u64 {
    let size = size.max(PADDED_BYTES_MIN);
    let exponent = size.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1_u64 << (exponent - kept)) - 1;
    (size + mask) & !mask
}

/// A name to show and to save under: what a path, a control or a right-to-left override could do with it is gone.
pub fn safe_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe: String = base
        .chars()
        .filter(|c| !is_deceptive(*c))
        .take(FILE_NAME_CHARS_MAX)
        .collect();
    let safe = safe.trim().trim_start_matches('.').trim();
    if safe.is_empty() { "file".into() } else { safe.into() }
}

/// Control characters, and those that change the direction or take no room (Unicode TR 36).
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Checks what a message says of a file, sent or received.
pub fn file(file: &wire::File) -> Result<(), FieldError> {
    let broken = |field, rule: &str| {
        let rule = rule.to_owned();
        Err(FieldError { field, rule })
    };
    if file.name.is_empty() || safe_name(&file.name) != file.name {
        let rule = "must be a file name of 1 to 240 characters, without a path or control characters";
        return broken("file.name", rule);
    }
    if !is_mime_type(&file.mime_type) {
        return broken("file.mime_type", "must be a type such as image/png, in lower case");
    }
    if Layout::of(file.size_bytes).is_none() {
        return broken("file.size_bytes", "must be 1 to 2147483648");
    }
    if file.key.len() != KEY_BYTES || file.sha256.len() != 32 || file.ciphertext_sha256.len() != 32 {
        return broken("file", "must have a key and hashes of 32 bytes each");
    }
    if !is_location(&file.location) {
        return broken("file.location", "must be what the upload answered");
    }
    if file.caption.chars().count() > FILE_CAPTION_CHARS_MAX {
        return broken("file.caption", "must have at most 1024 characters");
    }
    if file.preview.len() > FILE_PREVIEW_BYTES_MAX {
        return broken("file.preview", "must have at most 12288 bytes");
    }
    if file.waveform.len() > WAVEFORM_SAMPLES_MAX {
        return broken("file.waveform", "must have at most 100 bytes");
    }
    if !matches!(file.album.len(), 0 | ALBUM_BYTES) {
        return broken("file.album", "must have 16 bytes, or none");
    }
    if file.view_once && !(is_shown(&file.mime_type) && file.preview.is_empty()) {
        let rule = "must be a picture, film or sound without a preview: nothing else can be looked at once";
        return broken("file.view_once", rule);
    }
    Ok(())
}

/// What an app shows by itself, rather than handing it to a person as a file.
pub fn is_shown(mime_type: &str) -> bool {
    ["image/", "video/", "audio/"]
        .iter()
        .any(|kind| mime_type.starts_with(kind))
}

/// `type/subtype` of RFC 6838 without parameters.
pub fn is_mime_type(text: &str) -> bool {
    let word = |part: &str| {
        let first = part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!#$&-^_.+".contains(c);
        first && part.chars().all(rest)
    };
    text.len() <= MIME_TYPE_BYTES_MAX && text.split_once('/').is_some_and(|(kind, sub)| word(kind) && word(sub))
}

/// A word of base64url: it goes into an address as it is.
fn is_location(text: &str) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    (1..=FILE_LOCATION_BYTES_MAX).contains(&text.len()) && text.bytes().all(word)
}

/// Bytes as hex in JSON and wherever else serde writes them.
pub(crate) mod as_hex {
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Bytes::from).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn example() -> wire::File {
        wire::File {
            name: "tiket mudik.pdf".into(),
            mime_type: "application/pdf".into(),
            size_bytes: 12_345,
            key: Bytes::from_static(&[1; 32]),
            location: "AbC-_9".into(),
            sha256: Bytes::from_static(&[2; 32]),
            ciphertext_sha256: Bytes::from_static(&[3; 32]),
            ..wire::File::default()
        }
    }

    #[test]
    fn the_layout_covers_every_byte_once() {
        for size in [1, 1023, 1024, 1025, 65_535, 65_536, 65_537, 10_000_000, FILE_BYTES_MAX] {
            let layout = Layout::of(size).expect("a size");
            let last = layout.chunks() - 1;
            let file: u64 = (0..=last).map(|chunk| layout.file_bytes(chunk) as u64).sum();
            assert_eq!(file, size);
            assert!(layout.is_last(last) && (last == 0 || !layout.is_last(last - 1)));
            let end = layout.sealed_offset(last) + layout.sealed_bytes(last) as u64;
            assert_eq!(end, layout.ciphertext_bytes(), "{size}");
            let longer = layout.padded - size.max(PADDED_BYTES_MIN);
            assert!(longer * 100 <= size.max(PADDED_BYTES_MIN) * 12, "{size}: {longer}");
        }
        assert_eq!(Layout::of(0), None);
        assert_eq!(Layout::of(FILE_BYTES_MAX + 1), None);
    }

    #[test]
    fn lengths_are_few() {
        let lengths: std::collections::BTreeSet<u64> = (1_000_000..1_100_000).map(padded).collect();
        assert!(lengths.len() <= 8, "{lengths:?}");
    }

    #[test]
    fn a_name_is_a_name() {
        for (name, safe) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\a.txt", "a.txt"),
            (".bashrc", "bashrc"),
            ("foto\u{202e}gpj.exe", "fotogpj.exe"),
            ("a\nb", "ab"),
            ("   ", "file"),
            ("surat undangan.pdf", "surat undangan.pdf"),
        ] {
            assert_eq!(safe_name(name), safe);
        }
        assert_eq!(safe_name(&"x".repeat(300)).len(), 240);
    }

    #[test]
    fn a_refusal_names_the_field() {
        assert_eq!(file(&example()), Ok(()));
        type Change = fn(&mut wire::File);
        let changes: [(Change, &str); 10] = [
            (|file| file.name = "a/b".into(), "file.name"),
            (|file| file.mime_type = "Image/PNG; x".into(), "file.mime_type"),
            (|file| file.size_bytes = 0, "file.size_bytes"),
            (|file| file.key = Bytes::new(), "file"),
            (|file| file.location = "../x".into(), "file.location"),
            (|file| file.caption = "x".repeat(1025), "file.caption"),
            (|file| file.preview = vec![0; 12_289].into(), "file.preview"),
            (|file| file.sha256 = Bytes::from_static(&[0; 31]), "file"),
            (|file| file.album = vec![0; 15].into(), "file.album"),
            (|file| file.view_once = true, "file.view_once"),
        ];
        for (change, field) in changes {
            let mut changed = example();
            change(&mut changed);
            assert_eq!(file(&changed).expect_err("refused").field, field);
        }
    }
}
