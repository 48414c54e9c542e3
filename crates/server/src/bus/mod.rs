//! Which session a device has on this node, and how frames reach it.
//!
//! Lossy by contract: a push that finds no session, or a full one, is dropped. Completeness comes from the queue in
//! the database, never from here. Sharded by device, so that sessions do not wait for each other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kabar_protocol::ids::DeviceId;

use crate::socket::Session;

const SHARDS: usize = 64;

pub(crate) struct Bus {
    shards: Vec<Mutex<HashMap<DeviceId, Arc<Session>>>>,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Bus {
    /// Makes `session` its device's one session; the earlier one is returned, for its caller to close.
    pub(crate) fn attach(&self, device: DeviceId, session: Arc<Session>) -> Option<Arc<Session>> {
        self.shard(device).insert(device, session)
    }

    /// Removes `session`, unless another took its place.
    pub(crate) fn detach(&self, device: DeviceId, session: &Arc<Session>) {
        let mut shard = self.shard(device);
        if shard.get(&device).is_some_and(|current| Arc::ptr_eq(current, session)) {
            shard.remove(&device);
        }
    }

    pub(crate) fn session(&self, device: DeviceId) -> Option<Arc<Session>> {
        self.shard(device).get(&device).cloned()
    }

    fn shard(&self, device: DeviceId) -> MutexGuard<'_, HashMap<DeviceId, Arc<Session>>> {
        // A device id is a hash: its last byte spreads evenly.
        let index = usize::from(device.0[15]) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
