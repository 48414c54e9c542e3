//! The business gateway: speaks the WhatsApp Cloud (Graph) API to companies' programs and encrypted messages to people.
//!
//! It is a client of the messenger server like any other, so the server learns nothing by it. Names of parameters, types
//! and errors are the Graph API's.

pub mod graph;
pub mod messages;
pub mod webhooks;
