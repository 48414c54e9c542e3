//! The rules of the review; scenarios over sockets are in `tests/messenger/business.rs`.

use kabar_protocol::wire::{MessageCategory, MessageTemplate};

use super::review::{check_form, review};

fn template(body: &str, named: bool) -> MessageTemplate {
    MessageTemplate {
        name: "ticket_ready".into(),
        language: "id".into(),
        category: MessageCategory::Utility.into(),
        components: serde_json::json!([{ "type": "BODY", "text": body }]).to_string(),
        named_parameters: named,
        ..MessageTemplate::default()
    }
}

#[test]
fn a_plain_template_is_approved() {
    for (body, named) in [
        ("Tiket Anda sudah terbit.", false),
        ("Kursi {{1}} pada {{2}} sudah dipesan.", false),
        ("Your seat {{seat}} is booked.", true),
    ] {
        let template = template(body, named);
        assert!(check_form(&template).is_ok());
        assert_eq!(review(&template), Ok(()), "{body}");
    }
}

#[test]
fn a_rejection_names_its_rule() {
    for (body, rule) in [
        ("{{1}} sudah dipesan untuk Anda", "BODY_EDGE"),
        ("Kursi {{2}} sudah dipesan", "BODY_PLACEHOLDERS"),
        ("a {{1}} b {{2}} c {{3}} d", "BODY_DENSITY"),
        ("", "BODY_LENGTH"),
    ] {
        let verdict = review(&template(body, false)).expect_err(body);
        assert!(verdict.starts_with(rule), "{verdict}");
    }
    let mut two = template("Halo semuanya", false);
    two.components = r#"[{"type":"BODY","text":"Halo"},{"type":"BODY","text":"Halo"}]"#.into();
    assert!(review(&two).expect_err("two bodies").starts_with("BODY_COUNT"));
}

#[test]
fn what_is_no_template_is_refused_by_name() {
    let mut bad = template("Halo semuanya", false);
    bad.name = "Ticket".into();
    assert_eq!(check_form(&bad).expect_err("name").parameter, Some("name"));
    let mut bad = template("Halo semuanya", false);
    bad.components = "{}".into();
    assert_eq!(check_form(&bad).expect_err("components").parameter, Some("components"));
}
