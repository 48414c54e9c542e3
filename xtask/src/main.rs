//! `cargo xtask`: the build steps that cargo alone cannot do. It owns the browser build (wasm, bindings, npm, size
//! budget) and the count at the end of `make test`. It sets up no tools (scripts/ does) and holds nothing that runs in
//! production.

// A build tool talks on standard output.
#![allow(clippy::print_stdout)]

mod budget;
mod count;
mod wasm;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  wasm                  build crates/core-wasm for the browser into web/src/wasm
  web                   wasm, then the web app into web/dist, compressed and within its size budget
  count-tests LOG...    add up what the test suites said in their logs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["wasm"] => wasm::build(),
        ["web"] => web::build(),
        ["count-tests", logs @ ..] if !logs.is_empty() => count::report(logs),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root, wherever the command was called. Cargo says it at run time; asked at compile time, two
/// checkouts that share a target directory would build in each other's.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("started by cargo, as `cargo xtask`");
    Path::new(&manifest)
        .parent()
        .expect("xtask lives in the repository's root")
        .into()
}

/// Where cargo puts what it builds.
fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Runs `command` in the repository's root and fails when it does.
fn run(command: &mut std::process::Command) -> anyhow::Result<()> {
    let status = command
        .current_dir(root())
        .status()
        .map_err(|error| anyhow::anyhow!("cannot start {:?}: {error}", command.get_program()))?;
    anyhow::ensure!(status.success(), "{:?} failed: {status}", command.get_program());
    Ok(())
}
