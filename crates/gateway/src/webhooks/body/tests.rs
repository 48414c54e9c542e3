//! Every body as a receiver reads it.

use super::*;

const NOW: TimeMs = 1_790_000_001_999;

fn number() -> Number {
    Number {
        waba_id: "200001".into(),
        phone_number_id: "100001".into(),
        display_phone_number: "+62 21-5550".into(),
    }
}

fn budi() -> Contact {
    Contact {
        name: "Budi".into(),
        username: Some("budi".into()),
        phone: Some("+6281234567890".into()),
        user_id: "ID.77".into(),
    }
}

fn value(body: &Value) -> &Value {
    &body["entry"][0]["changes"][0]["value"]
}

fn inbound(content: InboundContent) -> Value {
    let context = Context {
        from: "+62215550".into(),
        id: "wamid.b".into(),
    };
    let inbound = Inbound {
        id: "wamid.a".into(),
        time: NOW - 1000,
        context: Some(context),
        forwarded: 0,
        content,
    };
    let body = message(&number(), &budi(), &inbound, NOW);
    value(&body)["messages"][0].clone()
}

#[test]
fn the_whole_frame_of_a_text() {
    let text = Inbound {
        id: "wamid.a".into(),
        time: NOW - 1000,
        context: None,
        forwarded: 0,
        content: InboundContent::Text("Halo".into()),
    };
    let expected = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "200001", "time": 1_790_000_001, "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "62215550", "phone_number_id": "100001" },
            "contacts": [{
                "profile": { "name": "Budi", "username": "budi" }, "wa_id": "6281234567890", "user_id": "ID.77"
            }],
            "messages": [{
                "from": "6281234567890", "from_user_id": "ID.77", "id": "wamid.a", "timestamp": "1790000000",
                "type": "text", "text": { "body": "Halo" }
            }],
        } }] }],
    });
    let body = message(&number(), &budi(), &text, NOW);
    assert_eq!(body, expected);
    assert_eq!(
        serde_json::from_slice::<Value>(&to_bytes(&body)).expect("JSON"),
        expected
    );
}

#[test]
fn what_was_passed_on_says_so() {
    let forwarded = |forwarded| {
        let text = Inbound {
            id: "wamid.a".into(),
            time: NOW,
            context: None,
            forwarded,
            content: InboundContent::Text("Halo".into()),
        };
        let body = message(&number(), &budi(), &text, NOW);
        value(&body)["messages"][0].get("context").cloned()
    };
    assert_eq!(forwarded(0), None);
    for times in [1, FORWARDED_OFTEN - 1] {
        assert_eq!(forwarded(times), Some(json!({ "forwarded": true })));
    }
    for times in [FORWARDED_OFTEN, u32::MAX] {
        assert_eq!(forwarded(times), Some(json!({ "frequently_forwarded": true })));
    }
}

#[test]
fn answers_to_a_tap() {
    let (id, title) = ("b1".to_owned(), "Ya".to_owned());
    let button = inbound(InboundContent::ButtonReply {
        id: id.clone(),
        title: title.clone(),
    });
    assert_eq!(button["type"], "interactive");
    let expected = json!({ "type": "button_reply", "button_reply": { "id": "b1", "title": "Ya" } });
    assert_eq!(button["interactive"], expected);
    assert_eq!(button["context"], json!({ "from": "62215550", "id": "wamid.b" }));
    let description = Some("d".to_owned());
    let list = inbound(InboundContent::ListReply { id, title, description });
    let expected = json!({ "id": "b1", "title": "Ya", "description": "d" });
    assert_eq!(
        list["interactive"],
        json!({ "type": "list_reply", "list_reply": expected })
    );
    let (payload, text) = ("p".to_owned(), "Ya".to_owned());
    let quick = inbound(InboundContent::TemplateButton { payload, text });
    assert_eq!(
        (&quick["type"], &quick["button"]),
        (&json!("button"), &json!({ "payload": "p", "text": "Ya" }))
    );
}

#[test]
fn what_the_api_has_no_words_for_is_said() {
    let unsupported = inbound(InboundContent::Unsupported);
    assert_eq!(unsupported["type"], "unsupported");
    assert_eq!(unsupported["errors"][0]["code"], 131_051);
}

#[test]
fn a_person_without_a_number_is_known_by_the_id() {
    let contact = Contact { phone: None, ..budi() };
    let text = Inbound {
        id: "wamid.a".into(),
        time: NOW,
        context: None,
        forwarded: 0,
        content: InboundContent::Text("Halo".into()),
    };
    let body = message(&number(), &contact, &text, NOW);
    assert!(value(&body)["contacts"][0].get("wa_id").is_none());
    assert_eq!(value(&body)["messages"][0]["from"], "ID.77");
    let body = status(&number(), &contact, &sent(State::Read), NOW);
    assert!(value(&body)["statuses"][0].get("recipient_id").is_none());
    assert_eq!(value(&body)["statuses"][0]["recipient_user_id"], "ID.77");
}

fn sent(state: State) -> Status {
    Status {
        id: "wamid.c".into(),
        state,
        time: NOW,
        conversation: Some(Conversation {
            id: "c1".into(),
            origin: Category::Utility,
            expiration: Some(NOW + 86_400_000),
        }),
        pricing: Some(Pricing {
            billable: true,
            category: Category::Utility,
            kind: PricingKind::Regular,
        }),
        biz_opaque_callback_data: Some("trk".into()),
    }
}

#[test]
fn a_status_with_price_and_conversation() {
    let body = status(&number(), &budi(), &sent(State::Sent), NOW);
    let expected = json!({
        "id": "wamid.c", "status": "sent", "timestamp": "1790000001",
        "recipient_id": "6281234567890", "recipient_user_id": "ID.77", "biz_opaque_callback_data": "trk",
        "conversation": { "id": "c1", "origin": { "type": "utility" }, "expiration_timestamp": "1790086401" },
        "pricing": { "billable": true, "pricing_model": "PMP", "category": "utility", "type": "regular" },
    });
    assert_eq!(value(&body)["statuses"], json!([expected]));
    assert_eq!(value(&body)["contacts"][0]["user_id"], "ID.77");
    let body = status(&number(), &budi(), &sent(State::Delivered), NOW);
    assert!(
        value(&body)["statuses"][0]["conversation"]
            .get("expiration_timestamp")
            .is_none()
    );
}

#[test]
fn a_failure_says_why() {
    let failed = State::Failed(GraphError::window_closed("more than 24 hours"));
    let body = status(&number(), &budi(), &sent(failed), NOW);
    let status = &value(&body)["statuses"][0];
    assert_eq!(status["status"], "failed");
    assert_eq!(status["errors"][0]["code"], 131_047);
    assert_eq!(status["errors"][0]["error_data"]["details"], "more than 24 hours");
}
