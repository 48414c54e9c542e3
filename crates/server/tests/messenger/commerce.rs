//! Orders and payments between a business's gateway and a person's devices.

use ed25519_dalek::{Signer as _, SigningKey};
use kabar_protocol::{
    order::payment_bytes,
    wire::{
        self, PaymentStatus as Status,
        client_frame::Body as Request,
        error::Code,
        pay_outcome::{Outcome as Paid, refused::Rule},
        payment_outcome::Outcome as Found,
        register_order_outcome::Outcome as Registered,
        server_frame::Body as Response,
    },
};
use kabar_server::admin::{self, Command};

use crate::{TestServer, accounts::link, device::Device, on_each_engine, start};

const MINUTE_MS: i64 = 60_000;
const CALLBACK_DELAY_MS: i64 = 5_000;

/// A cinema, somebody who buys, and an order between them.
struct Shop {
    test: TestServer,
    cinema: Device,
    ani: Device,
    expires_ms: i64,
}

impl Shop {
    async fn open(test: TestServer) -> Self {
        let (cinema, _) = Device::enrol(&test.server, "Bioskop", "+622150001000").await;
        let ani = Device::register(&test.server, None).await;
        let expires_ms = test.clock.now_ms() + 30 * MINUTE_MS;
        Self {
            test,
            cinema,
            ani,
            expires_ms,
        }
    }

    fn order(&self, reference_id: &str) -> wire::RegisterOrder {
        wire::RegisterOrder {
            person_account_id: self.ani.account.to_bytes(),
            reference_id: reference_id.into(),
            order_hash: vec![3; 32].into(),
            amount: 5_400_000,
            currency: "IDR".into(),
            expires_ms: self.expires_ms,
        }
    }

    /// As registered, and signed by `ani`.
    fn pay(&self, reference_id: &str, card: &str) -> wire::Pay {
        let order = self.order(reference_id);
        let pay = wire::Pay {
            business_account_id: self.cinema.account.to_bytes(),
            reference_id: order.reference_id,
            order_hash: order.order_hash,
            amount: order.amount,
            currency: order.currency,
            expires_ms: order.expires_ms,
            method: format!("sandbox:{card}"),
            ..Default::default()
        };
        signed(&self.ani, pay)
    }

    async fn registered(&mut self, reference_id: &str) {
        let order = self.order(reference_id);
        assert!(matches!(
            register(&mut self.cinema, order).await,
            Registered::Registered(_)
        ));
    }

    async fn paid(&mut self, reference_id: &str, card: &str) -> wire::Payment {
        let request = self.pay(reference_id, card);
        match pay(&mut self.ani, request).await {
            Paid::Payment(payment) => payment,
            other => panic!("not paid: {other:?}"),
        }
    }

    async fn restarted(self) -> Self {
        let test = self.test.restart().await;
        let mut shop = Self { test, ..self };
        for device in [&mut shop.cinema, &mut shop.ani] {
            device.reconnect(&shop.test.server, 0).await;
            device.socket.queue_empty().await;
        }
        shop
    }

    async fn ledger_holds(&self) -> serde_json::Value {
        let report = admin::run(self.test.server.app(), Command::LedgerVerify).await;
        let report = report.expect("a report");
        assert_eq!(report["ok"], true, "{report}");
        report
    }
}

fn signed(device: &Device, pay: wire::Pay) -> wire::Pay {
    signed_by(device, &device.key, pay)
}

fn signed_by(device: &Device, key: &SigningKey, mut pay: wire::Pay) -> wire::Pay {
    pay.signature = key.sign(&payment_bytes(device.account, &pay)).to_vec().into();
    pay
}

