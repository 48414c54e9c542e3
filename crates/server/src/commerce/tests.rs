//! Callbacks, deadlines and any order of events, on SQLite and PostgreSQL; scenarios over sockets are in
//! `tests/messenger/commerce.rs`.

use kabar_protocol::{
    ids::AccountId,
    wire::{self, pay_outcome::refused::Rule},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::{
    callback::{self, Received},
    due::run_due,
    pay as paying,
    payment::{Order, Payment, SETTLE_WITHIN_MS},
    sandbox::{self, Books, CALLBACK_DELAY_MS, Callback, Signed},
    settle,
    state::{Event, Status},
    store,
    verify::verify_ledger,
};
use crate::{App, Clock, db::params, testing::on_each_engine};

const WABA: u64 = 7;
const PAYEE: AccountId = AccountId([1; 16]);
const PERSON: AccountId = AccountId([2; 16]);
const AMOUNT: i64 = 54_000;
const HOUR_MS: i64 = 3_600_000;

async fn order(app: &App, reference_id: &str, expires_in_ms: i64) {
    let order = Order {
        waba_id: WABA,
        reference_id: reference_id.into(),
        payee: PAYEE,
        person: PERSON,
        order_hash: [3; 32],
        amount: AMOUNT,
        currency: "IDR".into(),
        expires_ms: app.now_ms() + expires_in_ms,
    };
    let kept = app.db.write((order, app.now_ms()), |tx, (order, now_ms)| {
        Box::pin(store::insert_order(tx, order, *now_ms))
    });
    assert!(kept.await.expect("kept"));
}

async fn read(app: &App, reference_id: &str) -> (Order, Option<Payment>) {
    let mut tx = app.db.reader().await.expect("a reader");
    let found = store::read(&mut tx, WABA, reference_id).await.expect("read");
    found.expect("an order")
}

async fn payment(app: &App, reference_id: &str) -> Payment {
    read(app, reference_id).await.1.expect("a payment")
}

/// As a device of the person that signed.
async fn person_pays(app: &App, reference_id: &str, method: &str, answer: Option<&str>) -> paying::Done {
    let (order, _) = read(app, reference_id).await;
    let input = paying::Input {
        waba_id: WABA,
        payee: PAYEE,
        person: PERSON,
        request: wire::Pay {
            business_account_id: PAYEE.to_bytes(),
            reference_id: reference_id.into(),
            order_hash: order.order_hash.to_vec().into(),
            amount: order.amount,
            currency: order.currency,
            expires_ms: order.expires_ms,
            signature: Default::default(),
            method: method.into(),
            challenge_answer: answer.map(Into::into),
        },
        signed: true,
        now_ms: app.now_ms(),
    };
    let paid = app.db.write(input, |tx, input| Box::pin(paying::attempt(tx, input)));
    paid.await.expect("an answer")
}

async fn seller(app: &App, reference_id: &str, event: Event) -> settle::Done {
    let input = settle::Input {
        waba_id: WABA,
        reference_id: reference_id.into(),
        event,
        now_ms: app.now_ms(),
    };
    let done = app.db.write(input, |tx, input| Box::pin(settle::write(tx, input)));
    done.await.expect("an answer")
}

async fn changes(app: &App) -> Vec<(u64, String, Status)> {
    let mut tx = app.db.reader().await.expect("a reader");
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |(seq, _, _)| *seq);
        let page = store::changes(&mut tx, WABA, after, 100).await.expect("a page");
        if page.is_empty() {
            return all;
        }
        let rows = page.into_iter();
        all.extend(rows.map(|(_, payment)| (payment.seq, payment.reference_id, payment.status)));
    }
}

async fn books(app: &App, transaction_id: &str) -> i64 {
    let mut tx = app.db.reader().await.expect("a reader");
    let sql = "SELECT state FROM sandbox_transaction WHERE waba_id = 7 AND transaction_id = $1";
    let row = tx.fetch_optional(sql, params![transaction_id]).await.expect("a row");
    row.expect("a transaction").get(0).expect("a state")
}

async fn holds(app: &App) {
    let report = verify_ledger(app).await.expect("a report");
    assert_eq!(report["ok"], true, "{report}");
}

fn callback_of(payment: &Payment, event_id: &str) -> Callback {
    Callback {
        event_id: event_id.into(),
        waba_id: WABA,
        reference_id: payment.reference_id.clone(),
        transaction_id: payment.transaction_id.clone(),
    }
}

async fn receive(app: &App, signed: &Signed) -> Received {
    callback::receive(app, signed).await.expect("received")
}

