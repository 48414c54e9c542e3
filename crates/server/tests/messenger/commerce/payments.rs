//! A payment from the card to the journal: confirmed, given back, declined, repeated, late.

use kabar_protocol::wire::{
    self, PaymentStatus as Status, client_frame::Body as Request, pay_outcome::Outcome as Paid,
    payment_outcome::Outcome as Found,
};

use super::{
    CALLBACK_DELAY_MS, MINUTE_MS, Shop, changes, fetch, fetch_own, paid_outcome, pay, payment, pushed, refund, settle,
    signed_by, status,
};
use crate::{accounts::link, on_each_engine, start};

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
