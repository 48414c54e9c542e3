//! The size budget of the web app: what a phone must download before a person can write. Measured on the brotli files
//! that the server sends, in kB of 1,000 bytes.

use std::path::Path;

use anyhow::Context as _;

/// One line of the budget: what it is, its brotli size and the most it may be, both in bytes.
struct Line {
    what: &'static str,
    bytes: u64,
    bytes_max: u64,
}

/// Prints the budget of the built app in `dist`; fails when a line is over it.
pub(crate) fn check(dist: &Path) -> anyhow::Result<()> {
    let index = std::fs::read_to_string(dist.join("index.html")).context("web/dist has no index.html")?;
    let shell = values(&index, &["src=\"", "href=\""]);
    let bytes = |file: &&str| brotli_bytes(&dist.join(file.trim_start_matches('/')));
    let size = |ending: &str| -> anyhow::Result<u64> {
        let of_kind = shell.iter().filter(|file| file.ends_with(ending));
        of_kind.map(bytes).sum()
    };
    // One language is fetched; whoever has the longer words must fit as well.
    let words = values(&index, &["data-words-id=\"", "data-words-en=\""]);
    let words: Vec<u64> = words.iter().map(bytes).collect::<anyhow::Result<_>>()?;
    let words_bytes_max = words
        .into_iter()
        .max()
        .context("web/dist/index.html does not say where the words are (web/build/words.js)")?;
    let lines = [
        Line {
            what: "shell JS",
            bytes: size(".js")? + words_bytes_max,
            bytes_max: 60_000,
        },
        Line {
            what: "shell CSS",
            bytes: size(".css")?,
            bytes_max: 12_000,
        },
        Line {
            what: "core.wasm",
            bytes: core_bytes(dist)?,
            // See "The core's size" in ARCHITECTURE.md.
            bytes_max: 600_000,
        },
    ];
    println!("{:<12}{:>10}{:>10}   (kB, brotli)", "web/dist", "size", "budget");
    for line in &lines {
        let verdict = if line.bytes > line.bytes_max { "over budget" } else { "" };
        println!(
            "{:<12}{:>10}{:>10}   {verdict}",
            line.what,
            kilobytes(line.bytes),
            kilobytes(line.bytes_max)
        );
    }
    let over: Vec<&str> = lines
        .iter()
        .filter(|line| line.bytes > line.bytes_max)
        .map(|line| line.what)
        .collect();
    anyhow::ensure!(
        over.is_empty(),
        "over the size budget: {}; load it lazily, or leave it out",
        over.join(", ")
    );
    Ok(())
}

/// What a page names: the value of every one of these attributes (each with its `="`), once.
fn values<'a>(html: &'a str, attributes: &[&str]) -> Vec<&'a str> {
    let mut files: Vec<&str> = attributes
        .iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// The size of the core, which is the one file `core_bg*.wasm` of the build.
fn core_bytes(dist: &Path) -> anyhow::Result<u64> {
    for entry in std::fs::read_dir(dist.join("assets"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("core_bg") && name.ends_with(".wasm") {
            return brotli_bytes(&path);
        }
    }
    anyhow::bail!("web/dist/assets has no core_bg*.wasm")
}

fn brotli_bytes(path: &Path) -> anyhow::Result<u64> {
    let compressed = format!("{}.br", path.display());
    let metadata = std::fs::metadata(&compressed).with_context(|| format!("there is no {compressed}"))?;
    Ok(metadata.len())
}

fn kilobytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1000, bytes % 1000 / 100)
}

#[cfg(test)]
mod tests {
    //! Which files count as the shell, and how sizes read.

    use super::{kilobytes, values};

    #[test]
    fn the_shell_is_what_the_page_names() {
        let html =
            r#"<link rel="stylesheet" href="/a.css"><script type="module" src="/a.js"></script><link href="/b.js">"#;
        assert_eq!(values(html, &["src=\"", "href=\""]), ["/a.css", "/a.js", "/b.js"]);
    }

    #[test]
    fn sizes_are_in_thousands_of_bytes() {
        assert_eq!(kilobytes(59_990), "59.9");
    }
}
