//! What businesses offer and people answer.

use kabar_protocol::wire::{self, content::Body};

use crate::{content_of, encodes};

#[test]
fn offers_of_businesses() {
    use wire::interactive;
    let list = wire::ReplyList {
        button: "Pilih".into(),
        sections: vec![wire::ListSection {
            title: "Kopi".into(),
            rows: vec![wire::ListRow {
                id: "k1".into(),
                title: "Tubruk".into(),
                description: Some("hitam".into()),
            }],
        }],
    };
    let buttons = wire::ReplyButtons {
        buttons: vec![wire::ReplyButton {
            id: "ya".into(),
            title: "Ya".into(),
        }],
    };
    let link = wire::CtaUrl {
        display_text: "Lacak".into(),
        url: "https://toko.example/1".into(),
    };
    let interactive = |action| {
        content_of(Body::Interactive(wire::Interactive {
            header: Some("Toko".into()),
            body: "Mau?".into(),
            footer: Some("terima kasih".into()),
            action: Some(action),
        }))
    };
    encodes(
        "a list",
        &interactive(interactive::Action::List(list)),
        "0a10010101010101010101010101010101011080d8c1a28c3472400a04546f6b6f12044d61753f1a0c746572696d61206b617369685a240a0550696c6968121b0a044b6f706912130a026b31120654756272756b1a05686974616d",
    );
    encodes(
        "buttons",
        &interactive(interactive::Action::Buttons(buttons)),
        "0a10010101010101010101010101010101011080d8c1a28c3472260a04546f6b6f12044d61753f1a0c746572696d61206b61736968520a0a080a02796112025961",
    );
    encodes(
        "a link",
        &interactive(interactive::Action::CtaUrl(link)),
        "0a10010101010101010101010101010101011080d8c1a28c34723b0a04546f6b6f12044d61753f1a0c746572696d61206b61736968621f0a054c6163616b121668747470733a2f2f746f6b6f2e6578616d706c652f31",
    );
}

#[test]
fn answers_to_businesses_and_templates() {
    use wire::{interactive_reply, template_button};
    let reply = |reply| content_of(Body::InteractiveReply(wire::InteractiveReply { reply: Some(reply) }));
    let tapped = wire::ButtonReply {
        id: "ya".into(),
        title: "Ya".into(),
    };
    encodes(
        "a tap",
        &reply(interactive_reply::Reply::Button(tapped)),
        "0a10010101010101010101010101010101011080d8c1a28c347a0a0a080a02796112025961",
    );
    let picked = wire::ListReply {
        id: "k1".into(),
        title: "Tubruk".into(),
        description: Some("hitam".into()),
    };
    encodes(
        "a choice",
        &reply(interactive_reply::Reply::List(picked)),
        "0a10010101010101010101010101010101011080d8c1a28c347a1512130a026b31120654756272756b1a05686974616d",
    );
    let button = |text: &str, action| wire::TemplateButton {
        text: text.into(),
        action: Some(action),
    };
    let template = wire::Template {
        name: "pesanan".into(),
        language: "id".into(),
        header: Some("Pesanan".into()),
        body: "Pesanan 7 dikirim".into(),
        footer: Some("Toko".into()),
        buttons: vec![
            button("Baik", template_button::Action::Payload("ok".into())),
            button("Lacak", template_button::Action::Url("https://toko.example/7".into())),
        ],
    };
    encodes(
        "a template",
        &content_of(Body::Template(template)),
        "0a10010101010101010101010101010101011080d8c1a28c3482015c0a07706573616e616e120269641a07506573616e616e2211506573616e616e20372064696b6972696d2a04546f6b6f320a0a044261696b12026f6b321f0a054c6163616b1a1668747470733a2f2f746f6b6f2e6578616d706c652f37",
    );
}
