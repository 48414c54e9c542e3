//! Rules about crates: who may depend on whom, where the server may touch MLS, and where packages come from. "The
//! server cannot decrypt" is held here: it depends neither on the core nor on anything that does.

use std::process::Command;

use serde_json::Value;

use crate::rust_source::RustSource;
use crate::{File, Violation};

/// What each crate may depend on within the workspace; testkit besides, but only for tests. A new crate gets a line
/// here first.
const ARROWS: [(&str, &[&str]); 9] = [
    ("kabar-protocol", &[]),
    ("kabar-core", &["kabar-protocol"]),
    ("kabar-core-wasm", &["kabar-core", "kabar-protocol"]),
    ("kabar-client", &["kabar-core", "kabar-protocol"]),
    ("kabar-gateway", &["kabar-client", "kabar-core", "kabar-protocol"]),
    ("kabar-server", &["kabar-protocol"]),
    (
        "kabar",
        &[
            "kabar-server",
            "kabar-gateway",
            "kabar-client",
            "kabar-core",
            "kabar-protocol",
        ],
    ),
    (
        "kabar-testkit",
        &[
            "kabar-server",
            "kabar-gateway",
            "kabar-client",
            "kabar-core",
            "kabar-protocol",
        ],
    ),
    ("xtask", &[]),
];

/// The one module of the server that reads MLS, a file or a folder: it validates public handshakes and holds no keys.
const MLS_IN_SERVER: &str = "crates/server/src/mls/";

/// A crate of the workspace and its dependencies within it.
pub(crate) struct Crate {
    name: String,
    manifest: File,
    /// Name, and whether it is for tests only.
    dependencies: Vec<(String, bool)>,
}

/// Reads the workspace's crates from `cargo metadata`.
pub(crate) fn workspace() -> Vec<Crate> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let root = crate::root().to_string_lossy().into_owned();
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: Vec<&Value> = packages.iter().map(|package| &package["name"]).collect();
    packages
        .iter()
        .map(|package| {
            let path = package["manifest_path"].as_str().expect("a path");
            let text = std::fs::read_to_string(path).expect("a manifest");
            let relative = path.strip_prefix(&*root).unwrap_or(path);
            let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
            Crate {
                name: text_of(&package["name"]),
                manifest: File::new(relative.trim_start_matches('/'), &text),
                dependencies: dependencies
                    .filter(|dependency| names.contains(&&dependency["name"]))
                    .map(|dependency| (text_of(&dependency["name"]), dependency["kind"] == "dev"))
                    .collect(),
            }
        })
        .collect()
}

/// What cargo prints when asked about this workspace.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(crate::root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

/// Dependencies follow the arrows and nothing else.
pub(crate) fn arrows(crates: &[Crate]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for one in crates {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == one.name) else {
            let advice = format!(
                "{} is new here: draw its arrows in ARCHITECTURE.md and in ARROWS of this test",
                one.name
            );
            violations.push(Violation::new(&one.manifest.path, 1, "arrows", advice));
            continue;
        };
        for (dependency, for_tests) in &one.dependencies {
            let testkit = *for_tests && dependency == "kabar-testkit";
            if testkit || allowed.contains(&dependency.as_str()) {
                continue;
            }
            let line = one
                .manifest
                .text
                .lines()
                .position(|line| line.starts_with(dependency.as_str()))
                .map_or(1, |at| at + 1);
            let advice = format!(
                "{} must not depend on {dependency}: what both need belongs in kabar-protocol",
                one.name
            );
            violations.push(Violation::new(&one.manifest.path, line, "arrows", advice));
        }
    }
    violations
}

/// MLS stays in one module of the server.
pub(crate) fn mls_in_server(tree: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree {
        let in_server = file.path.starts_with("crates/server/src/") && file.path.ends_with(".rs");
        if !in_server || file.path.starts_with(MLS_IN_SERVER) {
            continue;
        }
        let source = RustSource::read(&file.text);
        for word in [
            "openmls",
            "openmls_traits",
            "openmls_rust_crypto",
            "openmls_basic_credential",
        ] {
            for line in source.lines_naming(word) {
                let advice = format!("the server reads MLS in {MLS_IN_SERVER} only: call a function of that module");
                violations.push(Violation::new(&file.path, line, "mls-in-server", advice));
            }
        }
    }
    violations
}

/// Lock files name the public registries, and nobody's mirror.
pub(crate) fn sources(tree: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree {
        let (marker, registry) = match file.path.rsplit('/').next() {
            Some("Cargo.lock") => ("source = \"", "registry+https://github.com/rust-lang/crates.io-index\""),
            Some("package-lock.json") => ("\"resolved\": \"", "https://registry.npmjs.org/"),
            _ => continue,
        };
        for (index, line) in file.text.lines().enumerate() {
            if line
                .split_once(marker)
                .is_some_and(|(_, source)| !source.starts_with(registry))
            {
                let advice = format!("packages come from {} only", registry.trim_end_matches('"'));
                violations.push(Violation::new(&file.path, index + 1, "sources", advice));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    //! Each rule on a workspace that breaks it.

    use super::{Crate, MLS_IN_SERVER};
    use crate::{File, lines};

    fn sample(name: &str, dependencies: &[(&str, bool)]) -> Crate {
        let lines: Vec<String> = dependencies
            .iter()
            .map(|(name, _)| format!("{name}.workspace = true"))
            .collect();
        Crate {
            name: name.into(),
            manifest: File::new("Cargo.toml", &format!("[dependencies]\n{}\n", lines.join("\n"))),
            dependencies: dependencies
                .iter()
                .map(|(name, for_tests)| ((*name).into(), *for_tests))
                .collect(),
        }
    }

    #[test]
    fn a_server_that_could_decrypt_breaks_the_rule() {
        let server = sample("kabar-server", &[("kabar-protocol", false), ("kabar-core", false)]);
        assert_eq!(lines(&super::arrows(&[server])), [3]);
    }

    #[test]
    fn testkit_is_for_tests() {
        assert!(super::arrows(&[sample("kabar-server", &[("kabar-testkit", true)])]).is_empty());
        assert_eq!(
            super::arrows(&[sample("kabar-server", &[("kabar-testkit", false)])]).len(),
            1
        );
    }

    #[test]
    fn a_crate_without_arrows_breaks_the_rule() {
        assert_eq!(super::arrows(&[sample("kabar-utils", &[])]).len(), 1);
    }

    #[test]
    fn mls_elsewhere_in_the_server_breaks_the_rule() {
        let text = "//! Not openmls.\nuse openmls::prelude::*;\n";
        let tree = [
            File::new(MLS_IN_SERVER, text),
            File::new("crates/server/src/accounts/mod.rs", text),
        ];
        assert_eq!(lines(&super::mls_in_server(&tree)), [2]);
    }

    #[test]
    fn a_mirror_in_a_lock_file_breaks_the_rule() {
        let npm = "\"resolved\": \"https://registry.npmjs.org/a\",\n\"resolved\": \"https://mirror.example/b\",\n";
        let cargo = "source = \"git+https://github.com/a/b\"\n";
        let tree = [File::new("web/package-lock.json", npm), File::new("Cargo.lock", cargo)];
        assert_eq!(lines(&super::sources(&tree)), [2, 1]);
    }
}
