//! Makes an empty `web/dist` where there is none, so that plain cargo works without Node.

fn main() -> std::io::Result<()> {
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist");
    std::fs::create_dir_all(dist)?;
    println!("cargo:rerun-if-changed={dist}");
    Ok(())
}
