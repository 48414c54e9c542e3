//! What the gateway tells a company's own server: the bodies of deliveries, their signature, the handshake.

pub mod body;
pub mod handshake;
pub mod signature;