#[tokio::test]
async fn a_forged_or_replayed_callback_changes_nothing() {
    for (app, _directory) in on_each_engine(&Clock::manual(1_000)).await {
        order(&app, "A", HOUR_MS).await;
        assert!(matches!(
            person_pays(&app, "A", "sandbox:0077", None).await,
            paying::Done::Paid(_)
        ));
        let pending = payment(&app, "A").await;
        assert_eq!(pending.status, Status::Pending);
        let genuine = Signed::new(&app, &callback_of(&pending, "evt_1")).expect("signed");
        let mut other_bytes = genuine.clone();
        other_bytes.body[0] = b' ';
        let mut other_mac = genuine.clone();
        other_mac.mac[31] ^= 1;
        let short_mac = Signed {
            mac: genuine.mac[..16].to_vec(),
            ..genuine.clone()
        };
        let empty = Signed {
            body: Vec::new(),
            mac: Vec::new(),
        };
        for forged in [other_bytes, other_mac, short_mac, empty] {
            assert_eq!(receive(&app, &forged).await, Received::Forged);
        }
        assert_eq!(payment(&app, "A").await, pending);
        assert_eq!(receive(&app, &genuine).await, Received::Applied);
        let authorised = payment(&app, "A").await;
        assert_eq!((authorised.status, authorised.seq), (Status::Authorised, 2));
        assert_eq!(receive(&app, &genuine).await, Received::Replayed);
        // Another event about the same transaction says nothing new either.
        let again = Signed::new(&app, &callback_of(&pending, "evt_2")).expect("signed");
        assert_eq!(receive(&app, &again).await, Received::NoEffect);
        assert_eq!(payment(&app, "A").await, authorised);
        assert!(matches!(
            seller(&app, "A", Event::Capture).await,
            settle::Done::Changed(_)
        ));
        let again = Signed::new(&app, &callback_of(&pending, "evt_3")).expect("signed");
        assert_eq!(receive(&app, &again).await, Received::NoEffect);
        assert_eq!(payment(&app, "A").await.status, Status::Captured);
        assert_eq!(books(&app, &pending.transaction_id).await, Books::Captured as i64);
        let unknown = Callback {
            reference_id: "Z".into(),
            ..callback_of(&pending, "evt_4")
        };
        let unknown = Signed::new(&app, &unknown).expect("signed");
        assert_eq!(receive(&app, &unknown).await, Received::NoEffect);
        holds(&app).await;
    }
}

#[tokio::test]
async fn callbacks_come_when_the_clock_says_so_and_count_once() {
    let clock = Clock::manual(1_000);
    for (app, _directory) in on_each_engine(&clock).await {
        for (reference, card) in [("A", "sandbox:0077"), ("B", "sandbox:0078")] {
            order(&app, reference, HOUR_MS).await;
            person_pays(&app, reference, card, None).await;
        }
        clock.advance(CALLBACK_DELAY_MS - 1);
        assert_eq!(run_due(&app).await.expect("run"), 0);
        clock.advance(1);
        assert_eq!(run_due(&app).await.expect("run"), 2);
        assert_eq!(run_due(&app).await.expect("run"), 1, "the second delivery of one event");
        assert_eq!(run_due(&app).await.expect("run"), 0);
        let statuses = changes(&app)
            .await
            .into_iter()
            .map(|(_, reference, status)| (reference, status));
        let expected = [
            ("A", Status::Pending),
            ("B", Status::Pending),
            ("A", Status::Authorised),
            ("B", Status::Authorised),
        ];
        assert_eq!(
            statuses.collect::<Vec<_>>(),
            expected.map(|(reference, status)| (reference.to_owned(), status))
        );
        holds(&app).await;
    }
}

