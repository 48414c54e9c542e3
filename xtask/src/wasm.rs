//! The encrypted core for the browser: crates/core-wasm compiled to WebAssembly, with its JavaScript and TypeScript
//! bindings, in web/src/wasm. The binding generator is a library at the version of the `wasm-bindgen` in Cargo.toml, so
//! the two cannot disagree.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context as _;
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// Makes `core.js`, `core.d.ts` and `core_bg.wasm` in web/src/wasm; does nothing when they are newer than the code.
pub(crate) fn build() -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    crate::run(Command::new(cargo).args([
        "build",
        "--package",
        "kabar-core-wasm",
        "--profile",
        "wasm",
        "--target",
        TARGET,
    ]))?;

    let compiled = crate::target_dir()
        .join(TARGET)
        .join("wasm")
        .join("kabar_core_wasm.wasm");
    let out = crate::root().join("web/src/wasm");
    let bound = out.join("core_bg.wasm");
    if bound.exists() && modified(&bound)? >= modified(&compiled)? {
        return Ok(());
    }
    Bindgen::new()
        .input_path(&compiled)
        .out_name("core")
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&out)
        .with_context(|| format!("cannot make the bindings of {}", compiled.display()))
}

/// When `path` was last written.
pub(crate) fn modified(path: &Path) -> anyhow::Result<SystemTime> {
    let metadata = path
        .metadata()
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(metadata.modified()?)
}
