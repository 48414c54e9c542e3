//! Webhooks that wait for their receiver: durable, in order within a conversation, given up after seven days.

use sqlx::{Row as _, SqliteConnection};

use super::{
    Store, StoreError, loaded, stored,
    writer::{self, NewRow, Write},
};

/// How long a receiver may be away, as with the Cloud API.
const RETENTION_MS: i64 = 7 * 86_400_000;
/// First pause after a failed attempt; doubles up to an hour.
const PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 3_600_000;
/// Deliveries of one lane that are read at a time: others have their turn.
const LANE_MAX: u32 = 8;

/// A webhook to be queued.
pub struct NewDelivery {
    pub app_id: u64,
    /// Conversation within a number: the deliveries of a lane keep their order.
    pub lane: String,
    /// The exact bytes that are signed and sent.
    pub body: Vec<u8>,
}

/// A webhook that is due.
pub struct Delivery {
    pub id: i64,
    pub app_id: u64,
    pub lane: String,
    pub body: Vec<u8>,
    pub created_ms: i64,
    pub attempts: u32,
}

impl Store {
    /// Queues webhooks together with the feed position that they come from: each item once, whatever fails between.
    pub async fn queue_deliveries(
        &self,
        phone_number_id: u64,
        feed_position: u64,
        deliveries: &[NewDelivery],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let write = Write::Feed {
            phone_number_id,
            position: feed_position,
            deliveries: self.sealed(deliveries, now_ms)?,
        };
        self.writer.write(write).await
    }

    fn sealed(&self, deliveries: &[NewDelivery], now_ms: i64) -> Result<Vec<NewRow>, StoreError> {
        let rows = deliveries.iter().map(|delivery| {
            Ok(NewRow {
                app_id: delivery.app_id,
                lane: delivery.lane.clone(),
                sealed: self.key.seal(&delivery.body)?,
                now_ms,
            })
        });
        rows.collect()
    }

    pub(super) async fn insert_deliveries(
        &self,
        tx: &mut SqliteConnection,
        deliveries: &[NewDelivery],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let rows = self.sealed(deliveries, now_ms)?;
        writer::insert_deliveries(tx, &rows.iter().collect::<Vec<_>>()).await
    }

