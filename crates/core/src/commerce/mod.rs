//! What a person buys: paying an order under this device's signature, and the tickets that come of it.
//!
//! Must not: believe an amount that the server names. What is signed is the order as it came inside the encryption.

mod pay;
mod tickets;
