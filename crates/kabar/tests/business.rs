//! A company reaches a person through the Cloud API: real processes, real webhooks, kill -9 in between.

mod support;

use serde_json::{Value, json};
use support::{
    Person, Serve,
    company::{Company, OwnGateway, Receiver},
    directory,
};

const PHONE: &str = "+6281234567890";
const DIGITS: &str = "6281234567890";

#[test]
fn a_company_answers_within_the_window_only() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let company = Company::create(&server, "Bioskop Kota", "+622150001000");
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);

    let (status, refused) = company.send(&json!({ "to": DIGITS, "text": { "body": "Halo" } }));
    assert_eq!(
        (status, refused["error"]["code"].as_u64()),
        (400, Some(131_047)),
        "{refused}"
    );
    assert!(
        ani.lines(&["receive"]).is_empty(),
        "nothing may reach a person who did not write"
    );
    assert!(ani.lines(&["chats"]).is_empty(), "not even an empty chat");

    let sent = ani.send("+622150001000", "Ada film apa?");
    let (status, answer) = company.send(&json!({ "to": DIGITS, "text": { "body": "Ada tiga." } }));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["contacts"][0]["wa_id"], DIGITS);
    let item = ani.lines(&["receive"]).into_iter().find(|item| item["kind"] == "text");
    let item = item.expect("the answer");
    assert_eq!(item["text"], "Ada tiga.");
    assert_eq!(item["conversation_id"], sent["conversation_id"]);
    assert_eq!(item["automated"], true, "a program wrote it");
    assert_eq!(item["from"]["business"]["keys_held_by"], "operator");
    assert_eq!(item["from"]["name"], "Bioskop Kota");

    let (_, window) = company.get(&format!("{}/conversations/{DIGITS}", company.number));
    assert_eq!(window["customer_service_window"]["open"], true, "{window}");
}

#[test]
fn webhooks_tell_what_a_person_does_and_what_became_of_a_message() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let company = Company::create(&server, "Bioskop Kota", "+622150001000");
    let receiver = Receiver::start("rahasia-verifikasi");
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);
    company.subscribe(&server, &receiver, "rahasia-verifikasi");

    let first = ani.send("+622150001000", "Halo");
    let message = receiver.message(|message| message["type"] == "text");
    assert_eq!(message["text"]["body"], "Halo");
    let user_id = message["from_user_id"].as_str().unwrap_or_default();
    assert!(user_id.starts_with("ID."), "{message}");
    assert_eq!(message["from"], user_id, "the company has not learned the number");

    let buttons = json!({ "type": "button", "body": { "text": "Jadi?" }, "action": { "buttons": [
        { "type": "reply", "reply": { "id": "ya", "title": "Ya" } },
        { "type": "reply", "reply": { "id": "tidak", "title": "Tidak" } },
    ] } });
    let question = json!({ "to": user_id, "type": "interactive", "interactive": buttons,
        "biz_opaque_callback_data": "pesanan-7" });
    let (status, answer) = company.send(&question);
    assert_eq!(status, 200, "{answer}");
    let id = answer["messages"][0]["id"].clone();
    let shown = ani
        .lines(&["receive"])
        .into_iter()
        .find(|item| item["kind"] == "interactive");
    let shown = shown.expect("the question");
    ani.ok(&[
        "tap",
        "--message",
        shown["message_id"].as_str().unwrap_or_default(),
        "--button",
        "ya",
    ]);
    let tapped = receiver.message(|message| message["type"] == "interactive");
    assert_eq!(
        tapped["interactive"]["button_reply"],
        json!({ "id": "ya", "title": "Ya" })
    );
    assert_eq!(tapped["context"]["id"], id);

    ani.ok(&["read", "--message", shown["message_id"].as_str().unwrap_or_default()]);
    for state in ["sent", "delivered", "read"] {
        let status = receiver.status(|status| status["id"] == id && status["status"] == state);
        assert_eq!(status["biz_opaque_callback_data"], "pesanan-7");
        assert_eq!(status["pricing"]["category"], "service");
    }
    assert_eq!(receiver.unsigned(), 0, "every delivery is signed over its exact bytes");
    let read = json!({ "status": "read", "message_id": tapped["id"], "typing_indicator": { "type": "text" } });
    assert_eq!(company.send(&read), (200, json!({ "success": true })));
    let receipts = ani.lines(&["receive"]);
    let seen = |item: &Value| item["kind"] == "receipt" && item["state"] == "read";
    assert!(receipts.iter().any(seen), "{receipts:?} after {first}");
}

