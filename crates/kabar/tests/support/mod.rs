//! The real binary, run as a stranger would: a server on a free port, people as homes in a temporary directory.

#![allow(dead_code)] // each test file uses its part

pub(crate) mod box_office;
pub(crate) mod buyer;
pub(crate) mod company;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// This build's binary, or the one that `KABAR_BIN` names: a release build, to measure it.
pub(crate) fn kabar() -> Command {
    let binary = std::env::var_os("KABAR_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_kabar").into());
    let mut command = Command::new(binary);
    command
        .env_remove("KABAR_HOME")
        .env_remove("KABAR_SERVER")
        .env_remove("RUST_LOG");
    command
}

/// A running `kabar serve`.
pub(crate) struct Serve {
    child: Child,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    log: PathBuf,
}

impl Serve {
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_on(directory, "127.0.0.1:0", &[])
    }

    pub(crate) fn start_on(directory: &Path, listen: &str, more: &[&str]) -> Self {
        let (data, log) = (directory.join("data"), directory.join("server.log"));
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("log");
        let mut child = kabar()
            .args(["serve", "--listen", listen, "--data"])
            .arg(&data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("kabar serve starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let url = url.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap_or_default()));
        Self { child, url, data, log }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// No warning, no last words.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("gone");
    }

    /// SIGTERM; returns the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        self.child.wait().expect("gone").code()
    }

    pub(crate) fn admin(&self, arguments: &[&str]) -> Value {
        let output = kabar()
            .args(["admin", "--json", "--data"])
            .arg(&self.data)
            .args(arguments)
            .output()
            .expect("kabar admin");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A person: a home and the server's address.
pub(crate) struct Person {
    home: PathBuf,
    url: String,
}

impl Person {
    pub(crate) fn new(directory: &Path, name: &str, url: &str) -> Self {
        Self {
            home: directory.join(name),
            url: url.to_owned(),
        }
    }

    /// Makes the account; the username is the name in lower case.
    pub(crate) fn register(directory: &Path, name: &str, url: &str) -> Self {
        let person = Self::new(directory, name, url);
        person.ok(&["register", "--name", name, "--username", &name.to_lowercase()]);
        person
    }

    /// A person whose number is proved.
    pub(crate) fn proved(directory: &Path, name: &str, server: &Serve, phone: &str) -> Self {
        let person = Self::new(directory, name, &server.url);
        person.ok(&["register", "--name", name, "--phone", phone]);
        let code = server.admin(&["registration-code", phone])["code"].clone();
        person.ok(&["verify", "--code", code.as_str().unwrap_or_default()]);
        person
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = kabar();
        command
            .args(["chat", "--json", "--server", &self.url, "--home"])
            .arg(&self.home)
            .args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("kabar chat")
    }

    /// The lines of a command that succeeds.
    pub(crate) fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a JSON line"))
            .collect()
    }

    /// The one answer of a command that succeeds.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Value {
        let mut lines = self.lines(arguments);
        assert_eq!(lines.len(), 1, "{arguments:?}: {lines:?}");
        lines.remove(0)
    }

    /// Code and message of a command that fails with exit code 1.
    pub(crate) fn refused(&self, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let errors = String::from_utf8(output.stderr).expect("UTF-8");
        let last = errors.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{errors}"));
        let part = |name: &str| error["error"][name].as_str().unwrap_or_default().to_owned();
        (part("code"), part("message"))
    }

    pub(crate) fn send(&self, to: &str, text: &str) -> Value {
        self.ok(&["send", "--to", to, "--text", text])
    }

    /// Texts that have come in and were not printed before.
    pub(crate) fn texts(&self) -> Vec<String> {
        let items = self.lines(&["receive"]);
        items
            .iter()
            .filter(|item| item["kind"] == "text")
            .filter_map(|item| item["text"].as_str().map(str::to_owned))
            .collect()
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}