async fn register(device: &mut Device, order: wire::RegisterOrder) -> Registered {
    match device.socket.request(Request::RegisterOrder(order)).await {
        Response::RegisterOrder(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

fn paid_outcome(response: Response) -> Paid {
    match response {
        Response::Pay(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

async fn pay(device: &mut Device, request: wire::Pay) -> Paid {
    paid_outcome(device.socket.request(Request::Pay(request)).await)
}

async fn refused(device: &mut Device, request: wire::Pay) -> Rule {
    match pay(device, request).await {
        Paid::Refused(refused) => {
            assert!(!refused.message.is_empty());
            refused.rule()
        }
        other => panic!("not refused: {other:?}"),
    }
}

async fn payment(device: &mut Device, request: Request) -> Found {
    match device.socket.request(request).await {
        Response::Payment(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

fn settle(reference_id: &str, capture: bool) -> Request {
    Request::SettlePayment(wire::SettlePayment {
        reference_id: reference_id.into(),
        capture,
    })
}

fn refund(reference_id: &str) -> Request {
    Request::RefundPayment(wire::RefundPayment {
        reference_id: reference_id.into(),
    })
}

fn fetch(reference_id: &str) -> Request {
    Request::FetchPayment(wire::FetchPayment {
        reference_id: reference_id.into(),
    })
}

fn fetch_own(business: &Device, reference_id: &str) -> Request {
    Request::FetchOwnPayment(wire::FetchOwnPayment {
        business_account_id: business.account.to_bytes(),
        reference_id: reference_id.into(),
    })
}

fn status(found: &Found) -> Status {
    match found {
        Found::Payment(payment) => payment.status(),
        other => panic!("no payment: {other:?}"),
    }
}

async fn changes(device: &mut Device, after_seq: u64, limit: u32) -> Vec<(u64, Status)> {
    let request = wire::FetchPaymentChanges { after_seq, limit };
    match device.socket.request(Request::FetchPaymentChanges(request)).await {
        Response::PaymentChanges(changes) => {
            let rows = changes.payments.iter();
            rows.map(|payment| (payment.seq, payment.status())).collect()
        }
        other => panic!("{other:?}"),
    }
}

async fn pushed(device: &mut Device) -> (String, Status) {
    match device.socket.pushed().await {
        Response::PaymentChanged(changed) => {
            let payment = changed.payment.expect("a payment");
            (payment.reference_id.clone(), payment.status())
        }
        other => panic!("{other:?}"),
    }
}

async fn invalid(device: &mut Device, request: Request) -> String {
    match device.socket.request(request).await {
        Response::Error(error) => {
            assert_eq!(error.code(), Code::Invalid, "{error:?}");
            error.parameter.expect("a parameter")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn somebody_pays_the_seller_confirms_and_gives_back() {
    for test in on_each_engine().await {
        let mut shop = Shop::open(test).await;
        shop.registered("ORD-1").await;
        shop.registered("ORD-1").await;
        assert!(matches!(
            payment(&mut shop.cinema, fetch("ORD-1")).await,
            Found::NotFound(_)
        ));
        let paid = shop.paid("ORD-1", "4242").await;
        assert_eq!(paid.status(), Status::Authorised);
        assert_eq!(
            (paid.amount, paid.currency.as_str(), paid.seq, paid.refunded),
            (5_400_000, "IDR", 1, 0)
        );
        assert_eq!(paid.person_account_id, shop.ani.account.to_bytes());
        let authorised = ("ORD-1".to_owned(), Status::Authorised);
        assert_eq!(pushed(&mut shop.cinema).await, authorised);
        assert_eq!(pushed(&mut shop.ani).await, authorised);

        for _ in 0..2 {
            let captured = payment(&mut shop.cinema, settle("ORD-1", true)).await;
            assert_eq!(status(&captured), Status::Captured);
        }
        let captured = ("ORD-1".to_owned(), Status::Captured);
        assert_eq!(pushed(&mut shop.ani).await, captured);
        assert!(matches!(
            payment(&mut shop.cinema, settle("ORD-1", false)).await,
            Found::Refused(_)
        ));
        for _ in 0..2 {
            match payment(&mut shop.cinema, refund("ORD-1")).await {
                Found::Payment(payment) => {
                    assert_eq!((payment.status(), payment.refunded), (Status::Refunded, 5_400_000));
                }
                other => panic!("{other:?}"),
            }
        }
        let own = fetch_own(&shop.cinema, "ORD-1");
        assert_eq!(status(&payment(&mut shop.ani, own).await), Status::Refunded);
        let expected = [(1, Status::Authorised), (2, Status::Captured), (3, Status::Refunded)];
        assert_eq!(changes(&mut shop.cinema, 0, 0).await, expected);
        assert_eq!(changes(&mut shop.cinema, 0, 2).await, expected[..2]);
        assert_eq!(changes(&mut shop.cinema, 2, 100).await, expected[2..]);
        assert_eq!(changes(&mut shop.cinema, 3, 100).await, []);
        let report = shop.ledger_holds().await;
        assert_eq!((&report["transactions"], &report["refunded"]), (&2.into(), &1.into()));
    }
}

#[tokio::test]
async fn what_is_not_the_registered_order_is_refused_by_its_rule() {
    let mut shop = Shop::open(start().await).await;
    shop.registered("ORD-1").await;
    let tampered: [fn(&mut wire::Pay); 4] = [
        |pay| pay.amount -= 1,
        |pay| pay.order_hash = vec![4; 32].into(),
        |pay| pay.currency = "USD".into(),
        |pay| pay.expires_ms += 1,
    ];
    for change in tampered {
        // Signed over what the person was made to see, or changed on the way: found out both times.
        let mut request = shop.pay("ORD-1", "4242");
        change(&mut request);
        let signed_again = signed(&shop.ani, request.clone());
        for request in [request, signed_again] {
            assert_eq!(refused(&mut shop.ani, request).await, Rule::OrderChanged);
        }
    }
    // The device's own key counts, not another's, and only over the whole tuple of this payer.
    let mut budi = Device::register(&shop.test.server, None).await;
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let request = shop.pay("ORD-1", "4242");
    let by_stranger = signed_by(&shop.ani, &stranger, request.clone());
    let for_budi = signed_by(&budi, &shop.ani.key, request.clone());
    let unsigned = wire::Pay {
        signature: Default::default(),
        ..request.clone()
    };
    for request in [by_stranger, for_budi, unsigned] {
        assert_eq!(refused(&mut shop.ani, request).await, Rule::Signature);
    }
    let second = link(&shop.test.server, &mut shop.ani).await;
    let by_other_device = signed_by(&shop.ani, &second.key, request.clone());
    assert_eq!(refused(&mut shop.ani, by_other_device).await, Rule::Signature);
    // Nobody else may pay it, nor learn that it is there.
    let by_budi = signed(&budi, request.clone());
    assert_eq!(refused(&mut budi, by_budi).await, Rule::OrderUnknown);
    let mut no_business = request.clone();
    no_business.business_account_id = budi.account.to_bytes();
    let no_business = signed(&shop.ani, no_business);
    assert_eq!(refused(&mut shop.ani, no_business).await, Rule::OrderUnknown);
    for method in ["4242", "sandbox:9999", "sandbox:4242424242424242", "bank:4242", ""] {
        let request = wire::Pay {
            method: method.into(),
            ..request.clone()
        };
        assert_eq!(refused(&mut shop.ani, request).await, Rule::Method);
    }
    shop.test.clock.advance(30 * MINUTE_MS);
    assert_eq!(refused(&mut shop.ani, request).await, Rule::Expired);
    assert_eq!(changes(&mut shop.cinema, 0, 0).await, [], "nothing has happened");
}

type Change = fn(&mut wire::RegisterOrder);

#[tokio::test]
async fn an_order_is_registered_by_a_business_for_another_and_stands() {
    let mut shop = Shop::open(start().await).await;
    shop.registered("ORD-1").await;
    let changes: [Change; 3] = [
        |order| order.amount += 1,
        |order| order.order_hash = vec![4; 32].into(),
        |order| order.expires_ms += 1,
    ];
    for change in changes {
        let mut order = shop.order("ORD-1");
        change(&mut order);
        assert!(matches!(
            register(&mut shop.cinema, order).await,
            Registered::Conflict(_)
        ));
    }
    let good = shop.order("ORD-2");
    let (now_ms, cinema) = (shop.test.clock.now_ms(), shop.cinema.account.to_bytes());
    let person = |account_id: bytes::Bytes| wire::RegisterOrder {
        person_account_id: account_id,
        ..good.clone()
    };
    let mut wrong = vec![
        ("person_account_id", person(cinema)),
        ("person_account_id", person(vec![8; 16].into())),
        ("person_account_id", person(vec![8; 15].into())),
    ];
    let changes: [(&str, Change); 4] = [
        ("reference_id", |order| order.reference_id = "a b".into()),
        ("amount", |order| order.amount = 0),
        ("currency", |order| order.currency = "rupiah".into()),
        ("order_hash", |order| order.order_hash = vec![3; 31].into()),
    ];
    for (parameter, change) in changes {
        let mut order = good.clone();
        change(&mut order);
        wrong.push((parameter, order));
    }
    let mut past = good.clone();
    past.expires_ms = now_ms;
    wrong.push(("expires_ms", past));
    for (parameter, order) in wrong {
        let named = invalid(&mut shop.cinema, Request::RegisterOrder(order)).await;
        assert_eq!(named, format!("register_order.{parameter}"));
    }
    // A person sells nothing.
    let order = shop.order("ORD-3");
    for request in [Request::RegisterOrder(order), settle("ORD-1", true), fetch("ORD-1")] {
        match shop.ani.socket.request(request).await {
            Response::Error(error) => assert_eq!(error.code(), Code::Denied, "{error:?}"),
            other => panic!("{other:?}"),
        }
    }
    let page = wire::FetchPaymentChanges {
        after_seq: 0,
        limit: 101,
    };
    let named = invalid(&mut shop.cinema, Request::FetchPaymentChanges(page)).await;
    assert_eq!(named, "fetch_payment_changes.limit");
}

#[tokio::test]
async fn cards_decline_challenge_and_may_be_followed_by_another() {
    let mut shop = Shop::open(start().await).await;
    shop.registered("ORD-1").await;
    let request = shop.pay("ORD-1", "0002");
    assert!(matches!(pay(&mut shop.ani, request).await, Paid::Declined(_)));
    assert_eq!(pushed(&mut shop.cinema).await.1, Status::Failed);
    let own = fetch_own(&shop.cinema, "ORD-1");
    let failed = match payment(&mut shop.ani, own).await {
        Found::Payment(payment) => payment,
        other => panic!("{other:?}"),
    };
    assert!(!failed.error.is_empty());
    let secure = shop.pay("ORD-1", "3220");
    match pay(&mut shop.ani, secure.clone()).await {
        Paid::Challenge(challenge) => assert!(challenge.prompt.contains("1234")),
        other => panic!("{other:?}"),
    }
    let answered = |answer: &str| wire::Pay {
        challenge_answer: Some(answer.into()),
        ..secure.clone()
    };
    assert!(matches!(pay(&mut shop.ani, answered("4321")).await, Paid::Declined(_)));
    let paid = match pay(&mut shop.ani, answered("1234")).await {
        Paid::Payment(payment) => payment,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (paid.status(), paid.method.as_str()),
        (Status::Authorised, "sandbox:3220")
    );
    assert_ne!(paid.transaction_id, failed.transaction_id);
    assert_eq!(paid.error, "");
    // Paying again, by whatever card, is the payment that there is.
    for card in ["4242", "0002"] {
        let again = shop.paid("ORD-1", card).await;
        assert_eq!(again, paid);
    }
    let expected = [(1, Status::Failed), (2, Status::Failed), (3, Status::Authorised)];
    assert_eq!(changes(&mut shop.cinema, 0, 0).await, expected);
    let voided = payment(&mut shop.cinema, settle("ORD-1", false)).await;
    assert_eq!(status(&voided), Status::Voided);
    for request in [settle("ORD-1", true), refund("ORD-1")] {
        assert!(matches!(payment(&mut shop.cinema, request).await, Found::Refused(_)));
    }
    assert_eq!(shop.paid("ORD-1", "4242").await.status(), Status::Voided);
    assert_eq!(shop.ledger_holds().await["transactions"], 0);
}

#[tokio::test]
async fn two_devices_that_pay_at_once_pay_once() {
    for test in on_each_engine().await {
        let mut shop = Shop::open(test).await;
        let mut second = link(&shop.test.server, &mut shop.ani).await;
        for round in 0..5 {
            let reference = format!("ORD-{round}");
            shop.registered(&reference).await;
            let first = shop.pay(&reference, "4242");
            let other = signed_by(&shop.ani, &second.key, first.clone());
            // Both are on the way before either is answered.
            let first = shop.ani.socket.post(Request::Pay(first)).await;
            let other = second.socket.post(Request::Pay(other)).await;
            let answers = [
                paid_outcome(shop.ani.socket.answer(first).await),
                paid_outcome(second.socket.answer(other).await),
            ];
            assert_eq!(answers[0], answers[1], "the same payment");
            let captured = payment(&mut shop.cinema, settle(&reference, true)).await;
            assert_eq!(status(&captured), Status::Captured);
        }
        let seqs = changes(&mut shop.cinema, 0, 0).await.into_iter().map(|(seq, _)| seq);
        assert_eq!(seqs.collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
        assert_eq!(shop.ledger_holds().await["captured"], 5);
    }
}

#[tokio::test]
async fn a_foreign_business_sees_nothing() {
    for test in on_each_engine().await {
        let mut shop = Shop::open(test).await;
        let (mut other, _) = Device::enrol(&shop.test.server, "Toko", "+622150002000").await;
        shop.registered("ORD-1").await;
        shop.paid("ORD-1", "4242").await;
        for request in [
            fetch("ORD-1"),
            settle("ORD-1", true),
            settle("ORD-1", false),
            refund("ORD-1"),
            fetch("O\0"),
            refund(""),
        ] {
            assert!(matches!(payment(&mut other, request).await, Found::NotFound(_)));
        }
        assert_eq!(changes(&mut other, 0, 0).await, []);
        let mut budi = Device::register(&shop.test.server, None).await;
        let own = fetch_own(&shop.cinema, "ORD-1");
        assert!(matches!(payment(&mut budi, own).await, Found::NotFound(_)));
        // The same reference of another business is another order.
        let order = shop.order("ORD-1");
        assert!(matches!(register(&mut other, order).await, Registered::Registered(_)));
        let own = fetch_own(&other, "ORD-1");
        assert!(matches!(payment(&mut shop.ani, own).await, Found::NotFound(_)));
        assert_eq!(
            status(&payment(&mut shop.cinema, fetch("ORD-1")).await),
            Status::Authorised
        );
    }
}

#[tokio::test]
async fn a_restarted_server_goes_on_where_it_was() {
    for test in on_each_engine().await {
        let mut shop = Shop::open(test).await;
        for (reference, card) in [("ORD-1", "4242"), ("ORD-2", "0077"), ("ORD-3", "4242")] {
            shop.registered(reference).await;
            shop.paid(reference, card).await;
        }
        let mut shop = Box::pin(shop.restarted()).await;
        let captured = payment(&mut shop.cinema, settle("ORD-1", true)).await;
        assert_eq!(status(&captured), Status::Captured);
        assert_eq!(pushed(&mut shop.ani).await, ("ORD-1".into(), Status::Captured));
        // The provider's callback, and the seller's time, outlive the server too.
        shop.test.clock.advance(CALLBACK_DELAY_MS);
        assert_eq!(pushed(&mut shop.ani).await, ("ORD-2".into(), Status::Authorised));
        shop.test.clock.advance(15 * MINUTE_MS - CALLBACK_DELAY_MS);
        assert_eq!(pushed(&mut shop.ani).await, ("ORD-3".into(), Status::Voided));
        let seqs = changes(&mut shop.cinema, 3, 0).await;
        let expected = [(4, Status::Captured), (5, Status::Authorised), (6, Status::Voided)];
        assert_eq!(seqs, expected);
        shop.ledger_holds().await;
    }
}

#[tokio::test]
async fn callbacks_that_come_late_or_twice_move_money_once_or_not_at_all() {
    for test in on_each_engine().await {
        let mut shop = Shop::open(test).await;
        for (reference, card) in [("LATE", "0079"), ("TWICE", "0078")] {
            shop.registered(reference).await;
            assert_eq!(shop.paid(reference, card).await.status(), Status::Pending);
            assert_eq!(pushed(&mut shop.cinema).await, (reference.into(), Status::Pending));
            for request in [settle(reference, true), settle(reference, false)] {
                assert!(matches!(payment(&mut shop.cinema, request).await, Found::Refused(_)));
            }
        }
        shop.test.clock.advance(CALLBACK_DELAY_MS);
        assert_eq!(pushed(&mut shop.cinema).await, ("TWICE".into(), Status::Authorised));
        let captured = payment(&mut shop.cinema, settle("TWICE", true)).await;
        assert_eq!(status(&captured), Status::Captured);
        assert_eq!(pushed(&mut shop.cinema).await, ("TWICE".into(), Status::Captured));
        shop.test.clock.advance(30 * MINUTE_MS);
        assert_eq!(pushed(&mut shop.cinema).await, ("LATE".into(), Status::Failed));
        assert!(matches!(
            payment(&mut shop.cinema, settle("LATE", true)).await,
            Found::Refused(_)
        ));
        let all = changes(&mut shop.cinema, 0, 0).await;
        assert_eq!(all.len(), 5, "{all:?}");
        let report = shop.ledger_holds().await;
        assert_eq!((&report["transactions"], &report["captured"]), (&1.into(), &1.into()));
    }
}
