//! For tests only: a real server in process, people with real clients, and the search for leaked plaintext.

mod leak;
mod proxy;
mod server;
mod user;

pub use leak::assert_nowhere;
pub use proxy::BreakingProxy;
pub use server::TestServer;
pub use user::TestUser;
