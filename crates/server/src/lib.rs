//! The messenger server: accounts, conversations, durable per-device queues, one listener.
//!
//! A library; the `kabar` binary starts it. It stores and orders what clients encrypt, and cannot decrypt any of it:
//! it depends on neither the client core nor the gateway. Slices in `ARCHITECTURE.md`.

mod accounts;
pub mod admin;
mod app;
mod billing;
mod bus;
mod business;
mod cache;
pub mod clock;
mod commerce;
pub mod config;
mod db;
mod error;
mod http;
mod jobs;
pub mod limits;
mod media;
mod messaging;
mod metrics;
mod mls;
mod reports;
mod secrets;
mod server;
mod socket;
#[cfg(test)]
mod testing;

pub(crate) use self::server::Lock;
pub use self::{
    app::App,
    clock::Clock,
    config::Config,
    db::DbError,
    error::{Failure, StartError, reason},
    http::not_found,
    server::{Extra, Server},
};
