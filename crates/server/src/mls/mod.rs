//! The public side of MLS (RFC 9420): group membership and handshakes, as far as everybody may see them.
//!
//! The only folder of the server that names the MLS engine. It holds no private key, decrypts nothing, and knows no
//! storage and no network: bytes in, facts or refusals out. The rules over the facts are `kabar_protocol::policy`.

mod key_package;
mod public_group;
mod state;

pub(crate) use self::{
    key_package::{ValidKeyPackage, validate_key_package},
    public_group::{Group, MlsError, Staged},
};
