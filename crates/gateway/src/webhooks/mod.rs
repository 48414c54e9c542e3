//! What the gateway tells a company's own server: the bodies of deliveries, their signature, the handshake.

pub mod body;
pub(crate) mod deliver;
pub mod handshake;
pub mod payment;
pub mod signature;
pub(crate) mod subscribe;
