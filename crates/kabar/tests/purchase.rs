//! A ticket is ordered, paid, issued and given back, whatever dies in between: real processes, kill -9, and the books afterwards.

mod support;

use serde_json::{Value, json};
use support::{
    Person, Serve,
    company::{Company, Receiver},
    directory,
};

const DIGITS: &str = "6281234567890";
const PRICE: i64 = 5_000_000;

struct Cinema {
    directory: tempfile::TempDir,
    server: Option<Serve>,
    company: Company,
    receiver: Receiver,
    ani: Person,
}

impl Cinema {
    /// A cinema that listens, and a person who has written to it.
    fn open() -> Self {
        let directory = directory();
        let server = Serve::start(directory.path());
        let company = Company::create(&server, "Bioskop Kota", "+622150001000");
        let receiver = Receiver::start("token");
        company.subscribe(&server, &receiver, "token");
        let ani = Person::proved(directory.path(), "Anindita", &server, "+6281234567890");
        ani.send("+622150001000", "Beli tiket");
        Self {
            directory,
            server: Some(server),
            company,
            receiver,
            ani,
        }
    }

    fn server(&self) -> &Serve {
        self.server.as_ref().expect("a server")
    }

    /// kill -9, and again on the same data.
    fn die_and_return(&mut self) {
        let server = self.server.take().expect("a server");
        let address = server.address().to_owned();
        server.kill();
        self.server = Some(Serve::start_on(self.directory.path(), &address, &[]));
        self.company.wait_until_connected();
    }

    /// Offers seats A1 ... and returns the message id of the order at the person.
    fn offer(&self, reference_id: &str, seats: usize) -> String {
        let (status, answer) = self.company.send(&order(reference_id, seats, PRICE));
        assert_eq!(status, 200, "{answer}");
        let items = self.ani.lines(&["receive"]);
        let order = items.iter().find(|item| item["order"]["reference_id"] == reference_id);
        let order = order.unwrap_or_else(|| panic!("{items:?}"));
        order["message_id"].as_str().unwrap_or_default().to_owned()
    }

    fn confirm(&self, reference_id: &str, status: &str) -> (u16, Value) {
        let action = json!({ "name": "review_order", "parameters": { "reference_id": reference_id,
            "order": { "status": status } } });
        let interactive = json!({ "type": "order_status", "body": { "text": "Pesanan" }, "action": action });
        self.company
            .send(&json!({ "to": DIGITS, "type": "interactive", "interactive": interactive }))
    }

    fn refund(&self, reference_id: &str) -> (u16, Value) {
        let path = format!("{}/payments_refund", self.company.number);
        self.company.post(&path, &json!({ "reference_id": reference_id }))
    }

    /// Waits for the webhook of a payment's state.
    fn heard(&self, reference_id: &str, state: &str) {
        self.receiver.status(|status| {
            status["payment"]["reference_id"] == reference_id
                && status["payment"]["transaction"]["kabar_status"] == state
        });
    }

    fn books_balance(&self) {
        let verified = self.server().admin(&["ledger", "verify"]);
        assert_eq!(verified["ok"], true, "{verified}");
    }
}

fn order(reference_id: &str, seats: usize, price: i64) -> Value {
    let amount = |value: i64| json!({ "value": value, "offset": 100 });
    let items = (1..=seats).map(|seat| {
        json!({ "retailer_id": format!("ticket:A{seat}@1796000000"), "name": "Laskar Pelangi",
            "amount": amount(PRICE), "quantity": 1 })
    });
    let total = price * i64::try_from(seats).expect("few seats");
    let parameters = json!({
        "reference_id": reference_id, "type": "digital-goods", "currency": "IDR", "total_amount": amount(total),
        "payment_settings": [{ "type": "payment_gateway",
            "payment_gateway": { "type": "sandbox", "configuration_name": "default" } }],
        "order": { "status": "pending", "items": items.collect::<Vec<_>>(), "subtotal": amount(total) },
    });
    let action = json!({ "name": "review_and_pay", "parameters": parameters });
    let interactive = json!({ "type": "order_details", "body": { "text": "Kursi Anda" }, "action": action });
    json!({ "to": DIGITS, "type": "interactive", "interactive": interactive })
}

