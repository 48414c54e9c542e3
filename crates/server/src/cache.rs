//! A bounded cache in two generations: when the younger is full, the older is forgotten.
//!
//! Near enough to least-recently-used, without a list to maintain. Nothing here is the only copy of anything.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

const SHARDS: usize = 16;

pub(crate) struct Cache<K, V> {
    hasher: RandomState,
    shards: Vec<Mutex<Generations<K, V>>>,
    young_max: usize,
}

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// At most `entries_max` entries, in both generations together.
    pub(crate) fn new(entries_max: usize) -> Self {
        let shard = || {
            Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
            })
        };
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| shard()).collect(),
            young_max: (entries_max / SHARDS / 2).max(1),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut shard = self.shard(key);
        if let Some(value) = shard.young.get(key) {
            return Some(value.clone());
        }
        let value = shard.old.remove(key)?;
        shard.insert(key.clone(), value.clone(), self.young_max);
        Some(value)
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        let mut shard = self.shard(&key);
        shard.old.remove(&key);
        shard.insert(key, value, self.young_max);
    }

    /// Inserts unless `keep` prefers what is there: a slow reader must not bring back what has been replaced.
    pub(crate) fn insert_unless(&self, key: K, value: V, keep: impl FnOnce(&V) -> bool) {
        let mut shard = self.shard(&key);
        let present = shard.young.get(&key).or_else(|| shard.old.get(&key));
        if present.is_some_and(keep) {
            return;
        }
        shard.old.remove(&key);
        shard.insert(key, value, self.young_max);
    }

    pub(crate) fn remove(&self, key: &K) {
        let mut shard = self.shard(key);
        shard.young.remove(key);
        shard.old.remove(key);
    }

    /// Drops every entry that `keep` refuses.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&V) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.retain(|_, value| keep(value));
            shard.old.retain(|_, value| keep(value));
        }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Generations<K, V>> {
        let index = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn insert(&mut self, key: K, value: V, young_max: usize) {
        if self.young.len() >= young_max && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_what_is_used_and_stays_bounded() {
        let cache = Cache::new(SHARDS * 8);
        for n in 0..10_000_u32 {
            cache.insert(n, n);
            assert_eq!(cache.get(&n), Some(n));
        }
        let kept = (0..10_000).filter(|n| cache.get(n).is_some()).count();
        assert!(kept <= SHARDS * 8, "{kept}");
        cache.retain(|_| false);
        assert_eq!(cache.get(&9_999), None);
    }
}
