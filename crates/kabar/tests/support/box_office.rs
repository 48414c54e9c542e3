//! The seller's own process: examples/box-office on two companies of a test's server.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::company::Company;

/// Names examples/box-office with its packages; `make test` sets it.
const PROGRAM: &str = "KABAR_BOX_OFFICE";

/// Without Node.js nothing is proven, and the test says so.
pub(crate) fn is_there(test: &str) -> bool {
    let there = std::env::var_os(PROGRAM).is_some();
    if !there {
        eprintln!("{test}: skipped, {PROGRAM} does not name examples/box-office with its packages installed");
    }
    there
}

pub(crate) struct BoxOffice {
    child: Child,
    state: PathBuf,
    business: PathBuf,
    more: Vec<String>,
}

impl BoxOffice {
    /// Opens the cinema and the bus line; `more` are arguments, such as the size of the hall.
    pub(crate) fn open(directory: &Path, [cinema, bus]: [&Company; 2], more: &[&str]) -> Self {
        let business = directory.join("business.json");
        let shops = json!({ "url": bus.url(), "shops": { "cinema": shop(cinema), "bus": shop(bus) } });
        std::fs::write(&business, shops.to_string()).expect("business.json");
        let more: Vec<String> = more.iter().map(|&argument| argument.to_owned()).collect();
        let state = directory.join("box-office.json");
        Self {
            child: spawn(&business, &state, &more),
            state,
            business,
            more,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Again on the same file, after [`Self::kill`].
    pub(crate) fn come_back(&mut self) {
        self.child = spawn(&self.business, &self.state, &self.more);
    }

    /// What it has on the disk.
    pub(crate) fn orders(&self) -> Vec<Value> {
        let state: Value = serde_json::from_slice(&std::fs::read(&self.state).expect("its state")).expect("JSON");
        let orders = state["orders"].as_object().cloned().unwrap_or_default();
        orders.into_values().collect()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for BoxOffice {
    fn drop(&mut self) {
        self.kill();
    }
}

fn shop(company: &Company) -> Value {
    json!({ "url": company.url(), "waba_id": company.waba, "app_id": company.app, "app_secret": company.secret,
        "access_token": company.token, "phone_number_id": company.number })
}

/// Returns once it answers.
fn spawn(business: &Path, state: &Path, more: &[String]) -> Child {
    let program = std::env::var_os(PROGRAM).map(PathBuf::from).expect(PROGRAM);
    let mut child = Command::new("node")
        .arg(program.join("src/main.mjs"))
        .arg("--business")
        .arg(business)
        .arg("--state")
        .arg(state)
        .args(more)
        .arg("--until-parent-ends")
        .stdout(Stdio::piped())
        .spawn()
        .expect("node");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let opened = lines.any(|line| line.is_ok_and(|line| line.contains("answer in the chat")));
    assert!(opened, "the box office did not open");
    child
}