#[tokio::test]
async fn money_that_comes_after_the_order_has_expired_does_not_stay() {
    let clock = Clock::manual(1_000);
    for (app, _directory) in on_each_engine(&clock).await {
        for reference in ["A", "B"] {
            order(&app, reference, HOUR_MS).await;
            assert!(matches!(
                person_pays(&app, reference, "sandbox:0079", None).await,
                paying::Done::Paid(_)
            ));
        }
        // A: the callback overtakes the job that ends what has expired.
        let a = payment(&app, "A").await;
        clock.advance(HOUR_MS);
        let late = Signed::new(&app, &callback_of(&a, "evt_late")).expect("signed");
        assert_eq!(receive(&app, &late).await, Received::Applied);
        assert_eq!(payment(&app, "A").await.status, Status::Failed);
        assert_eq!(books(&app, &a.transaction_id).await, Books::Released as i64);
        // B: the job comes first, and the callback finds a payment that has failed.
        assert_eq!(run_due(&app).await.expect("run"), 1);
        let b = payment(&app, "B").await;
        assert_eq!(b.status, Status::Failed);
        assert_eq!(books(&app, &b.transaction_id).await, Books::Pending as i64);
        clock.advance(CALLBACK_DELAY_MS);
        run_due(&app).await.expect("run");
        assert_eq!(books(&app, &b.transaction_id).await, Books::Released as i64);
        for reference in ["A", "B"] {
            assert!(matches!(
                seller(&app, reference, Event::Capture).await,
                settle::Done::Refused(_, None)
            ));
            assert!(matches!(
                person_pays(&app, reference, "sandbox:4242", None).await,
                paying::Done::Refused(Rule::Expired)
            ));
        }
        holds(&app).await;
    }
}

#[tokio::test]
async fn what_nobody_settles_is_let_go() {
    let clock = Clock::manual(1_000);
    for (app, _directory) in on_each_engine(&clock).await {
        // By the seller's time, by the order's end, and by a capture that comes before the job.
        for (reference, expires_in_ms) in [("A", HOUR_MS), ("B", 60_000), ("C", 60_000)] {
            order(&app, reference, expires_in_ms).await;
            person_pays(&app, reference, "sandbox:4242", None).await;
        }
        clock.advance(60_000);
        match seller(&app, "C", Event::Capture).await {
            settle::Done::Refused(_, Some(changed)) => assert_eq!(changed.payment.status, Status::Voided),
            other => panic!("{other:?}"),
        }
        assert_eq!(run_due(&app).await.expect("run"), 1);
        assert_eq!(payment(&app, "B").await.status, Status::Voided);
        assert_eq!(payment(&app, "A").await.status, Status::Authorised);
        clock.advance(SETTLE_WITHIN_MS - 60_000 - 1);
        assert_eq!(run_due(&app).await.expect("run"), 0);
        clock.advance(1);
        assert_eq!(run_due(&app).await.expect("run"), 1);
        let a = payment(&app, "A").await;
        assert_eq!(a.status, Status::Voided);
        assert!(!a.error.is_empty());
        assert_eq!(books(&app, &a.transaction_id).await, Books::Released as i64);
        assert!(matches!(
            person_pays(&app, "A", "sandbox:4242", None).await,
            paying::Done::Before(_)
        ));
        holds(&app).await;
    }
}

#[tokio::test]
async fn a_payment_that_the_journal_does_not_know_is_found() {
    for (app, _directory) in on_each_engine(&Clock::manual(1_000)).await {
        for reference in ["A", "B"] {
            order(&app, reference, HOUR_MS).await;
            person_pays(&app, reference, "sandbox:4242", None).await;
        }
        seller(&app, "A", Event::Capture).await;
        holds(&app).await;
        let broken = app.db.write((), |tx, ()| {
            Box::pin(async move {
                // A loses its capture's state; B gains one without money, and A's money is held again.
                tx.execute(
                    "UPDATE payment SET status = 4 WHERE waba_id = 7 AND reference_id = 'A'",
                    params![],
                )
                .await?;
                tx.execute(
                    "UPDATE payment SET status = 3 WHERE waba_id = 7 AND reference_id = 'B'",
                    params![],
                )
                .await
            })
        });
        broken.await.expect("broken");
        let report = verify_ledger(&app).await.expect("a report");
        assert_eq!(report["ok"], false);
        let wrong = report["wrong"].to_string();
        for what in ["no payment stands for", "payment B of business 7", "holds money"] {
            assert!(wrong.contains(what), "{what}: {wrong}");
        }
    }
}

