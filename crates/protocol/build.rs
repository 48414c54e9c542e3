//! Compiles `proto/kabar/v1/*.proto` with protox: no protoc is needed.

use std::{error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("../../proto");
    println!("cargo:rerun-if-changed=../../proto");
    let files =
        ["socket", "session", "accounts", "messaging", "content", "mls"].map(|name| format!("kabar/v1/{name}.proto"));
    let descriptors = protox::compile(files, [root])?;
    prost_build::Config::new().bytes(["."]).compile_fds(descriptors)?;
    Ok(())
}
