//! What scripts read of a business's messages, and how answers to them are refused.

use kabar_client::api::{ChangesView, MessageKind, MessageState, MessageView, Person, Shown, TicketView};
use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    wire::{self, interactive::Action, interactive_reply::Reply, template_button},
};
use serde_json::json;

use super::{answer, commerce, gate, shown};

fn message(shown: Option<Shown>) -> MessageView {
    let kind = match &shown {
        Some(Shown::Interactive(_)) => MessageKind::Interactive,
        Some(Shown::Template(_)) => MessageKind::Template,
        Some(Shown::InteractiveReply(_)) => MessageKind::InteractiveReply,
        Some(Shown::Ticket(_)) => MessageKind::Ticket,
        _ => MessageKind::Text,
    };
    MessageView {
        message_id: MessageId([1; 32]),
        conversation_id: ConversationId([2; 16]),
        seq: Some(1),
        from: Person {
            account_id: AccountId([3; 16]),
            name: "Toko".into(),
            username: None,
            phone: None,
            business: None,
        },
        mine: false,
        kind,
        about: Vec::new(),
        text: Some("Mau yang mana?".into()),
        shown,
        forwarded: 0,
        mentions: Vec::new(),
        mentions_me: false,
        starred: false,
        expires_at: None,
        automated: true,
        in_reply_to: None,
        changes: ChangesView::default(),
        time: 0,
        state: MessageState::Received,
        error: None,
    }
}

fn interactive(action: Action) -> Option<Shown> {
    Some(Shown::Interactive(wire::Interactive {
        header: Some("Pesanan".into()),
        body: "Mau yang mana?".into(),
        footer: None,
        action: Some(action),
    }))
}

fn with_buttons() -> MessageView {
    let button = |id: &str, title: &str| wire::ReplyButton {
        id: id.into(),
        title: title.into(),
    };
    message(interactive(Action::Buttons(wire::ReplyButtons {
        buttons: vec![button("ya", "Ya, kirim"), button("nanti", "Nanti saja")],
    })))
}

fn with_list() -> MessageView {
    let row = |id: &str, title: &str, description: Option<&str>| wire::ListRow {
        id: id.into(),
        title: title.into(),
        description: description.map(str::to_owned),
    };
    let section = |title: &str, rows| wire::ListSection {
        title: title.into(),
        rows,
    };
    message(interactive(Action::List(wire::ReplyList {
        button: "Lihat".into(),
        sections: vec![
            section(
                "Kopi",
                vec![row("gayo", "Gayo", Some("Aceh")), row("toraja", "Toraja", None)],
            ),
            section("Teh", vec![row("melati", "Melati", None)]),
        ],
    })))
}

fn with_template() -> MessageView {
    let button = |text: &str, action| wire::TemplateButton {
        text: text.into(),
        action: Some(action),
    };
    message(Some(Shown::Template(wire::Template {
        name: "pengiriman".into(),
        language: "id".into(),
        header: None,
        body: "Mau yang mana?".into(),
        footer: Some("Toko".into()),
        buttons: vec![
            button("Lacak", template_button::Action::Url("https://toko.example/1".into())),
            button("Terima kasih", template_button::Action::Payload("THANKS".into())),
        ],
    })))
}

#[test]
fn a_script_reads_what_can_be_picked_beside_the_text() {
    let buttons = with_buttons();
    let value = shown::flat(&buttons, buttons.shown.as_ref()).expect("JSON");
    assert_eq!(value["kind"], "interactive");
    assert_eq!(
        (&value["text"], &value["header"]),
        (&json!("Mau yang mana?"), &json!("Pesanan"))
    );
    assert_eq!(
        value["buttons"],
        json!([{"id": "ya", "title": "Ya, kirim"}, {"id": "nanti", "title": "Nanti saja"}])
    );
    assert_eq!((&value["rows"], &value["automated"]), (&json!([]), &json!(true)));
    assert!(value.get("interactive").is_none() && value.get("footer").is_none());

    let list = with_list();
    let value = shown::flat(&list, list.shown.as_ref()).expect("JSON");
    assert_eq!(
        value["rows"],
        json!([
            {"id": "gayo", "title": "Gayo", "description": "Aceh", "section": "Kopi"},
            {"id": "toraja", "title": "Toraja", "section": "Kopi"},
            {"id": "melati", "title": "Melati", "section": "Teh"},
        ])
    );

    let template = with_template();
    let value = shown::flat(&template, template.shown.as_ref()).expect("JSON");
    assert_eq!(value["buttons"], json!([{"id": "THANKS", "title": "Terima kasih"}]));
    assert_eq!(
        (&value["url"], &value["template"]["name"], &value["footer"]),
        (&json!("https://toko.example/1"), &json!("pengiriman"), &json!("Toko"))
    );
}

