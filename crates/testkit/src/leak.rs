//! The server's files are read byte by byte: what people wrote must not be there.

use std::path::Path;

/// Ciphertext is random bytes: in a few megabytes of it, shorter words come up by chance.
const SHORTEST_SECRET: usize = 8;

/// Fails if any file below `directory` holds one of `secrets`, as text, as UTF-16 or as hex.
///
/// # Panics
/// Also on a secret of fewer than 8 bytes, which chance would find.
#[track_caller]
pub fn assert_nowhere(directory: &Path, secrets: &[&str]) {
    for secret in secrets {
        assert!(secret.len() >= SHORTEST_SECRET, "{secret:?} is too short to search for");
    }
    let mut files = Vec::new();
    collect(directory, &mut files);
    assert!(!files.is_empty(), "nothing to search in {}", directory.display());
    for file in files {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        for secret in secrets {
            for form in forms(secret) {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{} holds {secret:?}", file.display());
            }
        }
    }
}

fn forms(secret: &str) -> [Vec<u8>; 3] {
    let utf16 = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [secret.as_bytes().to_vec(), utf16, hex::encode(secret).into_bytes()]
}

fn collect(directory: &Path, files: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, files),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "holds \"geheimnis\"")]
    fn a_leak_is_found() {
        let directory = tempfile::tempdir().expect("directory");
        std::fs::write(directory.path().join("a.log"), "xx geheimnis xx").expect("write");
        assert_nowhere(directory.path(), &["etwas anderes", "geheimnis"]);
    }

    #[test]
    #[should_panic(expected = "too short")]
    fn a_word_that_chance_would_find_is_refused() {
        assert_nowhere(Path::new("."), &["Ani"]);
    }
}