#[test]
fn a_company_is_told_that_a_message_was_passed_on() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let company = Company::create(&server, "Bioskop Kota", "+622150001000");
    let receiver = Receiver::start("rahasia-verifikasi");
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);
    company.subscribe(&server, &receiver, "rahasia-verifikasi");
    let said = ani.send("+622150001000", "promo ini benar?");
    let own = receiver.message(|message| message["text"]["body"] == "promo ini benar?");
    assert_eq!(own.get("context"), None);
    let message = said["message_id"].as_str().unwrap_or_default();
    ani.ok(&["forward", "--message", message, "--to", "+622150001000"]);
    let passed = receiver.message(|message| message["context"] != Value::Null);
    assert_eq!(passed["text"]["body"], "promo ini benar?");
    assert_eq!(passed["context"], json!({ "forwarded": true }));
}

#[test]
fn a_killed_server_loses_no_webhook_and_repeats_no_send() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let company = Company::create(&server, "Bus Mudik", "+622150002000");
    let receiver = Receiver::start("token");
    company.subscribe(&server, &receiver, "token");
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);
    ani.send("+622150002000", "satu");
    receiver.message(|message| message["text"]["body"] == "satu");

    let send = json!({ "to": DIGITS, "text": { "body": "Halo" } });
    let (_, first) = company.send_once("kunci-1", &send);
    let address = server.address().to_owned();
    receiver.refuse(true);
    for text in ["dua", "tiga", "empat"] {
        ani.send("+622150002000", text);
    }
    receiver.refused(1);
    server.kill();
    receiver.refuse(false);
    let server = Serve::start_on(directory.path(), &address, &[]);
    for text in ["dua", "tiga", "empat"] {
        receiver.message(|message| message["text"]["body"] == text);
    }
    let texts: Vec<String> = receiver
        .messages()
        .iter()
        .filter_map(|message| message["text"]["body"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(texts, ["satu", "dua", "tiga", "empat"], "in order, none twice");

    let (status, again) = company.send_once("kunci-1", &send);
    assert_eq!((status, &again), (200, &first), "the same key has the same answer");
    let (status, other) = company.send_once("kunci-1", &json!({ "to": DIGITS, "text": { "body": "Lain" } }));
    assert_eq!((status, other["error"]["code"].as_u64()), (400, Some(100)), "{other}");
    let texts = ani.texts();
    assert_eq!(texts, ["Halo"], "sent once");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_killed_server_repeats_few_webhooks_and_keeps_each_conversations_order() {
    const MESSAGES: usize = 12;
    /// As many as one lane has under way: only these may come again, and only after a kill.
    const REPEATED_MAX: usize = 8;
    let directory = directory();
    let mut server = Serve::start(directory.path());
    let company = Company::create(&server, "Bus Mudik", "+622150002000");
    let receiver = Receiver::start("token");
    company.subscribe(&server, &receiver, "token");
    let people = [
        Person::proved(directory.path(), "Anindita", &server, PHONE),
        Person::proved(directory.path(), "Budi", &server, "+6281234567891"),
    ];
    let address = server.address().to_owned();
    receiver.refuse(true);
    for number in 0..MESSAGES {
        for (index, person) in people.iter().enumerate() {
            person.send("+622150002000", &format!("{index}/{number}"));
        }
    }
    receiver.refused(2);
    receiver.refuse(false);
    // In the middle of what goes out at once, wherever that is.
    for text in ["0/0", "1/5", "0/9"] {
        receiver.message(|message| message["text"]["body"] == text);
        server.kill();
        server = Serve::start_on(directory.path(), &address, &[]);
    }
    for index in 0..people.len() {
        receiver.message(|message| message["text"]["body"] == format!("{index}/{}", MESSAGES - 1));
        let came: Vec<usize> = receiver
            .messages()
            .iter()
            .filter_map(|message| {
                message["text"]["body"]
                    .as_str()?
                    .strip_prefix(&format!("{index}/"))?
                    .parse()
                    .ok()
            })
            .collect();
        let mut next = 0;
        for number in &came {
            assert!(*number <= next, "{next} is lost or overtaken: {came:?}");
            assert!(next - number <= REPEATED_MAX, "more than one page again: {came:?}");
            next = number + 1;
        }
        assert!(came.len() <= MESSAGES + 3 * REPEATED_MAX, "again and again: {came:?}");
    }
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn templates_are_reviewed_and_reach_a_person_outside_the_window() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let company = Company::create(&server, "Bioskop Kota", "+622150001000");
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);
    let edge = format!("{}/message_templates", company.waba);

    let bad = json!({ "name": "buruk", "language": "id", "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "{{1}}" }] });
    let (status, rejected) = company.post(&edge, &bad);
    assert_eq!((status, &rejected["status"]), (200, &json!("REJECTED")), "{rejected}");
    let (_, listed) = company.get(&format!("{edge}?name=buruk"));
    let reason = listed["data"][0]["rejected_reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("BODY_EDGE"), "the rule is named: {listed}");

    let good = json!({ "name": "tiket_siap", "language": "id", "category": "UTILITY",
        "components": [{ "type": "BODY", "text": "Kursi {{1}} sudah dipesan untuk Anda." }] });
    let (_, approved) = company.post(&edge, &good);
    assert_eq!(approved["status"], "APPROVED");
    let template = |name: &str, values: &[&str]| {
        let parameters: Vec<Value> = values
            .iter()
            .map(|text| json!({ "type": "text", "text": text }))
            .collect();
        json!({ "to": DIGITS, "type": "template", "template": { "name": name, "language": { "code": "id" },
            "components": [{ "type": "body", "parameters": parameters }] } })
    };
    for (name, values, code) in [
        ("tidak_ada", &["A1"][..], 132_001),
        ("buruk", &["A1"], 132_001),
        ("tiket_siap", &[], 132_000),
        ("tiket_siap", &["A1", "A2"], 132_000),
    ] {
        let (_, refused) = company.send(&template(name, values));
        assert_eq!(refused["error"]["code"].as_u64(), Some(code), "{refused}");
    }
    let (status, answer) = company.send(&template("tiket_siap", &["A1"]));
    assert_eq!(status, 200, "{answer}");
    let item = &ani.lines(&["receive"])[0];
    assert_eq!(
        (&item["kind"], &item["text"]),
        (&json!("template"), &json!("Kursi A1 sudah dipesan untuk Anda."))
    );
    assert_eq!(item["request"], true, "a stranger's: the person decides");
}

#[test]
fn what_is_wrong_is_named_and_strangers_see_nothing() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let company = Company::create(&server, "Bioskop Kota", "+622150001000");
    let other = Company::create(&server, "Toko Lain", "+622150003000");
    let code = |answer: &(u16, Value)| (answer.0, answer.1["error"]["code"].as_u64().unwrap_or_default());

    assert_eq!(code(&company.with_token("EAAwrong").send(&json!({}))), (401, 190));
    let foreign = company.get(&other.number);
    assert_eq!(code(&foreign), (400, 100), "{foreign:?}");
    assert_eq!(foreign.1["error"]["error_subcode"], 33);
    assert_eq!(code(&company.get("123456789")), (400, 100));
    let settings = format!("{}/settings", company.number);
    let (status, found) = company.get(&settings);
    assert_eq!((status, &found["calling"]["status"]), (200, &json!("DISABLED")));
    let calling = json!({ "calling": { "status": "ENABLED" } });
    assert_eq!(code(&company.post(&settings, &calling)), (400, 100), "and stays so");
    let missing = company.send(&json!({ "to": DIGITS, "text": {} }));
    assert_eq!(code(&missing), (400, 131_008));
    let details = &missing.1["error"]["error_data"]["details"];
    assert!(
        details.as_str().is_some_and(|text| text.contains("text.body")),
        "{details}"
    );
    let unknown = company.send(&json!({ "to": "6281999999999", "text": { "body": "x" } }));
    assert_eq!(code(&unknown), (400, 131_026));
    let log = server.log();
    for secret in [company.token.as_str(), company.secret.as_str(), "6281999999999"] {
        assert!(!log.contains(secret), "the log holds a secret or a number");
    }
}

#[test]
fn a_gateway_of_the_businesss_own_holds_the_keys_itself() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let waba = server.admin(&["business", "create", "--name", "Apotek Sehat"])["waba_id"].clone();
    let waba = waba.as_str().unwrap_or_default();
    let add = [
        "number",
        "add",
        "--waba",
        waba,
        "--phone",
        "+622150009000",
        "--name",
        "Apotek Sehat",
    ];
    let number = server.admin(&[&add[..], &["--own-gateway", "--server", &server.url]].concat());
    assert!(number.get("enrolment_code").is_none(), "it is in the enrolment only");
    let gateway = OwnGateway::start(directory.path(), number["enrolment"].as_str().unwrap_or_default());
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);

    ani.send("+622150009000", "Ada obat batuk hitam?");
    let (status, answer) = gateway
        .company
        .send(&json!({ "to": DIGITS, "text": { "body": "Ada, dua rasa." } }));
    assert_eq!(status, 200, "{answer}");
    let item = ani.lines(&["receive"]).into_iter().find(|item| item["kind"] == "text");
    let item = item.expect("the answer");
    assert_eq!(item["text"], "Ada, dua rasa.");
    assert_eq!(item["from"]["business"]["keys_held_by"], "business");
    let (data, log) = (server.data.clone(), server.log());
    drop(gateway);
    assert_eq!(server.terminate(), Some(0));
    kabar_testkit::assert_nowhere(&data, &["obat batuk", "dua rasa", "Anindita"]);
    assert!(!log.contains("obat batuk"), "{log}");
}
