//! A real server in process, on a free port and a temporary directory.

use std::path::Path;

use kabar_server::{Config, Server};

use crate::assert_nowhere;

pub struct TestServer {
    server: Option<Server>,
    config: Config,
    url: String,
    directory: tempfile::TempDir,
}
