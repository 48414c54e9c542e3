//! What every call asks again, in memory. This process is the only one that writes the database, and whoever writes what
//! is kept here says so: a cache holds nothing that the database does not.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Answers to one question by its subject; all forgotten when any of them may have changed, or when they are too many.
pub(super) struct Cached<K, V> {
    inner: Mutex<Inner<K, V>>,
    max: usize,
}

struct Inner<K, V> {
    /// Counts the changes: what was read before one may be old.
    changes: u64,
    known: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> Cached<K, V> {
    pub(super) fn new(max: usize) -> Self {
        let inner = Mutex::new(Inner {
            changes: 0,
            known: HashMap::new(),
        });
        Self { inner, max }
    }

    /// The answer, read by `read` if it is not known. `None` of it is not kept: unknown names are without number.
    pub(super) async fn get<E>(
        &self,
        key: K,
        read: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<V>, E> {
        let changes = {
            let inner = locked(&self.inner);
            if let Some(value) = inner.known.get(&key) {
                return Ok(Some(value.clone()));
            }
            inner.changes
        };
        let Some(value) = read.await? else { return Ok(None) };
        let mut inner = locked(&self.inner);
        if inner.changes == changes {
            if inner.known.len() >= self.max {
                inner.known.clear();
            }
            inner.known.insert(key, value.clone());
        }
        Ok(Some(value))
    }

    /// To be called after the write.
    pub(super) fn changed(&self) {
        let mut inner = locked(&self.inner);
        inner.changes += 1;
        inner.known.clear();
    }
}

/// The newest entries, which are never changed.
pub(super) struct Recent<K, V> {
    inner: Mutex<(HashMap<K, V>, VecDeque<K>)>,
    max: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    pub(super) fn new(max: usize) -> Self {
        Self {
            inner: Mutex::default(),
            max,
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        locked(&self.inner).0.get(key).cloned()
    }

    pub(super) fn put(&self, key: K, value: V) {
        let (known, order) = &mut *locked(&self.inner);
        if known.insert(key.clone(), value).is_none() {
            order.push_back(key);
        }
        if order.len() > self.max
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
    }
}

/// Nothing panics while it holds one of these; if it did, the maps would still be whole.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(cached: &Cached<u8, u8>, key: u8, value: Option<u8>) -> Option<u8> {
        cached.get(key, async { Ok::<_, ()>(value) }).await.expect("read")
    }

    #[tokio::test]
    async fn an_answer_is_kept_until_something_changes() {
        let cached = Cached::new(2);
        assert_eq!(get(&cached, 1, None).await, None);
        assert_eq!(get(&cached, 1, Some(10)).await, Some(10));
        assert_eq!(get(&cached, 1, Some(11)).await, Some(10));
        cached.changed();
        assert_eq!(get(&cached, 1, Some(12)).await, Some(12));
        // Changed between reading and keeping: what was read is answered, not kept.
        let read = async {
            cached.changed();
            Ok::<_, ()>(Some(20))
        };
        assert_eq!(cached.get(2, read).await, Ok(Some(20)));
        assert_eq!(get(&cached, 2, Some(21)).await, Some(21));
        get(&cached, 3, Some(30)).await;
        get(&cached, 4, Some(40)).await;
        assert!(locked(&cached.inner).known.len() <= 2);
    }

    #[test]
    fn the_newest_are_kept() {
        let recent = Recent::new(2);
        (1..=3).for_each(|key| recent.put(key, key * 10));
        recent.put(3, 31);
        assert_eq!(
            (recent.get(&1), recent.get(&2), recent.get(&3)),
            (None, Some(20), Some(31))
        );
    }
}
