//! A message with buttons and one with a list, read and answered from the command line.

mod support;

use kabar_client::api::{Command, MessageKind, Reply, Shown};
use kabar_protocol::wire::{
    Interactive, ListRow, ListSection, ReplyButton, ReplyButtons, ReplyList, interactive::Action, interactive_reply,
};
use kabar_testkit::TestUser;
use serde_json::json;
use support::{Person, Serve, directory};

fn question(action: Action) -> Command {
    let message = Interactive {
        header: None,
        body: "Mau yang mana?".into(),
        footer: Some("Balas sebelum jam lima".into()),
        action: Some(action),
    };
    Command::Send {
        to: "@budi".into(),
        content: Shown::Interactive(message),
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    }
}

fn buttons() -> Action {
    Action::Buttons(ReplyButtons {
        buttons: vec![ReplyButton {
            id: "ya".into(),
            title: "Ya, kirim".into(),
        }],
    })
}

fn list() -> Action {
    Action::List(ReplyList {
        button: "Lihat".into(),
        sections: vec![ListSection {
            title: String::new(),
            rows: vec![ListRow {
                id: "gayo".into(),
                title: "Gayo".into(),
                description: Some("Aceh".into()),
            }],
        }],
    })
}

/// What was picked, oldest first: id and title.
fn answers(messages: Vec<kabar_client::api::MessageView>) -> Vec<(String, String)> {
    let picked = messages.into_iter().filter_map(|message| match message.shown {
        Some(Shown::InteractiveReply(reply)) if message.kind == MessageKind::InteractiveReply => {
            assert!(message.in_reply_to.is_some(), "an answer names its question");
            let id = match reply.reply {
                Some(interactive_reply::Reply::Button(button)) => button.id,
                Some(interactive_reply::Reply::List(row)) => row.id,
                Some(interactive_reply::Reply::Flow(flow)) => flow.name,
                _ => String::new(),
            };
            Some((id, message.text.unwrap_or_default()))
        }
        _ => None,
    });
    picked.collect()
}

#[test]
fn a_button_is_tapped_and_a_row_is_picked() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let budi = Person::register(directory.path(), "Budi", &server.url);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let shop = runtime.block_on(TestUser::register(&server.url, "Toko"));
    for action in [buttons(), list()] {
        let sent = runtime.block_on(shop.ask(question(action)));
        assert!(matches!(sent, Ok(Reply::Sent(_))), "{sent:?}");
    }

    let received = budi.lines(&["receive"]);
    let [asked, listed] = received.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(
        (&asked["kind"], &asked["text"], &asked["footer"]),
        (
            &json!("interactive"),
            &json!("Mau yang mana?"),
            &json!("Balas sebelum jam lima")
        )
    );
    assert_eq!(asked["buttons"], json!([{"id": "ya", "title": "Ya, kirim"}]));
    assert_eq!(
        listed["rows"],
        json!([{"id": "gayo", "title": "Gayo", "description": "Aceh"}])
    );

    let [asked, listed] = [asked, listed].map(|item| item["message_id"].as_str().unwrap_or_default());
    let (code, message) = budi.refused(&["tap", "--message", asked, "--button", "tidak"]);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("invalid", "button must be one of: ya")
    );
    let (code, message) = budi.refused(&["list-select", "--message", &"0".repeat(64), "--row", "gayo"]);
    assert!(code == "invalid" && message.contains("on this device"), "{message}");

    let tapped = budi.ok(&["tap", "--message", asked, "--button", "ya"]);
    assert_eq!(tapped["state"], "sent");
    let picked = budi.ok(&["list-select", "--message", listed, "--row", "gayo"]);
    assert_eq!(picked["conversation_id"], tapped["conversation_id"]);
    let arrived = runtime.block_on(async {
        shop.idle().await;
        let chat = shop.chat_with("@budi").await;
        shop.messages(chat.conversation_id).await
    });
    assert_eq!(
        answers(arrived),
        [("ya".into(), "Ya, kirim".into()), ("gayo".into(), "Gayo".into())]
    );
}
