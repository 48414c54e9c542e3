//! The transaction between two batches: what is to be written, what is to be said once it is, and reading rows.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::{ApiError, Key, Notification, Output, Reply, Value, Write},
    connection::Request,
    state::{State, Wait},
    store,
};

/// Why a job could not be done now. It has changed nothing and is run again.
#[derive(Debug)]
pub(crate) enum Stop {
    /// These rows have to be read first.
    Read(Range),
    /// What is in the transaction has to be durable first.
    Flush,
    /// The inbox waits for an answer of the server.
    Wait(Wait),
}

pub(crate) type Step<T = ()> = Result<T, Stop>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) prefix: Key,
    pub(crate) from: Key,
    pub(crate) limit: u32,
    pub(crate) reverse: bool,
}

pub(crate) type Rows = Vec<(Key, Value)>;

/// Rows that the job at hand asked for.
#[derive(Default)]
pub(crate) struct Reads {
    pub(crate) fetched: Vec<(Range, Rows)>,
    pub(crate) pending: Option<(u64, Range)>,
}

#[allow(clippy::large_enum_variant, reason = "few at a time, and each is moved once")]
pub(crate) enum Effect {
    Out(Output),
    Request(Request),
}

#[derive(Default)]
pub(crate) struct Tx {
    writes: BTreeMap<Key, Option<Value>>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) jobs: usize,
    /// MLS state changed: client_seq has been counted up for this batch.
    pub(crate) mls_changed: bool,
}

impl Tx {
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.effects.is_empty()
    }

    pub(crate) fn take_writes(&mut self) -> Vec<Write> {
        let writes = std::mem::take(&mut self.writes).into_iter();
        writes
            .map(|(key, value)| match value {
                Some(value) => Write::Put(key, value),
                None => Write::Delete(key),
            })
            .collect()
    }

    pub(crate) fn extend(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Put(key, value) => self.writes.insert(key, Some(value)),
                Write::Delete(key) => self.writes.insert(key, None),
            };
        }
    }
}

impl State {
    pub(crate) fn put(&mut self, key: Key, value: &impl Serialize) {
        // Our own rows are plain data: they always encode.
        if let Ok(value) = store::encode(value) {
            self.tx.writes.insert(key, Some(value));
        }
    }

    pub(crate) fn delete(&mut self, key: Key) {
        self.tx.writes.insert(key, None);
    }

    pub(crate) fn notify(&mut self, notification: Notification) {
        self.tx.effects.push(Effect::Out(Output::Notify(notification)));
    }

    pub(crate) fn reply(&mut self, command_id: u64, result: Result<Reply, ApiError>) {
        self.tx.effects.push(Effect::Out(Output::Reply { command_id, result }));
    }

    /// One row, as the transaction sees it.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, key: Key) -> Step<Option<T>> {
        let value = self.read_raw(key)?;
        Ok(value.and_then(|value| store::decode(&value).ok()))
    }

    pub(crate) fn read_raw(&mut self, key: Key) -> Step<Option<Value>> {
        if let Some(written) = self.tx.writes.get(&key) {
            return Ok(written.clone());
        }
        let rows = self.fetch(Range {
            prefix: key.clone(),
            from: key.clone(),
            limit: 1,
            reverse: false,
        })?;
        Ok(rows
            .into_iter()
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value))
    }

    /// A range of rows; what the transaction has written is made durable first, so that it is seen.
    pub(crate) fn range(&mut self, range: Range) -> Step<Rows> {
        let touched = self.tx.writes.keys().any(|key| key.starts_with(&range.prefix));
        if touched { Err(Stop::Flush) } else { self.fetch(range) }
    }

    /// All rows under a prefix, up to `limit`.
    pub(crate) fn rows_under(&mut self, prefix: &[u8], limit: u32) -> Step<Rows> {
        self.range(Range {
            prefix: prefix.to_vec(),
            from: prefix.to_vec(),
            limit,
            reverse: false,
        })
    }

    fn fetch(&mut self, range: Range) -> Step<Rows> {
        match self.reads.fetched.iter().find(|(known, _)| *known == range) {
            Some((_, rows)) => Ok(rows.clone()),
            None => Err(Stop::Read(range)),
        }
    }

    pub(crate) fn read_rows(&mut self, range: Range) {
        self.next_scan += 1;
        self.out.push(Output::Scan {
            scan_id: self.next_scan,
            prefix: range.prefix.clone(),
            from: range.from.clone(),
            limit: range.limit,
            reverse: range.reverse,
        });
        self.reads.pending = Some((self.next_scan, range));
    }
}

/// The first key after all that start with `prefix`, for descending ranges: `from` is exclusive there.
pub(crate) fn after(prefix: &[u8]) -> Key {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}
