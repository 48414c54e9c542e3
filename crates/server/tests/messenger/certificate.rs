//! A certificate for localhost and its key, as PEM files, made by the `openssl` program (ca-certificates brings it).
//!
//! Self-signed and no CA: whoever is told to trust it trusts this one server.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const CONFIG: &str = "[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = localhost
[extensions]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
";

/// Certificate and key, in `directory`.
pub(crate) fn certificate(directory: &Path) -> (PathBuf, PathBuf) {
    let (config, certificate, key) = (
        directory.join("openssl.cnf"),
        directory.join("certificate.pem"),
        directory.join("key.pem"),
    );
    std::fs::write(&config, CONFIG).expect("a config");
    let output = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-config"])
        .arg(&config)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("the openssl program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (certificate, key)
}
