//! Accounts, their devices, the directory, and KeyPackages.
//!
//! Owns the tables account, device_list_entry, username, phone, phone_code, invite and key_package. Knows nothing of
//! conversations: what a revocation means for them, the socket tells `messaging`. Cannot make an entry of a chain.

mod append_entry;
mod authenticate;
mod device_lists;
mod directory;
mod invites;
mod key_packages;
mod phone;
mod register;
mod store;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use kabar_protocol::{device_list::DeviceList, ids::AccountId};

pub(crate) use self::{
    append_entry::append_entry,
    authenticate::{authenticate, device_revoked},
    device_lists::{device_list, device_lists, fetch_device_list, is_current},
    directory::{find_account, is_business, phone_account, set_username, show},
    invites::{code_hash, create_invite, readable_code, sweep as sweep_invites},
    key_packages::{claim_key_packages, has_key_package, publish_key_packages, single_use_left},
    phone::{pending_code, request_phone_code, sweep as sweep_codes, verify_phone},
    register::{Registered, register, register_business},
    store::session_facts,
};
use crate::cache::Cache;

/// Verified device lists kept in memory.
const LISTS_CACHED_MAX: usize = 100_000;

/// What the slice keeps in memory.
pub(crate) struct Accounts {
    lists: Cache<AccountId, Arc<DeviceList>>,
    /// Whether an account is a business number's; never changes.
    businesses: Cache<AccountId, bool>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            lists: Cache::new(LISTS_CACHED_MAX),
            businesses: Cache::new(LISTS_CACHED_MAX),
        }
    }
}
