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
    directory::{add_number, create_business, find_account, show_business, waba_of},
    enrol::enrol,
    templates::{create_template, delete_templates, list_templates},
};
use crate::cache::Cache;

/// What the slice keeps in memory.
pub(crate) struct Business {
    /// Approved templates: (business, template, category).
    approved: Cache<(u64, u64, i32), ()>,
}

impl Default for Business {
    fn default() -> Self {
        Self {
            approved: Cache::new(templates::APPROVED_CACHED_MAX),
        }
    }
}
