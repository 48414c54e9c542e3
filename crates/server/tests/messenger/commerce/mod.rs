//! Orders and payments between a business's gateway and a person's devices.

mod orders;
mod payments;

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

use crate::{TestServer, device::Device};

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