#[test]
fn an_answer_is_read_as_what_was_picked() {
    let reply = wire::InteractiveReply {
        reply: Some(Reply::Button(wire::ButtonReply {
            id: "ya".into(),
            title: "Ya, kirim".into(),
        })),
    };
    let message = message(Some(Shown::InteractiveReply(reply)));
    let value = shown::flat(&message, message.shown.as_ref()).expect("JSON");
    assert_eq!(value["reply"], json!({"id": "ya", "title": "Ya, kirim"}));
    assert!(value.get("interactive_reply").is_none());
}

#[test]
fn people_read_ids_and_titles() {
    let list = with_list();
    let lines = shown::for_people("Toko", true, "Mau yang mana?", list.shown.as_ref());
    assert_eq!(
        lines,
        "Toko (automated): Pesanan\n  Mau yang mana?\n  row gayo: Gayo (Aceh)\n  row toraja: Toraja\n  row melati: Melati"
    );
    assert_eq!(shown::for_people("Toko", false, "Halo", None), "Toko: Halo");
}

#[test]
fn a_tap_takes_the_title_or_the_payload_of_its_button() {
    let button = |message: &MessageView, id| match answer::button_reply(message, id) {
        Ok(Reply::Button(button)) => (button.id, button.title),
        other => panic!("{other:?}"),
    };
    assert_eq!(button(&with_buttons(), "nanti"), ("nanti".into(), "Nanti saja".into()));
    assert_eq!(
        button(&with_template(), "THANKS"),
        ("THANKS".into(), "Terima kasih".into())
    );
    match answer::list_reply(&with_list(), "gayo") {
        Ok(Reply::List(row)) => assert_eq!((row.title.as_str(), row.description.as_deref()), ("Gayo", Some("Aceh"))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_picked_is_refused_with_what_can() {
    let mine = MessageView {
        mine: true,
        ..with_buttons()
    };
    for (refused, parameter, says) in [
        (
            answer::button_reply(&with_buttons(), "tidak"),
            "button",
            "button must be one of: ya, nanti",
        ),
        (answer::button_reply(&with_list(), "gayo"), "message", "list-select"),
        (answer::list_reply(&with_buttons(), "ya"), "message", "tap"),
        (
            answer::list_reply(&with_list(), "kopi"),
            "row",
            "row must be one of: gayo, toraja, melati",
        ),
        (
            answer::button_reply(&message(None), "ya"),
            "message",
            "message has no buttons",
        ),
        (answer::button_reply(&mine, "ya"), "message", "your own"),
    ] {
        let failure = refused.expect_err(says);
        assert_eq!(
            (failure.code.as_str(), failure.parameter.as_deref()),
            ("invalid", Some(parameter))
        );
        assert!(failure.message.contains(says), "{}", failure.message);
    }
}

fn ticket_of(returned: bool) -> TicketView {
    TicketView {
        ticket_id: "ab".repeat(16),
        conversation_id: ConversationId([2; 16]),
        message_id: MessageId([1; 32]),
        issuer: "Bioskop Kota".into(),
        title: "Gundala".into(),
        place: "F1".into(),
        starts_at: 0,
        reference_id: "ORD-1".into(),
        token: "KABAR1.x".into(),
        issuer_key: None,
        returned,
    }
}

#[test]
fn a_script_reads_orders_what_became_of_them_and_tickets() {
    let order = message(interactive(Action::OrderDetails(wire::OrderDetails {
        reference_id: "ORD-1".into(),
        currency: "IDR".into(),
        items: vec![wire::OrderItem {
            retailer_id: "F1".into(),
            name: "Kursi F1".into(),
            amount: 2_500_000,
            quantity: 2,
        }],
        subtotal: 5_000_000,
        total: 5_000_000,
        expires_ms: 7,
        ..Default::default()
    })));
    let value = shown::flat(&order, order.shown.as_ref()).expect("JSON");
    assert_eq!(value["kind"], "interactive");
    let order_value = &value["order"];
    assert_eq!(
        (
            &order_value["reference_id"],
            &order_value["total"],
            &order_value["expires_at"]
        ),
        (&json!("ORD-1"), &json!(5_000_000), &json!(7))
    );
    assert_eq!(
        order_value["items"],
        json!([{"retailer_id": "F1", "name": "Kursi F1", "amount": 2_500_000, "quantity": 2}])
    );
    let lines = shown::for_people("Bioskop", false, "Kursi", order.shown.as_ref());
    assert!(lines.ends_with("  order ORD-1: IDR 50000.00"), "{lines}");

    let update = message(interactive(Action::OrderStatus(wire::OrderUpdate {
        reference_id: "ORD-1".into(),
        status: "completed".into(),
        description: "Selamat menonton".into(),
    })));
    let value = shown::flat(&update, update.shown.as_ref()).expect("JSON");
    let status = json!({"reference_id": "ORD-1", "status": "completed", "description": "Selamat menonton"});
    assert_eq!(value["order_status"], status);

    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let body = wire::TicketBody {
        ticket_id: "ab".repeat(16),
        title: "Gundala".into(),
        place: "F1".into(),
        starts_ms: 9,
        ..Default::default()
    };
    let token = kabar_protocol::ticket::issue(&key, &body);
    let ticket = message(Some(Shown::Ticket(wire::Ticket {
        token: token.clone(),
        reference_id: "ORD-1".into(),
        issuer_key: String::new(),
    })));
    let value = shown::flat(&ticket, ticket.shown.as_ref()).expect("JSON");
    let said = &value["ticket"];
    assert_eq!(
        (&said["title"], &said["place"], &said["starts_at"], &said["token"]),
        (&json!("Gundala"), &json!("F1"), &json!(9), &json!(token))
    );
}

#[test]
fn a_ticket_is_returned_once_by_its_id_or_its_messages() {
    let tickets = [ticket_of(false)];
    for id in ["ab".repeat(16), MessageId([1; 32]).to_string()] {
        assert_eq!(commerce::pick(&tickets, &id).expect("found").reference_id, "ORD-1");
    }
    for (tickets, id, says) in [
        (&tickets, "cd", "must be the id of a ticket"),
        (&[ticket_of(true)], "ab".repeat(16).as_str(), "returned already"),
    ] {
        let failure = commerce::pick(tickets, id).expect_err(says);
        assert_eq!(failure.parameter.as_deref(), Some("ticket"));
        assert!(failure.message.contains(says), "{}", failure.message);
    }
}

#[test]
fn amounts_are_read_in_units_and_challenges_say_how_to_answer() {
    for (minor, currency, read) in [
        (5_000_050, "IDR", "IDR 50000.50"),
        (700, "JPY", "JPY 700"),
        (1_500, "KWD", "KWD 1.500"),
    ] {
        assert_eq!(commerce::amount(minor, currency), read);
    }
    let failure = commerce::challenge("Type the code.");
    assert_eq!(failure.code, "challenge_required");
    assert!(failure.message.contains("Type the code.") && failure.message.contains("--answer"));
}

#[test]
fn an_issuers_key_is_hex_or_a_file_with_it() {
    let hex = "ab".repeat(32);
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), format!("{hex}\n")).expect("written");
    for given in [hex.as_str(), file.path().to_str().expect("UTF-8")] {
        assert_eq!(gate::issuer_key(given).expect("key"), [0xab; 32]);
    }
    let failure = gate::issuer_key("abc").expect_err("too short");
    assert_eq!(failure.parameter.as_deref(), Some("issuer_key"));
}
