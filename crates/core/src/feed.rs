//! The feed: what a script has not read yet. Each item once per home, in order.

use crate::{
    api::{ApiError, FeedItem, Reply},
    programs::SERVES_PROGRAMS,
    state::State,
    store::{self, keys},
    tx::{Range, Step},
};

const FEED_LIMIT_MAX: u32 = 500;

impl State {
    /// Whether there is a script to tell.
    pub(crate) fn feeds(&self) -> bool {
        SERVES_PROGRAMS && self.config.feed
    }

    pub(crate) fn add_feed(&mut self, item: FeedItem) {
        if !self.feeds() {
            return;
        }
        self.cursor.next_feed += 1;
        self.save_cursor();
        self.put(keys::feed(self.cursor.next_feed), &item);
    }

    pub(crate) fn feed(&mut self, from: u64, limit: u32) -> Step<Result<Reply, ApiError>> {
        let rows = self.range(Range {
            prefix: keys::FEED.to_vec(),
            from: keys::feed(from.saturating_add(1)),
            limit: limit.clamp(1, FEED_LIMIT_MAX),
            reverse: false,
        })?;
        let items = rows.iter().filter_map(|(key, value)| {
            let position = key.get(keys::FEED.len()..).and_then(|bytes| bytes.try_into().ok());
            let mut item: FeedItem = store::decode(value).ok()?;
            item.position = position.map(u64::from_be_bytes)?;
            Some(item)
        });
        Ok(Ok(Reply::Feed { items: items.collect() }))
    }

    pub(crate) fn feed_taken(&mut self, up_to: u64) -> Step<Result<Reply, ApiError>> {
        let rows = self.range(Range {
            prefix: keys::FEED.to_vec(),
            from: keys::feed(0),
            limit: FEED_LIMIT_MAX,
            reverse: false,
        })?;
        let end = keys::feed(up_to);
        let taken = rows.into_iter().map(|(key, _)| key).filter(|key| *key <= end);
        taken.collect::<Vec<_>>().into_iter().for_each(|key| self.delete(key));
        Ok(Ok(Reply::Done))
    }
}
