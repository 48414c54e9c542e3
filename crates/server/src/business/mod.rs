//! Companies: their numbers, the accounts of these, templates, and what a business may send when.
//!
//! Owns the tables business, business_number, business_enrolment, business_account and message_template. Cannot read a
//! message: it judges a send by its category, its template and the time of the person's last word.

mod admit;
mod directory;
mod enrol;
mod review;
mod store;
mod templates;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    admit::{admit, check_kind, fetch_window},
    directory::{add_number, create_business, find_account, payer, show_business, waba_of},
    enrol::enrol,
    templates::{create_template, delete_templates, list_templates},
};
use std::sync::Arc;

use kabar_protocol::ids::AccountId;

use crate::cache::Cache;

const PAYERS_CACHED_MAX: usize = 10_000;

/// Who pays for what a business number sends.
#[derive(Debug)]
pub(crate) struct Payer {
    pub(crate) waba_id: u64,
    pub(crate) phone_number_id: u64,
    pub(crate) phone: String,
}

/// What the slice keeps in memory.
pub(crate) struct Business {
    /// Approved templates: (business, template, category).
    approved: Cache<(u64, u64, i32), ()>,
    payers: Cache<AccountId, Arc<Payer>>,
}

impl Default for Business {
    fn default() -> Self {
        Self {
            approved: Cache::new(templates::APPROVED_CACHED_MAX),
            payers: Cache::new(PAYERS_CACHED_MAX),
        }
    }
}
