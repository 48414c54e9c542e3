//! Charges on their own, on SQLite and PostgreSQL: what sockets cannot see. The rest is in `tests/messenger/charges.rs`.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId, Timeline},
    receipt::Receipt,
    wire::MessageCategory,
};
use serde_json::json;

use super::{Charges, charge_store as store, release_expired, wallet};
use crate::{
    App, Clock,
    admin::{self, Command},
    db::{DbError, params},
    messaging::{Bill, Due, Meter as _, Signed, Taken, Tariff},
    testing::on_each_engine,
};

const CONVERSATION: ConversationId = ConversationId([1; 16]);
const MESSAGE: MessageId = MessageId([2; 32]);
const TIMELINE: Timeline = Timeline([3; 16]);

async fn business(app: &App, dollars: &str) -> u64 {
    let created = admin::run(app, Command::BusinessCreate { name: "Bioskop".into() }).await;
    let waba_id = created.expect("a business")["waba_id"]
        .as_str()
        .and_then(|id| id.parse().ok());
    let waba_id = waba_id.expect("an id");
    wallet::top_up(app, waba_id, dollars, "USD", None)
        .await
        .expect("topped up");
    waba_id
}

fn bill(waba_id: u64, price: i64, free_per_month: i64) -> Bill {
    Bill {
        waba_id,
        phone_number_id: 5,
        category: MessageCategory::Utility,
        rate_card_id: 1,
        tariffs: vec![Tariff {
            currency: "USD".into(),
            price,
            free_per_month,
        }],
    }
}

/// Sends so many messages of one business in one transaction; which were admitted.
async fn send(app: &App, bill: Bill, first_seq: u64, count: u64, expires_ms: i64) -> Vec<Result<Due, String>> {
    let input = (bill, first_seq, count, expires_ms, app.now_ms());
    let sent = app.db.write(input, |tx, (bill, first_seq, count, expires_ms, now_ms)| {
        Box::pin(async move {
            let bills: Vec<&Bill> = (0..*count).map(|_| bill).collect();
            let admitted = Charges.admit(tx, &bills, *now_ms).await?;
            let taken = admitted.iter().zip(*first_seq..).filter_map(|(due, seq)| {
                Some(Taken {
                    bill,
                    due: due.as_ref().ok()?,
                    conversation: CONVERSATION,
                    seq,
                    message: MESSAGE,
                    expires_ms: *expires_ms,
                })
            });
            Charges.reserve(tx, &taken.collect::<Vec<_>>()).await?;
            Ok::<_, DbError>(admitted)
        })
    });
    sent.await.expect("written")
}

async fn receipt(app: &App, waba_id: u64, seq: u64) {
    let key = SigningKey::from_bytes(&[4; 32]);
    let facts = Receipt {
        timeline: TIMELINE,
        conversation: CONVERSATION,
        seq,
        message: MESSAGE,
        category: MessageCategory::Utility,
        rate_card_id: 1,
    };
    let signed = Signed {
        waba_id,
        conversation: CONVERSATION,
        seq,
        timeline: TIMELINE,
        account: AccountId([6; 16]),
        device_key: key.verifying_key().to_bytes(),
        signature: facts.sign(&key).to_vec().into(),
    };
    let input = (vec![signed.clone(), signed], app.now_ms());
    let charged = app
        .db
        .write(input, |tx, (signed, now_ms)| Charges.charge(tx, signed, *now_ms));
    charged.await.expect("charged");
}

async fn totals(app: &App, waba_id: u64) -> (i64, i64) {
    let mut tx = app.db.reader().await.expect("a reader");
    let wallet = store::wallet(&mut tx, waba_id).await.expect("read").expect("a wallet");
    (wallet.balance, wallet.reserved)
}

