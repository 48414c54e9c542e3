//! The web app, as the server binary embeds it: web/dist with a brotli twin beside every file worth compressing, within
//! its budget.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::{budget, wasm};

/// Builds web/dist; does nothing when nothing under web/ is newer than the last build, so that the server is not
/// rebuilt either.
pub(crate) fn build() -> anyhow::Result<()> {
    let web = crate::root().join("web");
    anyhow::ensure!(web.join("package.json").exists(), "there is no web/package.json");
    wasm::build()?;
    crate::run(Command::new("scripts/npm-ci").arg("web"))?;

    let dist = web.join("dist");
    let stamp = web.join("node_modules/.built");
    // A build by hand (npm run build) leaves no compressed files.
    if dist.join("index.html.br").exists() && stamp.exists() && wasm::modified(&stamp)? >= newest(&web)? {
        println!("web/dist is up to date");
        return budget::check(&dist);
    }
    let started = web.join("node_modules/.build-started");
    std::fs::write(&started, "")?;
    crate::run(npm_path(Command::new("npm").args(["--prefix", "web", "run", "build"])))?;
    crate::run(npm_path(Command::new("node").arg("xtask/compress.mjs").arg(&dist)))?;
    budget::check(&dist)?;
    // The time before the build: a file edited while it ran makes the next one build again.
    std::fs::rename(started, stamp)?;
    Ok(())
}

/// The command, with the Node.js that `scripts/setup-node` may have put under .tools first on its path.
fn npm_path(command: &mut Command) -> &mut Command {
    let own = crate::root().join(".tools/node/bin");
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::iter::once(own).chain(std::env::split_paths(&inherited)).collect();
    command.env("PATH", std::env::join_paths(path).unwrap_or(inherited))
}

/// The latest change to a source of the web app, the generated core included.
fn newest(directory: &Path) -> anyhow::Result<SystemTime> {
    let mut latest = SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if name == "node_modules" || name == "dist" {
            continue;
        }
        latest = latest.max(if path.is_dir() {
            newest(&path)?
        } else {
            wasm::modified(&path)?
        });
    }
    Ok(latest)
}