    /// Of each lane whose first is due, the first few; oldest first.
    pub async fn due_deliveries(&self, now_ms: i64, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let sql = "SELECT id, app_id, lane, body, created_ms, attempts FROM delivery AS d \
                   WHERE dead = 0 AND next_ms <= ?1 AND (SELECT next_ms FROM delivery AS first \
                   WHERE first.app_id = d.app_id AND first.dead = 0 AND first.lane = d.lane ORDER BY id LIMIT 1) <= ?1 \
                   AND (SELECT COUNT(*) FROM (SELECT 1 FROM delivery AS before WHERE before.app_id = d.app_id \
                   AND before.dead = 0 AND before.lane = d.lane AND before.id < d.id LIMIT ?2 + 0)) < ?2 ORDER BY id LIMIT ?3 + 0";
        let rows = sqlx::query(sql)
            .bind(now_ms)
            .bind(LANE_MAX)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Delivery {
                    id: row.get(0),
                    app_id: loaded(row.get(1)),
                    lane: row.get(2),
                    body: self.key.open_sealed(row.get(3))?,
                    created_ms: row.get(4),
                    attempts: row.get(5),
                })
            })
            .collect()
    }

    /// When the next one is due, if one waits.
    pub async fn next_delivery_ms(&self) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query("SELECT MIN(next_ms) FROM delivery WHERE dead = 0")
            .fetch_one(&self.pool)
            .await?;
        Ok(row.get(0))
    }

    pub async fn delivered(&self, ids: Vec<i64>) -> Result<(), StoreError> {
        self.writer.write(Write::Delivered(ids)).await
    }

    /// Not taken: again later, or given up. True if it is given up.
    pub async fn not_delivered(&self, delivery: &Delivery, now_ms: i64) -> Result<bool, StoreError> {
        let pause = PAUSE_MS
            .saturating_mul(1 << delivery.attempts.min(20))
            .min(PAUSE_MAX_MS);
        let dead = now_ms - delivery.created_ms >= RETENTION_MS;
        sqlx::query("UPDATE delivery SET attempts = attempts + 1, next_ms = ?, dead = ? WHERE id = ?")
            .bind(now_ms + pause)
            .bind(i64::from(dead))
            .bind(delivery.id)
            .execute(&self.pool)
            .await?;
        Ok(dead)
    }

    /// Webhooks that wait, and those that were given up, of one app.
    pub async fn delivery_counts(&self, app_id: u64) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COALESCE(SUM(dead = 0), 0), COALESCE(SUM(dead), 0) FROM delivery WHERE app_id = ?";
        let row = sqlx::query(sql).bind(stored(app_id)).fetch_one(&self.pool).await?;
        Ok((loaded(row.get(0)), loaded(row.get(1))))
    }

    /// Forgets what was given up as long ago again.
    pub async fn forget_dead_deliveries(&self, now_ms: i64) -> Result<u64, StoreError> {
        self.forget(
            "DELETE FROM delivery WHERE dead = 1 AND created_ms < ?",
            now_ms - 2 * RETENTION_MS,
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: u64 = 7;

    async fn store(directory: &std::path::Path) -> Store {
        let store = Store::open(directory).await.expect("a store");
        let number = crate::store::Number {
            phone_number_id: NUMBER,
            waba_id: 1,
            phone: "+62215000".into(),
            name: "Bioskop".into(),
            enrolment_code: String::new(),
            profile: "{}".into(),
        };
        store.add_number(&number).await.expect("a number");
        store
    }

    fn delivery(lane: &str, body: &str) -> NewDelivery {
        NewDelivery {
            app_id: 2,
            lane: lane.into(),
            body: body.into(),
        }
    }

    async fn due(store: &Store) -> Vec<(String, Delivery)> {
        due_at(store, 100).await
    }

    async fn due_at(store: &Store, now_ms: i64) -> Vec<(String, Delivery)> {
        let due = store.due_deliveries(now_ms, 1_000).await.expect("read");
        let body = |delivery: &Delivery| String::from_utf8(delivery.body.clone()).expect("text");
        due.into_iter().map(|delivery| (body(&delivery), delivery)).collect()
    }

    fn bodies(due: &[(String, Delivery)]) -> Vec<&str> {
        due.iter().map(|(body, _)| body.as_str()).collect()
    }

    #[tokio::test]
    async fn a_page_is_queued_once_and_a_lane_waits_for_its_first() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = store(directory.path()).await;
        let many: Vec<_> = (0..70).map(|number| delivery("a", &format!("a{number}"))).collect();
        let few = [delivery("b", "b0"), delivery("b", "b1")];
        store.queue_deliveries(NUMBER, 70, &many, 0).await.expect("queued");
        store.queue_deliveries(NUMBER, 72, &few, 0).await.expect("queued");
        // Again, as after a failure between the two stores: nothing is queued twice.
        store.queue_deliveries(NUMBER, 72, &few, 0).await.expect("queued");
        assert_eq!(store.feed_position(NUMBER).await.expect("read"), 72);

        let first = due(&store).await;
        let expected = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "b0", "b1"];
        assert_eq!(bodies(&first), expected, "in order, and room for others");

        let taken = first[..3].iter().map(|(_, delivery)| delivery.id).collect();
        store.delivered(taken).await.expect("deleted");
        let refused = &first[3].1;
        assert!(
            !store.not_delivered(refused, 100).await.expect("kept"),
            "it is tried again"
        );
        assert_eq!(
            bodies(&due(&store).await),
            ["b0", "b1"],
            "nothing overtakes the one that waits"
        );
        let later = store.due_deliveries(100_000, 1).await.expect("read");
        assert_eq!((later[0].id, later[0].attempts), (refused.id, 1));
        assert_eq!(store.delivery_counts(2).await.expect("read"), (69, 0));
        store.close().await;
    }

    #[tokio::test]
    async fn a_receiver_that_is_down_for_an_hour_or_for_days_gets_everything_in_order() {
        const HOUR_MS: i64 = 3_600_000;
        let directory = tempfile::tempdir().expect("a directory");
        let store = store(directory.path()).await;
        let waiting = [delivery("a", "a0"), delivery("a", "a1"), delivery("b", "b0")];
        store.queue_deliveries(NUMBER, 3, &waiting, 0).await.expect("queued");
        let (mut now_ms, mut pauses) = (0, Vec::new());
        // Refused whenever something is due, until so much time has gone by.
        for until_ms in [HOUR_MS, RETENTION_MS - HOUR_MS] {
            while now_ms < until_ms {
                for (_, delivery) in due_at(&store, now_ms).await {
                    assert!(
                        !store.not_delivered(&delivery, now_ms).await.expect("kept"),
                        "given up at {now_ms}"
                    );
                }
                let next_ms = store.next_delivery_ms().await.expect("read").expect("something waits");
                pauses.push((next_ms - now_ms) / 1_000);
                now_ms = next_ms;
            }
            assert_eq!(
                store.delivery_counts(2).await.expect("read"),
                (3, 0),
                "all of them wait"
            );
        }
        assert_eq!(pauses[..6], [1, 2, 4, 8, 16, 32]);
        assert_eq!(pauses.iter().max(), Some(&3_600), "at least once an hour");
        let mut came = Vec::new();
        loop {
            let due = due_at(&store, now_ms).await;
            if due.is_empty() {
                break;
            }
            came.extend(due.iter().map(|(body, _)| body.clone()));
            let ids = due.iter().map(|(_, delivery)| delivery.id).collect();
            store.delivered(ids).await.expect("deleted");
        }
        let bodies = || came.iter().map(String::as_str);
        let of = |lane: &str| bodies().filter(|body| body.starts_with(lane)).collect::<Vec<_>>();
        assert_eq!(
            (of("a"), of("b")),
            (vec!["a0", "a1"], vec!["b0"]),
            "once each: {came:?}"
        );
        store.close().await;
    }

    #[tokio::test]
    async fn writes_that_come_together_are_all_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = store(directory.path()).await;
        let mut writes = tokio::task::JoinSet::new();
        for number in 0..200_u8 {
            let store = store.clone();
            writes.spawn(async move {
                let sent = crate::store::SentMessage {
                    message_id: [number; 32],
                    phone_number_id: NUMBER,
                    category: "service".into(),
                    callback_data: (number % 2 == 0).then(|| number.to_string()),
                    window_until_ms: None,
                };
                store.keep_sent(&sent, 1).await.expect("kept");
                sent
            });
        }
        let sent = writes.join_all().await;
        store.close().await;
        assert!(
            store.keep_sent(&sent[0], 1).await.is_err(),
            "nothing is written after the end"
        );

        let store = Store::open(directory.path()).await.expect("again");
        for sent in &sent {
            let kept = store.sent(NUMBER, sent.message_id).await.expect("read");
            assert_eq!(kept.as_ref(), Some(sent));
            assert_eq!(store.sent(8, sent.message_id).await.expect("read"), None);
        }
        store.close().await;
    }
}
