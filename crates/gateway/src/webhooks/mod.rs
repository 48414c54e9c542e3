//! What the gateway tells a company's own server: the bodies of deliveries, their signature, the handshake.

pub mod signature;
