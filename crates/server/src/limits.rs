//! Every rate limit of the server, in one enum, and the buckets that hold them.
//!
//! In memory and per process: a limit slows abuse down, it is no quota. Size limits are in `kabar_protocol::limits`.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError, RwLock},
};

use crate::error::Failure;

/// What is limited. Its name is the `reason` of the refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateLimit {
    /// New sockets, by address.
    Connections,
    /// New accounts, by address.
    Registrations,
    /// Failed authentications, by address.
    Authentications,
    /// Codes asked for, by account; the resend timer is per number.
    PhoneCodes,
    /// Look-ups of usernames and numbers, by account: exact matches must not become a way to list people.
    Lookups,
    /// KeyPackages claimed, by the account that claims.
    KeyPackageClaims,
    /// KeyPackages claimed, by the account whose they are: they are few and single-use.
    KeyPackageClaimsOfTarget,
    /// Conversations created or reset, by account.
    ConversationsCreated,
    /// Resets, by conversation: kept in the database, not in a bucket.
    Resets,
    /// Commits, by conversation.
    Commits,
    /// Messages, by device.
    Sends,
    /// Everything that reads, by device.
    Reads,
    /// What is relayed and never stored (typing, presence), by device.
    Ephemeral,
    /// Orders registered, paid and settled, by account.
    Payments,
    /// Files begun, by account.
    Uploads,
    /// Reports to the operator, by account.
    Reports,
    /// Messages withdrawn and files deleted, by account.
    Withdrawals,
    /// Links made and taken back, looked at and asked by, by account; without an account, by address.
    Invites,
}

impl RateLimit {
    pub const ALL: &[Self] = &[
        Self::Connections,
        Self::Registrations,
        Self::Authentications,
        Self::PhoneCodes,
        Self::Lookups,
        Self::KeyPackageClaims,
        Self::KeyPackageClaimsOfTarget,
        Self::ConversationsCreated,
        Self::Resets,
        Self::Commits,
        Self::Sends,
        Self::Reads,
        Self::Ephemeral,
        Self::Payments,
        Self::Uploads,
        Self::Reports,
        Self::Withdrawals,
        Self::Invites,
    ];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Registrations => "registrations",
            Self::Authentications => "authentications",
            Self::PhoneCodes => "phone_codes",
            Self::Lookups => "lookups",
            // Which budget is used up is not the claimer's business.
            Self::KeyPackageClaims | Self::KeyPackageClaimsOfTarget => "key_package_claims",
            Self::ConversationsCreated => "conversations_created",
            Self::Resets => "resets",
            Self::Commits => "commits",
            Self::Sends => "sends",
            Self::Reads => "reads",
            Self::Ephemeral => "ephemeral",
            Self::Payments => "payments",
            Self::Uploads => "uploads",
            Self::Reports => "reports",
            Self::Withdrawals => "withdrawals",
            Self::Invites => "invites",
        }
    }

    /// (burst, refill per hour) of one person; a business has [`Caller::Business`] times that.
    const fn rule(self) -> (u32, u32) {
        match self {
            Self::Connections => (200, 20_000),
            Self::Registrations => (20, 60),
            Self::Authentications => (100, 3_000),
            Self::PhoneCodes => (5, 10),
            Self::Lookups => (100, 600),
            Self::KeyPackageClaims => (300, 1_200),
            Self::KeyPackageClaimsOfTarget => (100, 240),
            Self::ConversationsCreated => (100, 600),
            Self::Resets => (1, 1),
            Self::Reports => (10, 30),
            Self::Commits => (200, 3_600),
            Self::Sends => (300, 36_000),
            Self::Reads => (600, 36_000),
            Self::Ephemeral => (60, 3_600),
            Self::Payments => (60, 1_200),
            Self::Uploads | Self::Invites => (100, 600),
            // Those of a chat in which everything vanishes come together.
            Self::Withdrawals => (600, 7_200),
        }
    }
}

/// Whose limit it is. A business number writes to many: it has thirty times a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Person = 1,
    Business = 30,
}

/// A token bucket in thousandths of a token, so that slow refills do not vanish in rounding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    millitokens: i64,
    at_ms: i64,
}

const HOUR_MS: i64 = 3_600_000;

impl Bucket {
    pub(crate) fn full(limit: RateLimit, caller: Caller, now_ms: i64) -> Self {
        Self {
            millitokens: i64::from(limit.rule().0) * caller as i64 * 1_000,
            at_ms: now_ms,
        }
    }

