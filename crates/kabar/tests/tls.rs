//! `kabar serve` with certificate files, and `kabar chat` over https: both as real processes.

#[path = "../../server/tests/messenger/certificate.rs"]
mod certificate;
mod support;

use std::{path::Path, process::Output};

use serde_json::Value;
use support::{Person, Serve, directory};

/// Runs a command of somebody who trusts this certificate.
fn run(person: &Person, trusted: &Path, arguments: &[&str]) -> Output {
    let mut command = person.command(arguments);
    command.env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
    command.output().expect("kabar chat")
}

fn lines(person: &Person, trusted: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = run(person, trusted, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect()
}

#[test]
fn two_people_chat_behind_a_certificate() {
    let directory = directory();
    let (certificate, key) = certificate::certificate(directory.path());
    let files = [&certificate, &key].map(|path| path.to_str().expect("UTF-8"));
    let tls = ["--tls-cert", files[0], "--tls-key", files[1]];
    let server = Serve::start_on(directory.path(), "127.0.0.1:0", &tls);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let ani = Person::new(directory.path(), "ani", &server.url);
    let budi = Person::new(directory.path(), "budi", &server.url);
    lines(&ani, &certificate, &["register", "--name", "Ani", "--username", "ani"]);
    lines(
        &budi,
        &certificate,
        &["register", "--name", "Budi", "--username", "budi"],
    );
    lines(&ani, &certificate, &["send", "--to", "@budi", "--text", "lewat TLS"]);
    let received = lines(&budi, &certificate, &["receive"]);
    assert_eq!(received[0]["text"], "lewat TLS", "{received:?}");

    // Somebody who trusts only the usual authorities is told why he does not get through.
    let citra = Person::new(directory.path(), "citra", &server.url);
    let (code, message) = citra.refused(&["--wait", "3", "register", "--name", "Citra"]);
    assert!(
        code == "unreachable" && message.contains("certificate"),
        "{code}: {message}"
    );
    assert_eq!(server.terminate(), Some(0));
}
