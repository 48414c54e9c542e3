//! The messenger socket: listener, handshake, framing, sessions, back-pressure.
//!
//! Knows every slice's door (`dispatch.rs`) and none of their rules.

mod connection;
mod dispatch;
pub(crate) mod frame;
mod listen;
mod outbox;
mod sweep;
mod upgrade;
mod websocket;

pub(crate) use self::{
    listen::{Listener, dial, serve},
    outbox::{Identity, Session},
    sweep::Connections,
    upgrade::client_address,
    websocket::CloseCode,
};
use crate::app::App;

/// Starts the timer that serves all connections.
pub(crate) fn start_sweep(app: &App) {
    app.tasks.spawn(sweep::run(app.clone()));
}
