//! The journal and the wallet on their own, on SQLite and PostgreSQL.

use serde_json::json;

use super::{
    journal::{Account, Entry, Kind, Posted, Transaction, balance, post},
    verify, wallet,
};
use crate::{
    App, Clock,
    admin::{self, Command},
    db::{DbError, params},
    testing::on_each_engine,
};

const WABA: u64 = 7;

fn transfer(key: &str, amount: i64) -> Transaction {
    let way = (Account::Clearing, Account::Payable);
    Transaction::transfer((WABA, Kind::Capture, key.into()), way, (amount, "USD"), 1)
}

async fn written(app: &App, transaction: Transaction) -> Result<Posted, DbError> {
    app.db
        .write(transaction, |tx, transaction| Box::pin(post(tx, transaction)))
        .await
}

async fn balance_of(app: &App, account: Account) -> i64 {
    let mut tx = app.db.reader().await.expect("a reader");
    balance(&mut tx, WABA, account, "USD").await.expect("a balance")
}

async fn faults(app: &App) -> Vec<String> {
    let mut tx = app.db.reader().await.expect("a reader");
    verify::verify(&mut tx).await.expect("a report").wrong
}

#[tokio::test]
async fn a_transaction_counts_once_and_adds_up_to_zero() {
    for (app, _directory) in on_each_engine(&Clock::manual(0)).await {
        assert_eq!(
            written(&app, transfer("capture:a", 500)).await.expect("posted"),
            Posted::New
        );
        assert_eq!(
            written(&app, transfer("capture:a", 500)).await.expect("posted"),
            Posted::Before
        );
        assert_eq!(
            written(&app, transfer("capture:a", 501)).await.expect("posted"),
            Posted::Conflict
        );
        let other_kind = Transaction {
            kind: Kind::Refund,
            ..transfer("capture:a", 500)
        };
        assert_eq!(written(&app, other_kind).await.expect("posted"), Posted::Conflict);
        let mut lopsided = transfer("capture:b", 5);
        lopsided.entries[0].amount = -4;
        assert!(matches!(written(&app, lopsided).await, Err(DbError::Invariant(_))));
        let mut mixed = transfer("capture:c", 5);
        mixed.entries[0].currency = "IDR".into();
        assert!(matches!(written(&app, mixed).await, Err(DbError::Invariant(_))));
        let empty = Transaction {
            entries: Vec::<Entry>::new(),
            ..transfer("capture:d", 5)
        };
        assert!(matches!(written(&app, empty).await, Err(DbError::Invariant(_))));
        assert_eq!(balance_of(&app, Account::Payable).await, 500);
        assert_eq!(balance_of(&app, Account::Clearing).await, -500);
        assert_eq!(balance_of(&app, Account::Revenue).await, 0);
        assert_eq!(faults(&app).await, [""; 0]);
    }
}

#[tokio::test]
async fn what_somebody_changed_by_hand_is_found() {
    for (app, _directory) in on_each_engine(&Clock::manual(0)).await {
        for key in ["capture:a", "capture:b", "capture:c"] {
            written(&app, transfer(key, 500)).await.expect("posted");
        }
        let broken = app.db.write((), |tx, ()| {
            Box::pin(async move {
                let sql = "UPDATE journal_entry SET amount = 600 WHERE transaction_key = 'capture:a' AND amount > 0";
                tx.execute(sql, params![]).await?;
                tx.execute(
                    "DELETE FROM journal_entry WHERE transaction_key = 'capture:b'",
                    params![],
                )
                .await?;
                let sql = "DELETE FROM journal_transaction WHERE transaction_key = 'capture:c'";
                tx.execute(sql, params![]).await
            })
        });
        broken.await.expect("broken");
        let faults = faults(&app).await;
        for (key, what) in [
            ("capture:a", "add up"),
            ("capture:b", "no entries"),
            ("capture:c", "without their"),
        ] {
            assert!(
                faults.iter().any(|fault| fault.contains(key) && fault.contains(what)),
                "{key}: {faults:?}"
            );
        }
        let report = admin::run(&app, Command::LedgerVerify).await.expect("a report");
        assert_eq!(report["ok"], false);
    }
}

#[tokio::test]
async fn a_wallet_is_topped_up_once_per_key_and_in_one_currency() {
    for (app, _directory) in on_each_engine(&Clock::manual(0)).await {
        let created = admin::run(&app, Command::BusinessCreate { name: "Bioskop".into() }).await;
        let waba_id: u64 = created.expect("a business")["waba_id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .expect("an id");
        let top_up = |amount: &'static str, currency: &'static str, key: Option<&str>| {
            wallet::top_up(&app, waba_id, amount, currency, key.map(Into::into))
        };
        assert_eq!(
            wallet::show(&app, waba_id).await.expect("shown"),
            json!({"balance": "0.00", "reserved": "0.00", "currency": "USD"})
        );
        for balance in ["100.00", "100.00"] {
            let shown = top_up("100.00", "USD", Some("transfer-1")).await.expect("topped up");
            assert_eq!(shown, json!({"balance": balance, "currency": "USD"}));
        }
        assert_eq!(
            top_up("0.5", "USD", None).await.expect("topped up")["balance"],
            "100.50"
        );
        for (amount, currency, key, parameter) in [
            ("99.00", "USD", Some("transfer-1"), "key"),
            ("100", "IDR", None, "currency"),
            ("100", "usd", None, "currency"),
            ("1.005", "USD", None, "amount"),
            ("1", "USD", Some(""), "key"),
            ("1", "USD", Some("a b"), "key"),
        ] {
            let refused = top_up(amount, currency, key).await.expect_err("refused");
            assert_eq!(refused.parameter, Some(parameter), "{amount} {currency} {key:?}");
        }
        assert_eq!(wallet::show(&app, waba_id).await.expect("shown")["balance"], "100.50");
        let unknown = wallet::show(&app, 1).await.expect_err("refused");
        assert_eq!(unknown.parameter, Some("waba"));
        let report = admin::run(&app, Command::LedgerVerify).await.expect("a report");
        assert_eq!((&report["ok"], &report["transactions"]), (&json!(true), &json!(2)));
    }
}
