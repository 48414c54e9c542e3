//! The encrypted client as a state machine without I/O: the same crate runs natively and in the browser.
//!
//! A shell owns the socket, the store, the clock and the timers. It passes what happened to [`Core::handle`] and does
//! what the returned [`Output`](api::Output)s say, in their order. Core owns the MLS groups, the outbox and everything
//! that a person's client decides. See [`api`] for the contract.

mod accounts;
mod answers;
pub mod api;
mod commands;
mod commerce;
mod connection;
mod core;
mod feed;
pub mod flow;
mod group_commands;
mod listing;
pub mod media;
mod message_commands;
mod messaging;
mod mls;
mod programs;
mod state;
mod store;
mod tx;

pub use crate::{
    core::{Core, CoreConfig},
    messaging::open_preview,
};
