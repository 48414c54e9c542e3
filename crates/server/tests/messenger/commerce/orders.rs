//! What may be ordered and paid by whom, and what is refused by which rule.

use ed25519_dalek::SigningKey;
use kabar_protocol::wire::{
    self, PaymentStatus as Status, client_frame::Body as Request, error::Code, pay_outcome::refused::Rule,
    payment_outcome::Outcome as Found, register_order_outcome::Outcome as Registered, server_frame::Body as Response,
};

use super::{
    MINUTE_MS, Shop, changes, fetch, fetch_own, invalid, payment, refund, refused, register, settle, signed, signed_by,
    status,
};
use crate::{accounts::link, device::Device, on_each_engine, start};

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