async fn faults(app: &App) -> Vec<String> {
    let report = admin::run(app, Command::LedgerVerify).await.expect("a report");
    let wrong = report["wrong"].as_array().cloned().unwrap_or_default();
    wrong.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn what_expires_is_given_back_and_what_is_charged_is_not() {
    let clock = Clock::manual(1_790_000_000_000);
    for (app, _directory) in on_each_engine(&clock).await {
        let now_ms = app.now_ms();
        let waba_id = business(&app, "1.00").await;
        let sent = send(&app, bill(waba_id, 30, 1), 1, 5, now_ms + 1_000).await;
        let prices: Vec<Option<i64>> = sent.iter().map(|due| due.as_ref().ok().map(|due| due.price)).collect();
        assert_eq!(
            prices,
            [Some(0), Some(30), Some(30), Some(30), None],
            "one is free, and the last too much"
        );
        assert_eq!(totals(&app, waba_id).await, (100, 90));
        receipt(&app, waba_id, 2).await;
        receipt(&app, waba_id, 2).await;
        assert_eq!(
            totals(&app, waba_id).await,
            (70, 60),
            "one charge however often it is signed for"
        );
        assert_eq!(release_expired(&app).await.expect("nothing"), 0);

        clock.advance(1_000);
        receipt(&app, waba_id, 3).await;
        assert_eq!(totals(&app, waba_id).await, (70, 60), "too late");
        assert_eq!(release_expired(&app).await.expect("released"), 3);
        assert_eq!(release_expired(&app).await.expect("once"), 0);
        assert_eq!(totals(&app, waba_id).await, (70, 0));
        receipt(&app, waba_id, 4).await;
        assert_eq!(totals(&app, waba_id).await, (70, 0));
        let again = send(&app, bill(waba_id, 30, 1), 9, 1, now_ms + 9_000).await;
        assert_eq!(
            again[0].as_ref().map(|due| due.price),
            Ok(0),
            "the allowance is given back too"
        );
        assert_eq!(faults(&app).await, [""; 0]);
        let shown = wallet::show(&app, waba_id).await.expect("shown");
        assert_eq!(
            shown,
            json!({ "balance": "0.70", "reserved": "0.00", "currency": "USD" })
        );
    }
}

#[tokio::test]
async fn prices_are_in_the_wallets_currency_and_months_begin_anew() {
    let clock = Clock::manual(1_790_000_000_000);
    for (app, _directory) in on_each_engine(&clock).await {
        let waba_id = business(&app, "1.00").await;
        let mut rupiah = bill(waba_id, 30_000, 0);
        rupiah.tariffs[0].currency = "IDR".into();
        let refused = send(&app, rupiah, 1, 1, i64::MAX).await;
        assert!(
            refused[0]
                .as_ref()
                .is_err_and(|why| why.contains("IDR") && why.contains("USD")),
            "{refused:?}"
        );
        let unknown = send(&app, bill(7, 30, 0), 1, 1, i64::MAX).await;
        assert!(
            unknown[0].as_ref().is_err_and(|why| why.contains("no wallet")),
            "{unknown:?}"
        );
        let price = async |seq| {
            send(&app, bill(waba_id, 30, 1), seq, 1, i64::MAX).await[0]
                .as_ref()
                .map(|due| due.price)
                .ok()
        };
        assert_eq!((price(1).await, price(2).await), (Some(0), Some(30)));
        clock.advance(31 * 86_400_000);
        assert_eq!((price(3).await, price(4).await), (Some(0), Some(30)));
        assert_eq!(faults(&app).await, [""; 0]);
    }
}

#[tokio::test]
async fn what_somebody_changed_by_hand_is_found() {
    let clock = Clock::manual(1_790_000_000_000);
    for (app, _directory) in on_each_engine(&clock).await {
        let waba_id = business(&app, "5.00").await;
        send(&app, bill(waba_id, 30, 0), 1, 6, app.now_ms() + 1_000).await;
        for seq in 1..=5 {
            receipt(&app, waba_id, seq).await;
        }
        assert_eq!(faults(&app).await, [""; 0]);
        let broken = app.db.write((), |tx, ()| {
            Box::pin(async move {
                for sql in [
                    "UPDATE message_charge SET message_id = device_key WHERE waba_id > 0 AND seq = 1",
                    "UPDATE message_charge SET price = 31 WHERE waba_id > 0 AND seq = 2",
                    "UPDATE message_charge SET timeline = NULL WHERE waba_id > 0 AND seq = 3",
                    "UPDATE message_charge SET state = 1 WHERE waba_id > 0 AND seq = 4",
                    "DELETE FROM message_charge WHERE waba_id > 0 AND seq = 5",
                    "UPDATE wallet SET balance = balance + 1",
                ] {
                    tx.execute(sql, params![]).await?;
                }
                Ok::<_, DbError>(())
            })
        });
        broken.await.expect("broken");
        let faults = faults(&app).await;
        for (what, words) in [
            ("message 1 ", "does not verify"),
            ("message 2 ", "another amount"),
            ("message 3 ", "without a receipt"),
            ("message 4 ", "was not charged"),
            (":5 of business", "no message stands"),
            ("wallet of", "not what journal"),
        ] {
            assert!(
                faults.iter().any(|fault| fault.contains(what) && fault.contains(words)),
                "{what}: {faults:?}"
            );
        }
        assert_eq!(BTreeSet::from_iter(&faults).len(), faults.len(), "each once");
    }
}