/// Any order of anything: the journal holds, numbers are dense, and every history is a path of the state machine.
#[tokio::test]
async fn whatever_happens_the_ledger_holds() {
    const METHODS: [&str; 7] = [
        "sandbox:4242",
        "sandbox:4242",
        "sandbox:0002",
        "sandbox:3220",
        "sandbox:0077",
        "sandbox:0078",
        "sandbox:0079",
    ];
    for seed in 0..4 {
        let clock = Clock::manual(1_000);
        for (app, _directory) in on_each_engine(&clock).await {
            let mut rng = StdRng::seed_from_u64(seed);
            let references: Vec<String> = (0..12).map(|n| format!("R{n}")).collect();
            for reference in &references {
                order(&app, reference, rng.random_range(10_000..HOUR_MS)).await;
            }
            for _ in 0..300 {
                let reference = &references[rng.random_range(0..references.len())];
                match rng.random_range(0..7) {
                    0 | 1 => {
                        let method = METHODS[rng.random_range(0..METHODS.len())];
                        let answer = [None, Some("1234"), Some("0000")][rng.random_range(0..3)];
                        person_pays(&app, reference, method, answer).await;
                    }
                    2 => drop(seller(&app, reference, Event::Capture).await),
                    3 => drop(seller(&app, reference, Event::Void).await),
                    4 => drop(seller(&app, reference, Event::Refund).await),
                    5 => clock.advance(rng.random_range(0..60_000)),
                    _ => drop(run_due(&app).await.expect("run")),
                }
            }
            holds(&app).await;
            clock.advance(2 * HOUR_MS);
            while run_due(&app).await.expect("run") > 0 {}
            holds(&app).await;
            let changes = changes(&app).await;
            let seqs: Vec<u64> = changes.iter().map(|(seq, _, _)| *seq).collect();
            assert_eq!(seqs, (1..=changes.len() as u64).collect::<Vec<_>>(), "dense");
            let mut captured = 0;
            for reference in &references {
                let history = changes.iter().filter(|(_, of, _)| of == reference);
                let history: Vec<Status> = history.map(|(_, _, status)| *status).collect();
                assert_path(&history);
                captured += i64::from(history.last() == Some(&Status::Captured));
            }
            let mut tx = app.db.reader().await.expect("a reader");
            let sql = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM journal_entry WHERE account = 2";
            let payable = tx.fetch_optional(sql, params![]).await.expect("a sum");
            let payable: i64 = payable.expect("a row").get(0).expect("a sum");
            assert_eq!(
                payable,
                captured * AMOUNT,
                "what is owed is what was captured and not returned"
            );
        }
    }
}

/// Nobody waits for anybody: on PostgreSQL these are transactions that overlap.
#[tokio::test]
async fn at_once_a_payment_is_settled_one_way_and_journalled_once() {
    let clock = Clock::manual(1_000);
    for (app, _directory) in on_each_engine(&clock).await {
        let references: Vec<String> = (0..8).map(|n| format!("R{n}")).collect();
        for reference in &references {
            order(&app, reference, HOUR_MS).await;
        }
        let each = references.iter().map(|reference| {
            let app = &app;
            async move {
                let pays = (0..4).map(|_| person_pays(app, reference, "sandbox:4242", None));
                futures_util::future::join_all(pays).await;
                let events = [Event::Capture, Event::Void, Event::Capture, Event::Void];
                let settled = events.map(|event| seller(app, reference, event));
                let settled = futures_util::future::join_all(settled).await;
                let changed = |done: &&settle::Done| matches!(done, settle::Done::Changed(_));
                assert_eq!(settled.iter().filter(changed).count(), 1);
                let refunds = (0..3).map(|_| seller(app, reference, Event::Refund));
                futures_util::future::join_all(refunds).await;
            }
        });
        futures_util::future::join_all(each).await;
        let changes = changes(&app).await;
        let seqs: Vec<u64> = changes.iter().map(|(seq, _, _)| *seq).collect();
        assert_eq!(seqs, (1..=changes.len() as u64).collect::<Vec<_>>(), "dense");
        for reference in &references {
            let history = changes.iter().filter(|(_, of, _)| of == reference);
            let history: Vec<Status> = history.map(|(_, _, status)| *status).collect();
            assert!(
                history == [Status::Authorised, Status::Voided]
                    || history == [Status::Authorised, Status::Captured, Status::Refunded],
                "{history:?}"
            );
        }
        holds(&app).await;
    }
}

fn assert_path(history: &[Status]) {
    let events = [
        Event::Authorise,
        Event::Fail,
        Event::Capture,
        Event::Void,
        Event::Refund,
    ];
    for pair in history.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let moves = events
            .iter()
            .any(|event| super::state::step(from, *event) == super::state::Step::To(to));
        let another_attempt =
            from == Status::Failed && matches!(to, Status::Pending | Status::Authorised | Status::Failed);
        assert!(moves || another_attempt, "{history:?}");
    }
}

#[test]
fn transaction_ids_differ_by_business_reference_and_attempt() {
    let ids = [(7, "A", 1), (7, "A", 2), (7, "B", 1), (8, "A", 1)];
    let mut ids: Vec<String> = ids
        .map(|(waba, reference, attempt)| sandbox::transaction_id(waba, reference, attempt))
        .into();
    assert_eq!(ids[0], sandbox::transaction_id(7, "A", 1));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}
