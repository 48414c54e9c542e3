//! The state machine's outside: construction, start, and one event at a time.

use crate::api::{Event, Output, TimeMs};

/// What a shell decides once.
#[derive(Debug, Clone, Default)]
pub struct CoreConfig {
    /// Keep feed items for scripts (`kabar chat receive`); a browser does not need them.
    pub feed: bool,
    /// Tests only: makes every random choice of core repeatable.
    pub rng_seed: Option<[u8; 32]>,
}

/// One account's client on one device.
pub struct Core {
    _config: CoreConfig,
}

impl Core {
    pub fn new(config: CoreConfig) -> Self {
        Self { _config: config }
    }

    /// Begins: reads the store. To be called once, before the first [`Self::handle`].
    pub fn start(&mut self, _now: TimeMs) -> Vec<Output> {
        Vec::new()
    }

    /// Takes in one event and says what the shell has to do about it.
    pub fn handle(&mut self, _event: Event, _now: TimeMs) -> Vec<Output> {
        Vec::new()
    }
}