#[test]
fn a_purchase_survives_a_death_at_every_step() {
    let mut cinema = Cinema::open();
    let order = cinema.offer("ORD-1", 2);
    cinema.die_and_return();

    let paid = cinema.ani.ok(&["pay", "--message", &order, "--method", "sandbox:4242"]);
    assert_eq!(paid["status"], "authorised");
    cinema.die_and_return();
    cinema.heard("ORD-1", "authorised");

    assert_eq!(cinema.confirm("ORD-1", "processing").0, 200);
    cinema.die_and_return();
    cinema.heard("ORD-1", "captured");
    let mut tickets = Vec::new();
    while tickets.len() < 2 {
        cinema.ani.lines(&["receive", "--timeout", "5"]);
        tickets = cinema.ani.lines(&["tickets"]);
    }
    let places: Vec<&Value> = tickets.iter().map(|ticket| &ticket["place"]).collect();
    assert_eq!(places, ["A1", "A2"], "each seat once");
    let token = tickets[0]["token"].as_str().unwrap_or_default();
    assert_eq!(cinema.ani.ok(&["ticket", "verify", token])["valid"], true);
    cinema.books_balance();

    let id = tickets[0]["ticket_id"].as_str().unwrap_or_default();
    cinema.ani.ok(&["return", "--ticket", id]);
    let wish = cinema.receiver.message(|message| message["type"] == "interactive");
    assert_eq!(wish["interactive"]["button_reply"]["id"], "return:ORD-1");
    let (status, refunded) = cinema.refund("ORD-1");
    assert_eq!((status, &refunded["status"]), (200, &json!("completed")), "{refunded}");
    cinema.die_and_return();
    assert_eq!(cinema.refund("ORD-1").0, 200, "once more is once");
    cinema.heard("ORD-1", "refunded");
    while cinema
        .ani
        .lines(&["tickets"])
        .iter()
        .any(|ticket| ticket["returned"] != true)
    {
        cinema.ani.lines(&["receive", "--timeout", "5"]);
    }
    let verified = cinema.server().admin(&["ledger", "verify"]);
    assert_eq!(
        (&verified["ok"], &verified["captured"], &verified["refunded"]),
        (&json!(true), &json!(1), &json!(1)),
        "{verified}"
    );
}

#[test]
fn money_is_never_in_two_places() {
    let cinema = Cinema::open();
    let (status, wrong) = cinema.company.send(&order("ORD-0", 2, PRICE - 1));
    assert_eq!(
        (status, wrong["error"]["code"].as_u64()),
        (400, Some(131_009)),
        "{wrong}"
    );
    let details = wrong["error"]["error_data"]["details"].as_str().unwrap_or_default();
    assert!(details.contains("subtotal"), "{details}");

    let order = cinema.offer("ORD-1", 1);
    let pay = |method: &str, more: &[&str]| {
        let arguments = [&["pay", "--message", &order, "--method", method], more].concat();
        cinema.ani.refused(&arguments).0
    };
    assert_eq!(pay("sandbox:0002", &[]), "payment_declined");
    assert_eq!(pay("visa:4242", &[]), "payment_method");
    assert_eq!(pay("sandbox:3220", &[]), "challenge_required");
    assert_eq!(pay("sandbox:3220", &["--answer", "0000"]), "payment_declined");
    let paid = cinema.ani.ok(&[
        "pay",
        "--message",
        &order,
        "--method",
        "sandbox:3220",
        "--answer",
        "1234",
    ]);
    let again = cinema.ani.ok(&["pay", "--message", &order, "--method", "sandbox:4242"]);
    assert_eq!(paid["transaction_id"], again["transaction_id"], "paid once");

    let (status, early) = cinema.refund("ORD-1");
    assert_eq!(status, 400, "nothing was taken yet: {early}");
    assert_eq!(cinema.confirm("ORD-1", "canceled").0, 200);
    cinema.heard("ORD-1", "voided");
    assert_eq!(cinema.confirm("ORD-1", "processing").0, 200, "words only");
    assert_eq!(cinema.ani.ok(&["payment", "--message", &order])["status"], "voided");
    assert!(cinema.ani.lines(&["tickets"]).is_empty(), "no money, no ticket");
    let verified = cinema.server().admin(&["ledger", "verify"]);
    assert_eq!(
        (&verified["ok"], &verified["captured"]),
        (&json!(true), &json!(0)),
        "{verified}"
    );
}
