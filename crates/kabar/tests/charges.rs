//! What a company pays: a rate card, a wallet, delivered messages and the receipts that prove them.

mod support;

use serde_json::{Value, json};
use support::{
    Person, Serve,
    company::{Company, Receiver},
    directory,
};

const PHONE: &str = "+6281234567890";
const DIGITS: &str = "6281234567890";

/// Balance and what is reserved.
fn wallet(server: &Serve, company: &Company) -> [String; 2] {
    let shown = server.admin(&["wallet", "show", "--waba", &company.waba]);
    ["balance", "reserved"].map(|name| shown[name].as_str().unwrap_or_default().to_owned())
}

fn import_card(server: &Serve, directory: &std::path::Path) {
    let card = directory.join("card.csv");
    let csv = "category,country,currency,price_minor,free_per_month\nservice,+62,USD,2,\nutility,+62,USD,3,\n";
    std::fs::write(&card, csv).expect("a card");
    let file = card.to_string_lossy().into_owned();
    let imported = server.admin(&["rate-card", "import", &file, "--effective", "2026-01-01"]);
    assert_eq!(imported["rate_card_id"], "1");
    assert_eq!(
        server.admin(&["rate-card", "show", "--at", "2025-12-31"])["rate_card_id"],
        Value::Null
    );
    assert_eq!(server.admin(&["rate-card", "show"])["rows"][1]["price"], "0.03");
}

/// Gets a template approved; a message that fills it in.
fn template(company: &Company) -> Value {
    let template = json!({ "name": "tiket_siap", "language": "id", "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "Kursi {{1}} sudah dipesan untuk Anda." }] });
    let (_, approved) = company.post(&format!("{}/message_templates", company.waba), &template);
    assert_eq!(approved["status"], "APPROVED");
    let parameters = json!([{ "type": "text", "text": "A1" }]);
    json!({ "to": DIGITS, "type": "template", "template": { "name": "tiket_siap",
        "language": { "code": "id" }, "components": [{ "type": "body", "parameters": parameters }] } })
}

/// Texts of messages, template or not.
fn received(person: &Person) -> Vec<String> {
    let lines = person.lines(&["receive"]);
    lines
        .iter()
        .filter(|item| ["text", "template"].contains(&item["kind"].as_str().unwrap_or_default()))
        .filter_map(|item| item["text"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_delivered_message_is_paid_once_and_an_empty_wallet_sends_nothing() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let company = Company::create(&server, "Bioskop Kota", "+622150001000");
    let receiver = Receiver::start("rahasia-verifikasi");
    company.subscribe(&server, &receiver, "rahasia-verifikasi");
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);
    assert_eq!(
        server.admin(&["rate-card", "show"])["rows"],
        json!([]),
        "no card: everything is free"
    );

    import_card(&server, directory.path());
    ani.send("+622150001000", "Ada film apa?");
    let (status, refused) = company.send(&json!({ "to": DIGITS, "text": { "body": "Ada tiga." } }));
    assert_eq!(
        (status, refused["error"]["code"].as_u64()),
        (400, Some(131_042)),
        "{refused}"
    );
    server.admin(&[
        "wallet",
        "topup",
        "--waba",
        &company.waba,
        "--amount",
        "0.05",
        "--currency",
        "USD",
    ]);
    let (_, window) = company.get(&format!("{}/conversations/{DIGITS}", company.number));
    assert_eq!(window["prices"]["currency"], "USD", "{window}");
    assert_eq!(
        window["prices"]["utility"],
        json!({ "value": 3, "offset": 100, "free_left": 0 })
    );
    assert_eq!(window["prices"]["marketing"]["value"], 0);

    let filled = template(&company);
    let (status, first) = company.send(&filled);
    assert_eq!(status, 200, "{first}");
    assert_eq!(wallet(&server, &company), ["0.05", "0.03"], "not delivered yet");
    let (status, second) = company.send(&json!({ "to": DIGITS, "text": { "body": "Ada tiga." } }));
    assert_eq!(status, 200, "{second}");
    let (_, refused) = company.send(&json!({ "to": DIGITS, "text": { "body": "Lagi" } }));
    assert_eq!(refused["error"]["code"].as_u64(), Some(131_042), "{refused}");

    let expected = ["Kursi A1 sudah dipesan untuk Anda.", "Ada tiga."];
    assert_eq!(received(&ani), expected, "the refused one never left");
    for (answer, category) in [(&first, "utility"), (&second, "service")] {
        let id = &answer["messages"][0]["id"];
        let delivered = receiver.status(|status| status["id"] == *id && status["status"] == "delivered");
        let expected = json!({ "billable": true, "pricing_model": "PMP", "category": category, "type": "regular" });
        assert_eq!(delivered["pricing"], expected);
    }
    assert_eq!(wallet(&server, &company), ["0.00", "0.00"]);
    let address = server.address().to_owned();
    server.kill();
    let server = Serve::start_on(directory.path(), &address, &[]);
    ani.lines(&["receive"]);
    let report = server.admin(&["ledger", "verify"]);
    assert_eq!(
        (&report["ok"], &report["messages_charged"]),
        (&json!(true), &json!(2)),
        "{report}"
    );
    assert_eq!(wallet(&server, &company), ["0.00", "0.00"]);
}
