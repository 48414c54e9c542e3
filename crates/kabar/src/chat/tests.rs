//! What scripts read of a business's messages, and how answers to them are refused.

use kabar_client::api::{MessageKind, MessageState, MessageView, Person, Shown};
use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    wire::{self, interactive::Action, interactive_reply::Reply, template_button},
};
use serde_json::json;

use super::{answer, shown};

fn message(shown: Option<Shown>) -> MessageView {
    let kind = match &shown {
        Some(Shown::Interactive(_)) => MessageKind::Interactive,
        Some(Shown::Template(_)) => MessageKind::Template,
        Some(Shown::InteractiveReply(_)) => MessageKind::InteractiveReply,
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
        text: Some("Mau yang mana?".into()),
        shown,
        automated: true,
        in_reply_to: None,
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
