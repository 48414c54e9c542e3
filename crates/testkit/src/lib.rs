//! For tests only: a real server in process, people with real clients, and the search for leaked plaintext.

mod leak;
mod server;
mod user;

pub use leak::assert_nowhere;
pub use server::TestServer;
pub use user::TestUser;
