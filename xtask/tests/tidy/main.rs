//! The house rules that a compiler does not hold: sizes, dependency arrows, who owns which table, what the schema may
//! say, which licences come in. Each rule reads the tree, returns what breaks it, and has a test on a bad sample, so
//! that it can fail. To change a rule, change ARCHITECTURE.md in the same commit.

mod crates;
mod files;
mod licences;
mod rust_source;
mod schema;
mod statements;
mod tables;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One text file of the repository.
struct File {
    /// Relative to the root, with forward slashes.
    path: String,
    text: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Does this file hold tests only? Then it may be longer, and may look where the product may not.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let (stem, _) = name.split_once('.').unwrap_or((name, ""));
        self.path.split('/').any(|part| part == "tests" || part == "e2e")
            || stem == "tests"
            || stem.ends_with("_tests")
            || name.contains(".test.")
    }
}

/// A place where the tree breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    /// From 1.
    line: usize,
    rule: &'static str,
    advice: String,
}

impl Violation {
    fn new(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            rule,
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}: {}", self.path, self.line, self.rule, self.advice)
    }
}

/// Fails with one line per violation.
#[track_caller]
fn hold(violations: Vec<Violation>) {
    let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(lines.is_empty(), "\n\n{}\n", lines.join("\n"));
}

/// The lines, counted from 1, that the violations of a bad sample name.
#[cfg(test)]
fn lines(violations: &[Violation]) -> Vec<usize> {
    violations.iter().map(|violation| violation.line).collect()
}

/// The repository's root. Asked at run time: two checkouts may share a target directory, and so this binary.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("started by cargo, as `cargo test`");
    Path::new(&manifest)
        .parent()
        .expect("xtask lives in the repository's root")
        .into()
}

/// Every text file of the repository. Read from the directory rather than from git, so that a source archive can be
/// tested too.
static TREE: LazyLock<Vec<File>> = LazyLock::new(|| {
    let mut files = Vec::new();
    let root = root();
    walk(&root, &root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
});

/// What a build or a run leaves behind; .gitignore names the same.
const NOT_OURS: [&str; 8] = [
    ".git",
    "target",
    "node_modules",
    ".tools",
    "dist",
    "web/src/wasm",
    "e2e/out",
    "kabar-data",
];

fn walk(root: &Path, directory: &Path, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(directory).expect("a readable directory") {
        let path = entry.expect("a readable entry").path();
        let relative = path
            .strip_prefix(root)
            .expect("inside the root")
            .to_string_lossy()
            .replace('\\', "/");
        let name = relative.rsplit('/').next().unwrap_or_default();
        if NOT_OURS.contains(&name) || NOT_OURS.contains(&relative.as_str()) || name.starts_with("kabar-data") {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            files.push(File { path: relative, text });
        }
    }
}

#[test]
fn files_are_short() {
    hold(files::length(&TREE));
}

#[test]
fn functions_are_short() {
    hold(files::function_length(&TREE));
}

#[test]
fn rust_files_open_with_what_they_own() {
    hold(files::opening(&TREE));
}

#[test]
fn nothing_is_left_to_do_in_code() {
    hold(files::unfinished(&TREE));
}

#[test]
fn tests_do_not_sleep() {
    hold(files::sleeping_tests(&TREE));
}

#[test]
fn nothing_names_a_workplace() {
    hold(files::workplace(&TREE));
}

#[test]
fn crates_depend_only_along_the_arrows() {
    hold(crates::arrows(&crates::workspace()));
}

#[test]
fn the_server_reads_mls_in_one_module() {
    hold(crates::mls_in_server(&TREE));
}

#[test]
fn packages_come_from_the_public_registries() {
    hold(crates::sources(&TREE));
}

#[test]
fn every_licence_is_on_the_list() {
    let policy = licences::Policy::read(&TREE);
    for target in ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"] {
        hold(licences::check(&policy, &licences::dependencies(target)));
    }
}

#[test]
fn the_schema_can_be_distributed() {
    hold(schema::check(&TREE));
}

#[test]
fn every_table_is_touched_by_its_own_slice_only() {
    hold(tables::check(&TREE));
}

#[test]
fn statements_are_prepared_once() {
    hold(statements::check(&TREE));
}