    /// Takes one token, or says in how many milliseconds there is one.
    pub(crate) fn take(&mut self, limit: RateLimit, caller: Caller, now_ms: i64) -> Result<(), u64> {
        let (burst, per_hour) = limit.rule();
        let (burst, per_hour) = (burst * caller as u32, per_hour * caller as u32);
        let elapsed = (now_ms - self.at_ms).clamp(0, HOUR_MS * 1_000);
        let gained = elapsed * i64::from(per_hour) * 1_000 / HOUR_MS;
        if gained > 0 {
            self.millitokens = (self.millitokens + gained).min(i64::from(burst) * 1_000);
            self.at_ms = now_ms;
        }
        if self.millitokens >= 1_000 {
            self.millitokens -= 1_000;
            return Ok(());
        }
        let missing = 1_000 - self.millitokens;
        Err(u64::try_from(missing * HOUR_MS / (i64::from(per_hour) * 1_000) + 1).unwrap_or(1))
    }
}

const SHARDS: usize = 16;
/// Buckets per shard and generation; older ones are forgotten, which refills them.
const BUCKETS_MAX: usize = 8_192;

/// The buckets of all limits. Two generations: the older one is dropped when the younger is full.
pub(crate) struct Limits {
    enabled: bool,
    /// Ids of business accounts and their devices that have been seen.
    businesses: RwLock<HashSet<Vec<u8>>>,
    hasher: RandomState,
    shards: [Mutex<Generations>; SHARDS],
}

#[derive(Default)]
struct Generations {
    young: HashMap<u64, Bucket>,
    old: HashMap<u64, Bucket>,
}

impl Limits {
    pub(crate) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            businesses: RwLock::default(),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Keys whose caller is a business number.
    pub(crate) fn add_business(&self, keys: [&[u8]; 2]) {
        let mut businesses = self.businesses.write().unwrap_or_else(PoisonError::into_inner);
        businesses.extend(keys.map(<[u8]>::to_vec));
    }

    fn caller(&self, key: &[u8]) -> Caller {
        let businesses = self.businesses.read().unwrap_or_else(PoisonError::into_inner);
        if businesses.contains(key) {
            Caller::Business
        } else {
            Caller::Person
        }
    }

    pub(crate) fn enabled(&self) -> bool {
        self.enabled
    }

    /// Takes one token of `limit` for `key`.
    pub(crate) fn check(&self, limit: RateLimit, key: &[u8], now_ms: i64) -> Result<(), Failure> {
        if !self.enabled {
            return Ok(());
        }
        let caller = self.caller(key);
        let hash = self.hasher.hash_one((limit, key));
        let shard = &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or(0)];
        let mut generations = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = generations.bucket(hash, || Bucket::full(limit, caller, now_ms));
        bucket
            .take(limit, caller, now_ms)
            .map_err(|retry_after_ms| Failure::rate_limited(limit, retry_after_ms))
    }

    /// As [`Self::check`], by the client's address; `None` is a peer that no address limit applies to.
    pub(crate) fn check_address(&self, limit: RateLimit, address: Option<IpAddr>, now_ms: i64) -> Result<(), Failure> {
        match address {
            None => Ok(()),
            Some(IpAddr::V4(address)) => self.check(limit, &address.octets(), now_ms),
            // One household has a /64.
            Some(IpAddr::V6(address)) => self.check(limit, &address.octets()[..8], now_ms),
        }
    }
}

impl Generations {
    fn bucket(&mut self, key: u64, new: impl FnOnce() -> Bucket) -> &mut Bucket {
        if self.young.len() >= BUCKETS_MAX && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        self.young
            .entry(key)
            .or_insert_with(|| old.remove(&key).unwrap_or_else(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_one_per_refill() {
        let limits = Limits::new(true);
        let (burst, per_hour) = RateLimit::PhoneCodes.rule();
        for _ in 0..burst {
            limits.check(RateLimit::PhoneCodes, b"a", 0).expect("within the burst");
        }
        let failure = limits.check(RateLimit::PhoneCodes, b"a", 0).unwrap_err();
        let wait = failure.retry_after_ms.expect("a time");
        assert!(wait <= 3_600_000 / u64::from(per_hour) + 1, "{wait}");
        limits.check(RateLimit::PhoneCodes, b"b", 0).expect("another key");
        let later = i64::try_from(wait).expect("fits");
        limits
            .check(RateLimit::PhoneCodes, b"a", later)
            .expect("after the wait");
    }

    #[test]
    fn loopback_peers_have_no_address() {
        let limits = Limits::new(true);
        for _ in 0..1_000 {
            limits
                .check_address(RateLimit::Registrations, None, 0)
                .expect("no limit");
        }
    }
}
